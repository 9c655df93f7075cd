//! Accounts (AC-02, AC-03, AC-07 to AC-10, AC-13 to AC-15, AC-24), over HTTP: registering, coming in, links in the mail,
//! second steps and sessions.

pub(crate) mod authenticator;
mod links;
mod login;
mod profile;
mod proof;
mod register;
mod sessions;
pub(crate) mod totp;
mod verify;

use axum::body::Body;
use http::{Method, Request, header};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::harness::{Answer, Client, TestApp};

/// A password that nobody guesses.
pub(crate) const NEW: &str = "velvet-ladder-ocean-9";
/// A browser as it names itself: "Firefox on Windows".
pub(crate) const FIREFOX: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// Another one: "Safari on iPhone".
pub(crate) const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
     Version/18.5 Mobile/15E148 Safari/604.1";

/// Names and values of a form.
pub(crate) type Fields<'a> = &'a [(&'a str, &'a str)];

pub(crate) const SIPHO: &str = "sipho@cape-drive.test";
pub(crate) const THANDI: &str = "thandi@cape-drive.test";
pub(crate) const SUPER: &str = "super@lessonbook.test";

pub(crate) fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

pub(crate) fn hours(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n)
}

/// Lets time pass.
pub(crate) fn pass(app: &TestApp, time: SignedDuration) {
    app.clock.set(app.now() + time);
}

/// Runs a statement behind the program's back.
pub(crate) async fn run(app: &TestApp, sql: &'static str) {
    sqlx::query(sql).execute(&app.admin).await.unwrap();
}

/// The token in the newest message of a kind to an address.
pub(crate) async fn token(app: &TestApp, kind: &str, to: &str) -> String {
    let (id, secret): (Uuid, String) = sqlx::query_as(
        "select id, secret from outbox where kind = $1 and recipient = $2 and secret is not null
         order by created_at desc, id desc limit 1",
    )
    .bind(kind)
    .bind(to)
    .fetch_one(&app.admin)
    .await
    .unwrap_or_else(|error| panic!("no {kind} to {to}: {error}"));
    app.db.vault().open("outbox.secret", id, &secret).unwrap()
}

/// How many messages of a kind went to an address.
pub(crate) async fn mails(app: &TestApp, kind: &str, to: &str) -> i64 {
    sqlx::query_scalar("select count(*) from outbox where kind = $1 and recipient = $2")
        .bind(kind)
        .bind(to)
        .fetch_one(&app.admin)
        .await
        .unwrap()
}

/// How many rows of the whole database hold a text.
pub(crate) async fn rows_with(app: &TestApp, text: &str) -> i64 {
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap();
    let mut found = 0;
    for table in tables {
        let sql =
            sqlx::AssertSqlSafe(format!("select count(*) from {table} t where strpos(t::text, $1) > 0"));
        found += sqlx::query_scalar::<_, i64>(sql).bind(text).fetch_one(&app.admin).await.unwrap();
    }
    found
}

/// An account's id.
pub(crate) async fn user(app: &TestApp, email: &str) -> String {
    sqlx::query_scalar("select id::text from users where email = $1")
        .bind(email)
        .fetch_one(&app.admin)
        .await
        .unwrap_or_else(|error| panic!("no {email}: {error}"))
}

/// A try to log in, and the client that made it.
pub(crate) async fn try_login(app: &TestApp, login: &str, password: &str) -> (Client, Answer) {
    let client = app.visitor();
    let answer = client.post("identity/login", &[("login", login), ("password", password)]).await;
    (client, answer)
}

/// An action as a browser at an address calls it.
pub(crate) async fn post_from(
    client: &Client,
    (ip, browser): (&str, &str),
    action: &str,
    fields: &[(&str, &str)],
) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("/fn/{action}"))
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::USER_AGENT, browser)
        .body(Body::from(serde_urlencoded::to_string(fields).unwrap()))
        .unwrap();
    client.at(ip).call(request).await
}

/// What an answer says, without what differs from one answer to the next.
pub(crate) fn said(answer: &Answer) -> (u16, serde_json::Value) {
    let mut json = answer.json();
    if let Some(fields) = json.as_object_mut() {
        fields.remove("error_id");
        fields.remove("timestamp");
    }
    (answer.status.as_u16(), json)
}

/// How many of the answers have a status.
pub(crate) fn with(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status.as_u16() == status).count()
}

/// The form of a new account.
pub(crate) fn newcomer<'a>(email: &'a str, kind: &'a str, school: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("name", "Zintle Maseko"),
        ("email", email),
        ("phone", ""),
        ("password", NEW),
        ("kind", kind),
        ("school", school),
    ]
}

/// Registers an account, verifies its address, and logs in with it.
pub(crate) async fn member(app: &TestApp, email: &str, kind: &str, school: &str) -> Client {
    app.visitor().post("identity/register", &newcomer(email, kind, school)).await.expect(200);
    let token = token(app, "verify", email).await;
    app.visitor().post("identity/verify", &[("token", &token), ("password", NEW)]).await.expect(200);
    let (client, answer) = try_login(app, email, NEW).await;
    answer.expect(200);
    client
}
