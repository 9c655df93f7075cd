//! A super-admin who acts as someone else (TN-12).

use sqlx::PgPool;

use super::{OWNER, on_user, school, second_super_admin};
use crate::{
    accounts::{Fields, NEW, SIPHO, SUPER, THANDI, minutes, newcomer, pass, run, user},
    downloads::texts,
    harness::{Client, PASSWORD, TestApp},
};

/// The platform's super-admin, acting as someone from now on.
async fn acting_as(app: &TestApp, email: &str) -> Client {
    let client = app.login(SUPER).await;
    on_user(&client, "impersonate", &user(app, email).await).await.expect(200);
    client
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn acting_as_someone_shows_a_banner_and_is_recorded_in_both_names(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.login(SUPER).await;
    let (root, owner) = (user(&app, SUPER).await, user(&app, OWNER).await);
    let before = client.cookie("lessonbook").unwrap();
    let (back, fields) =
        (format!("/admin/users/{owner}"), [("user", owner.as_str()), ("reason", "They asked for help")]);
    let page = client.submit_and_follow("users/impersonate", &back, &fields).await.expect(200);
    let banner = "You act as Nandi Jacobs. Everything is recorded.";
    assert_eq!(texts(&page, ".acting p"), [banner]);
    let acting = client.cookie("lessonbook").unwrap();
    assert_ne!(acting, before);
    for path in ["/t/cape-drive", "/t/cape-drive/team", "/account", "/s/cape-drive"] {
        assert_eq!(texts(&client.get(path).await.expect(200), ".acting p"), [banner], "{path}");
    }
    // With their rights, and no others.
    client.get("/admin").await.expect(403);
    client.get("/t/north-mentors").await.expect(404);
    let driving = app.text("select id::text from services where name = 'Driving lesson'").await;
    client.post("services/archive", &[("tenant", "cape-drive"), ("service", &driving)]).await.expect(200);
    let both: i64 = sqlx::query_scalar(
        "select count(*) from audit where entity = 'service' and actor_id = $1::uuid and impersonator_id = $2::uuid and actor_role = 'owner'",
    )
    .bind(&owner)
    .bind(&root)
    .fetch_one(&app.admin)
    .await
    .unwrap();
    assert_eq!(both, 1);
    client.get("/t/cape-drive/audit").await.expect(200).shows("through ").shows("The platform");

    let page = client.submit_and_follow("users/stop", "/t/cape-drive", &[]).await.expect(200);
    assert!(texts(&page.shows("You act as yourself again."), ".acting").is_empty());
    client.get("/admin").await.expect(200);
    client.post("users/stop", &[]).await.expect(409);
    for old in [before, acting] {
        let thief = app.visitor();
        thief.set_cookie("lessonbook", &old);
        thief.get("/account").await.expect(303);
    }
    // In the platform's chain and in the school's, in the super-admin's own name.
    let told: Vec<(String, Option<String>)> = sqlx::query_as(
        "select action, reason from audit where actor_id = $1::uuid and impersonator_id is null and entity_id = $2::uuid order by at, action, tenant_id",
    )
    .bind(&root)
    .bind(&owner)
    .fetch_all(&app.admin)
    .await
    .unwrap();
    let reasons: Vec<Option<&str>> = told.iter().map(|(_, reason)| reason.as_deref()).collect();
    assert_eq!(reasons, [Some("They asked for help"), Some("They asked for help"), None, None], "{told:?}");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn nobody_acts_as_a_super_admin_or_as_someone_who_cannot_be_used(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let client = app.login(SUPER).await;
    let (_, root) = second_super_admin(&app).await;
    app.visitor().post("identity/register", &newcomer("zintle@new.test", "student", "")).await.expect(200);
    run(&app, "update users set status = 'disabled' where email = 'megan@cape-drive.test'").await;
    run(&app, "update users set deleted_at = now() where email = 'lerato@cape-drive.test'").await;
    let before = client.cookie("lessonbook");
    for email in [root, SUPER, "zintle@new.test", "megan@cape-drive.test", "lerato@cape-drive.test"] {
        on_user(&client, "impersonate", &user(&app, email).await).await.expect(409);
    }
    assert_eq!(client.cookie("lessonbook"), before);
    client.get("/admin").await.expect(200).hides("You act as");
    // Nor does anyone else act as anyone.
    for email in [OWNER, THANDI, SIPHO] {
        on_user(&app.login(email).await, "impersonate", &user(&app, SIPHO).await).await.expect(403);
    }
    // And not one within another.
    let acting = acting_as(&app, OWNER).await;
    on_user(&acting, "impersonate", &user(&app, SIPHO).await).await.expect(403);
    assert_eq!(app.count("select count(*) from audit where action = 'user.impersonate'").await, 2);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn whoever_acts_as_someone_changes_nothing_of_how_they_log_in(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let own = app.login(OWNER).await;
    own.post("identity/totp_begin", &[]).await.expect(200);
    let acting = acting_as(&app, OWNER).await;
    let id = user(&app, OWNER).await;
    let everything =
        "select (select count(*) from audit) + (select count(*) from outbox) + (select count(*) from totp)
        + (select count(*) from sessions where user_id is not null) + (select count(*) from one_time_links)
        + (select count(*) from memberships) + (select count(*) from profiles)";
    let before = app.count(everything).await;
    let acts: [(&str, Fields<'_>); 13] = [
        ("identity/change_password", &[("current", PASSWORD), ("password", NEW)]),
        ("identity/change_email", &[("email", "mine@evil.test")]),
        ("identity/update_phone", &[("phone", "+27 82 123 4567")]),
        ("identity/totp_begin", &[]),
        ("identity/totp_confirm", &[("code", "123456")]),
        ("identity/totp_codes", &[]),
        ("identity/totp_disable", &[]),
        ("identity/confirm", &[("password", PASSWORD)]),
        ("identity/revoke_session", &[("id", &id)]),
        ("identity/logout_everywhere", &[]),
        ("identity/join", &[("tenant", "north-mentors"), ("kind", "student")]),
        ("identity/save_profile", &[("city", "Cape Town")]),
        ("team/accept", &[("token", "0f"), ("name", "Eve"), ("password", NEW)]),
    ];
    for (action, fields) in acts {
        let answer = acting.post(action, fields).await;
        assert_eq!(answer.status.as_u16(), 403, "{action}: {}", answer.body);
        // There is no way to prove to be someone else.
        assert!(answer.json()["mend"].is_null(), "{action}: {}", answer.body);
    }
    assert_eq!(app.count(everything).await, before);
    // Nor is the secret shown that waits for a first code.
    let page = acting.get("/account/security").await.expect(200);
    assert!(texts(&page, ".setup code").is_empty(), "{}", page.body);
    let cape = school(&app, "cape-drive").await;
    acting.post("tenancy/delete", &[("tenant", &cape), ("reason", "Mine")]).await.expect(403);
    own.get("/account").await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn acting_ends_after_an_hour_and_with_either_account(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let acting = acting_as(&app, SIPHO).await;
    for _ in 0..3 {
        pass(&app, minutes(19));
        acting.get("/t/cape-drive").await.expect(200);
    }
    pass(&app, minutes(3));
    acting.get("/t/cape-drive").await.expect(303);
    acting.get("/admin").await.expect(303);
    // Left alone it rests as briefly as the super-admin's own.
    let acting = acting_as(&app, SIPHO).await;
    pass(&app, minutes(30));
    acting.get("/t/cape-drive").await.expect(303);

    let (root, _) = second_super_admin(&app).await;
    let (sam, sipho) = (user(&app, SUPER).await, user(&app, SIPHO).await);
    // With the super-admin.
    let acting = acting_as(&app, SIPHO).await;
    acting.get("/t/cape-drive").await.expect(200);
    on_user(&root, "disable", &sam).await.expect(200);
    acting.get("/t/cape-drive").await.expect(303);
    acting.post("users/stop", &[]).await.expect(401);
    on_user(&root, "enable", &sam).await.expect(200);
    acting.get("/t/cape-drive").await.expect(303);
    // With the one they act as.
    let acting = acting_as(&app, SIPHO).await;
    on_user(&root, "disable", &sipho).await.expect(200);
    acting.get("/t/cape-drive").await.expect(303);
    on_user(&root, "enable", &sipho).await.expect(200);
    // By either of them logging out everywhere.
    for email in [SUPER, SIPHO] {
        let acting = acting_as(&app, SIPHO).await;
        app.login(email).await.post("identity/logout_everywhere", &[]).await.expect(200);
        acting.get("/t/cape-drive").await.expect(303);
    }
    assert_eq!(app.count("select count(*) from sessions where impersonator_id is not null").await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_account_sees_and_ends_a_session_in_which_another_acts_as_it(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let sipho = app.student().await;
    let acting = acting_as(&app, SIPHO).await;
    let page = sipho.get("/account/sessions").await.expect(200);
    let ids = crate::downloads::attrs(&page, "input[name=\"id\"]", "value");
    assert_eq!(ids.len(), 1, "{}", page.body);
    sipho.post("identity/revoke_session", &[("id", &ids[0])]).await.expect(200);
    acting.get("/t/cape-drive").await.expect(303);
    sipho.get("/t/cape-drive").await.expect(200);
}
