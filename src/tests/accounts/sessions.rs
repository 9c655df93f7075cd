//! Sessions (AC-02, AC-03): how long they rest and live, their list, and how they end.

use domain::Instant;
use futures::future::{join, join_all};
use jiff::SignedDuration;
use sqlx::PgPool;

use super::{FIREFOX, SAFARI, SIPHO, SUPER, hours, minutes, pass, post_from, rows_with, run, token, user};
use crate::{
    downloads::{attrs, texts},
    harness::{Client, PASSWORD, TestApp},
};

const RIGHT: [(&str, &str); 2] = [("login", SIPHO), ("password", PASSWORD)];
const SESSIONS: &str = "/account/sessions";

/// Someone logged in from somewhere.
async fn from(app: &TestApp, ip: &str, browser: &str) -> Client {
    let client = app.visitor();
    post_from(&client, (ip, browser), "identity/login", &RIGHT).await.expect(200);
    client
}

/// Waits until a statement of the program waits for a lock.
pub(super) async fn until_blocked(app: &TestApp) {
    for _ in 0..5_000 {
        let blocked = app
            .count("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
            .await;
        if blocked > 0 {
            return;
        }
    }
    panic!("nothing waits");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn sessions_are_listed_and_ended(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let home = from(&app, "198.51.100.7", FIREFOX).await;
    pass(&app, minutes(5));
    let phone = from(&app, "203.0.113.9", SAFARI).await;
    let foreign = app.login("thandi@cape-drive.test").await;
    let page = home.get(SESSIONS).await.expect(200);
    let rows = texts(&page, "tbody tr");
    assert_eq!(rows.len(), 2, "{rows:?}");
    for (row, parts) in rows.iter().zip([
        ["Firefox on Windows", "198.51.100.7", "12 Jan 2027, 07:30", "This one"],
        ["Safari on iPhone", "203.0.113.9", "12 Jan 2027, 07:35", "Log out"],
    ]) {
        for part in parts {
            assert!(row.contains(part), "{part}: {rows:?}");
        }
    }
    let ids = attrs(&page, "input[name=\"id\"]", "value");
    assert_eq!(ids.len(), 1);
    // What the page names a session by is no token, nor does it end someone else's.
    let thief = app.visitor();
    thief.set_cookie("lessonbook", &ids[0]);
    thief.get("/account").await.expect(303);
    foreign.post("identity/revoke_session", &[("id", &ids[0])]).await.expect(404);
    home.post("identity/revoke_session", &[("id", "nonsense")]).await.expect(404);
    phone.get("/account").await.expect(200);

    let page =
        home.submit_and_follow("identity/revoke_session", SESSIONS, &[("id", &ids[0])]).await.expect(200);
    assert_eq!(texts(&page.shows("That session has ended."), "tbody tr").len(), 1);
    phone.get("/account").await.expect(303);
    home.post("identity/revoke_session", &[("id", &ids[0])]).await.expect(404);
    home.get("/account").await.expect(200);
    foreign.get("/account").await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn logging_out_everywhere_ends_all_sessions_or_all_but_this(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(app.student().await);
    }
    let foreign = app.owner().await;
    let fields = [("keep", "on")];
    let page =
        clients[0].submit_and_follow("identity/logout_everywhere", SESSIONS, &fields).await.expect(200);
    page.shows("Every other session has ended.");
    for client in &clients[1..] {
        client.get("/account").await.expect(303);
    }
    clients[0].get("/account").await.expect(200);
    clients.push(app.student().await);
    let answer = clients[0].submit("identity/logout_everywhere", SESSIONS, &[]).await.expect(303);
    assert_eq!(answer.location(), "/login");
    for client in &clients {
        client.get("/account").await.expect(303);
    }
    foreign.get("/account").await.expect(200);
    let left = "select count(*) from sessions s join users u on u.id = s.user_id where u.email = 'sipho@cape-drive.test'";
    assert_eq!(app.count(left).await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_altered_cookie_is_nobody(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.student().await;
    let token = client.cookie("lessonbook").unwrap();
    assert!(token.len() >= 22, "{token}: fewer than 128 bits");
    assert_eq!(rows_with(&app, &token).await, 0);
    let another = |letter: &str| if letter == "A" { "B" } else { "A" };
    let (first, last) = (another(&token[..1]), another(&token[token.len() - 1..]));
    let hash: String =
        domain::identity::sessions::hash_token(&token).iter().map(|byte| format!("{byte:02x}")).collect();
    let other: String = token.chars().rev().collect();
    for altered in [
        format!("{first}{}", &token[1..]),
        format!("{}{last}", &token[..token.len() - 1]),
        token[..token.len() - 1].to_owned(),
        format!("{token}A"),
        other,
        hash,
        user(&app, SIPHO).await,
        "0".to_owned(),
        String::new(),
    ] {
        let thief = app.visitor();
        thief.set_cookie("lessonbook", &altered);
        let answer = thief.get("/account").await.expect(303);
        assert!(answer.location().starts_with("/login"), "{altered}");
        thief.post("identity/update_name", &[("name", "Mallory")]).await.expect(401);
    }
    client.get("/account").await.expect(200);
}

/// Runs a request that waits for a lock of ours while the account logs out everywhere, and looks who is in afterwards.
async fn log_out_under(app: &TestApp, lock: &'static str, action: &str, fields: &[(&str, &str)]) -> u16 {
    let (here, there) = (app.student().await, app.student().await);
    let mut holding = app.admin.acquire().await.unwrap();
    sqlx::query("begin").execute(&mut *holding).await.unwrap();
    sqlx::query(lock).execute(&mut *holding).await.unwrap();
    let ending = async {
        until_blocked(app).await;
        there.post("identity/logout_everywhere", &[]).await.expect(200);
        sqlx::query("rollback").execute(&mut *holding).await.unwrap();
    };
    join(here.submit(action, "/account", fields), ending).await;
    here.get("/account").await.status.as_u16()
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_request_under_way_does_not_revive_an_ended_session(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let lock = "select id from users where email = 'sipho@cape-drive.test' for no key update";
    assert_eq!(log_out_under(&app, lock, "identity/update_name", &[("name", "Sipho N.")]).await, 303);
    let left = "select count(*) from sessions where user_id is not null";
    assert_eq!(app.count(left).await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_confirmation_under_way_does_not_revive_an_ended_session(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let lock = "lock table throttles in access exclusive mode";
    assert_eq!(log_out_under(&app, lock, "identity/confirm", &[("password", PASSWORD)]).await, 303);
    let left = "select count(*) from sessions where user_id is not null";
    assert_eq!(app.count(left).await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_login_under_way_does_not_begin_a_session_after_all_were_ended(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    app.visitor().post("identity/magic", &[("email", SIPHO)]).await.expect(200);
    let link = token(&app, "magic", SIPHO).await;
    // The link has been found right, and the count of failures is about to be taken away.
    let lock = "lock table throttles in access exclusive mode";
    assert_eq!(log_out_under(&app, lock, "identity/use_magic", &[("token", &link)]).await, 303);
    let left = "select count(*) from sessions where user_id is not null";
    assert_eq!(app.count(left).await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn logging_out_is_recorded(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let logouts = "select count(*) from audit where action = 'auth.logout' and entity_id = actor_id
        and tenant_id = '00000000-0000-0000-0000-000000000000'";
    app.visitor().post("identity/logout", &[]).await.expect(200);
    assert_eq!(app.count(logouts).await, 0);
    let sipho = app.student().await;
    sipho.post("identity/logout", &[]).await.expect(200);
    sipho.post("identity/logout", &[]).await.expect(200);
    assert_eq!(app.count(logouts).await, 1);

    // With the session ends acting as someone else, in the chains that tell of its beginning.
    let acting = app.login(SUPER).await;
    let fields = [("user", user(&app, SIPHO).await), ("reason", "They asked for help".to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    acting.post("users/impersonate", &fields).await.expect(200);
    acting.post("identity/logout", &[]).await.expect(200);
    acting.get("/account").await.expect(303);
    let through = "select count(*) from audit where action = 'auth.logout' and impersonator_id is not null";
    assert_eq!((app.count(logouts).await, app.count(through).await), (2, 1));
    let [began, ended] = [
        "select count(*) from audit where action = 'user.impersonate'",
        "select count(*) from audit where action = 'user.impersonate_stop'",
    ];
    assert_eq!((app.count(began).await, app.count(ended).await), (2, 2));
    app.login(SUPER).await.get("/admin/audit").await.expect(200).shows("Logged out");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn sessions_rest_as_long_as_the_strongest_role_allows(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let start = app.now();
    let second = SignedDuration::from_secs(1);
    let week = hours(7 * 24);
    for (email, rest) in [
        (SIPHO, week),
        ("thandi@cape-drive.test", week),
        ("staff@cape-drive.test", minutes(30)),
        ("owner@cape-drive.test", minutes(30)),
        (SUPER, minutes(30)),
    ] {
        app.clock.set(start);
        let (used, rested) = (app.login(email).await, app.login(email).await);
        pass(&app, rest - second);
        used.get("/account").await.expect(200);
        pass(&app, second);
        assert_eq!(rested.get("/account").await.status, 303, "{email}");
        // The one that was used a second ago rests anew.
        pass(&app, rest - second - second);
        used.get("/account").await.expect(200);
        pass(&app, rest);
        assert_eq!(used.get("/account").await.status, 303, "{email}");
    }
    // Who runs one school and learns in another is an owner everywhere.
    app.clock.set(start);
    run(
        &app,
        "insert into memberships (tenant_id, user_id, role, created_at, updated_at)
         select t.id, u.id, 'staff', now(), now() from tenants t, users u
         where t.slug = 'north-mentors' and u.email = 'sipho@cape-drive.test'",
    )
    .await;
    let both = app.student().await;
    pass(&app, minutes(30));
    both.get("/t/cape-drive").await.expect(303);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_owners_session_ends_after_thirty_days_of_use(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let end: Instant = app.now() + hours(30 * 24);
    // A visit every 29 minutes would take 1,500 requests: the last one is put where it would be.
    app.clock.set(end - minutes(1));
    sqlx::query("update sessions set last_seen_at = $1::timestamptz")
        .bind((end - minutes(20)).to_string())
        .execute(&app.admin)
        .await
        .unwrap();
    owner.get("/account").await.expect(200);
    app.clock.set(end);
    owner.get("/account").await.expect(303);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn two_tabs_in_two_schools_do_not_mix(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    run(
        &app,
        "insert into memberships (tenant_id, user_id, role, created_at, updated_at)
         select t.id, u.id, 'owner', now(), now() from tenants t, users u
         where t.slug = 'north-mentors' and u.email = 'owner@cape-drive.test'",
    )
    .await;
    // One browser, one cookie.
    let owner = app.owner().await;
    let paths: Vec<&str> = (0..20)
        .map(|n| {
            if n % 2 == 0 {
                "/t/cape-drive/students?page_size=100"
            } else {
                "/t/north-mentors/students?page_size=100"
            }
        })
        .collect();
    for (path, page) in paths.iter().zip(join_all(paths.iter().map(|path| owner.get(path))).await) {
        let page = page.expect(200);
        let cape = page.body.contains("Sipho Nkosi");
        assert_eq!(
            (cape, page.body.contains("Kim Yoon-seo")),
            (path.contains("cape"), path.contains("north"))
        );
    }
    let id = async |sql: &'static str| app.text(sql).await;
    let driving = id("select id::text from services where name = 'Driving lesson'").await;
    let review = id("select id::text from services where name = 'Portfolio review'").await;
    // What the other tab shows isn't there in this one.
    for (school, service) in [("cape-drive", &review), ("north-mentors", &driving)] {
        owner.post("services/archive", &[("tenant", school), ("service", service)]).await.expect(404);
        owner.get(&format!("/t/{school}/services/{service}")).await.expect(404);
    }
    let acts = [("cape-drive", &driving), ("north-mentors", &review)]
        .map(|(school, service)| vec![("tenant", school), ("service", service.as_str())]);
    for answer in join_all(acts.iter().map(|fields| owner.post("services/archive", fields))).await {
        answer.expect(200);
    }
    let chains =
        "select count(*) from audit a join services s on s.id = a.entity_id and s.tenant_id = a.tenant_id
        where a.entity = 'service' and s.status = 'archived'";
    assert_eq!(app.count(chains).await, 2);
    // Logging out in one tab does so in both.
    owner.post("identity/logout", &[]).await.expect(200);
    for path in &paths[..2] {
        owner.get(path).await.expect(303);
    }
}
