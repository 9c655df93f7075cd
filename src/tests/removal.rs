//! Removing people and bringing them back, answering those who apply, and taking lists out: by whom, when, and what stands
//! in the way.

use futures::future::join_all;
use http::StatusCode;
use lessonbook::http::csv::DOWNLOADS;
use sqlx::PgPool;

use crate::{
    harness::TestApp,
    soft_delete::{MEGAN, PIETER, cancel_lessons, change, run},
};

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn people_are_removed_with_a_reason_once_nothing_is_ahead(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let megan = app.text(MEGAN).await;
    let account = app.login("megan@cape-drive.test").await;
    account.get("/t/cape-drive").await.expect(200);

    let ahead: i64 = sqlx::query_scalar(
        "select count(*) from bookings where student_id = $1::uuid and starts_at > $2::timestamptz
           and status in ('requested', 'confirmed')",
    )
    .bind(&megan)
    .bind(app.now().to_string())
    .fetch_one(&app.admin)
    .await
    .unwrap();
    assert!(ahead > 0);
    let word = if ahead == 1 { "lesson" } else { "lessons" };
    let refused = change(&owner, "remove", "student", &megan).await.expect(409);
    refused.shows(&format!("Cancel their {ahead} {word} first."));
    cancel_lessons(&app, &owner, &megan).await;

    let fields = [("tenant", "cape-drive"), ("kind", "student"), ("id", megan.as_str()), ("reason", " ")];
    assert!(!owner.post("people/remove", &fields).await.expect(422).field("reason").is_empty());
    change(&owner, "remove", "instructor", &megan).await.expect(404);
    change(&owner, "remove", "horse", &megan).await.expect(404);
    change(&app.login("thandi@cape-drive.test").await, "remove", "student", &megan).await.expect(403);
    change(&app.login("owner@north-mentors.test").await, "remove", "student", &megan).await.expect(404);

    let answers = join_all((0..8).map(|_| change(&owner, "remove", "student", &megan))).await;
    let won = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
    let lost = answers.iter().filter(|answer| answer.status == StatusCode::CONFLICT).count();
    assert_eq!((won, lost), (1, 7));
    account.get("/t/cape-drive").await.expect(404);
    app.visitor().get("/s/cape-drive").await.expect(200);
    let recorded = "select count(*) from audit where action = 'people.remove' and entity = 'student' and reason = 'Moved away'
        and before->>'name' is not null";
    assert_eq!(app.count(recorded).await, 1);

    let list = owner.get("/t/cape-drive/students?status=removed").await.expect(200);
    list.shows("megan@cape-drive.test").shows("1 removed student").shows("Restore");
    owner.get("/t/cape-drive/students?status=removed&q=nobody").await.expect(200).shows("Nobody is removed");
    // Who may not remove people sees the list as it is.
    let thandi = app.login("thandi@cape-drive.test").await;
    thandi.get("/t/cape-drive/students?status=removed").await.expect(200).hides("megan@");
    owner.get("/t/cape-drive/students.csv?status=removed").await.expect(200).hides("megan@");

    let id = format!("/t/cape-drive/students/{megan}");
    let fields = [("tenant", "cape-drive"), ("kind", "student"), ("id", megan.as_str()), ("reason", "Back")];
    let page =
        owner.submit_and_follow("people/restore", "/t/cape-drive/students?status=removed", &fields).await;
    page.expect(200).shows("is back, with all there was.");
    owner.get(&id).await.expect(200);
    account.get("/t/cape-drive").await.expect(200);
    change(&owner, "restore", "student", &megan).await.expect(409);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_was_taken_meanwhile_stands_in_the_way(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    let (megan, pieter) = (app.text(MEGAN).await, app.text(PIETER).await);
    cancel_lessons(&app, &owner, &megan).await;
    cancel_lessons(&app, &owner, &pieter).await;

    // The address: whoever has it now goes first.
    change(&owner, "remove", "student", &megan).await.expect(200);
    run(
        &app,
        "insert into students (tenant_id, id, name, email, created_at)
         select tenant_id, '018f0000-0000-7000-8000-00000000aaaa', 'Other Megan', email, now()
         from students where email = 'megan@cape-drive.test'",
    )
    .await;
    change(&owner, "restore", "student", &megan).await.expect(409).shows("e-mail address of someone else");
    let other = "018f0000-0000-7000-8000-00000000aaaa";
    change(&owner, "remove", "student", other).await.expect(200);

    // The seat with the instructor: it was given away, so it isn't theirs any more.
    run(
        &app,
        "update instructors i set seats = (select count(*) - 1 from mentees m where m.instructor_id = i.id)
         where i.id in (select m.instructor_id from mentees m join students s on s.id = m.student_id
                        where s.email = 'megan@cape-drive.test')",
    )
    .await;
    change(&owner, "restore", "student", &megan).await.expect(200);
    let released = "select count(*) from mentees m join students s on s.id = m.student_id
        where s.email = 'megan@cape-drive.test' and s.deleted_at is null and m.seat = 'released'";
    assert_eq!(app.count(released).await, 1);

    // A seat of the school.
    change(&owner, "remove", "instructor", &pieter).await.expect(200);
    run(&app, "update tenants set max_seats = 2 where slug = 'cape-drive'").await;
    change(&owner, "restore", "instructor", &pieter).await.expect(409).shows("seat");
    run(&app, "update tenants set max_seats = 100 where slug = 'cape-drive'").await;
    change(&owner, "restore", "instructor", &pieter).await.expect(200);
    app.login("pieter@cape-drive.test").await.get("/t/cape-drive").await.expect(200);

    // Whom the team had removed before doesn't come back with their record.
    run(
        &app,
        "update memberships set status = 'revoked', updated_at = '2027-01-01'
         where user_id = (select id from users where email = 'pieter@cape-drive.test')",
    )
    .await;
    change(&owner, "remove", "instructor", &pieter).await.expect(200);
    change(&owner, "restore", "instructor", &pieter).await.expect(200);
    app.login("pieter@cape-drive.test").await.get("/t/cape-drive").await.expect(404);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn applicants_are_answered_not_removed(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let owner = app.owner().await;
    run(
        &app,
        "update memberships m set status = 'pending' from instructors i
         where i.id = m.person_id and i.verification = 'pending' and i.email like '%@cape-drive.test'",
    )
    .await;
    let nomsa = app.text("select id::text from instructors where email = 'nomsa@cape-drive.test'").await;
    let zanele = app.text("select id::text from instructors where email = 'zanele@cape-drive.test'").await;
    let status = "select string_agg(m.status, ' ' order by i.email) from memberships m join instructors i on i.id = m.person_id
        where i.email in ('nomsa@cape-drive.test', 'zanele@cape-drive.test')";
    assert_eq!(app.text(status).await, "pending pending");
    cancel_lessons(&app, &owner, &nomsa).await;
    cancel_lessons(&app, &owner, &zanele).await;
    change(&owner, "remove", "instructor", &nomsa).await.expect(409).shows("Reject them instead.");
    let page = owner.get(&format!("/t/cape-drive/instructors/{nomsa}")).await.expect(200);
    page.shows("Waits for your answer").shows("Verify instructor").shows("Reject instructor");

    let fields = [("tenant", "cape-drive"), ("instructor", nomsa.as_str()), ("verification", "verified")];
    owner.post("people/verify", &fields).await.expect(200);
    let told = "select count(*) from outbox where kind = 'verified' and recipient = 'nomsa@cape-drive.test'";
    assert_eq!(app.count(told).await, 1);
    app.login("nomsa@cape-drive.test").await.get("/t/cape-drive").await.expect(200);
    owner.post("people/verify", &fields).await.expect(200);
    assert_eq!(app.count(told).await, 1, "told once");

    let fields = |id: &str, reason: &str| {
        [("tenant", "cape-drive".to_owned()), ("instructor", id.to_owned()), ("reason", reason.to_owned())]
    };
    let reject = async |id: &str, reason: &str| {
        let fields = fields(id, reason);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        owner.post("people/reject", &fields).await
    };
    assert!(!reject(&zanele, "").await.expect(422).field("reason").is_empty());
    reject(&nomsa, "No").await.expect(409);
    reject(&zanele, "No licence").await.expect(200);
    reject(&zanele, "No licence").await.expect(409);
    assert_eq!(app.text(status).await, "active revoked");
    let recorded = "select count(*) from audit where action = 'instructors.verify' and reason = 'No licence'
        and after->>'verification' = 'rejected'";
    assert_eq!(app.count(recorded).await, 1);
    change(&owner, "remove", "instructor", &zanele).await.expect(200);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn lists_are_taken_out_by_those_who_may(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let of_school = || DOWNLOADS.iter().map(|download| download.path).filter(|path| path.starts_with("/t/"));
    let staff = app.login("staff@cape-drive.test").await;
    let open: Vec<&str> = {
        let mut open = Vec::new();
        for path in of_school() {
            if staff.get(&path.replace("{tenant}", "cape-drive")).await.status == StatusCode::OK {
                open.push(path);
            }
        }
        open
    };
    assert!(open.len() >= 4, "{open:?}");
    run(
        &app,
        "update memberships set permissions = '{\"data.export\": false}'
         where user_id = (select id from users where email = 'staff@cape-drive.test')",
    )
    .await;
    for path in of_school() {
        staff.get(&path.replace("{tenant}", "cape-drive")).await.expect(403);
    }
    for page in ["students", "instructors", "bookings"] {
        staff.get(&format!("/t/cape-drive/{page}")).await.expect(200).hides(".csv");
    }
}
