//! Sessions: tower-sessions' manager over our own table.

use async_trait::async_trait;
use axum::{extract::Request, middleware::Next, response::Response};
use domain::{
    clock::Clock,
    identity::sessions::{self, Added, Stored},
};
use http::Method;
use jiff::SignedDuration;
use sqlx::PgPool;
use time::OffsetDateTime;
use tower_sessions::{
    Expiry, SessionManagerLayer, SessionStore,
    cookie::SameSite,
    session::{Id, Record},
    session_store,
};

use app::session::Who;

/// How long the browser keeps the cookie; the database says when a session has ended.
const COOKIE_LIFE_DAYS: i64 = 30;
/// A visitor's session holds nothing but the outcome of a form.
const VISITOR_IDLE: SignedDuration = SignedDuration::from_mins(30);

/// What a page says that fetches itself again because something has changed.
pub const REFRESH: &str = "x-lessonbook-refresh";

tokio::task_local! {
    /// Whether the request was sent by a page by itself: nobody need sit there, so it doesn't lengthen the session.
    static UNATTENDED: ();
}

/// Marks requests that pages send by themselves.
pub async fn unattended(request: Request, next: Next) -> Response {
    // `/t/{school}/live`; a school may be called "live" too.
    let path = request.uri().path();
    let stream = path.ends_with("/live") && path.split('/').count() == 4;
    // Nothing is done by itself: only looking doesn't count.
    if request.method() == Method::GET && (request.headers().contains_key(REFRESH) || stream) {
        UNATTENDED.scope((), next.run(request)).await
    } else {
        next.run(request).await
    }
}

/// The store. Knows tokens only by their SHA-256; `save` is an update, so that an ended session stays ended.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
    clock: Clock,
}

impl Store {
    /// Over the program's pool.
    pub fn new(pool: PgPool, clock: Clock) -> Self {
        Self { pool, clock }
    }
}

/// The layer that brings a session to each request.
pub fn layer(store: Store, https: bool) -> SessionManagerLayer<Store> {
    SessionManagerLayer::new(store)
        .with_name(if https { "__Host-lessonbook" } else { "lessonbook" })
        .with_secure(https)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(time::Duration::days(COOKIE_LIFE_DAYS)))
}

fn failed(error: domain::Error) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        let now = self.clock.now();
        loop {
            let who = Who::of(&record.data);
            let (idle, expires_at) = who.as_ref().map_or((VISITOR_IDLE, now + VISITOR_IDLE), |who| {
                (SignedDuration::from_secs(who.idle_seconds), who.ends_at)
            });
            let stored = Stored {
                user: who.as_ref().map(|who| who.user),
                impersonator: who.as_ref().and_then(Who::impersonator),
                impersonator_epoch: who.as_ref().and_then(|who| Some(who.acting.as_ref()?.admin.epoch)),
                epoch: who.as_ref().map(|who| who.epoch),
                ip: who.as_ref().map_or_else(String::new, |who| who.ip.clone()),
                device: who.map_or_else(String::new, |who| who.device),
                data: serde_json::to_value(&record.data)
                    .map_err(|e| session_store::Error::Encode(e.to_string()))?,
                expires_at,
            };
            let hash = sessions::hash_token(&record.id.to_string());
            match sessions::create(&self.pool, &hash, &stored, idle, now).await.map_err(failed)? {
                Added::Yes => return Ok(()),
                // A collision of 128 random bits won't be seen, but taking over a session must be impossible, not
                // unlikely.
                Added::HashTaken => record.id = Id::default(),
                // Whoever was about to come in is a visitor again.
                Added::Ended => record.data.clear(),
            }
        }
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let data =
            serde_json::to_value(&record.data).map_err(|e| session_store::Error::Encode(e.to_string()))?;
        sessions::save(&self.pool, &sessions::hash_token(&record.id.to_string()), &data).await.map_err(failed)
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let attended = UNATTENDED.try_with(|()| ()).is_err();
        let Some((data, expires_at)) =
            sessions::load(&self.pool, &sessions::hash_token(&id.to_string()), self.clock.now(), attended)
                .await
                .map_err(failed)?
        else {
            return Ok(None);
        };
        let data = serde_json::from_value(data).map_err(|e| session_store::Error::Decode(e.to_string()))?;
        let expiry_date = OffsetDateTime::from_unix_timestamp(expires_at.as_second())
            .map_err(|e| session_store::Error::Decode(e.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        sessions::delete(&self.pool, &sessions::hash_token(&id.to_string())).await.map_err(failed)
    }
}
