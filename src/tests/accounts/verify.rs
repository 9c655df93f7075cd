//! Showing that an address is one's own (AC-08): by the link in its mailbox, and by the password that it was registered with.

use domain::identity::sweep;
use futures::future::join;
use jiff::SignedDuration;
use sqlx::PgPool;

use super::{
    NEW, hours, mails, member, minutes, newcomer, pass, run, sessions::until_blocked, token, try_login, user,
};
use crate::{
    downloads::{attrs, texts},
    harness::{Answer, TestApp},
};

const ZINTLE: &str = "zintle@new.test";
const OTHER: &str = "another-orchard-kettle-7";
const WRONG: &str = "This is not the password that was registered. If you didn't choose it, set a new one.";

async fn verify(app: &TestApp, link: &str, password: &str) -> Answer {
    app.visitor().post("identity/verify", &[("token", link), ("password", password)]).await
}

/// Registers an address; the link that verifies it.
async fn registered(app: &TestApp, email: &str, kind: &str, school: &str) -> String {
    app.visitor().post("identity/register", &newcomer(email, kind, school)).await.expect(200);
    token(app, "verify", email).await
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_stranger_who_registers_an_address_gets_nothing_when_its_owner_comes(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let stranger = app.visitor();
    let mut fields = newcomer(ZINTLE, "instructor", "cape-drive");
    fields[2].1 = "+27 82 555 0101";
    stranger.post("identity/register", &fields).await.expect(200);
    let link = token(&app, "verify", ZINTLE).await;

    // Whoever has the mailbox didn't choose the password, and is told what to do.
    let owner = app.visitor();
    let path = format!("/verify/{link}");
    let page = owner.get(&path).await.expect(200).shows("The one you registered with.");
    assert_eq!(attrs(&page, "input[name=\"password\"]", "type"), ["password"]);
    let typed = [("token", link.as_str()), ("password", OTHER)];
    let page = owner.submit_and_follow("identity/verify", &path, &typed).await.expect(200);
    assert_eq!(texts(&page, "#password-error"), [WRONG]);
    assert!(attrs(&page, ".ways a", "href").contains(&"/forgot".to_owned()), "{}", page.body);
    page.hides(OTHER);
    for password in [NEW, OTHER] {
        try_login(&app, ZINTLE, password).await.1.expect(401);
    }
    owner.post("identity/forgot", &[("email", ZINTLE)]).await.expect(200);
    let reset = token(&app, "reset", ZINTLE).await;
    owner.post("identity/set_password", &[("token", &reset), ("password", OTHER)]).await.expect(200);
    let (client, answer) = try_login(&app, ZINTLE, OTHER).await;
    assert_eq!(answer.expect(200).json()["next"], "/account");
    client.get("/account").await.expect(200).shows("No school yet").hides("825550101");

    // What the stranger gave opens nothing and is gone.
    verify(&app, &link, NEW).await.expect(409);
    for login in [ZINTLE, "+27825550101"] {
        try_login(&app, login, NEW).await.1.expect(401);
    }
    let kept = "select count(*) from users where email = 'zintle@new.test'
        and (phone is not null or phone_index is not null or wish is not null)";
    assert_eq!(app.count(kept).await, 0);
    assert_eq!(app.count("select count(*) from instructors where email = 'zintle@new.test'").await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_wrong_password_spends_no_link_and_is_slowed_down(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let link = registered(&app, ZINTLE, "student", "").await;
    for _ in 0..3 {
        assert_eq!(verify(&app, &link, OTHER).await.expect(422).field("password"), WRONG);
    }
    // Not even the right one for a second; the same from anywhere.
    verify(&app, &link, NEW).await.expect(429);
    assert_eq!(app.count("select count(*) from one_time_links where used_at is not null").await, 0);
    // Whoever tries to log in meanwhile doesn't use up these tries.
    pass(&app, SignedDuration::from_secs(1));
    for _ in 0..3 {
        try_login(&app, ZINTLE, OTHER).await.1.expect(401);
    }
    verify(&app, &link, NEW).await.expect(200);
    verify(&app, &link, NEW).await.expect(409);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_school_hears_of_someone_once_their_address_is_verified(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let heard = "select (select count(*) from memberships m join users u on u.id = m.user_id where u.email like '%@new.test')
        + (select count(*) from students where email like '%@new.test')
        + (select count(*) from instructors where email like '%@new.test')
        + (select count(*) from audit a join tenants t on t.id = a.tenant_id where a.action = 'team.join')";
    let student = registered(&app, ZINTLE, "student", "cape-drive").await;
    let teacher = registered(&app, "teacher@new.test", "instructor", "cape-drive").await;
    let neither = registered(&app, "neither@new.test", "instructor", "").await;
    verify(&app, &student, OTHER).await.expect(422);
    assert_eq!(app.count(heard).await, 0);
    for (link, said) in [
        (student, "Your e-mail is verified. You belong to Cape Drive now. Log in to go on."),
        (
            teacher,
            "Your e-mail is verified. Cape Drive has your application; you can teach there once it says yes. Log in to go on.",
        ),
        (neither, "Your e-mail is verified. Log in to go on."),
    ] {
        assert_eq!(verify(&app, &link, NEW).await.expect(200).json()["message"], said);
    }
    // A membership, a record and a row in the school's chain for each of the two.
    assert_eq!(app.count(heard).await, 6);
    assert_eq!(app.count("select count(*) from users where wish is not null").await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_school_that_has_closed_meanwhile_is_passed_over_in_silence(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let mut links = Vec::new();
    for n in 0..3 {
        links.push(registered(&app, &format!("n{n}@new.test"), "student", "cape-drive").await);
    }
    let [closed, suspended, renamed] = [
        "update tenants set open_registration = false where slug = 'cape-drive'",
        "update tenants set open_registration = true, status = 'suspended' where slug = 'cape-drive'",
        "update tenants set status = 'active', slug = 'cape-drive-2' where slug = 'cape-drive'",
    ];
    for (link, change) in links.iter().zip([closed, suspended, renamed]) {
        run(&app, change).await;
        let said = verify(&app, link, NEW).await.expect(200).json()["message"].clone();
        assert_eq!(said, "Your e-mail is verified. Log in to go on.", "{change}");
    }
    let joined =
        "select count(*) from memberships m join users u on u.id = m.user_id where u.email like '%@new.test'";
    assert_eq!(app.count(joined).await, 0);
    assert_eq!(app.count("select count(*) from users where wish is not null").await, 0);
    // Opened again, it isn't joined by itself.
    let (_, answer) = try_login(&app, "n0@new.test", NEW).await;
    assert_eq!(answer.expect(200).json()["next"], "/account");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_platforms_chain_is_written_before_the_schools(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    // Both chains have begun.
    member(&app, "first@new.test", "student", "cape-drive").await;
    let link = registered(&app, ZINTLE, "student", "cape-drive").await;
    let mut holding = app.admin.acquire().await.unwrap();
    sqlx::query("begin").execute(&mut *holding).await.unwrap();
    let head = "select from audit_heads where tenant_id = '00000000-0000-0000-0000-000000000000' for update";
    sqlx::query(head).execute(&mut *holding).await.unwrap();
    let looking = async {
        until_blocked(&app).await;
        let free = "select count(*) from (select from audit_heads
            where tenant_id = (select id from tenants where slug = 'cape-drive') for update skip locked) h";
        let free = app.count(free).await;
        sqlx::query("rollback").execute(&mut *holding).await.unwrap();
        free
    };
    let (answer, free) = join(verify(&app, &link, NEW), looking).await;
    answer.expect(200);
    assert_eq!(free, 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_address_that_nobody_verifies_is_free_again_after_a_week(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let deleted = "select count(*) from users where deleted_at is not null";
    registered(&app, ZINTLE, "student", "cape-drive").await;
    registered(&app, "disabled@new.test", "student", "").await;
    run(&app, "update users set status = 'disabled' where email = 'disabled@new.test'").await;
    member(&app, "member@new.test", "student", "").await;
    let first = user(&app, ZINTLE).await;
    pass(&app, hours(7 * 24));
    sweep(&app.db, app.now()).await.unwrap();
    assert_eq!(app.count(deleted).await, 0);
    // While a link is under way it stays.
    pass(&app, minutes(1));
    registered(&app, ZINTLE, "student", "").await;
    pass(&app, hours(23));
    sweep(&app.db, app.now()).await.unwrap();
    assert_eq!(app.count(deleted).await, 0);
    pass(&app, hours(1));
    sweep(&app.db, app.now()).await.unwrap();
    assert_eq!(app.count(deleted).await, 1);
    let recorded =
        "select count(*) from audit where action = 'user.delete' and actor_id is null and reason is not null";
    assert_eq!(app.count(recorded).await, 1);
    sweep(&app.db, app.now()).await.unwrap();
    assert_eq!(app.count(deleted).await, 1);

    // Who really has the address registers it with a password of their own.
    let mut fields = newcomer(ZINTLE, "student", "");
    fields[3].1 = OTHER;
    app.visitor().post("identity/register", &fields).await.expect(200);
    let link = token(&app, "verify", ZINTLE).await;
    verify(&app, &link, OTHER).await.expect(200);
    try_login(&app, ZINTLE, OTHER).await.1.expect(200);
    try_login(&app, ZINTLE, NEW).await.1.expect(401);
    assert_eq!(mails(&app, "account_exists", ZINTLE).await, 0);
    let open = "select id::text from users where email = 'zintle@new.test' and deleted_at is null";
    assert_ne!(app.text(open).await, first);
}
