//! Logging in by e-mail or phone, and what is written down of it (AC-01, AC-14, AC-15).

use std::time::{Duration, Instant};

use sqlx::PgPool;

use super::{
    FIREFOX, NEW, SAFARI, SIPHO, SUPER, hours, mails, minutes, newcomer, pass, post_from, rows_with, run,
    said, try_login, user,
};
use crate::{
    downloads::texts,
    harness::{PASSWORD, QueryCount, TestApp},
};

const RIGHT: [(&str, &str); 2] = [("login", SIPHO), ("password", PASSWORD)];
const WRONG: [(&str, &str); 2] = [("login", SIPHO), ("password", "wrong-one-here")];

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_failed_login_costs_the_same_whoever_it_is_for(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    app.visitor().post("identity/register", &newcomer("zintle@new.test", "student", "")).await.expect(200);
    run(&app, "update users set status = 'disabled' where email = 'megan@cape-drive.test'").await;
    run(&app, "update users set deleted_at = now() where email = 'themba@cape-drive.test'").await;
    run(&app, "update users set password_hash = null where email = 'ruan@cape-drive.test'").await;
    let count = QueryCount::start();
    let mut answers = Vec::new();
    for login in [
        SIPHO,
        "nobody@cape-drive.test",
        "zintle@new.test",
        "megan@cape-drive.test",
        "themba@cape-drive.test",
        "ruan@cape-drive.test",
        "+27821234567",
        "no address",
        "",
    ] {
        count.take();
        let began = Instant::now();
        let (_, answer) = try_login(&app, login, "wrong-one-here").await;
        let statements = count.take();
        assert!(began.elapsed() >= Duration::from_millis(250), "{login}: {:?}", began.elapsed());
        answers.push((said(&answer), statements));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].0.0, 401);
    assert!(answers[0].1 > 0, "nothing was counted");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_phone_number_logs_in_however_it_is_written(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let sipho = app.student().await;
    let save = async |phone: &str| sipho.post("identity/update_phone", &[("phone", phone)]).await;
    for bad in ["082 123 4567", "+27 82", "+27 82 123 4567 ext 8", "sipho"] {
        assert!(!save(bad).await.expect(422).field("phone").is_empty(), "{bad}");
    }
    save("+27 (82) 123-4567").await.expect(200);
    let kept = "select phone from users where email = 'sipho@cape-drive.test'";
    assert!(app.text(kept).await.starts_with("v1."));
    assert_eq!(rows_with(&app, "27821234567").await, 0);
    sipho.get("/account").await.expect(200).shows("+27821234567");
    for written in
        ["+27821234567", " +27 82 123 4567 ", "0027-82-123-4567", "+27.82.123.4567", "(+27) 821234567"]
    {
        try_login(&app, written, PASSWORD).await.1.expect(200);
    }
    try_login(&app, "+27821234568", PASSWORD).await.1.expect(401);
    sipho.get("/account").await.expect(200).shows("as long as no other account has it");
    // Who never shows that they are there takes nothing away.
    pass(&app, minutes(1));
    let mut fields = newcomer("zintle@new.test", "student", "");
    fields[2].1 = "+27821234567";
    app.visitor().post("identity/register", &fields).await.expect(200);
    try_login(&app, "+27821234567", PASSWORD).await.1.expect(200);
    // Of two accounts with one number neither logs in by it: tries meant for one are no business of the other.
    run(&app, "update users set email_verified_at = now() where email = 'zintle@new.test'").await;
    for password in [NEW, PASSWORD] {
        try_login(&app, "+27821234567", password).await.1.expect(401);
    }
    let noted = "select count(*) from login_attempts where not ok and user_id is null and reason = 'unknown'";
    assert_eq!(app.count(noted).await, 3);
    try_login(&app, SIPHO, PASSWORD).await.1.expect(200);
    try_login(&app, "zintle@new.test", NEW).await.1.expect(200);
    run(&app, "update users set status = 'disabled' where email = 'zintle@new.test'").await;
    try_login(&app, "+27821234567", PASSWORD).await.1.expect(200);
    save("").await.expect(200);
    try_login(&app, "+27821234567", PASSWORD).await.1.expect(401);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn who_tried_to_log_in_is_shown_to_the_account_and_the_platform(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (home, thief) = (("198.51.100.7", FIREFOX), ("203.0.113.9", SAFARI));
    post_from(&app.visitor(), thief, "identity/login", &WRONG).await.expect(401);
    pass(&app, hours(1));
    let sipho = app.visitor();
    post_from(&sipho, home, "identity/login", &RIGHT).await.expect(200);
    let platform = app.login(SUPER).await;
    let one = format!("/admin/users/{}", user(&app, SIPHO).await);
    for page in [sipho.get("/account/security").await, platform.get(&one).await] {
        let page = page.expect(200);
        let rows: Vec<String> = texts(&page, "tbody tr")
            .into_iter()
            .filter(|row| row.contains("198.51") || row.contains("203.0"))
            .collect();
        assert_eq!(rows.len(), 2, "{rows:?}");
        for part in ["by password", "Firefox on Windows", "198.51.100.7"] {
            assert!(rows[0].contains(part), "{part}: {rows:?}");
        }
        for part in ["Refused", "wrong password", "Safari on iPhone", "203.0.113.9"] {
            assert!(rows[1].contains(part), "{part}: {rows:?}");
        }
    }
    // To nobody else.
    let other = app.login("thandi@cape-drive.test").await;
    other.get("/account/security").await.expect(200).hides("203.0.113.9");
    app.owner().await.get(&one).await.expect(403).hides("203.0.113.9");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_login_from_somewhere_new_is_told_by_mail(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let told = async || mails(&app, "new_login", SIPHO).await;
    let login = async |from: (&str, &str)| {
        post_from(&app.visitor(), from, "identity/login", &RIGHT).await.expect(200);
    };
    let (home, phone) = (("198.51.100.7", FIREFOX), ("203.0.113.9", SAFARI));
    // The very first one is nothing to warn of.
    login(home).await;
    login(home).await;
    assert_eq!(told().await, 0);
    login(phone).await;
    assert_eq!(told().await, 1);
    let said = "select (data->>'device') || ' from ' || (data->>'ip') || ' at ' || (data->>'at') from outbox where kind = 'new_login'";
    assert_eq!(app.text(said).await, format!("Safari on iPhone from 203.0.113.9 at {}", app.now()));
    login(phone).await;
    login(home).await;
    assert_eq!(told().await, 1);
    // The same browser elsewhere, and another one here.
    login(("203.0.113.10", SAFARI)).await;
    login(("198.51.100.7", SAFARI)).await;
    assert_eq!(told().await, 3);
    // Known for 90 days.
    pass(&app, hours(89 * 24));
    login(home).await;
    assert_eq!(told().await, 3);
    pass(&app, hours(91 * 24));
    login(home).await;
    assert_eq!(told().await, 4);
    // A failure is nobody's login.
    post_from(&app.visitor(), ("192.0.2.1", SAFARI), "identity/login", &WRONG).await.expect(401);
    assert_eq!(told().await, 4);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_was_typed_in_the_wrong_field_is_kept_nowhere(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    try_login(&app, "velvet-mistyped-here-9", PASSWORD).await.1.expect(401);
    try_login(&app, SIPHO, "velvet-mistyped-here-9").await.1.expect(401);
    assert_eq!(app.count("select count(*) from login_attempts where not ok").await, 2);
    assert_eq!(rows_with(&app, "velvet-mistyped-here-9").await, 0);
    assert_eq!(rows_with(&app, PASSWORD).await, 0);
}
