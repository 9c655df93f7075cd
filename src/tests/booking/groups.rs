//! Lessons for several (BK-11): seats, who sees whom, and the one classroom.

use futures::future::join_all;
use sqlx::PgPool;

use super::{
    id,
    scene::{DRIVE, FREE, LATER, NOBODY, Scene, THEORY, act, message, near},
};
use crate::{
    accounts::with,
    harness::{Answer, Client},
};

/// Plans a theory class on that Friday.
async fn open(scene: &Scene, client: &Client, instructor: &str, time: &str) -> Answer {
    let fields = [
        ("service", scene.service(THEORY)),
        ("instructor", scene.instructor(instructor)),
        ("date", "2027-01-15"),
        ("time", time),
    ];
    act(client, "booking/open_group", &fields).await
}

/// Calls it off.
async fn close(client: &Client, group: &str) -> Answer {
    act(client, "booking/close_group", &[("group", group), ("reason", "Too few")]).await
}

/// A seat of the theory class; the booking's id.
async fn seat(scene: &Scene, client: &Client, instructor: &str, at: &str) -> String {
    id(&scene.book(client, THEORY, instructor, at, &[]).await.expect(200))
}

/// The group lesson that a booking has a seat in.
async fn group_of(scene: &Scene, booking: &str) -> String {
    scene.text("select group_id::text from bookings where id = $1::uuid", booking).await
}

/// Seats taken of a group lesson, and how many of its claims count: two as long as it stands.
async fn stands(scene: &Scene, group: &str) -> (i64, i64) {
    (
        scene.count("select taken::bigint from group_lessons where id = $1::uuid", group).await,
        scene.count("select count(*) from claims where group_id = $1::uuid and active", group).await,
    )
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_nine_at_once_eight_have_a_seat(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let students = scene.students(9).await;
    // With one instructor, and with whoever will do: there is one classroom for all of them.
    for (instructor, at) in [("thandi", FREE), ("any", LATER)] {
        let tries = students.iter().map(|student| scene.book(student, THEORY, instructor, at, &[]));
        let answers = join_all(tries).await;
        assert_eq!((with(&answers, 200), with(&answers, 409)), (8, 1), "{instructor}: {answers:?}");
        for refused in answers.iter().filter(|answer| answer.status.as_u16() == 409) {
            assert_eq!(near(refused), 3, "{}", refused.body);
        }
    }
    let opened = "select count(*) from group_lessons
                  where starts_at between '2027-01-15 14:00+02' and '2027-01-15 18:00+02'";
    let full = "select count(*) from group_lessons where cancelled_at is null and taken = 8 and capacity = 8
                and starts_at in ('2027-01-15 15:00+02', '2027-01-15 16:00+02')";
    assert_eq!((scene.app.count(opened).await, scene.app.count(full).await), (2, 2));
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_database_itself_refuses_a_ninth_seat(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let ninth = "insert into bookings (tenant_id, id, service_id, instructor_id, student_id, starts_at, ends_at, status,
                                       price_minor, currency, cancel_notice_min, created_at, group_id)
                 select b.tenant_id, gen_random_uuid(), b.service_id, b.instructor_id, b.student_id, b.starts_at, b.ends_at,
                        'confirmed', 0, 'ZAR', 0, b.created_at, b.group_id
                 from bookings b join group_lessons g on g.tenant_id = b.tenant_id and g.id = b.group_id
                 where g.taken = g.capacity limit 1";
    let error = sqlx::query(ninth).execute(&scene.app.admin).await.unwrap_err();
    let db = error.as_database_error().unwrap();
    assert_eq!((db.code().as_deref(), db.constraint()), (Some("23514"), Some("group_lessons_full")));
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn one_student_has_one_seat(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let booking = seat(&scene, &scene.sipho, "thandi", FREE).await;
    scene.book(&scene.sipho, THEORY, "thandi", FREE, &[]).await.expect(409);
    assert_eq!(stands(&scene, &group_of(&scene, &booking).await).await, (1, 2));
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn attendees_do_not_see_each_other(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let all = [&scene.sipho, &scene.lerato, &scene.megan];
    let names = ["Sipho Nkosi", "Lerato Govender", "Megan Mahlangu"];
    let mut seats = Vec::new();
    for client in all {
        seats.push(seat(&scene, client, "thandi", FREE).await);
    }
    let group = group_of(&scene, &seats[0]).await;
    let book = format!(
        "/s/cape-drive/book?service={}&instructor={}&date=2027-01-15&at=2027-01-15T15:00:00%2B02:00",
        scene.service(THEORY),
        scene.instructor("thandi")
    );
    for (own, client) in all.into_iter().enumerate() {
        let lesson = format!("/t/cape-drive/bookings/{}", seats[own]);
        let page = client.get(&lesson).await.expect(200).shows(names[own]).shows("3 of 8 seats are taken");
        let pages = [
            page,
            client.get("/t/cape-drive").await.expect(200),
            client.get("/t/cape-drive/bookings").await.expect(200),
            client.get(&book).await.expect(200),
        ];
        for (other, name) in names.iter().enumerate().filter(|(other, _)| *other != own) {
            for page in &pages {
                assert!(!page.body.contains(name), "{name} is in {}", page.body);
            }
            client.get(&format!("/t/cape-drive/bookings/{}", seats[other])).await.expect(404);
        }
        client.get(&format!("/t/cape-drive/groups/{group}")).await.expect(403);
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn with_the_last_seat_the_group_and_its_classroom_are_free(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let first = seat(&scene, &scene.sipho, "thandi", FREE).await;
    let last = seat(&scene, &scene.lerato, "thandi", FREE).await;
    let group = group_of(&scene, &first).await;
    scene.cancel(&scene.sipho, &first, &[]).await.expect(200);
    assert_eq!(stands(&scene, &group).await, (1, 2));
    scene.book(&scene.megan, DRIVE, "thandi", FREE, &[]).await.expect(409);
    scene.cancel(&scene.lerato, &last, &[]).await.expect(200);
    assert_eq!(stands(&scene, &group).await, (0, 0));
    scene.book(&scene.megan, DRIVE, "thandi", FREE, &[]).await.expect(200);
    seat(&scene, &scene.lerato, "pieter", FREE).await;
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_planned_group_stays_when_nobody_is_left_in_it(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let planned = open(&scene, &scene.staff, "thandi", "15:00").await.expect(200);
    assert!(
        message(&planned).starts_with("Planned: Theory class with Thandi Mokoena, Fri 15 Jan, 15:00–16:00")
    );
    let group = id(&planned);
    let booking = seat(&scene, &scene.sipho, "any", FREE).await;
    assert_eq!(group_of(&scene, &booking).await, group, "whoever will do is who has it already");
    scene.cancel(&scene.sipho, &booking, &[]).await.expect(200);
    assert_eq!(stands(&scene, &group).await, (0, 2));
    scene.book(&scene.lerato, DRIVE, "thandi", FREE, &[]).await.expect(409);
    seat(&scene, &scene.lerato, "thandi", FREE).await;
    assert_eq!(stands(&scene, &group).await, (1, 2));
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn who_teaches_and_who_runs_the_school_see_who_comes(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let group = id(&open(&scene, &scene.staff, "thandi", "15:00").await.expect(200));
    let page = format!("/t/cape-drive/groups/{group}");
    scene.staff.get(&page).await.expect(200).shows("Nobody has booked yet").shows("0 of 8 taken");
    for client in [&scene.sipho, &scene.lerato] {
        seat(&scene, client, "thandi", FREE).await;
    }
    for client in [&scene.staff, &scene.thandi] {
        let page = client.get(&page).await.expect(200);
        page.shows("Sipho Nkosi").shows("Lerato Govender").hides("Megan Mahlangu").shows("2 of 8 taken");
    }
    scene.app.login("pieter@cape-drive.test").await.get(&page).await.expect(404);
    scene.app.visitor().get(&page).await.expect(303);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_group_is_called_off_only_when_nobody_is_in_it(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let group = id(&open(&scene, &scene.staff, "thandi", "15:00").await.expect(200));
    let mut seats = Vec::new();
    for client in [&scene.sipho, &scene.lerato] {
        seats.push(seat(&scene, client, "thandi", FREE).await);
    }
    let refused = close(&scene.staff, &group).await.expect(409);
    assert_eq!(message(&refused), "Cancel or move its 2 lessons first.");
    let page = format!("/t/cape-drive/groups/{group}");
    scene.staff.get(&page).await.expect(200).shows("Cancel or move its 2 lessons first.");
    for booking in &seats {
        scene.cancel(&scene.staff, booking, &[]).await.expect(200);
    }
    // A seat that is held counts until its hold is over.
    scene.hold(&scene.megan, THEORY, "thandi", FREE).await.expect(200);
    assert!(message(&close(&scene.staff, &group).await.expect(409)).contains("held"));
    scene.pass(5);
    let fields = [("group", group.as_str()), ("reason", " ")];
    let unsaid = act(&scene.staff, "booking/close_group", &fields).await.expect(422);
    assert!(!unsaid.field("reason").is_empty());
    // Another's is not there, and students plan nothing.
    close(&scene.app.login("pieter@cape-drive.test").await, &group).await.expect(404);
    close(&scene.sipho, &group).await.expect(403);
    close(&scene.staff, NOBODY).await.expect(404);
    close(&scene.staff, &group).await.expect(200);
    assert_eq!(stands(&scene, &group).await, (0, 0));
    assert!(message(&close(&scene.staff, &group).await.expect(409)).contains("already"));
    scene.staff.get(&page).await.expect(200).shows("Called off");
    scene.book(&scene.lerato, DRIVE, "thandi", FREE, &[]).await.expect(200);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn two_groups_do_not_share_the_one_classroom(admin: PgPool) {
    let scene = Scene::new(admin).await;
    open(&scene, &scene.staff, "thandi", "15:00").await.expect(200);
    for time in ["14:30", "15:00", "15:30"] {
        assert_eq!(near(&open(&scene, &scene.staff, "pieter", time).await.expect(409)), 3, "{time}");
    }
    assert_eq!(near(&scene.book(&scene.sipho, THEORY, "pieter", FREE, &[]).await.expect(409)), 3);
    open(&scene, &scene.staff, "pieter", "16:00").await.expect(200);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_many_planned_at_once_one_has_the_classroom(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let teachers =
        ["thandi", "pieter", "ayesha", "lwazi", "johan", "fatima", "sizwe", "anneke", "kagiso", "raj"];
    let tries = teachers.iter().map(|teacher| open(&scene, &scene.staff, teacher, "15:00"));
    let answers = join_all(tries).await;
    assert_eq!((with(&answers, 200), with(&answers, 409)), (1, 9), "{answers:?}");
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_instructor_plans_their_own_groups(admin: PgPool) {
    let scene = Scene::new(admin).await;
    open(&scene, &scene.thandi, "pieter", "15:00").await.expect(404);
    let group = id(&open(&scene, &scene.thandi, "", "15:00").await.expect(200));
    let planned = "select count(*) from group_lessons g join instructors i on i.tenant_id = g.tenant_id and i.id = g.instructor_id
                   where g.id = $1::uuid and g.kept and i.email = 'thandi@cape-drive.test'";
    assert_eq!(scene.count(planned, &group).await, 1);
    close(&scene.thandi, &group).await.expect(200);
    open(&scene, &scene.sipho, "thandi", "15:00").await.expect(403);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_cannot_be_planned_is_refused_beside_the_field(admin: PgPool) {
    let scene = Scene::new(admin).await;
    open(&scene, &scene.staff, "thandi", "15:00").await.expect(200);
    let (theory, drive, thandi) = (scene.service(THEORY), scene.service(DRIVE), scene.instructor("thandi"));
    for (service, instructor, date, time, field) in [
        ("", thandi, "2027-01-15", "16:00", "service"),
        (drive, thandi, "2027-01-15", "16:00", "service"),
        (theory, "", "2027-01-15", "16:00", "instructor"),
        (theory, thandi, "", "16:00", "date"),
        (theory, thandi, "2027-02-30", "16:00", "date"),
        (theory, thandi, "2027-01-15", "25:00", "time"),
        (theory, thandi, "2027-01-15", "", "time"),
        (theory, thandi, "2027-01-12", "09:00", "time"),
        (theory, thandi, "2027-01-16", "10:00", "time"),
        (theory, thandi, "2027-01-15", "16:30", "time"),
        (theory, thandi, "2029-12-31", "10:00", "time"),
        (theory, thandi, "9999-12-31", "10:00", "time"),
        // It is there already.
        (theory, thandi, "2027-01-15", "15:00", "time"),
    ] {
        let fields = [("service", service), ("instructor", instructor), ("date", date), ("time", time)];
        let answer = act(&scene.staff, "booking/open_group", &fields).await.expect(422);
        assert!(!answer.field(field).is_empty(), "{fields:?}: {}", answer.body);
    }
    let fields = [("service", NOBODY), ("instructor", thandi), ("date", "2027-01-15"), ("time", "16:00")];
    act(&scene.staff, "booking/open_group", &fields).await.expect(404);
    assert_eq!(scene.app.count("select count(*) from group_lessons where kept").await, 1);
}
