//! Invites (AC-21) and the seats they hold (TN-08).

use futures::future::{join, join_all};
use sqlx::PgPool;

use super::{KIM, OWNER, STAFF, ZINTLE, accept, invite, invited, membership, on_member, school};
use crate::{
    accounts::{
        NEW, SIPHO, SUPER, hours, mails, minutes, pass, rows_with, run, token, try_login, user, with,
    },
    downloads::texts,
    harness::{Client, PASSWORD, TestApp},
};

/// The id of the open invite to an address.
async fn open_invite(app: &TestApp, email: &str) -> String {
    sqlx::query_scalar(
        "select id::text from invites where email = $1 and used_at is null and revoked_at is null",
    )
    .bind(email)
    .fetch_one(&app.admin)
    .await
    .unwrap()
}

async fn change(client: &Client, action: &str, id: &str) -> u16 {
    client.post(&format!("team/{action}"), &[("tenant", "cape-drive"), ("id", id)]).await.status.as_u16()
}

/// That nobody gets in by a link: neither the page nor the form.
async fn assert_dead(client: &Client, token: &str) {
    let page = client.get(&format!("/invite/{token}")).await.expect(409);
    assert!(page.body.contains("This invite can"), "{}", page.body);
    accept(client, token).await.expect(409);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_invite_leads_from_the_mail_into_the_school(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let fields = [("tenant", "cape-drive"), ("email", " Zintle@New.test "), ("role", "staff")];
    let page = owner.submit_and_follow("team/invite", "/t/cape-drive/team", &fields).await.expect(200);
    let link = token(&app, "invite", ZINTLE).await;
    // Without a mail server it is handed over by hand; only its hash is kept besides.
    let page =
        page.shows("Invited zintle@new.test as staff.").shows(&format!("http://localhost/invite/{link}"));
    assert!(texts(&page, "tbody th").contains(&ZINTLE.to_owned()), "{}", page.body);
    owner.get("/t/cape-drive/team").await.expect(200).hides(&link);
    assert_eq!(rows_with(&app, &link).await, 0);

    let visitor = app.visitor();
    let path = format!("/invite/{link}");
    visitor.get(&path).await.expect(200).shows("Join Cape Drive").shows(ZINTLE).shows("staff");
    let typed = |name, password| [("token", link.as_str()), ("name", name), ("password", password)];
    for (name, password, field) in [
        ("Eve\r\nBcc: all@evil.test", NEW, "name"),
        ("", NEW, "name"),
        ("Zintle", "short", "password"),
        ("Zintle", ZINTLE, "password"),
    ] {
        let answer = visitor.post("team/accept", &typed(name, password)).await.expect(422);
        assert!(!answer.field(field).is_empty(), "{name} {password}: {}", answer.body);
    }
    let answer = visitor.submit("team/accept", &path, &typed("Zintle Maseko", NEW)).await.expect(303);
    assert_eq!(answer.location(), "/t/cape-drive");
    let (client, answer) = try_login(&app, ZINTLE, NEW).await;
    assert_eq!(answer.expect(200).json()["next"], "/t/cape-drive");
    client.get("/t/cape-drive/students").await.expect(200);
    client.get("/t/cape-drive/team").await.expect(403);
    assert_eq!(membership(&app, "cape-drive", ZINTLE).await, "staff active");
    let recorded = "select count(*) from audit where action in ('team.invite', 'team.accept')";
    assert_eq!(app.count(recorded).await, 2);
    assert_dead(&app.visitor(), &link).await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn whoever_has_an_account_accepts_logged_in_with_it(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let link = invited(&app, &app.owner().await, KIM, "instructor").await;
    let path = format!("/invite/{link}");
    let (visitor, other, kim) = (app.visitor(), app.student().await, app.login(KIM).await);
    visitor.get(&path).await.expect(200).shows("This address has an account.").hides("name=\"password\"");
    let login = format!("/login?next=%2Finvite%2F{link}");
    assert!(visitor.get(&path).await.body.contains(&login));
    other.get(&path).await.expect(200).shows(&format!("You are logged in as {SIPHO}."));
    for client in [&visitor, &other] {
        accept(client, &link).await.expect(401);
    }
    assert_eq!(membership(&app, "cape-drive", KIM).await, "none");
    kim.get(&path).await.expect(200).shows("Join");
    kim.submit("team/accept", &path, &[("token", &link)]).await.expect(303);
    kim.get("/t/cape-drive").await.expect(200);
    kim.get("/t/north-mentors").await.expect(200);
    // What a stranger would type for a new account is not looked at.
    try_login(&app, KIM, NEW).await.1.expect(401);
    try_login(&app, KIM, PASSWORD).await.1.expect(200);
    assert_eq!(
        app.text("select name from users where email = 'kim@north-mentors.test'").await,
        "Kim Yoon-seo"
    );
    let record = "select count(*) from instructors i join memberships m on m.person_id = i.id and m.role = 'instructor'
        where i.email = 'kim@north-mentors.test'";
    assert_eq!(app.count(record).await, 1);

    // An address that someone registered and never verified isn't theirs: who has the mail sets it up anew.
    let fields = crate::accounts::newcomer(ZINTLE, "student", "");
    app.visitor().post("identity/register", &fields).await.expect(200);
    let link = invited(&app, &app.owner().await, ZINTLE, "staff").await;
    let mine = [("token", link.as_str()), ("name", "Zintle M."), ("password", "another-orchard-kettle-7")];
    app.visitor().post("team/accept", &mine).await.expect(200);
    try_login(&app, ZINTLE, NEW).await.1.expect(401);
    try_login(&app, ZINTLE, "another-orchard-kettle-7").await.1.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_invite_is_dead_once_used_revoked_sent_again_or_three_days_old(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (owner, visitor) = (app.owner().await, app.visitor());
    // Revoked.
    let link = invited(&app, &owner, "revoked@new.test", "staff").await;
    let id = open_invite(&app, "revoked@new.test").await;
    assert_eq!(change(&owner, "revoke", &id).await, 200);
    assert_dead(&visitor, &link).await;
    assert_eq!((change(&owner, "revoke", &id).await, change(&owner, "resend", &id).await), (409, 409));
    // Sent again: the old link dies, and the new one has 72 hours of its own.
    let old = invited(&app, &owner, "again@new.test", "staff").await;
    pass(&app, minutes(20));
    assert_eq!(change(&owner, "resend", &open_invite(&app, "again@new.test").await).await, 200);
    let new = token(&app, "invite", "again@new.test").await;
    assert_ne!(old, new);
    assert_dead(&visitor, &old).await;
    let late = invited(&app, &owner, "late@new.test", "staff").await;
    pass(&app, hours(72) - minutes(1));
    visitor.get(&format!("/invite/{new}")).await.expect(200);
    accept(&visitor, &new).await.expect(200);
    let owner = app.owner().await;
    let accepted = "select id::text from invites where email = 'again@new.test' and used_at is not null";
    let accepted = app.text(accepted).await;
    assert_eq!(
        (change(&owner, "revoke", &accepted).await, change(&owner, "resend", &accepted).await),
        (409, 409)
    );
    pass(&app, minutes(1));
    assert_dead(&visitor, &late).await;
    // An expired one shows as such, holds no seat and makes way.
    let page = owner.get("/t/cape-drive/team").await.expect(200).shows("Expired");
    assert_eq!(texts(&page, ".page-title .lead"), ["15 of 100 seats"]);
    let another = invited(&app, &owner, "late@new.test", "staff").await;
    assert_dead(&visitor, &late).await;
    accept(&visitor, &another).await.expect(200);
    // Another school's invite isn't there.
    let foreign = app.login("owner@north-mentors.test").await;
    let fields = [("tenant", "north-mentors"), ("id", accepted.as_str())];
    foreign.post("team/revoke", &fields).await.expect(404);
    foreign.post("team/resend", &fields).await.expect(404);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_removed_member_stays_out_by_an_old_invite(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (owner, kim) = (app.owner().await, app.login(KIM).await);
    let old = invited(&app, &owner, KIM, "staff").await;
    // In by another door while the invite is open.
    pass(&app, minutes(1));
    kim.post("identity/join", &[("tenant", "cape-drive"), ("kind", "student")]).await.expect(200);
    kim.get("/t/cape-drive").await.expect(200);
    pass(&app, minutes(1));
    on_member(&owner, "remove", &user(&app, KIM).await, &[]).await.expect(200);
    let recorded = "select count(*) from audit where action = 'team.remove' and jsonb_array_length(after->'invites_revoked') = 1";
    assert_eq!(app.count(recorded).await, 1);
    kim.get("/t/cape-drive").await.expect(404);
    assert_dead(&kim, &old).await;
    // Also if the invite had been left open.
    run(&app, "update invites set revoked_at = null where email = 'kim@north-mentors.test'").await;
    accept(&kim, &old).await.expect(409);
    assert_eq!(membership(&app, "cape-drive", KIM).await, "student revoked");
    kim.get("/t/cape-drive").await.expect(404);
    kim.post("identity/join", &[("tenant", "cape-drive"), ("kind", "student")]).await.expect(409);
    run(&app, "update invites set revoked_at = now() where email = 'kim@north-mentors.test'").await;
    // A new one brings them back.
    pass(&app, minutes(1));
    let new = invited(&app, &owner, KIM, "staff").await;
    accept(&kim, &new).await.expect(200);
    assert_eq!(membership(&app, "cape-drive", KIM).await, "staff active");
    kim.get("/t/cape-drive").await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_invite_of_someone_who_may_no_longer_invite_is_dead(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (first, staff) = (app.owner().await, app.login(STAFF).await);
    let id = user(&app, STAFF).await;
    on_member(&first, "set_role", &id, &[("role", "owner")]).await.expect(200);
    let link = invited(&app, &staff, ZINTLE, "staff").await;
    let visitor = app.visitor();
    visitor.get(&format!("/invite/{link}")).await.expect(200);
    on_member(&first, "set_role", &id, &[("role", "staff")]).await.expect(200);
    assert_dead(&visitor, &link).await;
    assert_eq!(app.count("select count(*) from users where email = 'zintle@new.test'").await, 0);
    // An owner sends it again in their own name.
    pass(&app, minutes(1));
    let open = open_invite(&app, ZINTLE).await;
    assert_eq!(change(&first, "resend", &open).await, 200);
    accept(&visitor, &token(&app, "invite", ZINTLE).await).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_full_team_takes_nobody_more_and_students_need_no_seat(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    // Owner, staff and twelve instructors.
    run(&app, "update tenants set max_seats = 14 where slug = 'cape-drive'").await;
    let refused = invite(&owner, ZINTLE, "staff").await.expect(409);
    assert!(refused.json()["message"].as_str().unwrap().contains("All seats are taken."), "{}", refused.body);
    invite(&owner, ZINTLE, "instructor").await.expect(409);
    invite(&owner, "learner@new.test", "student").await.expect(200);
    let learner = token(&app, "invite", "learner@new.test").await;
    accept(&app.visitor(), &learner).await.expect(200);
    assert_eq!(membership(&app, "cape-drive", "learner@new.test").await, "student active");
    // Nor does a member get a seat by a change of role.
    let sipho = user(&app, SIPHO).await;
    on_member(&owner, "set_role", &sipho, &[("role", "staff")]).await.expect(409);
    run(&app, "update tenants set max_seats = 0 where slug = 'cape-drive'").await;
    let refused = invite(&owner, ZINTLE, "staff").await.expect(403);
    assert!(refused.json()["message"].as_str().unwrap().contains("no seat allocation"), "{}", refused.body);
    assert_eq!(mails(&app, "invite", ZINTLE).await, 0);

    // An open invite holds its seat.
    run(&app, "update tenants set max_seats = 15 where slug = 'cape-drive'").await;
    let link = invited(&app, &owner, ZINTLE, "staff").await;
    invite(&owner, "second@new.test", "staff").await.expect(409);
    let page = owner.get("/t/cape-drive/team").await.expect(200);
    assert_eq!(texts(&page, ".page-title .lead"), ["14 of 15 seats, 1 invited"]);
    // Its seat taken away, it waits for one.
    run(&app, "update tenants set max_seats = 14 where slug = 'cape-drive'").await;
    accept(&app.visitor(), &link).await.expect(409);
    run(&app, "update tenants set max_seats = 0 where slug = 'cape-drive'").await;
    accept(&app.visitor(), &link).await.expect(403);
    assert_eq!(app.count("select count(*) from users where email = 'zintle@new.test'").await, 0);
    run(&app, "update tenants set max_seats = 15 where slug = 'cape-drive'").await;
    accept(&app.visitor(), &link).await.expect(200);
    // Who leaves frees one.
    invite(&owner, "second@new.test", "staff").await.expect(409);
    on_member(&owner, "remove", &user(&app, ZINTLE).await, &[]).await.expect(200);
    invite(&owner, "second@new.test", "staff").await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_many_invites_for_the_last_seat_one_is_made(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    for seats in 15..20_i64 {
        sqlx::query("update tenants set max_seats = $1 where slug = 'cape-drive'")
            .bind(i32::try_from(seats).unwrap())
            .execute(&app.admin)
            .await
            .unwrap();
        let emails: Vec<String> = (0..10).map(|n| format!("someone{n}-{seats}@new.test")).collect();
        let answers = join_all(emails.iter().map(|email| invite(&owner, email, "staff"))).await;
        assert_eq!((with(&answers, 200), with(&answers, 409)), (1, 9), "{answers:?}");
        let open = "select count(*) from invites where used_at is null and revoked_at is null";
        assert_eq!(app.count(open).await, seats - 14);
    }
    // The same address twice at once is one invite.
    run(&app, "update tenants set max_seats = 100 where slug = 'cape-drive'").await;
    let (one, other) = join(invite(&owner, ZINTLE, "staff"), invite(&owner, ZINTLE, "instructor")).await;
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422]);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_a_hundred_who_accept_at_once_one_does(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (owner, kim) = (app.owner().await, app.login(KIM).await);
    // With an account, from a hundred tabs; without one is in accounts/links.rs.
    let link = invited(&app, &owner, KIM, "staff").await;
    let answers = join_all((0..100).map(|_| accept(&kim, &link))).await;
    assert_eq!((with(&answers, 200), with(&answers, 409)), (1, 99));
    assert_eq!(app.count("select count(*) from audit where action = 'team.accept'").await, 1);
    // Two invites, one seat left for both.
    let (first, second) = (
        invited(&app, &owner, "first@new.test", "staff").await,
        invited(&app, &owner, "second@new.test", "staff").await,
    );
    run(&app, "update tenants set max_seats = 16 where slug = 'cape-drive'").await;
    let (a, b) = (app.visitor(), app.visitor());
    let (one, other) = join(accept(&a, &first), accept(&b, &second)).await;
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [409, 409], "each holds the seat that the other one wants");
    run(&app, "update tenants set max_seats = 17 where slug = 'cape-drive'").await;
    let (one, other) = join(accept(&a, &first), accept(&b, &second)).await;
    assert_eq!((one.status.as_u16(), other.status.as_u16()), (200, 200));
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn whom_one_may_invite_is_said_beside_the_field(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    for (email, role, field) in [
        ("nobody", "staff", "email"),
        ("a@b.test\r\nBcc: c@d.test", "staff", "email"),
        (STAFF, "instructor", "email"),
        (OWNER, "staff", "email"),
        (ZINTLE, "owner", "role"),
        (ZINTLE, "super_admin", "role"),
        (ZINTLE, "", "role"),
    ] {
        let answer = invite(&owner, email, role).await.expect(422);
        assert!(!answer.field(field).is_empty(), "{email} {role}: {}", answer.body);
    }
    invite(&owner, ZINTLE, "staff").await.expect(200);
    assert!(
        invite(&owner, " ZINTLE@new.test", "student")
            .await
            .expect(422)
            .field("email")
            .contains("open invite")
    );
    assert_eq!(app.count("select count(*) from invites").await, 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn owners_are_invited_by_the_platform(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (platform, cape) = (app.login(SUPER).await, school(&app, "cape-drive").await);
    let back = format!("/admin/tenants/{cape}");
    let fields = [("tenant", cape.as_str()), ("email", ZINTLE)];
    app.owner().await.post("team/invite_owner", &fields).await.expect(403);
    let page = platform.submit_and_follow("team/invite_owner", &back, &fields).await.expect(200);
    page.shows("Invited zintle@new.test as owner.").shows("/invite/");
    let link = token(&app, "invite", ZINTLE).await;
    // The school's owner can take it back, not send it again.
    let (owner, id) = (app.owner().await, open_invite(&app, ZINTLE).await);
    assert_eq!(change(&owner, "resend", &id).await, 409);
    app.visitor().get(&format!("/invite/{link}")).await.expect(200).shows("owner");
    accept(&app.visitor(), &link).await.expect(200);
    let (client, answer) = try_login(&app, ZINTLE, NEW).await;
    answer.expect(200);
    client.get("/t/cape-drive/team").await.expect(200).shows(ZINTLE);
    assert!(platform.get(&back).await.expect(200).body.contains(ZINTLE));
    platform.post("team/invite_owner", &[("tenant", "nonsense"), ("email", KIM)]).await.expect(404);
    // An open invite makes way, and the record says which.
    invite(&owner, "two@new.test", "staff").await.expect(200);
    let old = open_invite(&app, "two@new.test").await;
    let second = [("tenant", cape.as_str()), ("email", "two@new.test")];
    platform.post("team/invite_owner", &second).await.expect(200);
    assert_ne!(open_invite(&app, "two@new.test").await, old);
    let replaced = app.text(
        "select before->>'invite' from audit where before->>'role' = 'staff' and after->>'role' = 'owner'",
    );
    assert_eq!(replaced.await, old);
    let known = [("tenant", cape.as_str()), ("email", OWNER)];
    assert!(!platform.post("team/invite_owner", &known).await.expect(422).field("email").is_empty());
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_list_tells_of_each_invites_own_mail(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    invite(&owner, ZINTLE, "staff").await.expect(200);
    assert_eq!(change(&owner, "revoke", &open_invite(&app, ZINTLE).await).await, 200);
    // Written by an instance whose clock is ahead.
    run(&app, "update outbox set created_at = created_at + interval '1 hour', state = 'dead', error = 'No such mailbox'").await;
    invite(&owner, ZINTLE, "staff").await.expect(200);
    owner.get("/t/cape-drive/team").await.expect(200).shows("Waiting").hides("No such mailbox");
    run(&app, "update outbox set state = 'dead', error = 'The mailbox is full' where state = 'waiting'")
        .await;
    owner.get("/t/cape-drive/team").await.expect(200).shows("The mailbox is full").hides("No such mailbox");
}
