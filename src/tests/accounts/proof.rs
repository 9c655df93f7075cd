//! Proving again who one is before what concerns the safety of the account (AC-24).

use jiff::SignedDuration;
use sqlx::PgPool;

use super::{
    Fields, SIPHO, SUPER, THANDI, authenticator, hours, mails, minutes, pass, rows_with, token, user,
};
use crate::{
    downloads::{attrs, texts},
    harness::{Client, PASSWORD, TestApp},
};

const CONFIRM: &str = "/account/confirm?next=%2Faccount";

async fn confirm(client: &Client, password: &str) {
    client.post("identity/confirm", &[("password", password)]).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn sensitive_changes_ask_for_a_proof(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (thandi, platform) = (app.login(THANDI).await, app.login(SUPER).await);
    let cape = app.text("select id::text from tenants where slug = 'cape-drive'").await;
    let sipho = user(&app, SIPHO).await;
    let everything =
        "select (select count(*) from audit) + (select count(*) from outbox) + (select count(*) from totp)
        + (select count(*) from one_time_links) + (select count(*) from users where phone is not null)";
    let before = app.count(everything).await;
    pass(&app, minutes(15));
    let (school, person) = (
        [("tenant", cape.as_str()), ("reason", "Closed")],
        [("user", sipho.as_str()), ("reason", "To help")],
    );
    let session = app.text("select s.id::text from sessions s join users u on u.id = s.user_id where u.email = 'thandi@cape-drive.test'").await;
    let one = [("id", session.as_str())];
    let acts: [(&Client, &str, Fields<'_>); 9] = [
        (&thandi, "identity/revoke_session", &one),
        (&thandi, "identity/logout_everywhere", &[]),
        (&thandi, "identity/change_email", &[("email", "thandi@new.test")]),
        (&thandi, "identity/update_phone", &[("phone", "+27 82 123 4567")]),
        (&thandi, "identity/totp_begin", &[]),
        (&thandi, "identity/totp_codes", &[]),
        (&thandi, "identity/totp_disable", &[]),
        (&platform, "tenancy/delete", &school),
        (&platform, "users/impersonate", &person),
    ];
    for (client, action, fields) in acts {
        let answer = client.post(action, fields).await.expect(403);
        assert_eq!(answer.json()["mend"], "/account/confirm", "{action}");
        let answer = client.submit(action, "/account", fields).await.expect(303);
        assert_eq!(answer.location(), CONFIRM, "{action}");
    }
    assert_eq!(app.count(everything).await, before);
    // The password asks for itself.
    let fields = [("current", "not-the-right-one"), ("password", super::NEW)];
    assert!(!thandi.post("identity/change_password", &fields).await.expect(422).field("current").is_empty());

    confirm(&thandi, PASSWORD).await;
    confirm(&platform, PASSWORD).await;
    pass(&app, minutes(15) - SignedDuration::from_secs(1));
    thandi.post("identity/change_email", &[("email", "thandi@new.test")]).await.expect(200);
    platform.post("tenancy/delete", &school).await.expect(200);
    pass(&app, SignedDuration::from_secs(1));
    thandi.post("identity/change_email", &[("email", "other@new.test")]).await.expect(403);
    platform.post("users/impersonate", &person).await.expect(403);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_form_waits_for_the_proof_with_all_that_was_typed(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.student().await;
    pass(&app, hours(1));
    let fields = [("email", "sipho+new@new.test")];
    let answer = client.submit("identity/change_email", "/account", &fields).await.expect(303);
    assert_eq!(answer.location(), CONFIRM);
    let page = client.get(CONFIRM).await.expect(200).shows("Confirm that it is you first.");
    assert_eq!(attrs(&page, "input[name=\"next\"]", "value"), ["/account"]);
    let right = [("password", PASSWORD), ("next", "/account")];
    let answer = client.submit("identity/confirm", CONFIRM, &right).await.expect(303);
    assert_eq!(answer.location(), "/account");
    let page = client.get("/account").await.expect(200);
    assert_eq!(attrs(&page, "input[name=\"email\"]", "value"), ["sipho+new@new.test"]);
    // Nothing is sent by itself; the form is pressed again.
    assert_eq!(mails(&app, "email_change", "sipho+new@new.test").await, 0);
    client.submit("identity/change_email", "/account", &fields).await.expect(303);
    assert_eq!(mails(&app, "email_change", "sipho+new@new.test").await, 1);
    assert_ne!(
        attrs(&client.get("/account").await, "input[name=\"email\"]", "value"),
        ["sipho+new@new.test"]
    );
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_mistyped_password_on_the_way_loses_nothing(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.student().await;
    pass(&app, hours(1));
    let fields = [("phone", "+27 82 123 4567")];
    client.submit_and_follow("identity/update_phone", "/account", &fields).await.expect(200);
    let wrong = [("password", "wrong-one-here"), ("next", "/account")];
    let page = client.submit_and_follow("identity/confirm", CONFIRM, &wrong).await.expect(200);
    assert_eq!(texts(&page, "#password-error"), ["This is not your current password."]);
    assert_eq!(attrs(&page, "input[name=\"next\"]", "value"), ["/account"]);
    assert_eq!(rows_with(&app, "wrong-one-here").await, 0);
    let right = [("password", PASSWORD), ("next", "/account")];
    let page = client.submit_and_follow("identity/confirm", CONFIRM, &right).await.expect(200);
    assert_eq!(attrs(&page, "input[name=\"phone\"]", "value"), ["+27 82 123 4567"]);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_proof_makes_a_new_token(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.student().await;
    for day in 1..30 {
        let before = client.cookie("lessonbook").unwrap();
        pass(&app, hours(24));
        confirm(&client, PASSWORD).await;
        let after = client.cookie("lessonbook").unwrap();
        assert_ne!(after, before, "day {day}");
        let old = app.visitor();
        old.set_cookie("lessonbook", &before);
        old.get("/account").await.expect(303);
        client.get("/account").await.expect(200);
    }
    assert_eq!(app.count("select count(*) from sessions where user_id is not null").await, 1);
    pass(&app, hours(24) - SignedDuration::from_secs(1));
    client.get("/account").await.expect(200);
    pass(&app, SignedDuration::from_secs(1));
    client.get("/account").await.expect(303);

    let platform = app.login(SUPER).await;
    for _ in 0..29 {
        pass(&app, minutes(24));
        confirm(&platform, PASSWORD).await;
    }
    pass(&app, minutes(23));
    platform.get("/admin").await.expect(200);
    pass(&app, minutes(1));
    platform.get("/admin").await.expect(303);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn with_a_second_step_the_proof_takes_a_code_too(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.login(THANDI).await;
    let (secret, codes) = super::totp::set_up(&app, &client).await;
    pass(&app, hours(1));
    client.get(CONFIRM).await.expect(200).shows("From your app, or a backup code.");
    let give =
        async |code: &str| client.post("identity/confirm", &[("password", PASSWORD), ("code", code)]).await;
    for code in ["", "12345", &authenticator::wrong(&secret, app.now())] {
        assert!(!give(code).await.expect(422).field("code").is_empty(), "{code}");
    }
    client.post("identity/totp_codes", &[]).await.expect(403);
    give(&authenticator::code(&secret, app.now())).await.expect(200);
    client.post("identity/totp_codes", &[]).await.expect(200);
    // The old codes are void, here too.
    pass(&app, hours(1));
    assert!(!give(&codes[0]).await.expect(422).field("code").is_empty());
    // Who guesses is slowed down.
    pass(&app, hours(1));
    let wrong = authenticator::wrong(&secret, app.now());
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(give(&wrong).await.status.as_u16());
    }
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    assert_eq!(mails(&app, "email_change", "x@new.test").await, 0);
    client.post("identity/change_email", &[("email", "x@new.test")]).await.expect(403);
    pass(&app, hours(1));
    give(&authenticator::code(&secret, app.now())).await.expect(200);
    client.post("identity/change_email", &[("email", "x@new.test")]).await.expect(200);
    assert_eq!(token(&app, "email_change", "x@new.test").await.len(), 64);
}
