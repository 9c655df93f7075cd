//! How often anyone may try (SE-01), over HTTP. Only clients at an address of their own are limited: the others say the
//! benchmark's token.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::body::Body;
use futures::future::join_all;
use http::{Method, Request, header};
use jiff::SignedDuration;
use lessonbook::{
    http::limits::{Limiter, STRICT},
    router::{AppState, build_router},
};
use sqlx::PgPool;

use crate::harness::{Answer, Client, PASSWORD, TestApp};

/// What an action is sent.
type Fields<'a> = &'a [(&'a str, &'a str)];

const RIGHT: [(&str, &str); 2] = [("login", "sipho@cape-drive.test"), ("password", PASSWORD)];

/// Another instance of the program over the same database, behind `trusted` proxies.
pub(crate) fn instance(app: &TestApp, trusted: &str) -> TestApp {
    let trusted = trusted.split_whitespace().map(|net| net.parse().unwrap()).collect();
    let limiter = Limiter::new(app.db.clone(), app.clock.clone(), trusted, None);
    let state = AppState {
        live: app.live.clone(),
        site: Arc::clone(&app.site),
        https: false,
        site_dir: "no-such-dir".into(),
        limiter: limiter.clone(),
    };
    TestApp { router: build_router(state), limiter, ..app.clone() }
}

pub(crate) fn number(answer: &Answer, name: &str) -> u64 {
    let value = answer.headers.get(name).unwrap_or_else(|| panic!("no {name}: {:?}", answer.headers));
    value.to_str().unwrap().parse().unwrap()
}

pub(crate) async fn wait(app: &TestApp, seconds: u64) {
    app.clock.advance(SignedDuration::from_secs(i64::try_from(seconds).unwrap()));
}

/// Someone whom nobody has tried to be before: accounts have limits of their own.
fn stranger() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("stranger{}@cape-drive.test", NEXT.fetch_add(1, Ordering::Relaxed))
}

async fn wrong(client: &Client) -> Answer {
    client.post("identity/login", &[("login", &stranger()), ("password", "wrong-one-here")]).await
}

/// The same with headers of the client's choice.
async fn wrong_with(client: &Client, headers: &[(&'static str, &str)]) -> u16 {
    let body = serde_urlencoded::to_string([("login", stranger().as_str()), ("password", "wrong-one-here")]);
    let mut request = Request::builder()
        .method(Method::POST)
        .uri("/fn/identity/login")
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.call(request.body(Body::from(body.unwrap())).unwrap()).await.status.as_u16()
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_sixth_wrong_login_in_a_minute_waits(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.visitor().at("203.0.113.7");
    for left in [4, 3, 2, 1, 0] {
        let answer = wrong(&client).await.expect(401);
        assert_eq!((number(&answer, "ratelimit-limit"), number(&answer, "ratelimit-remaining")), (5, left));
    }
    let refused = wrong(&client).await.expect(429);
    assert_eq!(refused.json()["code"], "RATE_LIMITED");
    assert!(
        refused.json()["message"].as_str().unwrap().contains("Try again in 72 seconds."),
        "{}",
        refused.body
    );
    assert_eq!(number(&refused, "retry-after"), 72);
    assert_eq!(number(&refused, "ratelimit-reset"), 72);
    assert_eq!(number(&refused, "ratelimit-remaining"), 0);
    // The right password isn't even looked at, and trying on makes the wait no longer.
    client.post("identity/login", &RIGHT).await.expect(429);
    wrong(&app.visitor().at("203.0.113.8")).await.expect(401);
    wait(&app, 71).await;
    wrong(&client).await.expect(429);
    wait(&app, 1).await;
    client.post("identity/login", &RIGHT).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_right_login_is_given_back(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let school = "203.0.113.7";
    for _ in 0..12 {
        let answer = app.visitor().at(school).post("identity/login", &RIGHT).await.expect(200);
        assert_eq!(number(&answer, "ratelimit-remaining"), 5);
        app.visitor().at(school).submit("identity/login", "/login", &RIGHT).await.expect(303);
    }
    for _ in 0..5 {
        wrong(&app.visitor().at(school)).await.expect(401);
    }
    // One's own right login doesn't take the wrong ones of others away.
    app.visitor().at(school).post("identity/login", &RIGHT).await.expect(429);
    assert_eq!(
        app.count("select sum(requests)::int8 from rate_limits where key = 'login:203.0.113.7'").await,
        5
    );
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_form_without_scripts_goes_back_and_says_when(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.visitor().at("203.0.113.7");
    for _ in 0..5 {
        wrong(&client).await.expect(401);
    }
    let fields = [("login", "sipho@cape-drive.test"), ("password", "wrong-one-here")];
    let answer = client.submit("identity/login", "/login", &fields).await.expect(303);
    assert_eq!(answer.location(), "/login");
    assert_eq!(number(&answer, "retry-after"), 72);
    let page = client.get("/login").await.expect(200);
    page.shows("Too many failed logins")
        .shows("72 seconds")
        .shows("sipho@cape-drive.test")
        .hides("wrong-one-here");
}

/// The figures of SE-01 for actions: whatever becomes of them, so many are tried and no more.
#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn every_figure_holds(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let hex = "0f".repeat(32);
    let token: &[(&str, &str)] = &[("token", &hex)];
    let password: &[(&str, &str)] = &[("token", &hex), ("password", "velvet-ladder-ocean-9")];
    let email: &[(&str, &str)] = &[("email", "sipho@cape-drive.test")];
    let account: &[(&str, &str)] = &[
        ("name", "Lindiwe"),
        ("email", "lindiwe@cape-drive.test"),
        ("password", "velvet-ladder-ocean-9"),
        ("kind", "student"),
    ];
    let figures: [(&str, u64, Fields<'_>); 17] = [
        ("identity/login_code", 5, &[("code", "000000")]),
        ("identity/use_magic", 5, token),
        ("identity/register", 3, account),
        ("identity/forgot", 3, email),
        ("identity/magic", 3, email),
        ("identity/set_password", 5, password),
        ("identity/verify", 10, password),
        ("identity/confirm_email", 10, token),
        ("team/accept", 10, token),
        ("booking/book", 20, &[("tenant", "cape-drive")]),
        ("booking/book_series", 20, &[("tenant", "north-mentors")]),
        ("waiting/accept", 20, &[("tenant", "cape-drive")]),
        ("booking/hold", 60, &[("tenant", "cape-drive")]),
        ("booking/release_hold", 60, &[("tenant", "cape-drive")]),
        ("booking/move", 90, &[("tenant", "cape-drive")]),
        ("waiting/join", 90, &[("tenant", "cape-drive")]),
        ("waiting/leave", 90, &[("tenant", "cape-drive")]),
    ];
    let tested: Vec<String> = figures.iter().map(|(action, ..)| format!("/fn/{action}")).collect();
    for (path, _) in STRICT {
        assert!(path == "/fn/identity/login" || tested.iter().any(|tested| tested == path), "{path}");
    }
    for (n, (action, limit, fields)) in figures.into_iter().enumerate() {
        let by_account = action.starts_with("booking/") || action.starts_with("waiting/");
        let client = if by_account { app.student().await } else { app.visitor() };
        let client = client.at(&format!("198.51.100.{n}"));
        for left in (0..limit).rev() {
            let answer = client.post(action, fields).await;
            assert_ne!(answer.status.as_u16(), 429, "{action}: {left}");
            assert_eq!(number(&answer, "ratelimit-limit"), limit, "{action}");
            assert_eq!(number(&answer, "ratelimit-remaining"), left, "{action}");
        }
        let refused = client.post(action, fields).await.expect(429);
        let elsewhere = client.at("198.51.100.99").post(action, fields).await;
        assert_eq!(elsewhere.status.as_u16() == 429, by_account, "{action}");
        wait(&app, number(&refused, "retry-after")).await;
        assert_ne!(client.post(action, fields).await.status.as_u16(), 429, "{action}");
        wait(&app, 7200).await;
    }
}

#[test]
fn every_strict_rule_names_an_action() {
    for (path, _) in STRICT {
        assert!(app::actions::TABLE.iter().any(|(name, _)| *name == path), "{path}");
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_fifty_at_once_five_are_tried(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let other = instance(&app, "");
    let clients: Vec<Client> =
        [&app, &other].into_iter().cycle().take(50).map(|app| app.visitor().at("203.0.113.7")).collect();
    let statuses: Vec<u16> =
        join_all(clients.iter().map(wrong)).await.iter().map(|a| a.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 45, "{statuses:?}");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_forged_address_changes_nothing(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.visitor().at("203.0.113.7");
    for n in 0..5 {
        let forged = format!("198.51.100.{n}");
        let headers =
            [("x-forwarded-for", forged.as_str()), ("forwarded", "for=1.2.3.4"), ("x-real-ip", "1.2.3.4")];
        assert_eq!(wrong_with(&client, &headers).await, 401);
    }
    assert_eq!(wrong_with(&client, &[("x-forwarded-for", "198.51.100.77")]).await, 429);
    assert_eq!(
        app.text("select string_agg(distinct ip, ' ') from login_attempts where not ok").await,
        "203.0.113.7"
    );
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn behind_trusted_proxies_the_right_most_other_address_counts(admin: PgPool) {
    let app = instance(&TestApp::demo(admin).await, "10.0.0.0/8 2001:db8:ffff::/48");
    let proxy = app.visitor().at("10.0.0.1");
    for n in 0..5 {
        let forged = format!("198.51.100.{n}, 203.0.113.7, 10.9.9.9");
        assert_eq!(wrong_with(&proxy, &[("x-forwarded-for", &forged)]).await, 401);
    }
    let here = [("x-forwarded-for", "203.0.113.7")];
    assert_eq!(wrong_with(&proxy, &here).await, 429);
    assert_eq!(wrong_with(&app.visitor().at("2001:db8:ffff::1"), &here).await, 429, "the other proxy");
    assert_eq!(wrong_with(&proxy, &[("x-forwarded-for", "203.0.113.8")]).await, 401);
    assert_eq!(
        wrong_with(&proxy, &[("x-forwarded-for", "203.0.113.7"), ("x-forwarded-for", "8.8.8.8")]).await,
        401
    );
    // Nobody but a proxy speaks for others.
    assert_eq!(wrong_with(&app.visitor().at("203.0.113.9"), &here).await, 401);
    let seen =
        app.text("select string_agg(distinct ip, ' ' order by ip) from login_attempts where not ok").await;
    assert_eq!(seen, "203.0.113.7 203.0.113.8 203.0.113.9 8.8.8.8");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_network_of_ipv6_is_one_client(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    for n in 1..=5 {
        wrong(&app.visitor().at(&format!("2001:db8:1:2:{n}::{n}"))).await.expect(401);
    }
    wrong(&app.visitor().at("2001:db8:1:2:ffff::1")).await.expect(429);
    wrong(&app.visitor().at("2001:db8:1:3::1")).await.expect(401);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn pages_are_limited_by_address_for_visitors_and_by_account_for_others(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let visitor = app.visitor().at("203.0.113.7");
    for left in (0..60).rev() {
        let answer = visitor.get("/login").await.expect(200);
        assert_eq!((number(&answer, "ratelimit-limit"), number(&answer, "ratelimit-remaining")), (60, left));
    }
    let sessions = app.count("select count(*) from sessions").await;
    let refused = visitor.get("/login").await.expect(429).shows("Too many requests");
    assert_eq!(number(&refused, "retry-after"), 61);
    visitor.send(Method::GET, "/t/cape-drive/bookings.csv", "text/csv", None).await.expect(429);
    visitor.get("/no/such/page").await.expect(429);
    visitor.submit("identity/login", "/login", &RIGHT).await.expect(429);
    assert_eq!(
        app.count("select count(*) from sessions").await,
        sessions,
        "a refusal costs the database nothing"
    );
    // What browsers and monitors need is outside.
    visitor.get("/api/health").await.expect(200);
    visitor.get("/assets/none.css").await.expect(404);

    let student = app.student().await;
    for n in 0..100 {
        let ip = if n % 2 == 0 { "203.0.113.7" } else { "203.0.113.8" };
        let answer = student.at(ip).get("/account").await.expect(200);
        assert_eq!(number(&answer, "ratelimit-limit"), 100);
    }
    student.at("203.0.113.9").get("/account").await.expect(429);
    app.owner().await.at("203.0.113.7").get("/account").await.expect(200);
    wait(&app, 61).await;
    visitor.get("/login").await.expect(200);
    student.at("203.0.113.7").get("/account").await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn instances_tell_each_other_what_they_counted(admin: PgPool) {
    let one = TestApp::demo(admin).await;
    let other = instance(&one, "");
    let (here, there) = (one.visitor().at("203.0.113.7"), other.visitor().at("203.0.113.7"));
    for _ in 0..30 {
        here.get("/login").await.expect(200);
        there.get("/login").await.expect(200);
    }
    one.limiter.tell().await.unwrap();
    other.limiter.tell().await.unwrap();
    there.get("/login").await.expect(429);
    // The first hears it with the next that it has to tell.
    here.get("/login").await.expect(200);
    one.limiter.tell().await.unwrap();
    here.get("/login").await.expect(429);
    assert_eq!(
        one.count("select requests::int8 from rate_limits where key = 'public:203.0.113.7'").await,
        61
    );
    // An instance that has just started hears of the window before, too.
    let third = instance(&one, "");
    let late = third.visitor().at("203.0.113.7");
    wait(&one, 60).await;
    late.get("/login").await.expect(200);
    third.limiter.tell().await.unwrap();
    late.get("/login").await.expect(429);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn only_the_right_benchmark_token_is_not_counted(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    for _ in 0..70 {
        let answer = app.visitor().get("/login").await.expect(200);
        assert!(!answer.headers.contains_key("ratelimit-limit"));
    }
    for _ in 0..10 {
        wrong(&app.visitor()).await.expect(401);
    }
    assert_eq!(app.count("select count(*) from rate_limits").await, 0);
    let client = app.visitor().at("203.0.113.7");
    for bad in ["", "Benchmark", "benchmark ", "benchmarkbenchmark", "x"] {
        assert_eq!(wrong_with(&client, &[("x-benchmark-token", bad)]).await, 401);
    }
    assert_eq!(wrong_with(&client, &[("x-benchmark-token", "nearly")]).await, 429);
    // Without one configured there is none.
    let strict = instance(&app, "");
    assert_eq!(wrong_with(&strict.visitor().at("203.0.113.7"), &[("x-benchmark-token", "")]).await, 429);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn old_counts_are_removed(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.visitor().at("203.0.113.7");
    wrong(&client).await.expect(401);
    client.post("identity/forgot", &[("email", "nobody@cape-drive.test")]).await.expect(200);
    app.limiter.tell().await.unwrap();
    let keys = "select string_agg(split_part(key, ':', 1), ' ' order by key) from rate_limits";
    assert_eq!(app.text(keys).await, "forgot login public");
    let sweep = async || domain::limits::store::sweep(app.db.pool(), app.now()).await.unwrap();
    wait(&app, 119).await;
    assert_eq!(sweep().await, 0);
    wait(&app, 60).await;
    assert_eq!(sweep().await, 2);
    assert_eq!(app.text(keys).await, "forgot");
    wait(&app, 7200).await;
    assert_eq!(sweep().await, 1);
}
