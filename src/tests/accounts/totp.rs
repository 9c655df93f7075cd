//! The second step: codes of an app, and backup codes (AC-10).

use domain::identity::{Passwords, login::OVER, service::create_super_admin};
use futures::future::join_all;
use jiff::SignedDuration;
use secrecy::SecretString;
use sqlx::PgPool;

use super::{NEW, SUPER, THANDI, authenticator, mails, minutes, pass, rows_with, run, try_login, with};
use crate::{
    downloads::texts,
    harness::{Answer, Client, PASSWORD, TestApp},
};

/// Sets up a second step by page, without scripts: its secret and the backup codes. The clock is a step further then.
pub(crate) async fn set_up(app: &TestApp, client: &Client) -> (String, Vec<String>) {
    let path = "/account/security";
    let page = client.submit_and_follow("identity/totp_begin", path, &[]).await.expect(200);
    assert_eq!(texts(&page, "svg.qr").len(), 1, "{}", page.body);
    let secret = texts(&page, ".setup code").remove(0).replace(' ', "");
    let code = authenticator::code(&secret, app.now());
    let page = client.submit_and_follow("identity/totp_confirm", path, &[("code", &code)]).await.expect(200);
    let codes = texts(&page, ".codes code");
    assert_eq!(codes.len(), 10, "{}", page.body);
    step(app);
    (secret, codes)
}

/// Waits for the next code.
fn step(app: &TestApp) {
    pass(app, SignedDuration::from_secs(30));
}

/// The right password of an account with a second step.
async fn half(app: &TestApp, email: &str, password: &str) -> Client {
    let (client, answer) = try_login(app, email, password).await;
    assert_eq!(answer.expect(200).json()["next"], "/login/code");
    client
}

async fn give(client: &Client, code: &str) -> Answer {
    client.post("identity/login_code", &[("code", code)]).await
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_second_step_is_set_up_by_page_and_asked_for_from_then_on(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.login(THANDI).await;
    let path = "/account/security";
    let page = client.submit_and_follow("identity/totp_begin", path, &[]).await.expect(200);
    let secret = texts(&page, ".setup code").remove(0).replace(' ', "");
    // Nothing is asked for before a first code was right.
    try_login(&app, THANDI, PASSWORD).await.1.expect(200);
    let wrong = authenticator::wrong(&secret, app.now());
    let page = client.submit_and_follow("identity/totp_confirm", path, &[("code", &wrong)]).await.expect(200);
    assert!(texts(&page, "#code-error")[0].contains("not right"), "{}", page.body);
    assert_eq!(texts(&page, ".setup code").remove(0).replace(' ', ""), secret);
    let code = authenticator::code(&secret, app.now());
    let page = client.submit_and_follow("identity/totp_confirm", path, &[("code", &code)]).await.expect(200);
    page.shows("The second step is on.").hides(&secret);
    assert_eq!(mails(&app, "code_changed", THANDI).await, 1);
    assert_eq!(rows_with(&app, &secret).await, 0);

    // Half-way in is not in.
    let visitor = app.visitor();
    let right = [("login", THANDI), ("password", PASSWORD), ("next", "/t/cape-drive/students")];
    let answer = visitor.submit("identity/login", "/login", &right).await.expect(303);
    assert_eq!(answer.location(), "/login/code");
    visitor.get("/login/code").await.expect(200).shows("Second step");
    visitor.get("/t/cape-drive").await.expect(303);
    visitor.post("identity/update_name", &[("name", "Mallory")]).await.expect(401);
    let page = visitor
        .submit_and_follow("identity/login_code", "/login/code", &[("code", "12345")])
        .await
        .expect(200);
    assert!(texts(&page, "#code-error")[0].contains("not right"), "{}", page.body);
    step(&app);
    let code = authenticator::code(&secret, app.now());
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    let before = visitor.cookie("lessonbook");
    let answer = visitor.submit("identity/login_code", "/login/code", &[("code", &spaced)]).await.expect(303);
    assert_eq!(answer.location(), "/t/cape-drive/students");
    assert_ne!(visitor.cookie("lessonbook"), before);
    visitor.get("/t/cape-drive").await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_code_is_refused_twice_and_from_a_wrong_clock(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.login(THANDI).await;
    let now = app.now();
    let (secret, _) = set_up(&app, &client).await;
    // The one that turned it on is used, though it would still be near enough.
    let used = authenticator::code(&secret, now);
    give(&half(&app, THANDI, PASSWORD).await, &used).await.expect(401);
    let code = authenticator::code(&secret, app.now());
    give(&half(&app, THANDI, PASSWORD).await, &code).await.expect(200);
    give(&half(&app, THANDI, PASSWORD).await, &code).await.expect(401);
    // Nor is an older one taken once a newer one was used.
    pass(&app, SignedDuration::from_secs(60));
    let older = authenticator::code(&secret, app.now() - SignedDuration::from_secs(30));
    let newer = authenticator::code(&secret, app.now());
    give(&half(&app, THANDI, PASSWORD).await, &newer).await.expect(200);
    give(&half(&app, THANDI, PASSWORD).await, &older).await.expect(401);
    for minutes_off in [-2, 2] {
        pass(&app, minutes(30));
        let off = authenticator::code(&secret, app.now() + minutes(minutes_off));
        let half = half(&app, THANDI, PASSWORD).await;
        give(&half, &off).await.expect(401);
        half.get("/account").await.expect(303);
        give(&half, &authenticator::code(&secret, app.now())).await.expect(200);
    }
    let page = client.get("/account/security").await.expect(200).shows("with a code from the app");
    assert!(page.body.contains("wrong code"));
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_twenty_with_one_code_at_once_one_gets_in(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.login(THANDI).await;
    let (secret, codes) = set_up(&app, &client).await;
    for typed in [authenticator::code(&secret, app.now()), codes[0].clone()] {
        let mut clients = Vec::new();
        for _ in 0..20 {
            clients.push(half(&app, THANDI, PASSWORD).await);
        }
        let answers = join_all(clients.iter().map(|client| give(client, &typed))).await;
        assert_eq!(with(&answers, 200), 1, "{answers:?}");
        assert_eq!(with(&answers, 401) + with(&answers, 429), 19, "{answers:?}");
        let mut inside = 0;
        for client in &clients {
            inside += usize::from(client.get("/account").await.status == 200);
        }
        assert_eq!(inside, 1);
        pass(&app, minutes(30));
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_backup_code_works_once(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.login(THANDI).await;
    let (_, codes) = set_up(&app, &client).await;
    client.get("/account/security").await.expect(200).hides(&codes[0]);
    let bare: Vec<String> = codes.iter().map(|code| code.replace('-', "")).collect();
    assert_eq!(rows_with(&app, &codes[0]).await + rows_with(&app, &bare[0]).await, 0);
    let sloppy = format!(" {} ", bare[0].to_lowercase());
    give(&half(&app, THANDI, PASSWORD).await, &sloppy).await.expect(200);
    give(&half(&app, THANDI, PASSWORD).await, &codes[0]).await.expect(401);
    let page = client.get("/account/security").await.expect(200).shows("9 backup codes left");
    page.shows("with a backup code");

    let page = client.submit_and_follow("identity/totp_codes", "/account/security", &[]).await.expect(200);
    let new = texts(&page, ".codes code");
    assert_eq!(new.len(), 10);
    assert!(new.iter().all(|code| !codes.contains(code)));
    pass(&app, minutes(1));
    give(&half(&app, THANDI, PASSWORD).await, &codes[1]).await.expect(401);
    give(&half(&app, THANDI, PASSWORD).await, &new[1]).await.expect(200);
    // Another account's code is none.
    let other = app.student().await;
    set_up(&app, &other).await;
    give(&half(&app, super::SIPHO, PASSWORD).await, &new[2]).await.expect(401);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_password_waits_ten_minutes_for_its_code(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.login(THANDI).await;
    let (secret, _) = set_up(&app, &client).await;
    let (soon, late) = (half(&app, THANDI, PASSWORD).await, half(&app, THANDI, PASSWORD).await);
    pass(&app, minutes(10) - SignedDuration::from_secs(1));
    give(&soon, &authenticator::code(&secret, app.now())).await.expect(200);
    pass(&app, minutes(1));
    give(&late, &authenticator::code(&secret, app.now())).await.expect(401);
    assert_eq!(late.get("/login/code").await.expect(303).location(), "/login");
    // Without a password there is nothing to give a code for.
    give(&app.visitor(), &authenticator::code(&secret, app.now())).await.expect(401);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_password_from_before_the_sessions_ended_uses_no_code_and_no_tries(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.login(THANDI).await;
    let (secret, codes) = set_up(&app, &client).await;
    let stale = half(&app, THANDI, PASSWORD).await;
    client.post("identity/logout_everywhere", &[("keep", "on")]).await.expect(200);
    let code = authenticator::code(&secret, app.now());
    for typed in [code.as_str(), &codes[0], "000000", "000000", "000000", "000000"] {
        let answer = give(&stale, typed).await.expect(401);
        assert_eq!(answer.json()["message"], OVER, "{typed}");
    }
    assert_eq!(app.count("select count(*) from throttles").await, 0);
    assert_eq!(app.count("select count(*) from login_attempts where not ok").await, 0);
    give(&half(&app, THANDI, PASSWORD).await, &code).await.expect(200);
    give(&half(&app, THANDI, PASSWORD).await, &codes[0]).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_super_admin_needs_a_second_factor(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (email, password) = ("root@lessonbook.test", SecretString::from(NEW));
    let passwords = Passwords::cheap_for_tests().unwrap();
    create_super_admin(&app.db, &passwords, email, &password, app.now()).await.unwrap();
    let (root, answer) = try_login(&app, email, NEW).await;
    assert_eq!(answer.expect(200).json()["next"], "/admin");
    for (path, next) in [("/admin", "%2Fadmin"), ("/admin/users?q=a", "%2Fadmin%2Fusers%3Fq%3Da")] {
        let answer = root.get(path).await.expect(303);
        assert_eq!(answer.location(), format!("/account/security?next={next}"));
    }
    root.get("/admin/users.csv").await.expect(403).hides(SUPER);
    let cape = app.text("select id::text from tenants where slug = 'cape-drive'").await;
    let fields = [("tenant", cape.as_str()), ("reason", "Unpaid")];
    assert_eq!(root.post("tenancy/suspend", &fields).await.expect(403).json()["mend"], "/account/security");
    let back = format!("/admin/tenants/{cape}");
    let answer = root.submit("tenancy/suspend", &back, &fields).await.expect(303);
    assert!(
        answer.location().starts_with("/account/security?next=%2Fadmin%2Ftenants%2F"),
        "{}",
        answer.location()
    );
    root.get(answer.location()).await.expect(200).shows("Set up a second step to go on");
    assert_eq!(app.count("select count(*) from tenants where status = 'suspended'").await, 1);

    let (secret, _) = set_up(&app, &root).await;
    root.get("/admin").await.expect(200);
    root.post("identity/totp_disable", &[]).await.expect(403);
    let client = half(&app, email, NEW).await;
    client.get("/admin").await.expect(303);
    give(&client, &authenticator::code(&secret, app.now())).await.expect(200);
    client.get("/admin").await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_school_can_ask_a_second_factor_of_those_who_run_it(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let mut clients = Vec::new();
    for who in ["owner", "staff", "thandi", "sipho"] {
        clients.push(app.login(&format!("{who}@cape-drive.test")).await);
    }
    run(&app, "update tenants set require_code = true where slug = 'cape-drive'").await;
    for client in &clients[..2] {
        let answer = client.get("/t/cape-drive/students").await.expect(303);
        assert_eq!(answer.location(), "/account/security?next=%2Ft%2Fcape-drive%2Fstudents");
        client.get("/t/cape-drive/students.csv").await.expect(403).hides("Sipho");
        let fields = [("tenant", "cape-drive"), ("email", "a@new.test"), ("role", "staff")];
        client.post("team/invite", &fields).await.expect(403);
        client.get("/account").await.expect(200);
    }
    for client in &clients[2..] {
        client.get("/t/cape-drive").await.expect(200);
    }
    app.login("owner@north-mentors.test").await.get("/t/north-mentors").await.expect(200);

    let staff = &clients[1];
    let (secret, _) = set_up(&app, staff).await;
    staff.get("/t/cape-drive/students").await.expect(200);
    staff.post("identity/totp_disable", &[]).await.expect(403);
    let client = half(&app, "staff@cape-drive.test", PASSWORD).await;
    give(&client, &authenticator::code(&secret, app.now())).await.expect(200);
    client.get("/t/cape-drive").await.expect(200);
    // Once it is no longer required it can be turned off.
    run(&app, "update tenants set require_code = false where slug = 'cape-drive'").await;
    client.post("identity/totp_disable", &[]).await.expect(200);
    assert_eq!(mails(&app, "code_changed", "staff@cape-drive.test").await, 2);
    assert_eq!(
        app.count("select (select count(*) from totp) + (select count(*) from backup_codes)").await,
        0
    );
    let (_, answer) = try_login(&app, "staff@cape-drive.test", PASSWORD).await;
    assert_eq!(answer.expect(200).json()["next"], "/t/cape-drive");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_changed_second_step_ends_the_other_sessions(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (client, other) = (app.login(THANDI).await, app.login(THANDI).await);
    let (secret, _) = set_up(&app, &client).await;
    other.get("/account").await.expect(303);
    client.get("/account").await.expect(200);

    let other = half(&app, THANDI, PASSWORD).await;
    give(&other, &authenticator::code(&secret, app.now())).await.expect(200);
    other.get("/account").await.expect(200);
    client.post("identity/totp_disable", &[]).await.expect(200);
    other.get("/account").await.expect(303);
    client.get("/account").await.expect(200);
}
