//! Limits on how often anyone may ask (SE-01): general ones on every page, download and action, strict ones on those
//! actions that an attacker would try again and again.
//!
//! The layer stands inside the session layer and around everything that has a session. Browser files and the health
//! addresses are outside.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::{AppError, Code, cx::Site, session};
use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use domain::{
    clock::Clock,
    db::Db,
    ids::UserId,
    limits::{
        BOOK, By, Counts, FORGOT, HOLD, LOGIN, MAGIC, MOVE, PUBLIC, REGISTER, RESET, Rule, SIGNED_IN, VERIFY,
        Verdict,
        store::{self, Taken},
    },
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, request::Parts};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::{sync::watch, time::MissedTickBehavior};
use tower_sessions::Session;

use super::{actions, client, context, errors, pages};

/// Actions with a limit of their own.
pub const STRICT: [(&str, Rule); 18] = [
    ("/fn/identity/login", LOGIN),
    ("/fn/identity/login_code", LOGIN),
    ("/fn/identity/use_magic", LOGIN),
    ("/fn/identity/register", REGISTER),
    ("/fn/identity/forgot", FORGOT),
    ("/fn/identity/magic", MAGIC),
    ("/fn/identity/set_password", RESET),
    ("/fn/identity/verify", VERIFY),
    ("/fn/identity/confirm_email", VERIFY),
    ("/fn/team/accept", VERIFY),
    ("/fn/booking/book", BOOK),
    ("/fn/booking/book_series", BOOK),
    ("/fn/waiting/accept", BOOK),
    ("/fn/booking/hold", HOLD),
    ("/fn/booking/release_hold", HOLD),
    ("/fn/booking/move", MOVE),
    ("/fn/waiting/join", MOVE),
    ("/fn/waiting/leave", MOVE),
];

/// Requests with the right value aren't counted.
const BENCHMARK: &str = "x-benchmark-token";
const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESETS: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Clients and accounts counted in the process at a time; some 20 MB when all are there.
const CAPACITY: usize = 100_000;
/// Rows in one statement.
const CHUNK: usize = 5_000;
/// How often instances tell each other what they counted.
const TELL: Duration = Duration::from_secs(1);
/// After so many of these, windows that no longer count are removed.
const SWEEP: u32 = 60;

/// What an action puts into its answer when it went well.
#[derive(Clone, Copy, Debug)]
pub struct WentWell;

/// Counts tries.
#[derive(Clone)]
pub struct Limiter(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    trusted: Vec<IpNet>,
    benchmark: Option<SecretString>,
    counts: Mutex<Counts>,
    telling: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("trusted", &self.0.trusted).finish_non_exhaustive()
    }
}

impl Limiter {
    /// For an instance behind `trusted` proxies. Requests that carry the `benchmark` token aren't counted.
    pub fn new(db: Db, clock: Clock, trusted: Vec<IpNet>, benchmark: Option<SecretString>) -> Self {
        let counts = Mutex::new(Counts::new(CAPACITY));
        Self(Arc::new(Inner {
            db,
            clock,
            trusted,
            benchmark,
            counts,
            telling: tokio::sync::Mutex::default(),
        }))
    }

    /// Counts a request, if it fits: by account when signed in, else by network.
    pub fn check_general(&self, user: Option<UserId>, network: &str) -> Verdict {
        let now = self.0.clock.now();
        match user {
            Some(user) => self.counts().take(&SIGNED_IN, &user.to_string(), now),
            None => self.counts().take(&PUBLIC, network, now),
        }
    }

    /// Counts a try of all instances together, if it fits.
    ///
    /// # Errors
    /// Of the database.
    pub async fn check_strict(&self, rule: &Rule, whose: &str) -> domain::Result<Taken> {
        store::take(self.0.db.pool(), rule, whose, self.0.clock.now()).await
    }

    /// Gives a try back that went well. If that fails it stays counted, which the next minute mends.
    pub async fn give_back(&self, taken: &Taken) {
        if let Err(error) = store::give_back(self.0.db.pool(), taken).await {
            tracing::warn!(%error, "could not give a try back");
        }
    }

    /// Tells the other instances what this one has counted, and hears what they have.
    ///
    /// # Errors
    /// Of the database; what it didn't count stays due.
    pub async fn tell(&self) -> domain::Result<()> {
        let _turn = self.0.telling.lock().await;
        let due = self.counts().due(self.0.clock.now());
        let mut rest = due.as_slice();
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(rest.len().min(CHUNK));
            match store::flush(self.0.db.pool(), chunk).await {
                Ok(totals) => {
                    let mut counts = self.counts();
                    chunk.iter().zip(totals).for_each(|(delta, total)| counts.settle(delta, total));
                }
                Err(error) => {
                    let mut counts = self.counts();
                    rest.iter().for_each(|delta| counts.keep(delta));
                    return Err(error);
                }
            }
            rest = after;
        }
        Ok(())
    }

    /// Tells and hears each second until the program stops, and removes what no longer counts.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut every = tokio::time::interval(TELL);
        every.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (mut ticks, mut failing) = (0_u32, false);
        while !*stop.borrow() {
            tokio::select! {
                _ = every.tick() => {}
                _ = stop.changed() => break,
            }
            let told = self.tell().await;
            match &told {
                Err(error) if !failing => tracing::warn!(%error, "limits are counted by this instance alone"),
                Ok(()) if failing => tracing::info!("limits are shared again"),
                _ => {}
            }
            failing = told.is_err();
            ticks = ticks.wrapping_add(1);
            if ticks.is_multiple_of(SWEEP) {
                self.sweep().await;
            }
        }
        // What was counted last is worth telling, but not worth waiting for.
        let _ = tokio::time::timeout(TELL, self.tell()).await;
    }

    async fn sweep(&self) {
        if self.counts().is_full() {
            tracing::warn!("more clients than are counted: new ones are let through uncounted");
        }
        match store::sweep(self.0.db.pool(), self.0.clock.now()).await {
            Ok(windows) => tracing::debug!(windows, "removed old counts"),
            Err(error) => tracing::warn!(%error, "could not remove old counts"),
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is the benchmark that asks.
    fn skips(&self, headers: &HeaderMap) -> bool {
        match (&self.0.benchmark, headers.get(BENCHMARK)) {
            (Some(token), Some(given)) => {
                let token = token.expose_secret().as_bytes();
                !token.is_empty() && bool::from(token.ct_eq(given.as_bytes()))
            }
            _ => false,
        }
    }
}

/// What the layer works with.
#[derive(Clone, Debug)]
pub struct Gate {
    /// For drawing a refusal.
    pub site: Arc<Site>,
    /// Counts.
    pub limiter: Limiter,
}

/// Lets a request through, or refuses it with 429. Leaves the client's [`domain::authz::Origin`] with the request.
pub async fn layer(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let origin = client::origin(&parts, &gate.limiter.0.trusted);
    let network = client::network(&origin.ip);
    parts.extensions.insert(origin);
    if gate.limiter.skips(&parts.headers) {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let user = user(&parts).await;
    let verdict = gate.limiter.check_general(user, &network);
    if !verdict.allowed {
        let rule = if user.is_some() { SIGNED_IN } else { PUBLIC };
        return marked(refuse(&gate.site, parts, too_many(&rule, &verdict)).await, &verdict);
    }
    let strict = strict(&parts).and_then(|rule| Some((rule, whose(rule, user, network)?)));
    let request = Request::from_parts(parts, body);
    match strict {
        Some((rule, whose)) => try_it(&gate, rule, &whose, request, next).await,
        None => marked(next.run(request).await, &verdict),
    }
}

/// Runs an action that has a limit of its own.
async fn try_it(gate: &Gate, rule: &Rule, whose: &str, request: Request, next: Next) -> Response {
    let taken = match gate.limiter.check_strict(rule, whose).await {
        Ok(taken) => taken,
        // What can't be counted isn't tried.
        Err(error) => return actions::refuse(&gate.site, request, error.into()).await,
    };
    if !taken.verdict.allowed {
        let error = too_many(rule, &taken.verdict);
        return marked(actions::refuse(&gate.site, request, error).await, &taken.verdict);
    }
    let response = next.run(request).await;
    if rule.gives_back && response.extensions().get::<WentWell>().is_some() {
        gate.limiter.give_back(&taken).await;
        return marked(response, &taken.verdict.given_back());
    }
    marked(response, &taken.verdict)
}

/// Who is signed in; behind a super-admin who acts as someone else, the super-admin. An account that has been disabled
/// meanwhile is counted all the same, and whether the session can be read at all is for those who need it to say.
async fn user(parts: &Parts) -> Option<UserId> {
    let session = parts.extensions.get::<Session>()?.clone();
    let who = session::who(&session).await.ok()??;
    Some(who.impersonator().unwrap_or(who.user))
}

fn strict(parts: &Parts) -> Option<&'static Rule> {
    static RULES: [(&str, Rule); 18] = STRICT;
    let path = parts.uri.path();
    let found = RULES.iter().find(|(name, _)| *name == path && parts.method == Method::POST);
    found.map(|(_, rule)| rule)
}

/// What a try is counted under; nothing for an account's limit without an account, which the action refuses anyway.
fn whose(rule: &Rule, user: Option<UserId>, network: String) -> Option<String> {
    match rule.by {
        By::Account => user.map(|user| user.to_string()),
        By::Address | By::Machine => Some(network),
    }
}

fn too_many(rule: &Rule, verdict: &Verdict) -> AppError {
    AppError::new(Code::RateLimited, rule.refusal(verdict)).after(verdict.reset)
}

/// Refuses without touching the database: nothing goes into the session, and the form isn't read. An action's own limit
/// is met far less often and goes back to its form instead.
async fn refuse(site: &Arc<Site>, mut parts: Parts, error: AppError) -> Response {
    let path = parts.uri.path().to_owned();
    if !context::wants_page(&parts.headers) {
        return errors::json(error, &path);
    }
    match context::read(&mut parts, site).await {
        Ok(cx) => pages::draw_error(&cx, error),
        Err(other) => errors::json(other, &path),
    }
}

/// Says how many tries are left.
fn marked(mut response: Response<Body>, verdict: &Verdict) -> Response {
    let headers = response.headers_mut();
    headers.insert(LIMIT, HeaderValue::from(verdict.limit));
    headers.insert(REMAINING, HeaderValue::from(verdict.remaining));
    headers.insert(RESETS, HeaderValue::from(verdict.reset));
    if !verdict.allowed {
        headers.insert(http::header::RETRY_AFTER, HeaderValue::from(verdict.reset));
    }
    response
}
