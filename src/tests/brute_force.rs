//! Guessing from many addresses at once (AC-14): what an address may try is then no help, what an account may be tried
//! with is; and whose account it is gets in all the same.

use std::cell::Cell;

use futures::future::join_all;
use sqlx::PgPool;

use crate::{
    harness::{Answer, Client, PASSWORD, TestApp},
    limits::{number, wait},
};

const EMAIL: &str = "sipho@cape-drive.test";
const RIGHT: [(&str, &str); 2] = [("login", EMAIL), ("password", PASSWORD)];
const WRONG: [(&str, &str); 2] = [("login", EMAIL), ("password", "wrong-one-here")];
/// "12345678901234567890" in base32; at 07:40 and 09:00 of the test's day it shows these codes, and never "000000".
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const AT_0740: &str = "203912";
const AT_0900: &str = "917148";

/// Many addresses, each used once.
struct Crowd<'a> {
    app: &'a TestApp,
    next: Cell<u16>,
}

impl<'a> Crowd<'a> {
    fn new(app: &'a TestApp) -> Self {
        Self { app, next: Cell::new(0) }
    }

    fn one(&self) -> Client {
        let n = self.next.replace(self.next.get() + 1);
        self.app.visitor().at(&format!("198.18.{}.{}", n / 250, n % 250 + 1))
    }

    /// Guesses until so many were looked at, waiting as long as is said in between; seconds waited.
    async fn guess(&self, looked_at: usize, guess: impl AsyncFn(Client) -> Answer) -> u64 {
        let (mut left, mut waited) = (looked_at, 0);
        while left > 0 {
            let answer = guess(self.one()).await;
            match answer.status.as_u16() {
                401 => left -= 1,
                429 => {
                    let seconds = number(&answer, "retry-after");
                    wait(self.app, seconds).await;
                    waited += seconds;
                }
                other => panic!("{other}: {}", answer.body),
            }
        }
        waited
    }
}

/// The token in the last mail of a kind to the victim.
async fn mailed(app: &TestApp, kind: &str) -> String {
    let (id, secret): (uuid::Uuid, String) = sqlx::query_as(
        "select id, secret from outbox where recipient = $1 and kind = $2 order by created_at desc, id desc limit 1",
    )
    .bind(EMAIL)
    .bind(kind)
    .fetch_one(&app.admin)
    .await
    .unwrap();
    app.db.vault().open("outbox.secret", id, &secret).unwrap()
}

async fn wrong_password(client: Client) -> Answer {
    client.post("identity/login", &WRONG).await
}

async fn unknown_account(client: Client) -> Answer {
    client.post("identity/login", &[("login", "nobody@cape-drive.test"), ("password", PASSWORD)]).await
}

async fn reset(client: &Client, token: &str) -> Answer {
    client.post("identity/set_password", &[("token", token), ("password", "velvet-ladder-ocean-9")]).await
}

/// The right password, of an account with a second factor.
async fn half(client: &Client) {
    client.post("identity/login", &RIGHT).await.expect(200);
}

async fn code(client: &Client, code: &str) -> Answer {
    client.post("identity/login_code", &[("code", code)]).await
}

async fn wrong_code(client: Client) -> Answer {
    half(&client).await;
    code(&client, "000000").await
}

/// Gives the victim a second factor.
async fn with_code(app: &TestApp) {
    sqlx::query(
        "insert into totp (user_id, secret, confirmed_at, created_at) select id, $2, now(), now() from users where email = $1",
    )
    .bind(EMAIL)
    .bind(SECRET)
    .execute(&app.admin)
    .await
    .unwrap();
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_many_guesses_at_once_three_are_looked_at(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let crowd = Crowd::new(&app);
    let answers = join_all((0..40).map(|_| wrong_password(crowd.one()))).await;
    let of = |status: u16| answers.iter().filter(|answer| answer.status.as_u16() == status).count();
    assert_eq!((of(401), of(429)), (3, 37));
    // The account's owner waits a second, not for the crowd to go away.
    crowd.one().post("identity/login", &RIGHT).await.expect(429);
    wait(&app, 1).await;
    crowd.one().post("identity/login", &RIGHT).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn ten_wrong_passwords_lock_and_the_owner_still_gets_in(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let crowd = Crowd::new(&app);
    // Growing: nothing twice, then 1, 2, 4, 8, 16, 32 and 60 seconds.
    assert_eq!(crowd.guess(10, wrong_password).await, 123);
    let locked = crowd.one().post("identity/login", &RIGHT).await.expect(429);
    assert_eq!(number(&locked, "retry-after"), 900);
    // In by time.
    wait(&app, 900).await;
    crowd.one().post("identity/login", &RIGHT).await.expect(200);

    // In by the mailed link, while the lock holds.
    assert_eq!(crowd.guess(10, wrong_password).await, 123);
    crowd.one().post("identity/login", &RIGHT).await.expect(429);
    assert_eq!(app.count("select count(*) from outbox where kind = 'locked'").await, 2, "one mail a lock");
    let token = mailed(&app, "locked").await;
    let victim = crowd.one();
    victim.post("identity/use_magic", &[("token", &token)]).await.expect(200);
    victim.get("/account").await.expect(200);
    crowd.one().post("identity/login", &RIGHT).await.expect(200);
    crowd.one().post("identity/use_magic", &[("token", &token)]).await.expect(409);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn locks_send_three_mails_a_day_and_take_none_from_login_links(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let crowd = Crowd::new(&app);
    let mails = async || app.count("select count(*) from outbox where kind = 'locked'").await;
    // Three today already.
    sqlx::query(
        "insert into one_time_links (token_hash, kind, user_id, created_at, expires_at)
         select sha256(n::text::bytea), 'unlock', u.id, $2::timestamptz, $2::timestamptz + interval '10 minutes'
         from users u, generate_series(1, 3) n where u.email = $1",
    )
    .bind(EMAIL)
    .bind(app.now().to_string())
    .execute(&app.admin)
    .await
    .unwrap();
    crowd.guess(10, wrong_password).await;
    assert_eq!(mails().await, 0);
    // A link to log in by is there for the asking all the same, and opens the lock.
    crowd.one().post("identity/magic", &[("email", EMAIL)]).await.expect(200);
    let token = mailed(&app, "magic").await;
    crowd.one().post("identity/use_magic", &[("token", &token)]).await.expect(200);
    crowd.one().post("identity/login", &RIGHT).await.expect(200);

    wait(&app, 86_400).await;
    crowd.guess(10, wrong_password).await;
    assert_eq!(mails().await, 1);
    // It opens the lock while that still holds.
    let token = mailed(&app, "locked").await;
    wait(&app, 9 * 60).await;
    crowd.one().post("identity/login", &RIGHT).await.expect(429);
    crowd.one().post("identity/use_magic", &[("token", &token)]).await.expect(200);
    crowd.one().post("identity/login", &RIGHT).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_account_that_does_not_exist_waits_and_locks_alike(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let crowd = Crowd::new(&app);
    assert_eq!(crowd.guess(10, unknown_account).await, 123);
    let locked = unknown_account(crowd.one()).await.expect(429);
    assert_eq!(number(&locked, "retry-after"), 900);
    assert_eq!(app.count("select count(*) from outbox where kind = 'locked'").await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_lock_holds_for_the_phone_too_and_keeps_silent(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    // As an older version stored it; it is found all the same.
    sqlx::query("update users set phone = '+27821234567' where email = $1")
        .bind(EMAIL)
        .execute(&app.admin)
        .await
        .unwrap();
    let crowd = Crowd::new(&app);
    crowd.guess(10, wrong_password).await;
    // Right, but the account is locked; to say so would tell that number and address belong together.
    let by_phone = [("login", "+27821234567"), ("password", PASSWORD)];
    crowd.one().post("identity/login", &by_phone).await.expect(401);
    wait(&app, 900).await;
    crowd.one().post("identity/login", &by_phone).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn links_to_a_new_password_cannot_be_guessed(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let crowd = Crowd::new(&app);
    crowd.one().post("identity/forgot", &[("email", EMAIL)]).await.expect(200);
    let token = mailed(&app, "reset").await;
    let one = crowd.one();
    for n in 0..5 {
        reset(&one, &format!("{n:064x}")).await.expect(409);
    }
    // From there not even the right one for a while.
    assert!(number(&reset(&one, &token).await.expect(429), "retry-after") > 600);
    // Others come as near as all but one of 32 bytes.
    let near = (0..=255).map(|byte| format!("{}{byte:02x}", &token[..62])).filter(|near| *near != token);
    for near in near.take(30) {
        reset(&crowd.one(), &near).await.expect(409);
    }
    reset(&crowd.one(), &token).await.expect(200);
    let new = [("login", EMAIL), ("password", "velvet-ladder-ocean-9")];
    crowd.one().post("identity/login", &new).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn codes_cannot_be_guessed_by_who_knows_the_password(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    with_code(&app).await;
    let crowd = Crowd::new(&app);
    // Eight at once from one address: five are counted, of which the account looks at three.
    let one = crowd.one();
    half(&one).await;
    let answers = join_all((0..8).map(|_| code(&one, "000000"))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status.as_u16() == 401).count(), 3);
    assert_eq!(answers.iter().filter(|answer| answer.status.as_u16() == 429).count(), 5);
    assert_eq!(crowd.guess(7, wrong_code).await, 123);

    // Locked, also for the right code.
    app.clock.set("2027-01-12T07:40:00Z".parse().unwrap());
    let victim = crowd.one();
    half(&victim).await;
    code(&victim, AT_0740).await.expect(429);
    victim.get("/account").await.expect(303);

    // In by the mailed link; the code is still asked for.
    let token = mailed(&app, "locked").await;
    let link = crowd.one();
    link.post("identity/use_magic", &[("token", &token)]).await.expect(200);
    link.get("/account").await.expect(303);
    code(&link, AT_0740).await.expect(200);
    link.get("/account").await.expect(200);

    // In by time.
    crowd.guess(10, wrong_code).await;
    app.clock.set("2027-01-12T09:00:00Z".parse().unwrap());
    let victim = crowd.one();
    half(&victim).await;
    code(&victim, AT_0900).await.expect(200);
    victim.get("/account").await.expect(200);
    // A code is good once.
    let again = crowd.one();
    half(&again).await;
    code(&again, AT_0900).await.expect(401);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_lock_that_passed_leaves_one_guess_at_the_code_not_ten(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    with_code(&app).await;
    let crowd = Crowd::new(&app);
    crowd.guess(10, wrong_code).await;
    assert_eq!(crowd.guess(3, wrong_code).await, 3 * 900);
}
