//! Sending what is in the outbox.
//!
//! A worker takes a message in one transaction, talks to the mail server in none, and writes how it went in another. One
//! that dies in between leaves a row whose lease runs out: if the text had not been handed over, the next worker sends it
//! as if nothing had happened; if it had, it may arrive twice, and the row says so.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use serde_json::json;
use sqlx::PgConnection;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    Claim, Courier, Delivery, Envelope, HandingOver, Mail, NO_SERVER, SendError, State,
    ending::{MAY_BE_TWICE, abandoned, ending},
    envelope::{envelope, own_server},
    outbox::{self, Claimed, Ending},
};
use crate::{
    Error, Instant, Result,
    audit::{self, Entry},
    authz::{Action, Caller, Role, TenantScope},
    clock::Clock,
    db::{ActAs, Db},
};

/// Messages under way at once.
pub const LANES: usize = 8;
/// How long a courier may take at all; less than the lease.
const LONGEST: Duration = Duration::from_secs(240);
/// How long a page waits for its message (TN-09).
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the test button waits.
const TEST_PATIENCE: Duration = Duration::from_secs(15);

/// Sends messages. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Mailer {
    db: Db,
    clock: Clock,
    courier: Arc<dyn Courier>,
    /// Those of [`Mailer::deliver_now`] that are under way, in all clones.
    sends: Arc<Mutex<JoinSet<()>>>,
}

impl Mailer {
    /// One that sends by `courier`.
    pub fn new(db: Db, clock: Clock, courier: Arc<dyn Courier>) -> Self {
        Self { db, clock, courier, sends: Arc::default() }
    }

    /// Whether the platform has a mail server.
    pub fn configured(&self) -> bool {
        self.courier.configured()
    }

    /// Takes up to [`LANES`] messages, sends them, and says how many they were.
    ///
    /// # Errors
    /// Of the database.
    pub async fn run_once(&self) -> Result<usize> {
        let mut lanes = JoinSet::new();
        let started = self.start(&mut lanes).await?;
        while lanes.join_next().await.is_some() {}
        Ok(started)
    }

    /// Takes as many messages as there is room for among `lanes` and begins to send each in a task of its own.
    ///
    /// # Errors
    /// Of the database.
    pub async fn start(&self, lanes: &mut JoinSet<()>) -> Result<usize> {
        let room = LANES.saturating_sub(lanes.len());
        if room == 0 {
            return Ok(0);
        }
        let now = self.clock.now();
        let mut tx = self.db.begin(ActAs::Platform, None).await?;
        for row in outbox::abandoned(&mut tx, now).await? {
            let ending = abandoned(row.handed_over, row.attempts, now);
            settle(&mut tx, (row.tenant_id, row.id, row.attempts), &row.kind, &ending, now).await?;
        }
        let claimed = outbox::claim(&mut tx, now, self.configured(), room).await?;
        tx.commit().await?;
        let started = claimed.len();
        for claimed in claimed {
            let mailer = self.clone();
            lanes.spawn(async move { mailer.deliver(claimed).await });
        }
        Ok(started)
    }

    /// Sends a message that was just committed, without waiting for a worker, and says what became of it within 5 s. It
    /// goes on in the background when that is too short.
    ///
    /// # Errors
    /// [`Error::NotFound`], or of the database.
    pub async fn deliver_now(&self, tenant: Uuid, id: Uuid) -> Result<Delivery> {
        let mut tx = self.db.begin(ActAs::Platform, None).await?;
        let claimed = outbox::claim_one(&mut tx, self.clock.now(), self.configured(), (tenant, id)).await?;
        tx.commit().await?;
        if let Some(claimed) = claimed {
            let mailer = self.clone();
            let mut sends = self.sends();
            while sends.try_join_next().is_some() {}
            sends.spawn(async move { mailer.deliver(claimed).await });
        }
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let mut tx = self.db.begin(ActAs::Platform, None).await?;
            let found = outbox::delivery(&mut tx, (tenant, id)).await?;
            let (mut delivery, own) = found.ok_or(Error::NotFound)?;
            if delivery.state == State::Waiting && delivery.error.is_none() && !own && !self.configured() {
                delivery.error = Some(NO_SERVER.into());
                if outbox::no_server(&mut tx, (tenant, id)).await? {
                    let why = (State::Waiting, delivery.error.as_deref());
                    record(&mut tx, (tenant, id, 0), "invite", why, self.clock.now()).await?;
                }
            }
            tx.commit().await?;
            // It may be a worker's, which was faster.
            if delivery.state == State::Sending && tokio::time::Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            return Ok(delivery);
        }
    }

    /// Waits until what [`Mailer::deliver_now`] has begun has ended. Nothing is lost when nobody waits that long: the
    /// sends go on, or another worker takes them over.
    pub async fn drain(&self) {
        std::future::poll_fn(|cx| {
            let mut sends = self.sends();
            loop {
                match sends.poll_join_next(cx) {
                    Poll::Ready(Some(_)) => {}
                    Poll::Ready(None) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
    }

    fn sends(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.sends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a message to the one who asks, by the school's own server or else the platform's. Not by way of the outbox:
    /// the answer is wanted now. The scope is closed first, for no transaction is kept open while a mail server thinks.
    ///
    /// # Errors
    /// [`Error::Conflict`] with what went wrong, for people.
    pub async fn test(&self, mut scope: TenantScope) -> Result<()> {
        scope.require(Action::EditSettings)?;
        let (now, vault, school) = (scope.now(), scope.vault().clone(), scope.tenant().name.clone());
        let user = scope.actor().user.ok_or(Error::NotFound)?;
        let (tenant, conn) = scope.conn();
        let row = sqlx::query!(
            r#"select u.email, m.host as "host?", m.port as "port?", m.security as "security?",
                      m.username as "username?", m.password as "password?", m.from_email as "from_email?",
                      m.from_name as "from_name?"
               from users u left join tenant_mail m on m.tenant_id = $1 where u.id = $2"#,
            tenant,
            user.0,
        )
        .fetch_one(conn)
        .await?;
        scope.commit().await?;
        let own = match (row.host, row.port, row.security, row.from_email) {
            (Some(host), Some(port), Some(security), Some(from_email)) => Some(own_server(
                &vault,
                tenant,
                (host, port, security),
                (row.username.unwrap_or_default(), row.password),
                (from_email, row.from_name.unwrap_or_default()),
            )?),
            _ => None,
        };
        if own.is_none() && !self.configured() {
            return Err(Error::Conflict("There is no mail server yet. Save one first.".into()));
        }
        let envelope = Envelope {
            id: crate::ids::BookingId::new(now).0,
            tenant,
            school: Some(school.clone()),
            to: row.email,
            mail: Mail::Test { school },
            token: None,
            created_at: now,
            own,
        };
        let untracked = HandingOver::untracked();
        match tokio::time::timeout(TEST_PATIENCE, self.courier.send(&envelope, &untracked)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(SendError::Refused(error) | SendError::Later(error) | SendError::AnswerLost(error))) => {
                Err(Error::Conflict(error))
            }
            Err(_) => Err(Error::Conflict("The mail server takes longer than 15 seconds.".into())),
        }
    }

    /// Sends a message that was taken, and writes how it went.
    async fn deliver(&self, claimed: Claimed) {
        let (tenant, id, attempt) = (claimed.tenant_id, claimed.id, claimed.attempts);
        let claim = Claim { db: self.db.clone(), clock: self.clock.clone(), tenant, id, attempt };
        let handing_over = HandingOver::of(claim);
        let kind = claimed.kind.clone();
        let result = match envelope(self.db.vault(), self.configured(), self.clock.now(), claimed) {
            Err(error) => Err(error),
            Ok(envelope) => {
                match tokio::time::timeout(LONGEST, self.courier.send(&envelope, &handing_over)).await {
                    Ok(result) => result,
                    Err(_) if handing_over.begun() => Err(SendError::AnswerLost(MAY_BE_TWICE.into())),
                    Err(_) => Err(SendError::Later("The mail server takes too long.".into())),
                }
            }
        };
        if let Err(error) = &result {
            // Not the error's words: a server may repeat the address in them.
            let error = match error {
                SendError::Refused(_) => "refused",
                SendError::Later(_) => "later",
                SendError::AnswerLost(_) => "answer lost",
            };
            tracing::warn!(%tenant, mail = %id, %kind, attempt, error, "a message was not sent");
        }
        let jitter = 0.9 + 0.2 * rand::random::<f64>();
        let ending = ending(result, attempt, self.clock.now(), jitter);
        // What is known now must not be lost: without it the message would be sent again.
        for pause in [1, 2, 4, 8, 16, 0] {
            match self.write(&kind, (tenant, id, attempt), &ending).await {
                Ok(()) => return,
                Err(error) => tracing::warn!(%error, mail = %id, "could not write how sending ended"),
            }
            tokio::time::sleep(Duration::from_secs(pause)).await;
        }
    }

    async fn write(&self, kind: &str, key: (Uuid, Uuid, i32), ending: &Ending) -> Result<()> {
        let mut tx = self.db.begin(ActAs::Platform, None).await?;
        settle(&mut tx, key, kind, ending, self.clock.now()).await?;
        Ok(tx.commit().await?)
    }
}

/// Writes how an attempt ended; the school's audit records a message that is given up, and an invite that didn't go out
/// at once (TN-09).
async fn settle(
    conn: &mut PgConnection,
    (tenant, id, attempt): (Uuid, Uuid, i32),
    kind: &str,
    ending: &Ending,
    now: Instant,
) -> Result<()> {
    let ours = outbox::settle(conn, (tenant, id, attempt), ending, now).await?;
    let failed_invite = kind == "invite" && attempt == 1 && ending.state == State::Waiting;
    if ours && (ending.state == State::Dead || failed_invite) {
        record(conn, (tenant, id, attempt), kind, (ending.state, ending.error.as_deref()), now).await?;
    }
    Ok(())
}

/// Records in the school's audit that a message was not sent.
async fn record(
    conn: &mut PgConnection,
    (tenant, id, attempts): (Uuid, Uuid, i32),
    kind: &str,
    (state, error): (State, Option<&str>),
    now: Instant,
) -> Result<()> {
    let after = json!({ "kind": kind, "state": state.as_str(), "error": error, "attempts": attempts });
    let entry = Entry {
        action: "mail.failed",
        entity: "message",
        entity_id: Some(id),
        before: None,
        after: Some(after),
        reason: None,
    };
    // Nobody did it: no account, no address.
    audit::record_as(conn, tenant, &Caller::visitor(now), Role::Visitor, entry).await
}
