//! What every test stands on: the program's own router over a real Postgres with the demo's schools, a clock that
//! stands still, and clients that come in by the front door.

mod seeded;
mod statements;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use app::cx::{Assets, Site};
use axum::{Router, body::Body, extract::ConnectInfo};
use domain::{
    Instant,
    clock::Clock,
    db::Db,
    identity::Passwords,
    live::Changes,
    notify::{Courier, Envelope, HandingOver, Mailer, SendError},
    seed,
    vault::Vault,
};
use futures::future::BoxFuture;
use http::{HeaderMap, Method, Request, StatusCode, header};
use lessonbook::{
    http::{limits::Limiter, live::Live},
    router::{AppState, build_router},
};
use serde_json::Value;
use sqlx::{PgPool, postgres::PgConnectOptions};
use tokio::sync::watch;
use tower::ServiceExt;

pub(crate) use self::statements::QueryCount;

/// A Tuesday morning in winter: the demo's week lies around it.
pub(crate) const NOW: &str = "2027-01-12T07:30:00Z";
pub(crate) const PASSWORD: &str = seed::DEMO_PASSWORD;
pub(crate) const BENCHMARK_TOKEN: &str = "benchmark";
/// Encrypts the test's keys.
pub(crate) const MASTER: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The program under test.
#[derive(Clone)]
pub(crate) struct TestApp {
    pub(crate) router: Router,
    pub(crate) site: Arc<Site>,
    pub(crate) limiter: Limiter,
    pub(crate) db: Db,
    /// The test database as superuser: to look behind the program's back.
    pub(crate) admin: PgPool,
    pub(crate) clock: Clock,
    pub(crate) live: Live,
    /// What live pages hear of; nothing, until a test listens: the connection would keep the test's database.
    pub(crate) changes: Changes,
    /// Tells streams that the program stops.
    pub(crate) stop: Arc<watch::Sender<bool>>,
}

impl TestApp {
    /// The program with the demo's schools.
    pub(crate) async fn demo(admin: PgPool) -> Self {
        Self::demo_at(admin, NOW).await
    }

    /// The same, at another time.
    pub(crate) async fn demo_at(admin: PgPool, now: &str) -> Self {
        Self::demo_with(admin, now, 20).await
    }

    /// The same, with a pool of a given size.
    pub(crate) async fn demo_with(admin: PgPool, now: &str, connections: u32) -> Self {
        Self::demo_behind(admin, now, connections, "http://localhost").await
    }

    /// The same, at a public address.
    pub(crate) async fn demo_behind(admin: PgPool, now: &str, connections: u32, base_url: &str) -> Self {
        Self::demo_of(admin, now, connections, base_url, Arc::new(NoMail)).await
    }

    /// The program with the demo's schools and a mail server.
    pub(crate) async fn demo_mailing(admin: PgPool, courier: Arc<dyn Courier>) -> Self {
        Self::demo_of(admin, NOW, 20, "http://localhost", courier).await
    }

    async fn demo_of(
        admin: PgPool,
        now: &str,
        connections: u32,
        base_url: &str,
        courier: Arc<dyn Courier>,
    ) -> Self {
        let options: PgConnectOptions = (*admin.connect_options()).clone();
        let vault = Vault::new(&MASTER.into(), &[]).unwrap();
        let db = Db::connect(options, connections, vault).await.unwrap();
        let clock = Clock::fixed(now.parse().unwrap());
        let passwords = Passwords::cheap_for_tests().unwrap();
        if now == NOW {
            seeded::fill(&admin, &db, &passwords).await;
        } else {
            db.vault().load(&db).await.unwrap();
            seed::demo(&db, &passwords, clock.now()).await.unwrap();
        }
        let site = Arc::new(Site {
            db: db.clone(),
            clock: clock.clone(),
            passwords,
            base_url: base_url.to_owned(),
            demo: true,
            reload: false,
            mail: Mailer::new(db.clone(), clock.clone(), courier),
            assets: Assets::default(),
        });
        let (stop, stopping) = watch::channel(false);
        let changes = Changes::default();
        let limiter = Limiter::new(db.clone(), clock.clone(), Vec::new(), Some(BENCHMARK_TOKEN.into()));
        let live = Live::new(changes.clone(), stopping);
        let state = AppState {
            site: Arc::clone(&site),
            limiter: limiter.clone(),
            live: live.clone(),
            https: base_url.starts_with("https:"),
            site_dir: "no-such-dir".into(),
        };
        Self {
            router: build_router(state),
            site,
            limiter,
            db,
            admin,
            clock,
            live,
            changes,
            stop: Arc::new(stop),
        }
    }

    /// A client that isn't signed in.
    pub(crate) fn visitor(&self) -> Client {
        Client { router: self.router.clone(), cookies: Arc::default(), ip: None }
    }

    /// A client signed in through the login form.
    pub(crate) async fn login(&self, email: &str) -> Client {
        let client = self.visitor();
        let answer = client.post("identity/login", &[("login", email), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{email}: {}", answer.body);
        client
    }

    pub(crate) async fn owner(&self) -> Client {
        self.login("owner@cape-drive.test").await
    }

    pub(crate) async fn student(&self) -> Client {
        self.login("sipho@cape-drive.test").await
    }

    /// One value of the test database, seen as superuser.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar::<_, i64>(sql).fetch_one(&self.admin).await.unwrap()
    }

    /// One text of the test database, seen as superuser.
    pub(crate) async fn text(&self, sql: &'static str) -> String {
        sqlx::query_scalar::<_, String>(sql).fetch_one(&self.admin).await.unwrap()
    }

    /// Cape Drive's services by name, and its instructors by what their address begins with: the ids.
    pub(crate) async fn offered(&self) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let map = async |sql: &'static str| {
            let rows = sqlx::query_as::<_, (String, String)>(sql).fetch_all(&self.admin).await.unwrap();
            rows.into_iter().collect()
        };
        let services = "select s.name, s.id::text from services s join tenants t on t.id = s.tenant_id where t.slug = 'cape-drive'";
        let instructors = "select split_part(i.email, '@', 1), i.id::text from instructors i join tenants t on t.id = i.tenant_id where t.slug = 'cape-drive'";
        (map(services).await, map(instructors).await)
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }
}

/// What sends when no mail server is set up.
#[derive(Debug)]
struct NoMail;

impl Courier for NoMail {
    fn configured(&self) -> bool {
        false
    }

    fn send<'a>(&'a self, _: &'a Envelope, _: &'a HandingOver) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async { Err(SendError::Later("There is no mail server in this test.".into())) })
    }
}

/// A browser, as far as the server can tell: it keeps cookies.
#[derive(Clone)]
pub(crate) struct Client {
    router: Router,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
    /// Where it comes from, and then rate limits hold for it; without, it says the benchmark's token.
    ip: Option<IpAddr>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn field(&self, name: &str) -> String {
        self.json()["fields"][name].as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self
    }

    #[track_caller]
    pub(crate) fn shows(self, text: &str) -> Self {
        assert!(self.body.contains(text), "{text:?} is not in {}", self.body);
        self
    }

    #[track_caller]
    pub(crate) fn hides(self, text: &str) -> Self {
        assert!(!self.body.contains(text), "{text:?} is in {}", self.body);
        self
    }
}

impl Client {
    /// The same client at an address of its own, for which rate limits hold.
    pub(crate) fn at(&self, ip: &str) -> Self {
        Self { ip: Some(ip.parse().unwrap()), ..self.clone() }
    }

    /// A page, as a browser asks for it.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "text/html", None).await
    }

    /// An action, as a script calls it.
    pub(crate) async fn post(&self, action: &str, fields: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(fields).unwrap();
        self.send(Method::POST, &format!("/fn/{action}"), "application/json", Some(body.into_bytes())).await
    }

    /// An action, as a form without scripts posts it; `back` is the page the form is on.
    pub(crate) async fn submit(&self, action: &str, back: &str, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![("_back", back)];
        all.extend_from_slice(fields);
        let body = serde_urlencoded::to_string(&all).unwrap();
        self.send(Method::POST, &format!("/fn/{action}"), "text/html", Some(body.into_bytes())).await
    }

    /// A form posted, and the page that it leads to.
    pub(crate) async fn submit_and_follow(
        &self,
        action: &str,
        back: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let answer = self.submit(action, back, fields).await.expect(303);
        self.get(answer.location()).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        accept: &str,
        body: Option<Vec<u8>>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, accept);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        self.call(request.body(body.map_or_else(Body::empty, Body::from)).unwrap()).await
    }

    /// Any request, and the bytes that come back.
    pub(crate) async fn call_for_bytes(&self, request: Request<Body>) -> Vec<u8> {
        let response = self.respond(request).await;
        axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
    }

    /// Any request, with the cookies kept so far.
    pub(crate) async fn call(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.respond(request).await.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn respond(&self, mut request: Request<Body>) -> axum::response::Response {
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        let ip = self.ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((ip, 4711))));
        if self.ip.is_none() {
            request.headers_mut().insert("x-benchmark-token", BENCHMARK_TOKEN.parse().unwrap());
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
        }
        response
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }
}

/// Held by a test that keeps the whole machine busy, so that two such don't run into each other's time-outs.
pub(crate) static BUSY: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
