//! Links in the mail (AC-08, AC-09, AC-13): to a new password, into the account, to another address.

use std::time::{Duration, Instant};

use domain::identity::login::LOGIN_FAILED;
use futures::future::join_all;
use http::Method;
use sqlx::PgPool;

use super::{
    NEW, SIPHO, THANDI, authenticator, hours, mails, minutes, newcomer, pass, run, said, token, try_login,
    with,
};
use crate::harness::{Answer, Client, PASSWORD, TestApp};

const MEGAN: &str = "megan@cape-drive.test";
const LERATO: &str = "lerato@cape-drive.test";
const ZINTLE: &str = "zintle@new.test";
/// Kinds of messages with a link, whom one goes to, where the link leads and what uses it.
const LINKS: [(&str, &str, &str, &str); 5] = [
    ("reset", SIPHO, "/reset", "identity/set_password"),
    ("magic", LERATO, "/login/link", "identity/use_magic"),
    ("verify", ZINTLE, "/verify", "identity/verify"),
    ("email_change", "megan@new.test", "/account/email", "identity/confirm_email"),
    ("invite", "staff@new.test", "/invite", "team/accept"),
];

/// Has one link of each kind sent; their tokens.
async fn one_of_each(app: &TestApp) -> Vec<String> {
    let visitor = app.visitor();
    visitor.post("identity/forgot", &[("email", SIPHO)]).await.expect(200);
    visitor.post("identity/magic", &[("email", LERATO)]).await.expect(200);
    visitor.post("identity/register", &newcomer(ZINTLE, "student", "")).await.expect(200);
    let megan = app.login(MEGAN).await;
    megan.post("identity/change_email", &[("email", "megan@new.test")]).await.expect(200);
    let invite = [("tenant", "cape-drive"), ("email", "staff@new.test"), ("role", "staff")];
    app.owner().await.post("team/invite", &invite).await.expect(200);
    let mut tokens = Vec::new();
    for (kind, to, ..) in LINKS {
        tokens.push(token(app, kind, to).await);
    }
    tokens
}

/// Uses a link, with all that any kind of it may need.
async fn open(client: &Client, action: &str, token: &str) -> Answer {
    client.post(action, &[("token", token), ("name", "Zintle Maseko"), ("password", NEW)]).await
}

async fn reset(client: &Client, token: &str) -> u16 {
    open(client, "identity/set_password", token).await.status.as_u16()
}

async fn magic(app: &TestApp, token: &str) -> (Client, u16) {
    let client = app.visitor();
    let status = open(&client, "identity/use_magic", token).await.status.as_u16();
    (client, status)
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_forgotten_password_is_set_by_a_link_that_works_once_within_an_hour(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let visitor = app.visitor();
    let page = visitor
        .submit_and_follow("identity/forgot", "/forgot", &[("email", " Sipho@Cape-Drive.test ")])
        .await;
    page.expect(200).shows("If an account exists, a link has been sent.");
    let early = token(&app, "reset", SIPHO).await;
    pass(&app, minutes(1));
    visitor.post("identity/forgot", &[("email", SIPHO)]).await.expect(200);
    let late = token(&app, "reset", SIPHO).await;
    pass(&app, minutes(58));
    let path = format!("/reset/{early}");
    visitor.get(&path).await.expect(200).shows("Set your password");
    for weak in ["short", "password12", SIPHO] {
        let answer = visitor.post("identity/set_password", &[("token", &early), ("password", weak)]).await;
        assert!(!answer.expect(422).field("password").is_empty(), "{weak}");
    }
    let fields = [("token", early.as_str()), ("password", NEW)];
    let page = visitor.submit_and_follow("identity/set_password", &path, &fields).await.expect(200);
    page.shows("Your password is set. Log in with it.");
    assert_eq!(reset(&visitor, &early).await, 409);
    // The other one is spent with it.
    assert_eq!(reset(&visitor, &late).await, 409);
    try_login(&app, SIPHO, NEW).await.1.expect(200);
    try_login(&app, SIPHO, PASSWORD).await.1.expect(401);
    assert_eq!(mails(&app, "password_changed", SIPHO).await, 1);

    visitor.post("identity/forgot", &[("email", LERATO)]).await.expect(200);
    let old = token(&app, "reset", LERATO).await;
    pass(&app, hours(1));
    assert_eq!(reset(&visitor, &old).await, 409);
    try_login(&app, LERATO, PASSWORD).await.1.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_reset_keeps_the_second_factor(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let one = app.login(THANDI).await;
    let (secret, _) = super::totp::set_up(&app, &one).await;
    let (other, _) = try_login(&app, THANDI, PASSWORD).await;
    let code = authenticator::code(&secret, app.now());
    other.post("identity/login_code", &[("code", &code)]).await.expect(200);
    other.get("/account").await.expect(200);
    pass(&app, minutes(1));
    one.post("identity/forgot", &[("email", THANDI)]).await.expect(200);
    let link = token(&app, "reset", THANDI).await;
    assert_eq!(reset(&one, &link).await, 200);
    for client in [&one, &other] {
        assert!(client.get("/account").await.expect(303).location().starts_with("/login"));
    }
    let (client, answer) = try_login(&app, THANDI, NEW).await;
    assert_eq!(answer.expect(200).json()["next"], "/login/code");
    client.get("/account").await.expect(303);
    let code = authenticator::code(&secret, app.now());
    client.post("identity/login_code", &[("code", &code)]).await.expect(200);
    client.get("/account").await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn asking_for_a_link_tells_nobody_whether_an_account_exists(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    run(&app, "update users set status = 'disabled' where email = 'megan@cape-drive.test'").await;
    run(&app, "update users set deleted_at = now() where email = 'lerato@cape-drive.test'").await;
    app.visitor().post("identity/register", &newcomer(ZINTLE, "student", "")).await.expect(200);
    for (action, kind) in [("identity/forgot", "reset"), ("identity/magic", "magic")] {
        let mut answers = Vec::new();
        for email in [SIPHO, "nobody@new.test", MEGAN, LERATO, ZINTLE] {
            let began = Instant::now();
            let answer = app.visitor().post(action, &[("email", email)]).await;
            assert!(began.elapsed() >= Duration::from_millis(250), "{email}: {:?}", began.elapsed());
            let headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
            answers.push((said(&answer), headers));
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert_eq!(answers[0].0.1["message"], "If an account exists, a link has been sent.");
        for to in ["nobody@new.test", MEGAN, LERATO] {
            assert_eq!(mails(&app, kind, to).await, 0, "{to}");
        }
        // Nobody's mailbox is filled from here.
        for _ in 0..4 {
            app.visitor().post(action, &[("email", SIPHO)]).await.expect(200);
        }
        assert_eq!(mails(&app, kind, SIPHO).await, 3);
        let answer = app.visitor().post(action, &[("email", "nobody")]).await.expect(422);
        assert!(!answer.field("email").is_empty());
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_magic_link_logs_in_once_within_ten_minutes(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let ask = async || {
        app.visitor().post("identity/magic", &[("email", SIPHO)]).await.expect(200);
        token(&app, "magic", SIPHO).await
    };
    let link = ask().await;
    pass(&app, minutes(9));
    let client = app.visitor();
    let path = format!("/login/link/{link}");
    let page = client.get(&path).await.expect(200).shows("Log in");
    assert!(page.body.contains(&link));
    let answer = client.submit("identity/use_magic", &path, &[("token", &link)]).await.expect(303);
    assert_eq!(answer.location(), "/t/cape-drive");
    client.get("/t/cape-drive").await.expect(200);
    let (again, status) = magic(&app, &link).await;
    assert_eq!(status, 409);
    again.get("/account").await.expect(303);

    let older = ask().await;
    pass(&app, minutes(1));
    // The newest one is the only one.
    let link = ask().await;
    assert_eq!(magic(&app, &older).await.1, 409);
    pass(&app, minutes(10));
    assert_eq!(magic(&app, &link).await.1, 409);
    pass(&app, hours(1));
    let link = ask().await;
    run(&app, "update users set status = 'disabled' where email = 'sipho@cape-drive.test'").await;
    assert_eq!(magic(&app, &link).await.1, 409);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn who_asks_for_login_links_in_anothers_name_does_not_keep_them_out(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let ask = async || {
        pass(&app, minutes(1));
        app.visitor().post("identity/magic", &[("email", SIPHO)]).await.expect(200);
        mails(&app, "magic", SIPHO).await
    };
    assert_eq!((ask().await, ask().await, ask().await), (1, 2, 3));
    // While one is open there are no more of them.
    assert_eq!(ask().await, 3);
    // Once it is used or has expired there is another one, within the same hour.
    assert_eq!(magic(&app, &token(&app, "magic", SIPHO).await).await.1, 200);
    assert_eq!((ask().await, ask().await), (4, 4));
    pass(&app, minutes(10));
    assert_eq!((ask().await, ask().await), (5, 5));
    assert_eq!(magic(&app, &token(&app, "magic", SIPHO).await).await.1, 200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn scanners_that_open_links_use_none_of_them(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let tokens = one_of_each(&app).await;
    let used = "select (select count(*) from one_time_links where used_at is not null)
                     + (select count(*) from invites where used_at is not null)";
    for ((kind, _, path, action), token) in LINKS.into_iter().zip(&tokens) {
        let scanner = app.visitor();
        let path = format!("{path}/{token}");
        for _ in 0..3 {
            let page = scanner.get(&path).await.expect(200);
            assert!(page.body.contains(&format!("action=\"/fn/{action}\"")), "{kind}");
            scanner.send(Method::HEAD, &path, "*/*", None).await.expect(200);
        }
        scanner.get("/account").await.expect(303);
        // The action itself answers to a form alone.
        let by_get = scanner.get(&format!("/fn/{action}?token={token}")).await.status.as_u16();
        assert!(matches!(by_get, 404 | 405), "{kind}: {by_get}");
        assert_eq!(app.count(used).await, 0, "{kind}");
    }
    for ((kind, _, _, action), token) in LINKS.into_iter().zip(&tokens) {
        let answer = open(&app.visitor(), action, token).await;
        assert_eq!(answer.status.as_u16(), 200, "{kind}: {}", answer.body);
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_token_that_is_cut_off_or_of_another_kind_opens_nothing(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let tokens = one_of_each(&app).await;
    for (at, (kind, _, _, action)) in LINKS.into_iter().enumerate() {
        let own = &tokens[at];
        let damaged = [
            own[..63].to_owned(),
            own[1..].to_owned(),
            format!("{own}0"),
            own.to_uppercase(),
            "0f".repeat(32),
            "é".repeat(32),
            String::new(),
        ];
        let foreign = tokens.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, token)| token);
        for token in damaged.iter().chain(foreign) {
            let answer = open(&app.visitor(), action, token).await;
            assert_eq!(answer.status.as_u16(), 409, "{kind} with {token:?}: {}", answer.body);
            assert_eq!(answer.json()["code"], "CONFLICT");
        }
    }
    // All of them are still good, each in its place.
    for ((kind, _, _, action), token) in LINKS.into_iter().zip(&tokens) {
        let answer = open(&app.visitor(), action, token).await;
        assert_eq!(answer.status.as_u16(), 200, "{kind}: {}", answer.body);
        let again = open(&app.visitor(), action, token).await;
        assert_eq!(again.status.as_u16(), 409, "{kind}: {}", again.body);
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_a_hundred_uses_of_a_link_one_succeeds(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let tokens = one_of_each(&app).await;
    for ((kind, _, _, action), token) in LINKS.into_iter().zip(&tokens) {
        let clients: Vec<Client> = (0..100).map(|_| app.visitor()).collect();
        let answers = join_all(clients.iter().map(|client| open(client, action, token))).await;
        // Of passwords, which are tried with the link to verify, no more are looked at than anywhere.
        let slowed = if kind == "verify" { with(&answers, 429) } else { 0 };
        let counted = (with(&answers, 200), with(&answers, 409) + slowed);
        assert_eq!(
            counted,
            (1, 99),
            "{kind}: {:?}",
            answers.iter().map(|answer| answer.status).collect::<Vec<_>>()
        );
        let mut inside = 0;
        for client in &clients {
            inside += usize::from(client.get("/account").await.status == 200);
        }
        // Two of them log in whoever used them.
        assert_eq!(inside, usize::from(matches!(kind, "magic" | "invite")), "{kind}");
    }
    let once = "select count(*) from audit where action in ('auth.password_reset', 'auth.verify', 'auth.email_change', 'team.accept')
        or (action = 'auth.login' and after->>'by' = 'link')";
    assert_eq!(app.count(once).await, 5);
    assert_eq!(app.count("select count(*) from users where email = 'staff@new.test'").await, 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_address_changes_only_by_the_link_sent_to_the_new_one(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (sipho, elsewhere) = (app.student().await, app.student().await);
    let new = "sipho@new.test";
    let fields = [("email", " Sipho@New.test ")];
    let page = sipho.submit_and_follow("identity/change_email", "/account", &fields).await.expect(200);
    page.shows("Your address stays until you use it.");
    assert_eq!((mails(&app, "email_change", new).await, mails(&app, "email_change", SIPHO).await), (1, 0));
    try_login(&app, new, PASSWORD).await.1.expect(401);
    try_login(&app, SIPHO, PASSWORD).await.1.expect(200);

    let link = token(&app, "email_change", new).await;
    let path = format!("/account/email/{link}");
    sipho.get(&path).await.expect(200).shows("Change your e-mail");
    let page =
        sipho.submit_and_follow("identity/confirm_email", &path, &[("token", &link)]).await.expect(200);
    page.shows("Your e-mail is changed.").shows(new);
    elsewhere.get("/account").await.expect(303);
    assert_eq!((mails(&app, "email_changed", SIPHO).await, mails(&app, "email_changed", new).await), (1, 0));
    try_login(&app, new, PASSWORD).await.1.expect(200);
    let (_, answer) = try_login(&app, SIPHO, PASSWORD).await;
    assert_eq!(answer.expect(401).json()["message"], LOGIN_FAILED);

    // A newer link makes the older one void, and a day both.
    let ask = async |email: &str| {
        sipho.post("identity/change_email", &[("email", email)]).await.expect(200);
        token(&app, "email_change", email).await
    };
    let (first, second) = (ask("one@new.test").await, ask("two@new.test").await);
    let confirm =
        async |token: &str| open(&app.visitor(), "identity/confirm_email", token).await.status.as_u16();
    assert_eq!(confirm(&first).await, 409);
    pass(&app, hours(24));
    assert_eq!(confirm(&second).await, 409);
    assert_eq!(app.count("select count(*) from users where email = 'sipho@new.test'").await, 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_address_that_is_taken_gets_the_same_answer_and_stays_taken(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let sipho = app.student().await;
    let ask = async |email: &str| said(&sipho.post("identity/change_email", &[("email", email)]).await);
    let plain = |(status, json): (u16, serde_json::Value), email: &str| {
        (status, json.to_string().replace(email, "the address"))
    };
    let (free, taken) = (ask(ZINTLE).await, ask(LERATO).await);
    assert_eq!(plain(free, ZINTLE), plain(taken, LERATO));
    assert_eq!(
        (mails(&app, "email_change", LERATO).await, mails(&app, "account_exists", LERATO).await),
        (0, 1)
    );
    // Taken by someone else while the link was on its way.
    pass(&app, minutes(1));
    assert_eq!(ask("soon@new.test").await.0, 200);
    let link = token(&app, "email_change", "soon@new.test").await;
    app.visitor().post("identity/register", &newcomer("soon@new.test", "student", "")).await.expect(200);
    open(&app.visitor(), "identity/confirm_email", &link).await.expect(409);
    assert_eq!(app.count("select count(*) from users where email = 'sipho@cape-drive.test'").await, 1);
    let answer = sipho.post("identity/change_email", &[("email", SIPHO)]).await.expect(422);
    assert!(!answer.field("email").is_empty());
    let answer = sipho.post("identity/change_email", &[("email", "a@b.test\r\nBcc: c@d.test")]).await;
    assert!(!answer.expect(422).field("email").is_empty());
}
