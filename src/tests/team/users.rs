//! Accounts as the platform runs them (TN-03, TN-04): changed, disabled, deleted and brought back.

use domain::identity::login::LOGIN_FAILED;
use futures::future::join;
use sqlx::PgPool;

use super::{KIM, ZINTLE, membership, on_member, on_user, second_super_admin};
use crate::{
    accounts::{NEW, SIPHO, SUPER, THANDI, mails, member, minutes, pass, run, token, try_login, user},
    downloads::{attrs, texts},
    harness::{PASSWORD, TestApp},
};

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn disabling_and_deleting_end_every_session(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let platform = app.login(SUPER).await;
    let id = user(&app, SIPHO).await;
    for (end, undo, shown) in [("disable", "enable", "Enable user"), ("delete", "restore", "Restore user")] {
        let clients = [app.student().await, app.student().await];
        app.visitor().post("identity/forgot", &[("email", SIPHO)]).await.expect(200);
        let link = token(&app, "reset", SIPHO).await;
        let back = format!("/admin/users/{id}");
        let fields = [("user", id.as_str()), ("reason", "Because")];
        let page = platform.submit_and_follow(&format!("users/{end}"), &back, &fields).await.expect(200);
        page.shows(shown);
        assert_eq!(app.count("select count(*) from sessions s join users u on u.id = s.user_id where u.email like 'sipho@%'").await, 0);
        for client in &clients {
            assert!(client.get("/t/cape-drive").await.expect(303).location().starts_with("/login"), "{end}");
            client.post("identity/update_name", &[("name", "Mallory")]).await.expect(401);
        }
        let (_, answer) = try_login(&app, SIPHO, PASSWORD).await;
        assert_eq!(answer.expect(401).json()["message"], LOGIN_FAILED);
        let fields = [("token", link.as_str()), ("password", NEW)];
        app.visitor().post("identity/set_password", &fields).await.expect(409);
        on_user(&platform, end, &id).await.expect(409);

        on_user(&platform, undo, &id).await.expect(200);
        on_user(&platform, undo, &id).await.expect(409);
        for client in &clients {
            client.get("/account").await.expect(303);
        }
        try_login(&app, SIPHO, PASSWORD).await.1.expect(200);
        pass(&app, minutes(10));
    }
    let page = platform.get(&format!("/admin/users/{id}")).await.expect(200);
    page.shows("account is disabled");
    let said = "select string_agg(action || ' ' || (before->>'status') || ' ' || (after->>'status') || ' ' || reason, ', ' order by seq)
        from audit where entity = 'user' and action like 'user.%'";
    assert_eq!(
        app.text(said).await,
        "user.disable active disabled Because, user.enable disabled active Because, \
         user.delete active deleted Because, user.restore deleted active Because"
    );
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_deleted_account_leaves_its_schools_and_comes_back_to_exactly_those(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (platform, owner, kim) = (app.login(SUPER).await, app.owner().await, app.login(KIM).await);
    let id = user(&app, KIM).await;
    // Of one school they were removed before.
    kim.post("identity/join", &[("tenant", "cape-drive"), ("kind", "student")]).await.expect(200);
    on_member(&owner, "remove", &id, &[]).await.expect(200);
    on_user(&platform, "delete", &id).await.expect(200);
    assert_eq!(membership(&app, "north-mentors", KIM).await, "student revoked");
    platform.get("/admin/users?q=kim@").await.expect(200).hides("Kim Yoon-seo");
    platform.get("/admin/users.csv?q=kim@").await.expect(200).hides("Kim Yoon-seo");
    platform.get("/admin/users?q=kim@&status=deleted").await.expect(200).shows("Kim Yoon-seo");
    // The record of the school stays, with its lessons.
    let north = app.login("owner@north-mentors.test").await;
    north.get("/t/north-mentors/students?q=kim").await.expect(200).shows("Kim Yoon-seo");
    on_user(&platform, "restore", &id).await.expect(200);
    assert_eq!(membership(&app, "north-mentors", KIM).await, "student active");
    assert_eq!(membership(&app, "cape-drive", KIM).await, "student revoked");
    let kim = app.login(KIM).await;
    kim.get("/t/north-mentors").await.expect(200);
    kim.get("/t/cape-drive").await.expect(404);
    let chains = "select count(*) from audit a join tenants t on t.id = a.tenant_id where a.action in ('user.delete', 'user.restore')
        and t.slug = 'north-mentors' and a.entity = 'member'";
    assert_eq!(app.count(chains).await, 2);

    // An application doesn't wait for them: the school hasn't said yes.
    let teacher = member(&app, ZINTLE, "instructor", "cape-drive").await;
    let id = user(&app, ZINTLE).await;
    on_user(&platform, "delete", &id).await.expect(200);
    teacher.get("/account").await.expect(303);
    on_user(&platform, "restore", &id).await.expect(200);
    assert_eq!(membership(&app, "cape-drive", ZINTLE).await, "instructor revoked");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_deleted_accounts_address_is_free_for_another(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let platform = app.login(SUPER).await;
    let old = user(&app, SIPHO).await;
    on_user(&platform, "delete", &old).await.expect(200);
    let new = member(&app, SIPHO, "student", "").await;
    new.get("/account").await.expect(200).shows("Zintle Maseko").shows("No school yet");
    try_login(&app, SIPHO, PASSWORD).await.1.expect(401);
    let refused = on_user(&platform, "restore", &old).await.expect(409);
    assert!(refused.json()["message"].as_str().unwrap().contains(SIPHO), "{}", refused.body);
    assert_eq!(
        app.count("select count(*) from users where email = 'sipho@cape-drive.test' and deleted_at is null")
            .await,
        1
    );

    // Another address for the new one, and the old one comes back to its own.
    let id = app
        .text("select id::text from users where email = 'sipho@cape-drive.test' and deleted_at is null")
        .await;
    let update = async |user: &str, name: &str, email: &str| {
        let fields = [("user", user), ("name", name), ("email", email), ("reason", "Asked by phone")];
        platform.post("users/update", &fields).await
    };
    assert!(!update(&id, "Zintle", THANDI).await.expect(422).field("email").is_empty());
    assert!(!update(&id, "Eve\r\nX", ZINTLE).await.expect(422).field("name").is_empty());
    update(&old, "Sipho", ZINTLE).await.expect(409);
    update(&id, "Zintle Maseko", " Zintle@New.test ").await.expect(200);
    assert_eq!(
        (mails(&app, "email_changed", SIPHO).await, mails(&app, "email_changed", ZINTLE).await),
        (1, 0)
    );
    on_user(&platform, "restore", &old).await.expect(200);
    try_login(&app, ZINTLE, NEW).await.1.expect(200);
    app.student().await.get("/t/cape-drive").await.expect(200);
    let change = "select (before::text || after::text || reason) from audit where action = 'user.update'";
    let said = format!("{{\"email\": \"{SIPHO}\"}}{{\"email\": \"{ZINTLE}\"}}Asked by phone");
    assert_eq!(app.text(change).await, said);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn each_act_on_an_account_asks_for_a_reason(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (platform, owner) = (app.login(SUPER).await, app.owner().await);
    let id = user(&app, SIPHO).await;
    let long = "x".repeat(1001);
    for action in ["disable", "enable", "delete", "restore", "impersonate", "update"] {
        let path = format!("users/{action}");
        let fields =
            |reason| [("user", id.as_str()), ("name", "Sipho"), ("email", SIPHO), ("reason", reason)];
        for reason in ["", " ", long.as_str(), "a\0b"] {
            let answer = platform.post(&path, &fields(reason)).await.expect(422);
            assert!(!answer.field("reason").is_empty(), "{action} {}", answer.body);
        }
        owner.post(&path, &fields("Because")).await.expect(403);
        app.visitor().post(&path, &fields("Because")).await.expect(401);
        let mut nobody = fields("Because");
        for id in ["nonsense", "018f0000-0000-7000-8000-000000000000"] {
            nobody[0].1 = id;
            platform.post(&path, &nobody).await.expect(404);
        }
    }
    // The page keeps what was typed, and says it beside the field.
    let back = format!("/admin/users/{id}");
    let fields =
        [("_key", "edit-"), ("user", id.as_str()), ("name", "Sipho Two"), ("email", SIPHO), ("reason", "")];
    let page = platform.submit_and_follow("users/update", &back, &fields).await.expect(200);
    assert_eq!(texts(&page, "#edit-reason-error"), ["Say why; the record keeps it."]);
    assert!(page.body.contains("Sipho Two"));
    assert_eq!(app.count("select count(*) from audit where action like 'user.%'").await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_last_super_admin_stays(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let platform = app.login(SUPER).await;
    let id = user(&app, SUPER).await;
    for action in ["disable", "delete"] {
        on_user(&platform, action, &id).await.expect(409);
    }
    platform.get(&format!("/admin/users/{id}")).await.expect(200).hides("Disable user").hides("Delete user");
    for sql in [
        "update users set status = 'disabled' where super_admin",
        "update users set deleted_at = now() where super_admin",
        "update users set super_admin = false where super_admin",
    ] {
        let error = sqlx::query(sql).execute(&app.admin).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().constraint(), Some("users_last_super_admin"), "{sql}");
    }
    // With another one either may go; the one who is left stays again.
    let (root, email) = second_super_admin(&app).await;
    on_user(&root, "disable", &id).await.expect(200);
    platform.get("/admin").await.expect(303);
    let error = sqlx::query("update users set super_admin = false where email = $1")
        .bind(email)
        .execute(&app.admin)
        .await;
    assert!(error.is_err());
    on_user(&root, "enable", &id).await.expect(200);
    root.get("/admin").await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_two_super_admins_who_end_each_other_at_once_one_stays(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (_, email) = second_super_admin(&app).await;
    let (one, two) = (user(&app, SUPER).await, user(&app, email).await);
    for round in 0..10 {
        let (first, (second, answer)) = (app.login(SUPER).await, try_login(&app, email, NEW).await);
        answer.expect(200);
        let end = if round % 2 == 0 { "disable" } else { "delete" };
        let (a, b) = join(on_user(&first, end, &two), on_user(&second, end, &one)).await;
        let statuses = [a.status.as_u16(), b.status.as_u16()];
        assert_eq!(
            statuses.iter().filter(|status| **status == 200).count(),
            1,
            "round {round}: {statuses:?}"
        );
        assert!(statuses.iter().all(|status| matches!(status, 200 | 401 | 403 | 409)), "{statuses:?}");
        let left =
            "select count(*) from users where super_admin and status = 'active' and deleted_at is null";
        assert_eq!(app.count(left).await, 1, "round {round}");
        run(&app, "update users set status = 'active', deleted_at = null where super_admin").await;
    }
    // And the database alone.
    let end = |id: &str| {
        let sql = "update users set status = 'disabled' where id = $1::uuid";
        sqlx::query(sql).bind(id.to_owned()).execute(&app.admin)
    };
    let (a, b) = join(end(&one), end(&two)).await;
    assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_new_address_takes_a_proof_and_ends_what_the_old_one_opened(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (platform, sipho, id) = (app.login(SUPER).await, app.student().await, user(&app, SIPHO).await);
    app.visitor().post("identity/forgot", &[("email", SIPHO)]).await.expect(200);
    let link = token(&app, "reset", SIPHO).await;
    let update = async |user: &str, name: &str, email: &str| {
        let fields = [("user", user), ("name", name), ("email", email), ("reason", "Asked by phone")];
        platform.post("users/update", &fields).await
    };
    pass(&app, minutes(15));
    let refused = update(&id, "Sipho", ZINTLE).await.expect(403);
    assert_eq!(refused.json()["mend"], "/account/confirm");
    platform.get(&format!("/admin/users/{id}")).await.expect(200).shows("You confirm that it is you first");
    platform.post("identity/confirm", &[("password", PASSWORD)]).await.expect(200);
    // A name ends nothing.
    update(&id, "Sipho Two", SIPHO).await.expect(200);
    sipho.get("/account").await.expect(200).shows("Sipho Two");
    update(&id, "Sipho Two", ZINTLE).await.expect(200);
    sipho.get("/account").await.expect(303);
    let fields = [("token", link.as_str()), ("password", NEW)];
    app.visitor().post("identity/set_password", &fields).await.expect(409);
    try_login(&app, ZINTLE, PASSWORD).await.1.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_super_admins_address_is_theirs_alone_to_change(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let platform = app.login(SUPER).await;
    let (_, email) = second_super_admin(&app).await;
    let (one, two) = (user(&app, SUPER).await, user(&app, email).await);
    let update = async |user: &str, name: &str, email: &str| {
        let fields = [("user", user), ("name", name), ("email", email), ("reason", "Because")];
        platform.post("users/update", &fields).await
    };
    update(&two, "Root", "mine@new.test").await.expect(403).shows("Only they can change");
    assert_eq!(mails(&app, "email_changed", email).await, 0);
    let page = platform.get(&format!("/admin/users/{two}")).await.expect(200);
    assert!(
        attrs(&page, "input[name=\"email\"]", "type").iter().all(|kind| kind == "hidden"),
        "{}",
        page.body
    );
    update(&two, "Root Two", email).await.expect(200);
    // One's own: the session that asks goes on.
    let other = app.login(SUPER).await;
    update(&one, "Sam Platform", "sam@new.test").await.expect(200);
    platform.get("/admin").await.expect(200);
    other.get("/admin").await.expect(303);
}
