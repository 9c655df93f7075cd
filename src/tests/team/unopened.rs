//! Accounts that nobody has opened yet: what was typed into them by whoever made them leads nowhere.

use sqlx::PgPool;

use super::{KIM, ZINTLE, accept, invited, membership};
use crate::{
    accounts::{NEW, SUPER, newcomer, run, token, try_login, user},
    harness::{Answer, Client, TestApp},
};

const OTHER: &str = "another-orchard-kettle-7";
/// Nothing is left of what was typed at registration.
const WIPED: &str =
    "select count(*) from users where email = 'zintle@new.test' and phone is null and phone_index is null
    and wish is null";

/// Registers Zintle's address without having it: with a phone number, and a wish to teach.
async fn claim(app: &TestApp) {
    let mut fields = newcomer(ZINTLE, "instructor", "cape-drive");
    fields[2].1 = "+27 82 555 0101";
    app.visitor().post("identity/register", &fields).await.expect(200);
    assert_eq!(app.count(WIPED).await, 0);
}

/// Makes a school with an owner.
async fn open_school(platform: &Client, owner: &str) -> Answer {
    let fields = [
        ("name", "Harbour Music"),
        ("slug", "harbour-music"),
        ("preset", "academy"),
        ("zone", "Europe/Lisbon"),
        ("owner_email", owner),
        ("seats", "5"),
    ];
    platform.post("tenancy/create", &fields).await
}

/// The token of a one-time link in an answer.
fn link(answer: &Answer) -> String {
    let json = answer.json();
    json["link"].as_str().and_then(|link| link.strip_prefix("http://localhost/reset/")).unwrap().to_owned()
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_owner_whose_address_someone_registered_sets_a_password_of_their_own(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    claim(&app).await;
    let verify = token(&app, "verify", ZINTLE).await;
    let made = open_school(&app.login(SUPER).await, ZINTLE).await.expect(200);
    assert_eq!(app.count(WIPED).await, 1);
    assert_eq!(
        app.count("select count(*) from users where email = 'zintle@new.test' and password_hash is null")
            .await,
        1
    );
    let fields = [("token", verify.as_str()), ("password", NEW)];
    app.visitor().post("identity/verify", &fields).await.expect(409);
    try_login(&app, ZINTLE, NEW).await.1.expect(401);
    let own = link(&made);
    let fields = [("token", own.as_str()), ("password", OTHER)];
    app.visitor().post("identity/set_password", &fields).await.expect(200);
    try_login(&app, ZINTLE, NEW).await.1.expect(401);
    try_login(&app, "+27825550101", OTHER).await.1.expect(401);
    let (owner, answer) = try_login(&app, ZINTLE, OTHER).await;
    answer.expect(200);
    owner.get("/t/harbour-music").await.expect(200);
    assert_eq!(membership(&app, "cape-drive", ZINTLE).await, "none");
    let recorded = "select count(*) from audit a join users u on u.id = a.entity_id
        where a.action = 'user.update' and u.email = 'zintle@new.test'";
    assert_eq!(app.count(recorded).await, 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_disabled_account_owns_no_new_school(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    run(&app, "update users set status = 'disabled' where email = 'kim@north-mentors.test'").await;
    let platform = app.login(SUPER).await;
    let refused = open_school(&platform, KIM).await.expect(422);
    assert!(refused.field("owner_email").contains("disabled"), "{}", refused.body);
    assert_eq!(app.count("select count(*) from tenants where slug = 'harbour-music'").await, 0);
    run(&app, "update users set status = 'active' where email = 'kim@north-mentors.test'").await;
    assert!(open_school(&platform, KIM).await.expect(200).json()["link"].is_null());
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_account_made_elsewhere_is_not_opened_by_an_invite(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let made = open_school(&app.login(SUPER).await, ZINTLE).await.expect(200);
    run(
        &app,
        "insert into users (id, email, name, super_admin, created_at, updated_at)
         values (gen_random_uuid(), 'root@new.test', 'Root', true, now(), now())",
    )
    .await;
    let message = "This address has an account that was made elsewhere and not opened yet.";
    for email in [ZINTLE, "root@new.test"] {
        let invite = invited(&app, &owner, email, "staff").await;
        app.visitor().get(&format!("/invite/{invite}")).await.expect(409).shows(message);
        accept(&app.visitor(), &invite).await.expect(409).shows(message);
        try_login(&app, email, NEW).await.1.expect(401);
        assert_eq!(membership(&app, "cape-drive", email).await, "none");
    }
    let invite = token(&app, "invite", ZINTLE).await;
    let own = link(&made);
    let fields = [("token", own.as_str()), ("password", OTHER)];
    app.visitor().post("identity/set_password", &fields).await.expect(200);
    // By its own link it is open; then the invite is accepted as by anyone with an account.
    accept(&app.visitor(), &invite).await.expect(401);
    let (client, answer) = try_login(&app, ZINTLE, OTHER).await;
    answer.expect(200);
    accept(&client, &invite).await.expect(200);
    assert_eq!(membership(&app, "cape-drive", ZINTLE).await, "staff active");
    assert_eq!(membership(&app, "harbour-music", ZINTLE).await, "owner active");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_invite_opens_a_registered_account_without_what_was_registered(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    claim(&app).await;
    let invite = invited(&app, &app.owner().await, ZINTLE, "student").await;
    let fields = [("token", invite.as_str()), ("name", "Zintle"), ("password", OTHER)];
    app.visitor().post("team/accept", &fields).await.expect(200);
    assert_eq!(app.count(WIPED).await, 1);
    assert_eq!(membership(&app, "cape-drive", ZINTLE).await, "student active");
    try_login(&app, ZINTLE, NEW).await.1.expect(401);
    try_login(&app, "+27825550101", OTHER).await.1.expect(401);
    try_login(&app, ZINTLE, OTHER).await.1.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn who_comes_to_run_a_school_has_no_other_session(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (kim, other) = (app.login(KIM).await, app.login(KIM).await);
    let id = user(&app, KIM).await;
    let epoch = async || {
        sqlx::query_scalar::<_, i32>("select epoch from session_epochs where user_id = $1::uuid")
            .bind(&id)
            .fetch_one(&app.admin)
            .await
            .unwrap()
    };
    let before = epoch().await;
    let invite = invited(&app, &app.owner().await, KIM, "staff").await;
    accept(&kim, &invite).await.expect(200);
    // Whoever was just logging in with what they had proved before comes too late, too.
    assert_eq!(epoch().await, before + 1);
    other.get("/account").await.expect(303);
    kim.get("/t/cape-drive").await.expect(200);
}
