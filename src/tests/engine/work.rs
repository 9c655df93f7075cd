//! The day's work: who came (BK-12), many lessons at once (BK-13), and the calendar.

mod calendar;

use domain::booking::attendance::LESSON_NOTE;
use sqlx::PgPool;
use uuid::Uuid;

use super::{Cape, Fields, LERATO, SIPHO, THANDI, about, act, id, said};
use crate::{
    accounts::{hours, pass, rows_with, run},
    downloads::{attrs, texts},
    harness::{Answer, Client, TestApp},
};

const DRIVING: &str = "Driving lesson";
const PALESA: &str = "palesa@cape-drive.test";
const PIETER: &str = "pieter@cape-drive.test";
const NOTE: &str = "Parks well, brakes late 😀";
/// Where a lesson stands, and what was said of it.
const STATE: &str =
    "select concat_ws('|', status, coalesce(attendance, '-')) from bookings where id = $1::uuid";

/// A lesson of Thandi's: it is half past nine, and today she has one at 9, at 11 and at 14.
async fn lesson(app: &TestApp, starts_at: &str) -> String {
    let sql = "select b.id::text from bookings b join instructors i on i.tenant_id = b.tenant_id and i.id = b.instructor_id
        where i.email = 'thandi@cape-drive.test' and b.starts_at = $1::timestamptz and b.status <> 'cancelled'";
    about(app, sql, starts_at).await
}

async fn begun(app: &TestApp) -> String {
    lesson(app, "2027-01-12 09:00+02").await
}

/// Says of some lessons who came, and what to keep about them.
async fn mark(client: &Client, lessons: &[(&str, &str)], notes: Fields<'_>) -> Answer {
    let named = |part: &str, (lesson, value): &(&str, &str)| {
        (format!("{part}[lesson-{lesson}]"), (*value).to_owned())
    };
    let mut fields: Vec<(String, String)> = lessons.iter().map(|said| named("attendance", said)).collect();
    fields.extend(notes.iter().map(|note| named("notes", note)));
    fields.push(("date".into(), "2027-01-12".into()));
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    act(client, "booking/attendance", &fields).await
}

fn field(lesson: &str) -> String {
    format!("attendance[lesson-{lesson}]")
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn who_came_is_kept_and_the_note_is_sealed(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (thandi, begun) = (app.login(THANDI).await, begun(&app).await);
    let path = "/t/cape-drive/attendance?date=2027-01-12";
    let page = thandi.get(path).await.expect(200);
    let radios = format!("input[name=\"{}\"]", field(&begun));
    assert_eq!(attrs(&page, &radios, "value"), ["present", "late", "absent", "no_show"]);
    let answer = mark(&thandi, &[(&begun, "present")], &[(&begun, NOTE)]).await.expect(200);
    assert_eq!(said(&answer), "Attendance saved: 1 lesson.");
    assert_eq!(about(&app, STATE, &begun).await, "completed|present");
    let sealed = about(&app, "select lesson_note from bookings where id = $1::uuid", &begun).await;
    assert!(sealed.starts_with("v1.") && !sealed.contains(NOTE), "{sealed}");
    let row: Uuid = begun.parse().unwrap();
    assert_eq!(app.db.vault().open(LESSON_NOTE, row, &sealed).unwrap(), NOTE);
    assert_eq!(rows_with(&app, NOTE).await, 0);
    // Those who give or run the lesson read it.
    for client in [&thandi, &app.owner().await] {
        let page = client.get(path).await.expect(200);
        assert_eq!(texts(&page, &format!("textarea[name=\"notes[lesson-{begun}]\"]")), [NOTE]);
        assert_eq!(attrs(&page, &format!("{radios}[checked]"), "value"), ["present"]);
    }
    // The record knows that there is one, not what it says.
    let recorded = "select string_agg((after->>'attendance') || ' ' || (after->>'status') || ' ' || (after->>'note'), '; ')
        from audit where action = 'booking.complete' and entity_id = $1::uuid";
    assert_eq!(about(&app, recorded, &begun).await, "present completed changed");
    // The same again changes nothing.
    let answer = mark(&thandi, &[(&begun, "present")], &[(&begun, NOTE)]).await.expect(200);
    assert_eq!(said(&answer), "Nothing has changed since.");
    assert_eq!(app.count("select count(*) from audit where action = 'booking.complete'").await, 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_lesson_note_is_never_shown_to_its_student(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (thandi, begun) = (app.login(THANDI).await, begun(&app).await);
    mark(&thandi, &[(&begun, "late")], &[(&begun, NOTE)]).await.expect(200);
    let student = app.login(PALESA).await;
    let own = format!("/t/cape-drive/bookings/{begun}");
    let list = "/t/cape-drive/bookings?from=2027-01-12&to=2027-01-12".to_owned();
    for path in
        [own.clone(), list, "/t/cape-drive".into(), "/t/cape-drive/bookings.csv?from=2027-01-12".into()]
    {
        student.get(&path).await.expect(200).hides("Parks well").hides("brakes late");
    }
    // That they came late they may know.
    student.get(&own).await.expect(200).shows("Late");
    student.get("/t/cape-drive/attendance?date=2027-01-12").await.expect(403).hides("Parks well");
    let owner = app.owner().await;
    for path in ["/t/cape-drive/audit", "/t/cape-drive/bookings.csv?from=2027-01-12", "/t/cape-drive/outbox"]
    {
        owner.get(path).await.expect(200).hides("Parks well");
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn nothing_is_said_of_a_lesson_before_it_begins(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (thandi, begun) = (app.login(THANDI).await, begun(&app).await);
    let later = lesson(&app, "2027-01-12 11:00+02").await;
    let path = "/t/cape-drive/attendance?date=2027-01-12";
    thandi.get(path).await.expect(200).shows("Begins at 11:00").shows("Begins at 14:00");
    // Of two neither is kept.
    let answer = mark(&thandi, &[(&begun, "present"), (&later, "present")], &[]).await.expect(422);
    let message = answer.field(&field(&later));
    assert!(
        message.starts_with("11:00, ") && message.ends_with("It has not begun. Say afterwards who came."),
        "{message}"
    );
    assert_eq!(about(&app, STATE, &begun).await, "confirmed|-");
    assert_eq!(about(&app, STATE, &later).await, "confirmed|-");
    // A note can be kept before: what is planned for it.
    mark(&thandi, &[], &[(&later, "Bring cones")]).await.expect(200);
    pass(&app, hours(2));
    let thandi = app.login(THANDI).await;
    mark(&thandi, &[(&later, "no_show")], &[]).await.expect(200);
    assert_eq!(about(&app, STATE, &later).await, "no_show|no_show");
    // Of days to come there is nothing to say.
    let page = thandi.get("/t/cape-drive/attendance?date=2027-01-13").await.expect(200);
    assert!(attrs(&page, "input[name^=\"attendance\"]", "name").is_empty(), "{}", page.body);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_was_said_is_corrected_within_what_the_lesson_is(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (thandi, begun) = (app.login(THANDI).await, begun(&app).await);
    let refuse = async |lesson: &str, wanted: &str, why: &str| {
        let message = mark(&thandi, &[(lesson, wanted)], &[]).await.expect(422).field(&field(lesson));
        assert!(message.ends_with(why), "{wanted}: {message}");
    };
    mark(&thandi, &[(&begun, "present")], &[]).await.expect(200);
    mark(&thandi, &[(&begun, "late")], &[]).await.expect(200);
    assert_eq!(about(&app, STATE, &begun).await, "completed|late");
    for wanted in ["absent", "no_show"] {
        refuse(&begun, wanted, "It is completed. Choose Present or Late.").await;
    }
    refuse(&begun, "here", "Choose Present, Late, Absent or No-show.").await;
    // One that was missed in a week before, of which nobody has said how.
    let missed = app
        .text("select b.id::text from bookings b join students s on s.tenant_id = b.tenant_id and s.id = b.student_id
               where s.email = 'palesa@cape-drive.test' and b.status = 'no_show' and b.group_id is null order by b.starts_at desc limit 1")
        .await;
    mark(&thandi, &[(&missed, "absent")], &[]).await.expect(200);
    assert_eq!(about(&app, STATE, &missed).await, "no_show|absent");
    for wanted in ["present", "late"] {
        refuse(&missed, wanted, "It is a no-show. Choose Absent or No-show.").await;
    }
    let cancelled = app
        .text("select b.id::text from bookings b join instructors i on i.tenant_id = b.tenant_id and i.id = b.instructor_id
               where i.email = 'thandi@cape-drive.test' and b.status = 'cancelled' and b.starts_at < '2027-01-12' limit 1")
        .await;
    refuse(&cancelled, "present", "It is cancelled. Nothing can be said of it any more.").await;
    // What someone else has written meanwhile isn't lost.
    mark(&thandi, &[], &[(&begun, "First")]).await.expect(200);
    let (notes, seen) = (format!("notes[lesson-{begun}]"), format!("seen[lesson-{begun}]"));
    let stale = [(notes.as_str(), "Second"), (seen.as_str(), "000000000000")];
    let answer = act(&app.owner().await, "booking/attendance", &stale).await.expect(422);
    assert!(answer.field(&notes).contains("someone else has changed this note"), "{}", answer.body);
    let long = "x".repeat(1501);
    assert!(!mark(&thandi, &[], &[(&begun, &long)]).await.expect(422).field(&notes).is_empty());
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn attendance_is_for_those_who_give_the_lesson_or_run_the_school(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let begun = begun(&app).await;
    let foreign = app
        .text("select b.id::text from bookings b join tenants t on t.id = b.tenant_id where t.slug = 'north-mentors' and b.status = 'confirmed' limit 1")
        .await;
    for (email, status) in [
        (PIETER, 404),
        (PALESA, 403),
        (SIPHO, 403),
        ("owner@north-mentors.test", 404),
        ("super@lessonbook.test", 404),
    ] {
        let client = app.login(email).await;
        mark(&client, &[(&begun, "present")], &[(&begun, NOTE)]).await.expect(status);
    }
    for stranger in [foreign.as_str(), "018f0000-0000-7000-8000-000000000000", "abc"] {
        mark(&app.owner().await, &[(stranger, "present")], &[]).await.expect(404);
    }
    assert_eq!(about(&app, STATE, &begun).await, "confirmed|-");
    // An instructor's page has their own lessons alone; a student has none.
    let pieter = app.login(PIETER).await;
    let mine = format!("/t/cape-drive/bookings/{begun}");
    for path in [
        "/t/cape-drive/attendance?date=2027-01-12",
        "/t/cape-drive/attendance?date=2027-01-12&instructor=all",
    ] {
        pieter.get(path).await.expect(200).hides(&mine);
    }
    app.login(PALESA).await.get("/t/cape-drive/attendance").await.expect(403);
    let staff = app.login("staff@cape-drive.test").await;
    mark(&staff, &[(&begun, "absent")], &[]).await.expect(200);
    assert_eq!(about(&app, STATE, &begun).await, "no_show|absent");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn of_many_each_goes_by_its_own_rules(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let app = &cape.app;
    run(app, "update services set needs_approval = true").await;
    let mut lessons = Vec::new();
    let students = [LERATO, "megan@cape-drive.test", "themba@cape-drive.test"];
    for (email, at) in students.into_iter().zip(["2027-02-01T10:00", "2027-02-02T10:00", "2027-02-03T10:00"])
    {
        let student = app.login(email).await;
        let booked = cape.book(&student, DRIVING, "thandi", at, &[]).await.expect(200);
        assert!(said(&booked).starts_with("Requested: "), "{}", booked.body);
        lessons.push((id(&booked), student));
    }
    let (last, student) = &lessons[2];
    act(student, "booking/cancel", &[("booking", last), ("reason", "Ill")]).await.expect(200);
    let bulk = async |client: &Client, fields: Fields<'_>| {
        let mut all = vec![
            ("bookings[0]", lessons[0].0.as_str()),
            ("bookings[1]", lessons[1].0.as_str()),
            ("bookings[2]", lessons[2].0.as_str()),
        ];
        all.extend_from_slice(fields);
        act(client, "booking/bulk", &all).await
    };
    let (thandi, pieter) = (app.login(THANDI).await, app.login(PIETER).await);
    let approve = [("step", "approve"), ("back", "/t/cape-drive/bookings?status=requested")];
    bulk(&pieter, &approve).await.expect(404);
    bulk(student, &approve).await.expect(403);
    let answer = bulk(&thandi, &approve).await.expect(200);
    assert_eq!(
        said(&answer),
        "2 lessons approved. 1 stays: Wed 3 Feb, 10:00: It is cancelled and can't become confirmed."
    );
    assert_eq!(answer.json()["next"], "/t/cape-drive/bookings?status=requested");
    let states = async || {
        let mut found = Vec::new();
        for (lesson, _) in &lessons {
            found.push(about(app, "select status from bookings where id = $1::uuid", lesson).await);
        }
        found.join(" ")
    };
    assert_eq!(states().await, "confirmed confirmed cancelled");
    assert_eq!(app.count("select count(*) from audit where action = 'booking.confirm'").await, 2);
    assert_eq!(app.count("select count(*) from outbox where kind = 'booking_confirmed'").await, 2);
    // When none can be, that is a refusal.
    let answer = bulk(&thandi, &approve).await.expect(409);
    assert!(said(&answer).starts_with("Nothing was changed. 3 stay: Mon 1 Feb, 10:00: "), "{}", answer.body);
    let answer = bulk(&thandi, &[("step", "complete")]).await.expect(409);
    assert!(said(&answer).contains("It has not begun yet."), "{}", answer.body);
    let answer = bulk(&cape.staff, &[("step", "cancel"), ("reason", "Storm"), ("back", "//evil.test")])
        .await
        .expect(200);
    assert!(said(&answer).starts_with("2 lessons cancelled. 1 stays: Wed 3 Feb, 10:00: "), "{}", answer.body);
    assert_eq!(answer.json()["next"], "/t/cape-drive/bookings");
    assert_eq!(states().await, "cancelled cancelled cancelled");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_is_wrong_with_many_stands_beside_its_field(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let staff = app.login("staff@cape-drive.test").await;
    let (begun, later) = (begun(&app).await, lesson(&app, "2027-01-12 14:00+02").await);
    let bulk = async |fields: Fields<'_>| act(&staff, "booking/bulk", fields).await;
    let one = ("bookings[0]", begun.as_str());
    for (fields, field) in [
        (vec![("step", "complete")], "bookings"),
        (vec![("step", "delete"), one], "step"),
        (vec![("step", ""), one], "step"),
        (vec![("step", "cancel"), ("reason", " "), one], "reason"),
    ] {
        assert!(!bulk(&fields).await.expect(422).field(field).is_empty(), "{fields:?}");
    }
    let names: Vec<String> = (0..101).map(|n| format!("bookings[{n}]")).collect();
    let ids: Vec<String> = (0..101_u128).map(|n| Uuid::from_u128(n).to_string()).collect();
    let mut many = vec![("step", "complete")];
    many.extend(names.iter().map(String::as_str).zip(ids.iter().map(String::as_str)));
    assert_eq!(bulk(&many).await.expect(422).field("bookings"), "Choose at most 100 at once.");
    for stranger in ["018f0000-0000-7000-8000-000000000000", "abc"] {
        bulk(&[("step", "complete"), one, ("bookings[1]", stranger)]).await.expect(404);
    }
    assert_eq!(about(&app, STATE, &begun).await, "confirmed|-");
    // Named twice it is one.
    let both = [("step", "no_show"), one, ("bookings[1]", begun.as_str()), ("bookings[2]", later.as_str())];
    let answer = bulk(&both).await.expect(200);
    assert_eq!(
        said(&answer),
        "1 lesson marked as no-show. 1 stays: Tue 12 Jan, 14:00: It has not begun yet."
    );
    assert_eq!(about(&app, STATE, &begun).await, "no_show|no_show");
}
