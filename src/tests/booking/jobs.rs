//! What happens by itself: reminders (NT-03) and requests that nobody answered. Holds and offers have tests of their own.

use domain::booking::jobs;
use futures::future::join;
use sqlx::PgPool;

use super::scene::{DRIVE, FREE, LATER, Scene};
use crate::accounts::{SIPHO, mails};

/// A day before [`FREE`].
const DAY_BEFORE: &str = "2027-01-14T15:00:00+02:00";
/// Two hours before it.
const HOURS_BEFORE: &str = "2027-01-15T13:00:00+02:00";

/// How often the student of a lesson has been reminded of it.
async fn reminded(scene: &Scene, booking: &str) -> i64 {
    scene
        .count("select count(*) from outbox where kind = 'reminder' and booking_id = $1::uuid", booking)
        .await
}

/// The same, once the worker has been there at a moment.
async fn reminded_at(scene: &Scene, booking: &str, at: &str) -> i64 {
    scene.app.clock.set(at.parse().unwrap());
    scene.jobs().await;
    reminded(scene, booking).await
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_student_is_reminded_once_for_each_offset(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    for (at, times) in [
        ("2027-01-12T09:30:00+02:00", 0),
        ("2027-01-14T14:59:59+02:00", 0),
        (DAY_BEFORE, 1),
        (DAY_BEFORE, 1),
        ("2027-01-15T12:59:59+02:00", 1),
        (HOURS_BEFORE, 2),
        ("2027-01-15T13:10:00+02:00", 2),
        (FREE, 2),
    ] {
        assert_eq!(reminded_at(&scene, &booking, at).await, times, "{at}");
    }
    let offsets = "select string_agg(offset_min::text, ', ' order by offset_min) from reminders where booking_id = $1::uuid";
    assert_eq!(scene.text(offsets, &booking).await, "120, 1440");
    let mail = "select count(*) from outbox where kind = 'reminder' and booking_id = $1::uuid
                and recipient = 'sipho@cape-drive.test' and data->>'span' = 'Fri 15 Jan, 15:00–16:00'";
    assert_eq!(scene.count(mail, &booking).await, 2);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn one_message_speaks_for_what_came_due_while_no_worker_ran(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    assert_eq!(reminded_at(&scene, &booking, "2027-01-15T14:00:00+02:00").await, 1);
    assert_eq!(scene.count("select count(*) from reminders where booking_id = $1::uuid", &booking).await, 2);
    assert_eq!(reminded_at(&scene, &booking, "2027-01-15T14:30:00+02:00").await, 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn two_workers_remind_once(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    let at = DAY_BEFORE.parse().unwrap();
    let (one, other) = join(jobs::run_due(&scene.app.db, at), jobs::run_due(&scene.app.db, at)).await;
    assert_eq!((one.unwrap().failed, other.unwrap().failed), (0, 0));
    assert_eq!(reminded(&scene, &booking).await, 1);
    let twice = "select count(*) from (select from outbox where kind = 'reminder' group by booking_id having count(*) > 1) x";
    assert_eq!(scene.app.count(twice).await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn nobody_is_reminded_in_quiet_hours(admin: PgPool) {
    let scene = Scene::new(admin).await;
    scene.run("update tenants set reminder_offsets = '{120}', quiet_from = 720, quiet_to = 840").await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    for (at, times) in [
        ("2027-01-15T11:59:00+02:00", 0),
        (HOURS_BEFORE, 0),
        ("2027-01-15T13:59:59+02:00", 0),
        ("2027-01-15T14:00:00+02:00", 1),
        ("2027-01-15T14:10:00+02:00", 1),
    ] {
        assert_eq!(reminded_at(&scene, &booking, at).await, times, "{at}");
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn where_quiet_hours_end_too_late_it_comes_before_them(admin: PgPool) {
    let scene = Scene::new(admin).await;
    // From noon until a quarter of an hour before the lesson.
    scene.run("update tenants set reminder_offsets = '{120}', quiet_from = 720, quiet_to = 885").await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    for (at, times) in [
        ("2027-01-15T11:44:59+02:00", 0),
        ("2027-01-15T11:45:00+02:00", 1),
        (HOURS_BEFORE, 1),
        ("2027-01-15T14:50:00+02:00", 1),
    ] {
        assert_eq!(reminded_at(&scene, &booking, at).await, times, "{at}");
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn after_a_move_the_student_is_reminded_of_the_new_time(admin: PgPool) {
    let mut scene = Scene::new(admin).await;
    scene.run("update tenants set reminder_offsets = '{1440}'").await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    assert_eq!(reminded_at(&scene, &booking, DAY_BEFORE).await, 1);
    scene.go_to("2027-01-14T15:05:00+02:00").await;
    let fields =
        [("tenant", "cape-drive"), ("booking", booking.as_str()), ("date", "2027-01-22"), ("time", "15:00")];
    scene.staff.post("booking/move", &fields).await.expect(200);
    for (at, times) in [
        ("2027-01-14T15:10:00+02:00", 1),
        (HOURS_BEFORE, 1),
        ("2027-01-21T14:59:59+02:00", 1),
        ("2027-01-21T15:00:00+02:00", 2),
        ("2027-01-21T15:15:00+02:00", 2),
    ] {
        assert_eq!(reminded_at(&scene, &booking, at).await, times, "{at}");
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_is_booked_or_cancelled_in_between_needs_no_reminder(admin: PgPool) {
    let mut scene = Scene::new(admin).await;
    let cancelled = scene.lesson(&scene.lerato, LATER).await;
    scene.cancel(&scene.lerato, &cancelled, &[]).await.expect(200);
    scene.go_to("2027-01-15T10:00:00+02:00").await;
    // Five hours before: of the day before nobody needs to hear any more.
    let booking = scene.lesson(&scene.sipho, FREE).await;
    assert_eq!(reminded_at(&scene, &booking, "2027-01-15T10:05:00+02:00").await, 0);
    assert_eq!(reminded_at(&scene, &booking, HOURS_BEFORE).await, 1);
    assert_eq!(reminded_at(&scene, &cancelled, "2027-01-15T14:30:00+02:00").await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_request_that_nobody_answered_is_cancelled_and_given_back(admin: PgPool) {
    let scene = Scene::new(admin).await;
    scene.run("update services set needs_approval = true").await;
    let used = scene.used().await;
    let (asked, approved) =
        (scene.lesson(&scene.sipho, FREE).await, scene.lesson(&scene.lerato, LATER).await);
    let fields = [("tenant", "cape-drive"), ("booking", approved.as_str())];
    scene.thandi.post("booking/confirm", &fields).await.expect(200);
    assert_eq!((scene.status(&asked).await, scene.used().await), ("requested".into(), used + 1));
    scene.app.clock.set("2027-01-15T14:59:59+02:00".parse().unwrap());
    assert_eq!(scene.jobs().await.lapsed, 0);
    scene.pass(2);
    assert_eq!(scene.jobs().await.lapsed, 1);
    let why = "select status || ': ' || cancel_reason from bookings where id = $1::uuid";
    assert_eq!(scene.text(why, &asked).await, "cancelled: Nobody answered in time.");
    assert_eq!((scene.claims(&asked).await, scene.used().await), (0, used));
    assert_eq!(mails(&scene.app, "booking_cancelled", SIPHO).await, 1);
    let recorded = "select count(*) from audit where action = 'booking.cancel' and entity_id = $1::uuid and actor_id is null";
    assert_eq!(scene.count(recorded, &asked).await, 1);
    // Once; and what was approved takes place.
    scene.pass(120);
    assert_eq!((scene.jobs().await.lapsed, scene.status(&approved).await), (0, "confirmed".into()));
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_closed_school_is_left_as_it_is(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let booking = scene.lesson(&scene.sipho, FREE).await;
    scene.hold(&scene.lerato, DRIVE, "thandi", LATER).await.expect(200);
    scene.run("update tenants set status = 'suspended', status_reason = 'x' where slug = 'cape-drive'").await;
    assert_eq!(reminded_at(&scene, &booking, DAY_BEFORE).await, 0);
    let active = "select count(*) from holds where state = 'active'";
    assert_eq!(scene.app.count(active).await, 1);
    scene.run("update tenants set status = 'active', status_reason = null where slug = 'cape-drive'").await;
    assert_eq!(reminded_at(&scene, &booking, "2027-01-14T15:05:00+02:00").await, 1);
    assert_eq!(scene.app.count(active).await, 0);
}
