//! Registering (AC-07), and what becomes of it once the address is verified (AC-08).

use std::time::{Duration, Instant};

use domain::identity::login::LOGIN_FAILED;
use futures::future::join_all;
use sqlx::PgPool;

use super::{
    NEW, hours, mails, member, minutes, newcomer, pass, rows_with, run, said, token, try_login, user, with,
};
use crate::{
    downloads::{attrs, texts},
    harness::{PASSWORD, TestApp},
};

const ZINTLE: &str = "zintle@new.test";

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_student_registers_verifies_the_address_and_is_in(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let visitor = app.visitor();
    let page = visitor.get("/register?school=cape-drive").await.expect(200);
    assert_eq!(attrs(&page, "select[name=\"school\"] option[selected]", "value"), ["cape-drive"]);
    let mut fields = newcomer(" Zintle@New.test ", "student", "cape-drive");
    fields[2].1 = "+27 82 555 0101";
    let page = visitor.submit_and_follow("identity/register", "/register", &fields).await.expect(200);
    page.shows("If this address can be registered, a link to verify it has been sent.");
    let (_, refused) = try_login(&app, ZINTLE, NEW).await;
    assert_eq!(refused.expect(401).json()["message"], LOGIN_FAILED);

    let link = token(&app, "verify", ZINTLE).await;
    let path = format!("/verify/{link}");
    visitor.get(&path).await.expect(200).shows("Verify your e-mail");
    try_login(&app, ZINTLE, NEW).await.1.expect(401);
    let fields = [("token", link.as_str()), ("password", NEW)];
    let page = visitor.submit_and_follow("identity/verify", &path, &fields).await.expect(200);
    page.shows("Your e-mail is verified. You belong to Cape Drive now. Log in to go on.");
    let (client, answer) = try_login(&app, ZINTLE, NEW).await;
    assert_eq!(answer.expect(200).json()["next"], "/t/cape-drive");
    client.get("/t/cape-drive").await.expect(200).shows("Zintle Maseko");
    // By the number too, which is sealed wherever it is kept.
    try_login(&app, "0027825550101", NEW).await.1.expect(200);
    let sealed = "select count(*) from users u
        join memberships m on m.user_id = u.id and m.role = 'student' and m.status = 'active'
        join students s on s.id = m.person_id and s.email = u.email
        where u.email = 'zintle@new.test' and u.phone like 'v1.%' and s.phone like 'v1.%'";
    assert_eq!(app.count(sealed).await, 1);
    assert_eq!(rows_with(&app, "27825550101").await, 0);
    let recorded = "select count(*) from audit a join users u on u.id = a.actor_id
        where u.email = 'zintle@new.test' and a.action in ('auth.register', 'auth.verify', 'team.join')";
    assert_eq!(app.count(recorded).await, 3);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_instructor_waits_for_the_school_and_is_not_public_until_then(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let teacher = member(&app, ZINTLE, "instructor", "cape-drive").await;
    let id = app.text("select id::text from instructors where email = 'zintle@new.test'").await;
    let public = format!("/s/cape-drive/instructors/{id}");
    let shown = async || {
        let visitor = app.visitor();
        let school = visitor.get("/s/cape-drive").await.expect(200);
        (school.body.contains("Zintle Maseko"), visitor.get(&public).await.status.as_u16())
    };
    assert_eq!(shown().await, (false, 404));
    teacher.get("/t/cape-drive").await.expect(404);
    teacher.get("/account").await.expect(200).shows("Waits for the school");
    teacher.get("/s/cape-drive").await.expect(200).shows("waits for Cape Drive");
    let again = [("tenant", "cape-drive"), ("kind", "student")];
    teacher.post("identity/join", &again).await.expect(409);

    let owner = app.owner().await;
    let yes = [("tenant", "cape-drive"), ("instructor", id.as_str()), ("verification", "verified")];
    owner.post("people/verify", &yes).await.expect(200);
    assert_eq!(shown().await, (true, 200));
    teacher.get("/t/cape-drive").await.expect(200);
    assert_eq!(mails(&app, "verified", ZINTLE).await, 1);

    // Who is turned down stays out, and doesn't come back by applying again.
    let other = member(&app, "other@new.test", "instructor", "cape-drive").await;
    let id = app.text("select id::text from instructors where email = 'other@new.test'").await;
    let no = [("tenant", "cape-drive"), ("instructor", id.as_str()), ("reason", "No licence")];
    owner.post("people/reject", &no).await.expect(200);
    other.get("/t/cape-drive").await.expect(404);
    let again = [("tenant", "cape-drive"), ("kind", "instructor")];
    other.post("identity/join", &again).await.expect(409);
    assert_eq!(mails(&app, "verified", "other@new.test").await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn who_names_no_school_joins_one_later(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = member(&app, ZINTLE, "student", "").await;
    client.get("/account").await.expect(200).shows("No school yet");
    client.get("/t/north-mentors").await.expect(404);
    let join = async |school: &str, kind: &str| {
        client.post("identity/join", &[("tenant", school), ("kind", kind)]).await
    };
    for school in ["closed-clinic", "nowhere", ""] {
        assert!(!join(school, "student").await.expect(422).field("school").is_empty(), "{school}");
    }
    run(&app, "update tenants set open_registration = false where slug = 'cape-drive'").await;
    assert!(!join("cape-drive", "student").await.expect(422).field("school").is_empty());
    assert!(!join("north-mentors", "owner").await.expect(422).field("kind").is_empty());
    join("north-mentors", "student").await.expect(200);
    client.get("/t/north-mentors").await.expect(200);
    join("north-mentors", "student").await.expect(409);
    // As a student, whatever was asked for afterwards.
    join("north-mentors", "instructor").await.expect(409);
    let role =
        "select m.role from memberships m join users u on u.id = m.user_id where u.email = 'zintle@new.test'";
    assert_eq!(app.text(role).await, "student");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_school_that_takes_nobody_is_refused_like_one_that_is_not_there(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    run(&app, "update tenants set open_registration = false where slug = 'cape-drive'").await;
    let visitor = app.visitor();
    let page = visitor.get("/register?school=cape-drive").await.expect(200);
    assert_eq!(attrs(&page, "select[name=\"school\"] option", "value"), ["", "north-mentors"]);
    let users = app.count("select count(*) from users").await;
    let mut answers = Vec::new();
    for school in ["cape-drive", "closed-clinic", "nowhere", "../admin"] {
        let answer =
            visitor.post("identity/register", &newcomer(ZINTLE, "student", school)).await.expect(422);
        answers.push(said(&answer));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(app.count("select count(*) from users").await, users);
    assert_eq!(app.count("select count(*) from outbox where kind = 'verify'").await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn registering_tells_nobody_whether_an_address_is_known(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let visitor = app.visitor();
    visitor.post("identity/register", &newcomer(ZINTLE, "student", "")).await.expect(200);
    run(&app, "update users set status = 'disabled' where email = 'megan@cape-drive.test'").await;
    let mut answers = Vec::new();
    for email in ["nobody@new.test", "sipho@cape-drive.test", "megan@cape-drive.test", ZINTLE] {
        let mut fields = newcomer(email, "student", "cape-drive");
        fields[3].1 = "another-orchard-kettle-7";
        let began = Instant::now();
        let answer = visitor.post("identity/register", &fields).await;
        assert!(began.elapsed() >= Duration::from_millis(250), "{email}: {:?}", began.elapsed());
        let headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        answers.push((said(&answer), headers));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].0.0, 200);
    // The mailbox alone is told, and what was there stays as it was.
    assert_eq!(mails(&app, "account_exists", "sipho@cape-drive.test").await, 1);
    assert_eq!(mails(&app, "verify", "sipho@cape-drive.test").await, 0);
    assert_eq!(app.count("select count(*) from outbox where recipient = 'megan@cape-drive.test'").await, 0);
    try_login(&app, "sipho@cape-drive.test", PASSWORD).await.1.expect(200);
    try_login(&app, "sipho@cape-drive.test", "another-orchard-kettle-7").await.1.expect(401);
    // Not once more within the hour.
    pass(&app, minutes(59));
    visitor.post("identity/register", &newcomer("sipho@cape-drive.test", "student", "")).await.expect(200);
    assert_eq!(mails(&app, "account_exists", "sipho@cape-drive.test").await, 1);
    let sipho = app.visitor();
    let link = token(&app, "verify", ZINTLE).await;
    sipho.post("identity/verify", &[("token", &link), ("password", NEW)]).await.expect(200);
    try_login(&app, ZINTLE, NEW).await.1.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_link_to_verify_works_once_within_a_day(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let visitor = app.visitor();
    let verify = async |token: &str| {
        let fields = [("token", token), ("password", NEW)];
        visitor.post("identity/verify", &fields).await.status.as_u16()
    };
    for email in ["early@new.test", "late@new.test"] {
        visitor.post("identity/register", &newcomer(email, "student", "")).await.expect(200);
    }
    let (early, late) =
        (token(&app, "verify", "early@new.test").await, token(&app, "verify", "late@new.test").await);
    assert_eq!(early.len(), 64);
    assert_eq!(rows_with(&app, &early).await, 0);
    pass(&app, hours(24) - minutes(1));
    assert_eq!(verify(&early).await, 200);
    assert_eq!(verify(&early).await, 409);
    pass(&app, minutes(1));
    assert_eq!(verify(&late).await, 409);
    try_login(&app, "late@new.test", NEW).await.1.expect(401);
    // Registering again brings another one; the first password stays.
    let mut fields = newcomer("late@new.test", "student", "");
    fields[3].1 = "another-orchard-kettle-7";
    visitor.post("identity/register", &fields).await.expect(200);
    let another = token(&app, "verify", "late@new.test").await;
    assert_ne!(another, late);
    assert_eq!(verify(&another).await, 200);
    try_login(&app, "late@new.test", "another-orchard-kettle-7").await.1.expect(401);
    try_login(&app, "late@new.test", NEW).await.1.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_unverified_account_is_told_nothing_but_its_mailbox_is(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    app.visitor().post("identity/register", &newcomer(ZINTLE, "student", "")).await.expect(200);
    pass(&app, minutes(6));
    let (client, right) = try_login(&app, ZINTLE, NEW).await;
    let (_, unknown) = try_login(&app, "nobody@new.test", NEW).await;
    assert_eq!(said(&right), said(&unknown));
    assert_eq!(said(&right).0, 401);
    client.get("/account").await.expect(303);
    assert_eq!(mails(&app, "verify", ZINTLE).await, 2);
    let noted = "select count(*) from login_attempts a join users u on u.id = a.user_id
        where u.email = 'zintle@new.test' and not a.ok and a.reason = 'unverified'";
    assert_eq!(app.count(noted).await, 1);
    // A link to log in by isn't a way around it: who chose the password may be someone else.
    pass(&app, minutes(6));
    app.visitor().post("identity/magic", &[("email", ZINTLE)]).await.expect(200);
    assert_eq!((mails(&app, "magic", ZINTLE).await, mails(&app, "verify", ZINTLE).await), (0, 3));
    // Not more than one in five minutes.
    app.visitor().post("identity/magic", &[("email", ZINTLE)]).await.expect(200);
    try_login(&app, ZINTLE, NEW).await.1.expect(401);
    assert_eq!(mails(&app, "verify", ZINTLE).await, 3);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn addresses_in_other_scripts_register_and_log_in(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    for (typed, kept) in [
        ("JOSÉ@MÜNCHEN.TEST", "josé@münchen.test"),
        ("用户@例子.测试", "用户@例子.测试"),
        ("Пошта@Пример.рф", "пошта@пример.рф"),
        ("ζωή@παράδειγμα.ελ", "ζωή@παράδειγμα.ελ"),
        ("بريد@مثال.إختبار", "بريد@مثال.إختبار"),
        ("संपर्क@डाटामेल.भारत", "संपर्क@डाटामेल.भारत"),
        ("post@xn--mnchen-3ya.test", "post@xn--mnchen-3ya.test"),
    ] {
        app.visitor().post("identity/register", &newcomer(typed, "student", "cape-drive")).await.expect(200);
        assert_eq!(mails(&app, "verify", kept).await, 1, "{typed}");
        let link = token(&app, "verify", kept).await;
        app.visitor().post("identity/verify", &[("token", &link), ("password", NEW)]).await.expect(200);
        try_login(&app, typed, NEW).await.1.expect(200);
        app.visitor().post("identity/register", &newcomer(kept, "student", "")).await.expect(200);
        assert_eq!(mails(&app, "account_exists", kept).await, 1, "{typed}");
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_name_of_two_lines_is_refused_beside_its_field(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (visitor, sipho) = (app.visitor(), app.student().await);
    let before = app.count("select count(*) from outbox").await;
    for name in [
        "Eve\r\nBcc: all@evil.test",
        "Eve\nBcc: all@evil.test",
        "Eve\rX",
        "Eve\u{85}X",
        "Eve\0X",
        "Eve\u{1b}[1m",
    ] {
        let mut fields = newcomer(ZINTLE, "student", "cape-drive");
        fields[0].1 = name;
        let answer = visitor.post("identity/register", &fields).await.expect(422);
        assert!(!answer.field("name").is_empty(), "{name:?}: {}", answer.body);
        let answer = sipho.post("identity/update_name", &[("name", name)]).await.expect(422);
        assert!(!answer.field("name").is_empty(), "{name:?}: {}", answer.body);
        let mut fields = newcomer(ZINTLE, "student", "");
        let email = format!("{ZINTLE}{}", &name[3..]);
        fields[1].1 = &email;
        let answer = visitor.post("identity/register", &fields).await.expect(422);
        assert!(!answer.field("email").is_empty(), "{email:?}: {}", answer.body);
    }
    let mut fields = newcomer(ZINTLE, "student", "cape-drive");
    fields[0].1 = "Eve\r\nBcc: all@evil.test";
    let page = visitor.submit_and_follow("identity/register", "/register", &fields).await.expect(200);
    assert_eq!(texts(&page, "#name-error"), ["A name is one line of text."]);
    assert_eq!(app.count("select count(*) from users where email like 'zintle%'").await, 0);
    assert_eq!(app.count("select count(*) from outbox").await, before);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_bad_form_names_all_its_fields_and_keeps_what_was_typed(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let visitor = app.visitor();
    let fields = [
        ("name", " "),
        ("email", "nobody"),
        ("phone", "082 555 0101"),
        ("password", "password12"),
        ("kind", "instructor"),
        ("school", "nowhere"),
    ];
    let answer = visitor.post("identity/register", &fields).await.expect(422);
    for (name, _) in fields.iter().filter(|(name, _)| *name != "kind") {
        assert!(!answer.field(name).is_empty(), "{name}: {}", answer.body);
    }
    let page = visitor.submit_and_follow("identity/register", "/register", &fields).await.expect(200);
    assert_eq!(attrs(&page, "input[name=\"email\"]", "value"), ["nobody"]);
    assert_eq!(attrs(&page, "input[name=\"phone\"]", "value"), ["082 555 0101"]);
    assert_eq!(attrs(&page, "input[name=\"kind\"][checked]", "value"), ["instructor"]);
    page.hides("password12");
    assert_eq!(rows_with(&app, "password12").await, 0);
    // The name and the address are no password.
    for password in ["Zintle Maseko", "zintle@new.test", "short", &"long phrase ".repeat(11)] {
        let mut fields = newcomer(ZINTLE, "student", "");
        fields[3].1 = password;
        let answer = visitor.post("identity/register", &fields).await.expect(422);
        assert!(!answer.field("password").is_empty(), "{password}");
    }
    let mut fields = newcomer(ZINTLE, "owner", "");
    assert!(!visitor.post("identity/register", &fields).await.expect(422).field("kind").is_empty());
    fields.retain(|(name, _)| *name != "email");
    assert!(!visitor.post("identity/register", &fields).await.expect(422).field("email").is_empty());
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_thirty_who_register_an_address_at_once_one_makes_the_account(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let visitor = app.visitor();
    let passwords: Vec<String> = (0..30).map(|n| format!("velvet-ladder-ocean-{n}")).collect();
    let answers = join_all(passwords.iter().map(async |password| {
        let mut fields = newcomer(ZINTLE, "student", "cape-drive");
        fields[3].1 = password;
        visitor.post("identity/register", &fields).await
    }))
    .await;
    assert_eq!(with(&answers, 200), 30, "{answers:?}");
    let id = user(&app, ZINTLE).await;
    assert_eq!(mails(&app, "verify", ZINTLE).await, 1);
    let rows: i64 = sqlx::query_scalar(
        "select (select count(*) from users where email = $1) + (select count(*) from memberships where user_id = $2::uuid)
              + (select count(*) from students where email = $1)",
    )
    .bind(ZINTLE)
    .bind(&id)
    .fetch_one(&app.admin)
    .await
    .unwrap();
    // The school hears of it once the address is verified.
    assert_eq!(rows, 1);
}
