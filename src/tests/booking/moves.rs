//! Giving lessons another time and cancelling them (BK-07), by the terms that were in force when they were booked.

use futures::future::{join, join_all};
use sqlx::PgPool;

use super::{
    id,
    scene::{DRIVE, FREE, LATER, NOBODY, Scene, THEORY, act, message, near},
};
use crate::{
    accounts::{SIPHO, THANDI, mails, with},
    harness::{Answer, Client},
};

const PIETER: &str = "pieter@cape-drive.test";
/// A day and a time when neither Thandi nor those who book here have a lesson.
const FREE_DAY: &str = "2027-01-14";
/// Within 24 hours of [`FREE`] and of [`LATER`].
const TOO_LATE: &str = "2027-01-14T16:30:00+02:00";

/// Asks for another time of a lesson.
async fn to(client: &Client, booking: &str, date: &str, time: &str, more: &[(&str, &str)]) -> Answer {
    let mut fields = vec![("booking", booking), ("date", date), ("time", time)];
    fields.extend_from_slice(more);
    act(client, "booking/move", &fields).await
}

/// How many moves of a lesson the record calls an override.
async fn overrides(scene: &Scene, booking: &str) -> i64 {
    let count = "select count(*) from audit
                 where action = 'booking.move' and entity_id = $1::uuid and after->>'override' = 'true'";
    scene.count(count, booking).await
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_student_moves_a_lesson_within_its_terms(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let before = scene.used().await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    let page = format!("/t/cape-drive/bookings/{booking}");
    scene.sipho.get(&page).await.expect(200).shows("Can be moved until Thu 14 Jan, 15:00.");
    scene.run("insert into reminders (tenant_id, booking_id, kind, offset_min, sent_at) select tenant_id, id, 'lesson', 1440, created_at from bookings").await;
    let moved = to(&scene.sipho, &booking, FREE_DAY, "15:00", &[("reason", "Exam")]).await.expect(200);
    assert_eq!(
        message(&moved),
        "Moved: Driving lesson with Thandi Mokoena, Thu 14 Jan, 15:00–16:00 (Johannesburg)."
    );
    assert_eq!((id(&moved), scene.starts(&booking).await), (booking.clone(), "2027-01-14 15:00".into()));
    let moves = "select moves::bigint from bookings where id = $1::uuid and moved_at is not null";
    let reminders = "select count(*) from reminders where booking_id = $1::uuid";
    assert_eq!((scene.count(moves, &booking).await, scene.count(reminders, &booking).await), (1, 0));
    assert_eq!(scene.used().await, before + 1, "it is paid as it was");
    // Both are told, with the time that it had.
    let told = "select string_agg(recipient, ', ' order by recipient) from outbox
                where kind = 'booking_moved' and booking_id = $1::uuid and data->>'reason' = 'Exam'
                  and data->>'was' = 'Fri 15 Jan, 15:00–16:00 (Johannesburg)'";
    assert_eq!(scene.text(told, &booking).await, format!("{SIPHO}, {THANDI}"));
    let recorded = "select count(*) from audit where action = 'booking.move' and entity_id = $1::uuid
                    and (before->>'starts_at')::timestamptz = '2027-01-15 15:00+02' and reason = 'Exam'";
    assert_eq!((scene.count(recorded, &booking).await, overrides(&scene, &booking).await), (1, 0));
    scene.sipho.get(&page).await.expect(200).shows("once by the student");
    // The old time is free, the new one isn't.
    scene.book(&scene.lerato, DRIVE, "thandi", FREE, &[]).await.expect(200);
    scene.book(&scene.megan, DRIVE, "thandi", "2027-01-14T15:00:00+02:00", &[]).await.expect(409);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn too_late_it_is_the_school_that_moves_it_and_the_record_says_so(admin: PgPool) {
    let mut scene = Scene::new(admin).await;
    let (one, other) = (scene.lesson(&scene.sipho, FREE).await, scene.lesson(&scene.lerato, LATER).await);
    // In time, nothing is overridden.
    to(&scene.staff, &other, FREE_DAY, "13:00", &[]).await.expect(200);
    to(&scene.staff, &other, "2027-01-15", "16:00", &[]).await.expect(200);
    assert_eq!(overrides(&scene, &other).await, 0);
    scene.go_to(TOO_LATE).await;
    let refused = to(&scene.sipho, &one, "2027-01-18", "15:00", &[]).await.expect(409);
    assert_eq!(message(&refused), "It is too late to move it. Cancel it, or ask the school.");
    let page = format!("/t/cape-drive/bookings/{one}");
    for page in [page.clone(), format!("{page}/move")] {
        scene.sipho.get(&page).await.expect(200).shows("It is too late to move it.");
    }
    to(&scene.staff, &one, "2027-01-18", "15:00", &[]).await.expect(200);
    assert_eq!((overrides(&scene, &one).await, scene.starts(&one).await), (1, "2027-01-18 15:00".into()));
    let by_student = scene.count("select moves::bigint from bookings where id = $1::uuid", &one).await;
    assert_eq!(by_student, 0, "only the student's own moves count");
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_student_moves_it_as_often_as_the_terms_allow(admin: PgPool) {
    let scene = Scene::new(admin).await;
    scene.run("update services set max_moves = 1").await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    let page = format!("/t/cape-drive/bookings/{booking}");
    scene.sipho.get(&page).await.expect(200).shows("Can be moved until Thu 14 Jan, 15:00, once.");
    to(&scene.sipho, &booking, FREE_DAY, "15:00", &[]).await.expect(200);
    let refused = to(&scene.sipho, &booking, FREE_DAY, "16:00", &[]).await.expect(409);
    assert!(message(&refused).contains("as often as its terms allow"), "{}", refused.body);
    scene.sipho.get(&page).await.expect(200).shows("as often as its terms allow");
    to(&scene.staff, &booking, FREE_DAY, "16:00", &[]).await.expect(200);
    assert_eq!(overrides(&scene, &booking).await, 1);
    scene.run("update services set max_moves = 0").await;
    let never = scene.lesson(&scene.lerato, FREE).await;
    assert!(message(&to(&scene.lerato, &never, FREE_DAY, "13:00", &[]).await.expect(409)).contains("terms"));
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_moved_lesson_keeps_the_terms_of_its_booking(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    scene.run("update services set max_moves = 0, move_notice_min = 20160, cancel_notice_min = 20160, late_fee_percent = 50, price_minor = 1").await;
    to(&scene.sipho, &booking, FREE_DAY, "15:00", &[]).await.expect(200);
    let terms =
        "select count(*) from bookings where id = $1::uuid and move_notice_min = 1440 and max_moves is null
                 and cancel_notice_min = 1440 and late_fee_percent = 100 and price_minor = 42000";
    assert_eq!(scene.count(terms, &booking).await, 1);
    let page = format!("/t/cape-drive/bookings/{booking}");
    scene.sipho.get(&page).await.expect(200).shows("Free to cancel until Wed 13 Jan, 15:00");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn its_own_time_is_refused_and_half_of_it_is_free(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    let refused = to(&scene.sipho, &booking, "2027-01-15", "15:00", &[]).await.expect(422);
    assert_eq!(refused.field("time"), "It is at that time already.");
    let at = [("booking", booking.as_str()), ("starts_at", FREE)];
    let refused = act(&scene.sipho, "booking/move", &at).await.expect(422);
    assert!(!refused.field("starts_at").is_empty(), "{}", refused.body);
    to(&scene.sipho, &booking, "2027-01-15", "15:30", &[]).await.expect(200);
    assert_eq!((scene.starts(&booking).await, scene.claims(&booking).await), ("2027-01-15 15:30".into(), 2));
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn times_out_of_bounds_are_refused_beside_the_field(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    for (date, time, field) in [
        ("2027-01-11", "10:00", "time"),
        ("2027-01-12", "10:00", "time"),
        ("2027-01-16", "10:00", "time"),
        ("2027-01-15", "16:30", "time"),
        ("2027-01-15", "08:00", "time"),
        ("2027-04-30", "10:00", "time"),
        ("9999-12-31", "10:00", "time"),
        // Before that day the pack that pays for it ends.
        ("2027-02-12", "15:00", "time"),
        ("2027-01-14", "25:00", "time"),
        ("2027-01-14", "", "time"),
        ("2027-02-30", "10:00", "date"),
        ("", "10:00", "date"),
    ] {
        let answer = to(&scene.sipho, &booking, date, time, &[]).await.expect(422);
        assert!(!answer.field(field).is_empty(), "{date} {time}: {}", answer.body);
    }
    let pieter = scene.instructor("pieter");
    for (name, value) in [("scope", "some"), ("instructor", pieter)] {
        let answer = to(&scene.sipho, &booking, FREE_DAY, "15:00", &[(name, value)]).await.expect(422);
        assert!(!answer.field(name).is_empty(), "{name}: {}", answer.body);
    }
    assert_eq!(scene.starts(&booking).await, "2027-01-15 15:00");
    assert_eq!(scene.app.count("select count(*) from outbox where kind = 'booking_moved'").await, 0);
    assert_eq!(scene.app.count("select count(*) from audit where action = 'booking.move'").await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_time_that_is_taken_or_kept_is_refused_with_others_near_it(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    scene.lesson(&scene.lerato, "2027-01-14T15:00:00+02:00").await;
    scene.hold(&scene.megan, DRIVE, "thandi", "2027-01-14T16:00:00+02:00").await.expect(200);
    for time in ["15:00", "16:00"] {
        let refused = to(&scene.sipho, &booking, FREE_DAY, time, &[]).await.expect(409);
        assert_eq!(near(&refused), 3, "{}", refused.body);
        assert!(message(&refused).contains("Nothing was moved."));
    }
    assert_eq!((scene.starts(&booking).await, scene.claims(&booking).await), ("2027-01-15 15:00".into(), 2));
    // The page says so before, and saves nothing either way.
    let page = format!("/t/cape-drive/bookings/{booking}/move?date={FREE_DAY}&time=");
    let taken = scene.sipho.get(&format!("{page}15%3A00")).await.expect(200);
    taken.shows("This time can't be had.").shows("Another lesson then").shows("The nearest free times:");
    scene.sipho.get(&format!("{page}13%3A00")).await.expect(200).shows("This time is free.");
    assert_eq!(scene.starts(&booking).await, "2027-01-15 15:00");
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn anothers_lesson_is_not_moved_and_no_lesson_that_is_over(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    for client in [&scene.lerato, &scene.app.login(PIETER).await] {
        to(client, &booking, FREE_DAY, "15:00", &[]).await.expect(404);
        client.get(&format!("/t/cape-drive/bookings/{booking}/move")).await.expect(404);
    }
    to(&scene.staff, NOBODY, FREE_DAY, "15:00", &[]).await.expect(404);
    to(&scene.thandi, &booking, FREE_DAY, "15:00", &[]).await.expect(200);
    scene.cancel(&scene.sipho, &booking, &[]).await.expect(200);
    for client in [&scene.sipho, &scene.thandi, &scene.staff] {
        to(client, &booking, FREE_DAY, "16:00", &[]).await.expect(409);
    }
    assert_eq!(scene.claims(&booking).await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn staff_give_it_to_someone_else_and_all_three_are_told(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    // The same time with someone else is a move.
    let with_pieter = [("instructor", scene.instructor("pieter"))];
    to(&scene.staff, &booking, "2027-01-15", "15:00", &with_pieter).await.expect(200);
    for to in [SIPHO, THANDI, PIETER] {
        assert_eq!(mails(&scene.app, "booking_moved", to).await, 1, "{to}");
    }
    scene.book(&scene.lerato, DRIVE, "thandi", FREE, &[]).await.expect(200);
    scene.book(&scene.megan, DRIVE, "pieter", FREE, &[]).await.expect(409);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_seat_that_is_moved_leaves_its_group_and_opens_another(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let booking = id(&scene.book(&scene.sipho, THEORY, "thandi", FREE, &[]).await.expect(200));
    let group = "select group_id::text from bookings where id = $1::uuid";
    let first = scene.text(group, &booking).await;
    // Half of its own classroom is free for it.
    to(&scene.sipho, &booking, "2027-01-15", "15:30", &[]).await.expect(200);
    assert_ne!(scene.text(group, &booking).await, first);
    let gone =
        "select count(*) from group_lessons where id = $1::uuid and cancelled_at is not null and taken = 0";
    assert_eq!(scene.count(gone, &first).await, 1);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_many_moves_to_one_time_one_wins(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let (one, other) = (scene.lesson(&scene.sipho, FREE).await, scene.lesson(&scene.lerato, LATER).await);
    let tries = (0..20).map(|i| match i % 2 {
        0 => to(&scene.sipho, &one, FREE_DAY, "15:00", &[]),
        _ => to(&scene.lerato, &other, FREE_DAY, "15:00", &[]),
    });
    let answers = join_all(tries).await;
    // The winner's other tries find it there already.
    assert_eq!(with(&answers, 200), 1, "{answers:?}");
    assert_eq!(with(&answers, 409) + with(&answers, 422), 19, "{answers:?}");
    let there = "select count(*) from bookings b join instructors i on i.tenant_id = b.tenant_id and i.id = b.instructor_id
                 where i.email = 'thandi@cape-drive.test' and b.status = 'confirmed' and b.starts_at = '2027-01-14 15:00+02'";
    assert_eq!(scene.app.count(there).await, 1);
    assert_eq!((scene.claims(&one).await, scene.claims(&other).await), (2, 2));
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn two_moves_of_one_lesson_end_at_one_time(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    let (one, other) = join(
        to(&scene.sipho, &booking, FREE_DAY, "15:00", &[]),
        to(&scene.staff, &booking, FREE_DAY, "16:00", &[]),
    )
    .await;
    for answer in [&one, &other] {
        assert!(matches!(answer.status.as_u16(), 200 | 409), "{}", answer.body);
    }
    let at = scene.starts(&booking).await;
    assert!(at == "2027-01-14 15:00" || at == "2027-01-14 16:00", "{at}");
    let there =
        "select count(*) from claims c join bookings b on b.tenant_id = c.tenant_id and b.id = c.booking_id
                 where b.id = $1::uuid and c.active and c.starts_at = b.starts_at and c.ends_at = b.ends_at";
    assert_eq!((scene.count(there, &booking).await, scene.claims(&booking).await), (2, 2));
    scene.book(&scene.lerato, DRIVE, "thandi", FREE, &[]).await.expect(200);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_is_moved_and_cancelled_at_once_is_cancelled(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    let (moved, cancelled) =
        join(to(&scene.sipho, &booking, FREE_DAY, "15:00", &[]), scene.cancel(&scene.staff, &booking, &[]))
            .await;
    assert!(matches!(moved.status.as_u16(), 200 | 409), "{}", moved.body);
    cancelled.expect(200);
    assert_eq!((scene.status(&booking).await, scene.claims(&booking).await), ("cancelled".into(), 0));
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn cancelled_too_late_a_prepaid_lesson_is_used(admin: PgPool) {
    let mut scene = Scene::new(admin).await;
    let before = scene.used().await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    let page = format!("/t/cape-drive/bookings/{booking}");
    let terms = "Free to cancel until Thu 14 Jan, 15:00; after that it costs one lesson.";
    scene.sipho.get(&page).await.expect(200).shows(terms);
    scene.go_to(TOO_LATE).await;
    scene.sipho.get(&page).await.expect(200).shows("Too late to cancel for free: the lesson counts as used.");
    let cancelled = scene.cancel(&scene.sipho, &booking, &[]).await.expect(200);
    assert!(message(&cancelled).ends_with("The lesson counts as used."), "{}", cancelled.body);
    assert_eq!(scene.used().await, before + 1);
    let fee = "select count(*) from bookings where id = $1::uuid and fee_minor is not null";
    assert_eq!(scene.count(fee, &booking).await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn cancelled_too_late_without_a_pack_a_part_of_the_price_is_due(admin: PgPool) {
    let mut scene = Scene::new(admin).await;
    scene.run("update services set late_fee_percent = 50, price_minor = 42001").await;
    let booking = scene.lesson(&scene.lerato, FREE).await;
    // What is asked for later doesn't touch it.
    scene.run("update services set late_fee_percent = 100, price_minor = 99999").await;
    let page = format!("/t/cape-drive/bookings/{booking}");
    let terms = "Free to cancel until Thu 14 Jan, 15:00; after that 50 % of the price (R 210.01) is due.";
    scene.lerato.get(&page).await.expect(200).shows(terms);
    scene.go_to(TOO_LATE).await;
    let terms = "Too late to cancel for free: 50 % of the price (R 210.01) is due.";
    scene.lerato.get(&page).await.expect(200).shows(terms);
    let cancelled = scene.cancel(&scene.lerato, &booking, &[]).await.expect(200);
    assert!(message(&cancelled).contains("R 210.01 is due"), "{}", cancelled.body);
    let fee = "select fee_minor from bookings where id = $1::uuid";
    assert_eq!(scene.count(fee, &booking).await, 21_001, "half a cent is rounded up");
    scene.lerato.get(&page).await.expect(200).shows("Late fee").shows("It was late: R 210.01 is due.");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn staff_may_apply_the_students_terms(admin: PgPool) {
    let mut scene = Scene::new(admin).await;
    let before = scene.used().await;
    let (by_terms, for_free) =
        (scene.lesson(&scene.sipho, FREE).await, scene.lesson(&scene.sipho, LATER).await);
    scene.go_to(TOO_LATE).await;
    let as_student = [("as_student", "on")];
    scene.cancel(&scene.thandi, &by_terms, &as_student).await.expect(403);
    scene.cancel(&scene.staff, &by_terms, &as_student).await.expect(200);
    assert_eq!(scene.used().await, before + 2, "it counts as used");
    scene.cancel(&scene.staff, &for_free, &[]).await.expect(200);
    assert_eq!(scene.used().await, before + 1, "and the other one came back");
    let overridden = "select count(*) from audit
                      where action = 'booking.cancel' and entity_id = $1::uuid and after->>'override' = 'true'";
    let both = (scene.count(overridden, &by_terms).await, scene.count(overridden, &for_free).await);
    assert_eq!(both, (0, 1));
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn where_nothing_is_due_a_lesson_always_comes_back(admin: PgPool) {
    let mut scene = Scene::new(admin).await;
    let before = scene.used().await;
    scene.run("update services set late_fee_percent = 0").await;
    let (booking, unpaid) =
        (scene.lesson(&scene.sipho, FREE).await, scene.lesson(&scene.lerato, LATER).await);
    let page = format!("/t/cape-drive/bookings/{booking}");
    scene.sipho.get(&page).await.expect(200).shows("Free to cancel until the lesson begins.");
    scene.go_to(TOO_LATE).await;
    scene.sipho.get(&page).await.expect(200).shows("Free to cancel until the lesson begins.");
    scene.cancel(&scene.sipho, &booking, &[]).await.expect(200);
    assert_eq!(scene.used().await, before);
    scene.cancel(&scene.lerato, &unpaid, &[]).await.expect(200);
    assert_eq!(scene.app.count("select count(*) from bookings where fee_minor is not null").await, 0);
}
