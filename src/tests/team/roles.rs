//! Roles, permissions and who must stay (AC-20, TN-04, TN-07).

use futures::future::join;
use sqlx::PgPool;

use super::{KIM, OWNER, STAFF, ZINTLE, invite, membership, on_member, on_school, on_user, school};
use crate::{
    accounts::{SIPHO, SUPER, THANDI, hours, pass, run, user},
    harness::{Answer, Client, TestApp},
};

const OWNERS: &str = "select count(*) from memberships m join tenants t on t.id = m.tenant_id
    where t.slug = 'cape-drive' and m.role = 'owner' and m.status = 'active'";

/// Says which of the permissions that the form offers a member has.
async fn permit(client: &Client, user: &str, offered: &[&str], granted: &[&str]) -> Answer {
    let mut fields = vec![("tenant".to_owned(), "cape-drive"), ("user".to_owned(), user)];
    fields.extend(offered.iter().enumerate().map(|(n, action)| (format!("offered[{n}]"), *action)));
    fields.extend(
        offered
            .iter()
            .enumerate()
            .filter(|(_, action)| granted.contains(action))
            .map(|(n, action)| (format!("granted[{n}]"), *action)),
    );
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    client.post("team/set_permissions", &fields).await
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_permission_taken_closes_the_download_at_once_and_one_given_opens_the_audit(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (owner, staff, thandi) = (app.owner().await, app.login(STAFF).await, app.login(THANDI).await);
    let (id, teacher) = (user(&app, STAFF).await, user(&app, THANDI).await);
    let statuses = async |client: &Client, paths: &[&str]| {
        let mut found = Vec::new();
        for path in paths {
            found.push(client.get(&format!("/t/cape-drive/{path}")).await.status.as_u16());
        }
        found
    };
    let paths = ["students", "students.csv", "bookings.csv", "audit", "audit.csv"];
    assert_eq!(statuses(&staff, &paths).await, [200, 200, 200, 403, 403]);
    let offered = ["data.export", "audit.view", "people.import"];
    permit(&owner, &id, &offered, &["people.import"]).await.expect(200);
    assert_eq!(statuses(&staff, &paths).await, [200, 403, 403, 403, 403]);
    staff.get("/t/cape-drive/students").await.expect(200).hides("students.csv").shows("/students/import");
    permit(&owner, &id, &offered, &["audit.view"]).await.expect(200);
    // To read isn't to take out.
    assert_eq!(statuses(&staff, &paths).await, [200, 403, 403, 200, 403]);
    staff.get("/t/cape-drive/students/import").await.expect(403);
    permit(&owner, &id, &offered, &["data.export", "audit.view"]).await.expect(200);
    assert_eq!(statuses(&staff, &paths).await, [200, 200, 200, 200, 200]);
    // Nobody else's changed with it.
    assert_eq!(statuses(&owner, &paths).await, [200; 5]);
    assert_eq!(statuses(&thandi, &["students.csv", "audit"]).await, [200, 403]);
    permit(&owner, &teacher, &["data.export", "availability.edit"], &["availability.edit"]).await.expect(200);
    assert_eq!(statuses(&thandi, &["students", "students.csv"]).await, [200, 403]);
    let recorded = "select count(*) from audit where action = 'team.permissions' and before ? 'permissions' and after ? 'permissions'";
    assert_eq!(app.count(recorded).await, 4);
    owner.get("/t/cape-drive/audit").await.expect(200).shows("Changed what a member may do");
    // A new role begins anew.
    on_member(&owner, "set_role", &id, &[("role", "owner")]).await.expect(200);
    on_member(&owner, "set_role", &id, &[("role", "staff")]).await.expect(200);
    assert_eq!(statuses(&staff, &paths).await, [200, 200, 200, 403, 403]);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_is_not_an_owners_to_give_is_refused(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    for (email, action, status) in [
        (STAFF, "team.manage", 404),
        (STAFF, "platform.run", 404),
        (STAFF, "nonsense", 404),
        (STAFF, "availability.edit", 422),
        (THANDI, "audit.view", 422),
        (THANDI, "people.import", 422),
        (SIPHO, "data.export", 422),
        (OWNER, "data.export", 422),
        (KIM, "data.export", 404),
    ] {
        let id = user(&app, email).await;
        let answer = permit(&owner, &id, &[action], &[action]).await;
        assert_eq!(answer.status.as_u16(), status, "{email} {action}: {}", answer.body);
    }
    let staff = user(&app, STAFF).await;
    for role in ["super_admin", "visitor", "", "Owner"] {
        let answer = on_member(&owner, "set_role", &staff, &[("role", role)]).await.expect(422);
        assert!(!answer.field("role").is_empty(), "{role}");
    }
    for (action, more) in [("set_role", Some(("role", "instructor"))), ("remove", None)] {
        let mut fields = vec![("tenant", "cape-drive"), ("user", staff.as_str()), ("reason", "  ")];
        fields.extend(more);
        let answer = owner.post(&format!("team/{action}"), &fields).await.expect(422);
        assert!(!answer.field("reason").is_empty(), "{action}");
    }
    assert_eq!(app.count("select count(*) from memberships where permissions <> '{}'").await, 0);
    assert_eq!(app.count("select count(*) from audit where action like 'team.%'").await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn someone_just_demoted_or_removed_can_do_nothing_more(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (first, second) = (app.owner().await, app.login(STAFF).await);
    let (one, two, sipho) = (user(&app, OWNER).await, user(&app, STAFF).await, user(&app, SIPHO).await);
    on_member(&first, "set_role", &two, &[("role", "owner")]).await.expect(200);
    second.get("/t/cape-drive/team").await.expect(200);
    on_member(&second, "set_role", &one, &[("role", "staff")]).await.expect(200);
    for (action, more) in [("set_role", Some(("role", "owner"))), ("remove", None), ("set_permissions", None)]
    {
        for member in [&one, &two, &sipho] {
            on_member(&first, action, member, more.as_slice()).await.expect(403);
        }
    }
    invite(&first, ZINTLE, "staff").await.expect(403);
    first.get("/t/cape-drive/team").await.expect(403);
    first.get("/t/cape-drive/settings").await.expect(403);
    first.get("/t/cape-drive/students").await.expect(200);
    assert_eq!(membership(&app, "cape-drive", STAFF).await, "owner active");

    on_member(&second, "remove", &one, &[]).await.expect(200);
    for path in ["/t/cape-drive", "/t/cape-drive/students", "/t/cape-drive/students.csv"] {
        first.get(path).await.expect(404).hides("Sipho");
    }
    // Out of the school, not of the account.
    first.get("/account").await.expect(200);
    first.get("/").await.expect(200).hides("Cape Drive");
    assert_eq!(membership(&app, "cape-drive", OWNER).await, "staff revoked");
    on_member(&second, "remove", &one, &[]).await.expect(404);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn who_becomes_staff_logs_in_again_and_rests_half_an_hour(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (owner, thandi, id) = (app.owner().await, app.login(THANDI).await, user(&app, THANDI).await);
    on_member(&owner, "set_role", &id, &[("role", "staff")]).await.expect(200);
    thandi.get("/account").await.expect(303);
    let again = app.login(THANDI).await;
    again.get("/t/cape-drive/services").await.expect(200);
    pass(&app, hours(1));
    again.get("/account").await.expect(303);
    // Back to teaching they act as the record they had, with its lessons.
    let owner = app.owner().await;
    on_member(&owner, "set_role", &id, &[("role", "instructor")]).await.expect(200);
    let same = "select count(*) from memberships m join instructors i on i.id = m.person_id
        where m.role = 'instructor' and i.email = 'thandi@cape-drive.test'";
    assert_eq!(app.count(same).await, 1);
    assert_eq!(app.count("select count(*) from instructors where email = 'thandi@cape-drive.test'").await, 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_last_owner_stays_and_nobody_removes_themselves(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (owner, platform) = (app.owner().await, app.login(SUPER).await);
    let (one, two) = (user(&app, OWNER).await, user(&app, STAFF).await);
    for role in ["staff", "instructor", "student"] {
        on_member(&owner, "set_role", &one, &[("role", role)]).await.expect(409);
    }
    on_member(&owner, "remove", &one, &[]).await.expect(409);
    on_user(&platform, "disable", &one).await.expect(409);
    on_user(&platform, "delete", &one).await.expect(409);
    // Not even behind the program's back.
    for sql in [
        "update memberships set status = 'revoked' where role = 'owner'",
        "update memberships set role = 'staff' where role = 'owner'",
        "delete from memberships where role = 'owner'",
        "update users set deleted_at = now() where email = 'owner@cape-drive.test'",
    ] {
        let error = sqlx::query(sql).execute(&app.admin).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().constraint(), Some("memberships_last_owner"), "{sql}");
    }
    // With two owners each may go, but not of their own hand by removal.
    on_member(&owner, "set_role", &two, &[("role", "owner")]).await.expect(200);
    on_member(&owner, "remove", &one, &[]).await.expect(409);
    on_member(&owner, "set_role", &one, &[("role", "staff")]).await.expect(200);
    assert_eq!(app.count(OWNERS).await, 1);
    // An owner who can't log in doesn't count.
    let second = app.login(STAFF).await;
    on_member(&second, "set_role", &one, &[("role", "owner")]).await.expect(200);
    on_user(&platform, "disable", &one).await.expect(200);
    on_member(&second, "set_role", &two, &[("role", "staff")]).await.expect(409);
    on_user(&platform, "disable", &two).await.expect(409);
    // Of a school that is deleted the owner may go.
    on_school(&platform, "delete", &school(&app, "cape-drive").await).await.expect(200);
    on_user(&platform, "disable", &two).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_two_owners_who_demote_each_other_at_once_one_stays(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (first, second) = (app.owner().await, app.login(STAFF).await);
    let (one, two) = (user(&app, OWNER).await, user(&app, STAFF).await);
    run(&app, "update memberships set role = 'owner' where user_id = (select id from users where email = 'staff@cape-drive.test')").await;
    for round in 0..10 {
        let (demote, more): (&str, &[(&str, &str)]) =
            if round % 2 == 0 { ("set_role", &[("role", "staff")]) } else { ("remove", &[]) };
        let (a, b) =
            join(on_member(&first, demote, &two, more), on_member(&second, demote, &one, more)).await;
        let statuses = [a.status.as_u16(), b.status.as_u16()];
        assert_eq!(
            statuses.iter().filter(|status| **status == 200).count(),
            1,
            "round {round}: {statuses:?}"
        );
        assert!(statuses.iter().all(|status| matches!(status, 200 | 403 | 404 | 409)), "{statuses:?}");
        assert_eq!(app.count(OWNERS).await, 1, "round {round}");
        run(
            &app,
            "update memberships set role = 'owner', status = 'active'
             where user_id in (select id from users where email in ('owner@cape-drive.test', 'staff@cape-drive.test'))",
        )
        .await;
    }
    // Each of themselves, and the database alone.
    let staff = [("role", "staff")];
    let (a, b) =
        join(on_member(&first, "set_role", &one, &staff), on_member(&second, "set_role", &two, &staff)).await;
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    run(
        &app,
        "update memberships set role = 'owner'
         where user_id in (select id from users where email in ('owner@cape-drive.test', 'staff@cape-drive.test'))",
    )
    .await;
    let demote = |email: &'static str| {
        let sql =
            "update memberships set role = 'staff' where user_id = (select id from users where email = $1)";
        sqlx::query(sql).bind(email).execute(&app.admin)
    };
    let (a, b) = join(demote(OWNER), demote(STAFF)).await;
    assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
    assert_eq!(app.count(OWNERS).await, 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn nobody_but_an_owner_manages_the_team(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    invite(&app.owner().await, ZINTLE, "staff").await.expect(200);
    let id = app.text("select id::text from invites").await;
    let sipho = user(&app, SIPHO).await;
    let everything =
        "select (select count(*) from audit where action like 'team.%') + (select count(*) from invites)
        + (select count(*) from memberships where status = 'active') + (select count(*) from outbox)";
    let mut people = vec![(app.visitor(), 401)];
    for (email, status) in [
        (STAFF, 403),
        (THANDI, 403),
        (SIPHO, 403),
        ("owner@north-mentors.test", 404),
        ("owner@closed-clinic.test", 404),
        (SUPER, 404),
    ] {
        people.push((app.login(email).await, status));
    }
    let before = app.count(everything).await;
    for (client, status) in people {
        let mut answers = vec![
            invite(&client, "other@new.test", "staff").await,
            on_member(&client, "set_role", &sipho, &[("role", "owner")]).await,
            on_member(&client, "remove", &sipho, &[]).await,
            permit(&client, &sipho, &["data.export"], &[]).await,
        ];
        for action in ["team/resend", "team/revoke"] {
            answers.push(client.post(action, &[("tenant", "cape-drive"), ("id", &id)]).await);
        }
        answers.push(client.get("/t/cape-drive/team.csv").await);
        for answer in answers {
            assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
        }
        let page = client.get("/t/cape-drive/team").await.hides(ZINTLE);
        assert_eq!(page.status.as_u16(), if status == 401 { 303 } else { status });
    }
    assert_eq!(app.count(everything).await, before);
}
