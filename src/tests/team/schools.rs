//! Schools deleted and brought back (TN-01, TN-02). Suspending is in platform.rs.

use futures::future::join;
use sqlx::PgPool;

use super::{OWNER, ZINTLE, accept, invite, invited, membership, on_member, on_school, on_user, school};
use crate::{
    accounts::{SUPER, THANDI, hours, member, minutes, newcomer, pass, run, user},
    harness::{Client, PASSWORD, TestApp},
};

/// Every membership of Cape Drive, in a line each.
async fn members(app: &TestApp) -> String {
    app.text(
        "select string_agg(concat_ws(' ', u.email, m.role, m.person_id, m.status, m.disabled_by_tenant, m.permissions), e'\\n'
                           order by u.email)
         from memberships m join users u on u.id = m.user_id join tenants t on t.id = m.tenant_id
         where t.slug = 'cape-drive'",
    )
    .await
}

async fn everyone(app: &TestApp) -> Vec<Client> {
    let mut clients = Vec::new();
    for who in ["owner", "staff", "thandi", "sipho"] {
        clients.push(app.login(&format!("{who}@cape-drive.test")).await);
    }
    clients
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_deleted_school_is_closed_to_its_members_and_gone_for_others(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (platform, cape) = (app.login(SUPER).await, school(&app, "cape-drive").await);
    let (people, visitor) = (everyone(&app).await, app.visitor());
    let back = format!("/admin/tenants/{cape}");
    let fields = [("tenant", cape.as_str()), ("reason", "Closed for good <b>")];
    let page = platform.submit_and_follow("tenancy/delete", &back, &fields).await.expect(200);
    let page = page.shows("Cape Drive is deleted. It can be restored here at any time.");
    page.shows("Closed for good &lt;b&gt;")
        .shows("Restore school")
        .hides("Suspend school")
        .hides("Save school");
    for client in &people {
        for path in ["/t/cape-drive", "/t/cape-drive/bookings"] {
            client
                .get(path)
                .await
                .expect(403)
                .shows("This school is closed for now.")
                .hides("Closed for good");
        }
        client.get("/t/cape-drive/bookings.csv").await.expect(403).hides("Sipho");
        client.post("packs/use_lesson", &[("tenant", "cape-drive"), ("pack", &cape)]).await.expect(403);
        client.get("/s/cape-drive").await.expect(404);
        // They stay signed in, in what else is theirs.
        client.get("/").await.expect(200).hides("Cape Drive");
    }
    for path in ["/s/cape-drive", "/s/cape-drive/book"] {
        visitor.get(path).await.expect(404).hides("Cape Drive");
    }
    visitor.get("/register").await.expect(200).hides("Cape Drive");
    visitor.post("identity/register", &newcomer(ZINTLE, "student", "cape-drive")).await.expect(422);
    app.login("owner@north-mentors.test").await.get("/t/cape-drive").await.expect(404);
    // Gone from the lists, and there when it is asked for.
    for path in ["/admin/tenants", "/admin/tenants.csv", "/admin/users?q=sipho@"] {
        platform.get(path).await.expect(200).hides("Cape Drive").hides("cape-drive,");
    }
    platform.get("/admin/tenants?status=deleted").await.expect(200).shows("Cape Drive");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_deleted_school_takes_nothing_but_its_restoration(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (platform, cape) = (app.login(SUPER).await, school(&app, "cape-drive").await);
    let (people, visitor) = (everyone(&app).await, app.visitor());
    platform
        .post("tenancy/delete", &[("tenant", &cape), ("reason", "Closed for good <b>")])
        .await
        .expect(200);
    let (update, owner) = (
        [("tenant", cape.as_str()), ("name", "X"), ("preset", "salon"), ("zone", "UTC"), ("seats", "3")],
        [("tenant", cape.as_str()), ("email", ZINTLE)],
    );
    for action in ["suspend", "activate", "delete"] {
        on_school(&platform, action, &cape).await.expect(409);
    }
    platform.post("tenancy/update", &update).await.expect(409);
    platform.post("team/invite_owner", &owner).await.expect(409);
    assert_eq!(app.count("select count(*) from invites").await, 0);
    // Its address stays taken.
    let again = [
        ("name", "Another"),
        ("slug", "cape-drive"),
        ("preset", "salon"),
        ("zone", "UTC"),
        ("owner_email", ZINTLE),
        ("seats", "3"),
    ];
    assert!(!platform.post("tenancy/create", &again).await.expect(422).field("slug").is_empty());

    let back = format!("/admin/tenants/{cape}");
    let page =
        platform.submit_and_follow("tenancy/restore", &back, &[("tenant", &cape), ("reason", "Sold")]).await;
    page.expect(200).shows("Cape Drive is restored. It is active now.").hides("Closed for good");
    for client in &people {
        client.get("/t/cape-drive").await.expect(200);
    }
    visitor.get("/s/cape-drive").await.expect(200);
    on_school(&platform, "restore", &cape).await.expect(409);
    let recorded = "select string_agg(concat_ws(' ', action, before->>'status', after->>'status', reason), ', ' order by seq) from audit
        where action in ('tenant.delete', 'tenant.restore')";
    let said = "tenant.delete active deleted Closed for good <b>, tenant.restore deleted active Sold";
    assert_eq!(app.text(recorded).await, said);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_restored_school_has_exactly_the_members_that_its_deletion_disabled(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (owner, cape) = (app.owner().await, school(&app, "cape-drive").await);
    // Removed before, applied before, and given something before.
    let staff = user(&app, "staff@cape-drive.test").await;
    on_member(&owner, "remove", &staff, &[]).await.expect(200);
    let applicant = member(&app, ZINTLE, "instructor", "cape-drive").await;
    let fields =
        [("tenant", "cape-drive"), ("user", &user(&app, THANDI).await), ("offered[0]", "data.export")];
    owner.post("team/set_permissions", &fields).await.expect(200);
    let open = invited(&app, &owner, "invited@new.test", "staff").await;
    pass(&app, minutes(1));
    let before = members(&app).await;
    assert!(before.contains("staff@cape-drive.test staff revoked f"), "{before}");
    let platform = app.login(SUPER).await;
    on_school(&platform, "delete", &cape).await.expect(200);
    let closed = members(&app).await;
    assert_eq!(closed.matches(" disabled t").count(), before.matches(" active f").count());
    assert_eq!((closed.matches(" active ").count(), closed.matches(" pending ").count()), (0, 1));
    assert_eq!(closed.matches(" revoked ").count(), 1, "{closed}");
    // An invite waits with the school.
    app.visitor().get(&format!("/invite/{open}")).await.expect(409);
    accept(&app.visitor(), &open).await.expect(409);
    owner
        .post("team/invite", &[("tenant", "cape-drive"), ("email", "x@new.test"), ("role", "staff")])
        .await
        .expect(403);

    pass(&app, minutes(1));
    on_school(&platform, "restore", &cape).await.expect(200);
    assert_eq!(members(&app).await, before);
    app.login("staff@cape-drive.test").await.get("/t/cape-drive").await.expect(404);
    applicant.get("/t/cape-drive").await.expect(404);
    accept(&app.visitor(), &open).await.expect(200);
    let counted = "select (before->>'status') || ' ' || (after->>'members_enabled') from audit where action = 'tenant.restore'";
    assert_eq!(app.text(counted).await, format!("deleted {}", before.matches(" active f").count()));
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_school_suspended_before_its_deletion_comes_back_suspended(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (platform, cape) = (app.login(SUPER).await, school(&app, "cape-drive").await);
    let owner = app.owner().await;
    platform.post("tenancy/suspend", &[("tenant", &cape), ("reason", "Unpaid")]).await.expect(200);
    on_school(&platform, "delete", &cape).await.expect(200);
    let answer = on_school(&platform, "restore", &cape).await.expect(200);
    assert_eq!(answer.json()["message"], "Cape Drive is restored. It is suspended now.");
    owner.get("/t/cape-drive").await.expect(403).shows("This school is closed for now.");
    app.visitor().get("/s/cape-drive").await.expect(404);
    // With the reason of the suspension, not of the deletion.
    let page = platform.get(&format!("/admin/tenants/{cape}")).await.expect(200);
    page.shows("Unpaid").shows("Activate school").hides("Because");
    assert_eq!(membership(&app, "cape-drive", "owner@cape-drive.test").await, "owner active");
    on_school(&platform, "activate", &cape).await.expect(200);
    owner.get("/t/cape-drive").await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn deleting_and_restoring_ask_for_a_reason_and_deleting_for_a_proof(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (platform, cape) = (app.login(SUPER).await, school(&app, "cape-drive").await);
    let say = async |action: &str, reason: &str| {
        platform.post(&format!("tenancy/{action}"), &[("tenant", &cape), ("reason", reason)]).await
    };
    let long = "x".repeat(1001);
    for action in ["delete", "restore"] {
        for reason in ["", "  ", long.as_str()] {
            assert!(!say(action, reason).await.expect(422).field("reason").is_empty(), "{action}");
        }
        platform.post(&format!("tenancy/{action}"), &[("tenant", &cape)]).await.expect(422);
        on_school(&platform, action, "nonsense").await.expect(404);
        on_school(&app.owner().await, action, &cape).await.expect(403);
    }
    say("restore", "Open").await.expect(409);
    pass(&app, minutes(15));
    say("delete", "Closed").await.expect(403);
    assert_eq!(app.count("select count(*) from tenants where status = 'deleted'").await, 0);
    platform.post("identity/confirm", &[("password", PASSWORD)]).await.expect(200);
    say("delete", "Closed").await.expect(200);
    // To bring it back takes none.
    pass(&app, minutes(20));
    say("restore", "Open").await.expect(200);
    assert_eq!(app.count("select count(*) from tenants where status = 'deleted'").await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn who_is_deleted_with_an_account_does_not_come_back_with_the_school(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (platform, cape) = (app.login(SUPER).await, school(&app, "cape-drive").await);
    let (thandi, sipho) = (user(&app, THANDI).await, user(&app, "sipho@cape-drive.test").await);
    on_school(&platform, "delete", &cape).await.expect(200);
    for id in [&thandi, &sipho] {
        on_user(&platform, "delete", id).await.expect(200);
    }
    // One comes back before the school, the other after.
    on_user(&platform, "restore", &thandi).await.expect(200);
    assert_eq!(membership(&app, "cape-drive", THANDI).await, "instructor disabled");
    on_school(&platform, "restore", &cape).await.expect(200);
    assert_eq!(membership(&app, "cape-drive", THANDI).await, "instructor active");
    assert_eq!(membership(&app, "cape-drive", "sipho@cape-drive.test").await, "student revoked");
    on_user(&platform, "restore", &sipho).await.expect(200);
    for email in [THANDI, "sipho@cape-drive.test"] {
        app.login(email).await.get("/t/cape-drive").await.expect(200);
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_school_with_fewer_seats_by_now_comes_back_whole_and_full(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (platform, cape) = (app.login(SUPER).await, school(&app, "cape-drive").await);
    let before = members(&app).await;
    on_school(&platform, "delete", &cape).await.expect(200);
    run(&app, "update tenants set max_seats = 3 where slug = 'cape-drive'").await;
    on_school(&platform, "restore", &cape).await.expect(200);
    assert_eq!(members(&app).await, before);
    assert_eq!(app.count("select max_seats::int8 from tenants where slug = 'cape-drive'").await, 3);
    let owner = app.owner().await;
    invite(&owner, ZINTLE, "staff").await.expect(409);
    owner.get("/t/cape-drive/team").await.expect(200).shows("14 of 3 seats");
    // A month later as well as at once.
    on_school(&platform, "delete", &cape).await.expect(200);
    pass(&app, hours(30 * 24));
    on_school(&app.login(SUPER).await, "restore", &cape).await.expect(200);
    assert_eq!(members(&app).await, before);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_school_that_nobody_could_own_stays_deleted(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (platform, cape) = (app.login(SUPER).await, school(&app, "cape-drive").await);
    let owner = user(&app, OWNER).await;
    on_school(&platform, "delete", &cape).await.expect(200);
    for (end, undo) in [("disable", "enable"), ("delete", "restore")] {
        on_user(&platform, end, &owner).await.expect(200);
        let closed = members(&app).await;
        let refused = on_school(&platform, "restore", &cape).await.expect(409);
        let message = "Its owner's account is deleted or disabled. Restore that account first.";
        assert_eq!(refused.json()["message"], message, "{end}");
        assert_eq!(members(&app).await, closed);
        assert_eq!(app.count("select count(*) from tenants where status = 'deleted'").await, 1);
        on_user(&platform, undo, &owner).await.expect(200);
    }
    on_school(&platform, "restore", &cape).await.expect(200);
    // Of one who goes and a school that comes back at once, one has to wait for the other.
    for round in 0..10 {
        on_school(&platform, "delete", &cape).await.expect(200);
        let end = if round % 2 == 0 { "disable" } else { "delete" };
        let (came, went) =
            join(on_school(&platform, "restore", &cape), on_user(&platform, end, &owner)).await;
        let statuses = (came.status.as_u16(), went.status.as_u16());
        assert!(statuses == (200, 409) || statuses == (409, 200), "round {round}: {statuses:?}");
        if statuses.0 == 409 {
            on_user(&platform, if round % 2 == 0 { "enable" } else { "restore" }, &owner).await.expect(200);
            on_school(&platform, "restore", &cape).await.expect(200);
        }
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_record_names_those_who_went_with_a_school_and_came_back(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (platform, cape) = (app.login(SUPER).await, school(&app, "cape-drive").await);
    let turn = async || {
        on_school(&platform, "delete", &cape).await.expect(200);
        on_school(&platform, "restore", &cape).await.expect(200);
    };
    turn().await;
    let all = "select count(*) from audit where action in ('tenant.delete', 'tenant.restore')
        and jsonb_array_length(after->'members') = coalesce(after->'members_disabled', after->'members_enabled')::int
        and after->'members' ? (select id::text from users where email = 'owner@cape-drive.test')";
    assert_eq!(app.count(all).await, 2);
    // Of very many the first 200.
    run(
        &app,
        "with many as (
             insert into users (id, email, name, created_at, updated_at)
             select gen_random_uuid(), 'many' || n || '@new.test', 'Many', now(), now() from generate_series(1, 250) n
             returning id
         )
         insert into memberships (tenant_id, user_id, role, person_id, created_at, updated_at)
         select t.id, many.id, 'student', gen_random_uuid(), now(), now() from many, tenants t where t.slug = 'cape-drive'",
    )
    .await;
    turn().await;
    let first = "select count(*) from audit where action in ('tenant.delete', 'tenant.restore')
        and jsonb_array_length(after->'members') = 200
        and coalesce(after->'members_disabled', after->'members_enabled')::int > 250";
    assert_eq!((app.count(all).await, app.count(first).await), (2, 2));
}
