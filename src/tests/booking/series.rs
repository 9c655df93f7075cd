//! Lessons that come again and again (BK-08), from the plan that saves nothing to the last one cancelled.

use futures::future::{join, join_all};
use sqlx::PgPool;

use super::{
    id,
    scene::{DRIVE, NOBODY, Scene, THEORY, act, message, near},
};
use crate::{
    accounts::{SIPHO, THANDI, mails, with},
    harness::{Answer, Client, TestApp},
};

/// The second of the Fridays that are asked for.
const SECOND: &str = "2027-01-22T15:00:00+02:00";

/// Four Fridays at three with Thandi, with some fields changed.
fn form<'a>(scene: &'a Scene, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("service", scene.service(DRIVE)),
        ("instructor", scene.instructor("thandi")),
        ("date", "2027-01-15"),
        ("time", "15:00"),
        ("every", "weekly"),
        ("until", "count"),
        ("count", "4"),
        ("pickup", "1 Long Street"),
    ];
    for (name, value) in changes {
        match fields.iter_mut().find(|(known, _)| known == name) {
            Some(field) => field.1 = *value,
            None => fields.push((*name, *value)),
        }
    }
    fields
}

async fn book(scene: &Scene, changes: &[(&str, &str)]) -> Answer {
    act(&scene.sipho, "booking/book_series", &form(scene, changes)).await
}

/// The lessons of a series: number, day and time, and where they stand.
async fn lessons(scene: &Scene, series: &str) -> String {
    scene
        .text(
            "select coalesce(string_agg(series_place || ' ' || to_char(starts_at at time zone 'Africa/Johannesburg', 'MM-DD HH24:MI')
                                        || ' ' || status, ', ' order by series_place), '')
             from bookings where series_id = $1::uuid",
            series,
        )
        .await
}

/// One of its lessons.
async fn lesson(scene: &Scene, series: &str, place: &str) -> String {
    sqlx::query_scalar(
        "select id::text from bookings where series_id = $1::uuid and series_place = $2::text::int",
    )
    .bind(series)
    .bind(place)
    .fetch_one(&scene.app.admin)
    .await
    .unwrap()
}

/// All that booking leaves behind.
async fn saved(scene: &Scene) -> i64 {
    scene
        .app
        .count(
            "select (select count(*) from bookings) + (select count(*) from series) + (select count(*) from claims)
                    + (select count(*) from holds) + (select count(*) from credit_postings)
                    + (select count(*) from outbox where kind like 'booking%' or kind like 'series%')
                    + (select count(*) from audit where action like 'booking%') + (select count(*) from idempotency_keys)",
        )
        .await
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_plan_shows_what_is_against_it_and_saves_nothing(admin: PgPool) {
    let scene = Scene::new(admin).await;
    scene.lesson(&scene.lerato, SECOND).await;
    let before = saved(&scene).await;
    let plan = |changes: &[(&str, &str)]| {
        let fields = serde_urlencoded::to_string(form(&scene, changes)).unwrap();
        format!("/t/cape-drive/series?plan=1&{fields}")
    };
    scene
        .sipho
        .get(&plan(&[]))
        .await
        .expect(200)
        .shows("Every Friday at 15:00")
        .shows("3 of 4 are free.")
        .shows("Another lesson then")
        .shows("Nearest free:")
        .shows("name=\"skip[2]\"")
        .shows("3 lessons of the pack")
        .shows("Book 3 lessons");
    // Staff name the student by anything, and the page goes on with who was found.
    let named = scene.staff.get(&plan(&[("student", "sipho@cape-drive.test")])).await.expect(303);
    scene.staff.get(named.location()).await.expect(200).shows("Sipho Nkosi").shows("3 of 4 are free.");
    // Beyond the horizon there is nothing to have.
    scene.sipho.get(&plan(&[("count", "12")])).await.expect(200).shows("Too far ahead");
    scene.sipho.get(&plan(&[("count", "5000")])).await.expect(422).shows("Between 2 and 104 lessons.");
    assert_eq!(saved(&scene).await, before);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_is_left_out_is_left_out_and_the_rest_is_numbered(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let used = scene.used().await;
    scene.lesson(&scene.lerato, SECOND).await;
    let made = book(&scene, &[("skip[2]", "2")]).await.expect(200);
    assert_eq!(message(&made), "Booked: 3 lessons, the first on Fri 15 Jan, 15:00–16:00 (Johannesburg).");
    let series = id(&made);
    assert_eq!(
        lessons(&scene, &series).await,
        "1 01-15 15:00 confirmed, 2 01-29 15:00 confirmed, 3 02-05 15:00 confirmed"
    );
    assert_eq!(scene.used().await, used + 3);
    let next = made.json()["next"].as_str().unwrap().to_owned();
    scene.sipho.get(&next).await.expect(200).shows("Fri 29 Jan");
    let first = lesson(&scene, &series, "1").await;
    let page = scene.sipho.get(&format!("/t/cape-drive/bookings/{first}")).await.expect(200);
    page.shows("1st of 3, weekly");
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn with_a_conflict_nothing_is_booked(admin: PgPool) {
    let scene = Scene::new(admin).await;
    scene.lesson(&scene.lerato, SECOND).await;
    let before = saved(&scene).await;
    let refused = book(&scene, &[]).await.expect(409);
    assert_eq!(
        message(&refused),
        "1 of 4 times is not free any more: Fri 22 Jan, 15:00. Look over the plan again."
    );
    // Leaving out another one doesn't help, nor does going beyond the horizon.
    book(&scene, &[("skip[0]", "3")]).await.expect(409);
    let far = book(&scene, &[("skip[0]", "2"), ("count", "12")]).await.expect(409);
    assert!(message(&far).contains("of 12 times are not free"), "{}", far.body);
    assert_eq!(saved(&scene).await, before);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_series_that_makes_no_sense_is_refused_beside_the_field(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let before = saved(&scene).await;
    let theory = scene.service(THEORY);
    let cases: [(&[(&str, &str)], &str); 22] = [
        (&[("count", "5000")], "count"),
        (&[("count", "1")], "count"),
        (&[("count", "-3")], "count"),
        (&[("count", "99999999999999999999")], "count"),
        (&[("count", "four")], "count"),
        (&[("count", "")], "count"),
        (&[("until", "day"), ("last_day", "2027-01-01")], "last_day"),
        (&[("until", "day"), ("last_day", "2027-01-20")], "last_day"),
        (&[("until", "day"), ("last_day", "9999-12-31")], "last_day"),
        (&[("until", "day"), ("last_day", "soon")], "last_day"),
        (&[("until", ""), ("last_day", "2027-02-20")], "until"),
        (&[("until", "never")], "until"),
        (&[("every", "daily")], "every"),
        (&[("date", "2027-01-08")], "date"),
        (&[("date", "2027-02-30")], "date"),
        (&[("date", "9999-12-31")], "date"),
        (&[("time", "24:00")], "time"),
        (&[("service", theory)], "service"),
        (&[("instructor", "")], "instructor"),
        (&[("pickup", "")], "pickup"),
        (&[("skip[0]", "second")], "skip"),
        (&[("skip[0]", "1"), ("skip[1]", "2"), ("skip[2]", "3"), ("skip[3]", "4")], "skip"),
    ];
    for (changes, field) in cases {
        let answer = book(&scene, changes).await.expect(422);
        assert!(!answer.field(field).is_empty(), "{changes:?}: {}", answer.body);
    }
    // Staff say for whom; a student books for themselves.
    let unnamed = act(&scene.staff, "booking/book_series", &form(&scene, &[])).await.expect(422);
    assert!(!unnamed.field("student").is_empty(), "{}", unnamed.body);
    book(&scene, &[("student", "lerato@cape-drive.test")]).await.expect(404);
    book(&scene, &[("service", NOBODY)]).await.expect(404);
    book(&scene, &[("instructor", NOBODY)]).await.expect(404);
    act(&scene.thandi, "booking/book_series", &form(&scene, &[])).await.expect(403);
    assert_eq!(saved(&scene).await, before);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn one_message_speaks_of_all_of_them(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let series = id(&book(&scene, &[]).await.expect(200));
    for to in [SIPHO, THANDI] {
        let told =
            (mails(&scene.app, "series_booked", to).await, mails(&scene.app, "booking_made", to).await);
        assert_eq!(told, (1, 0), "{to}");
    }
    let dates =
        "select min(jsonb_array_length(data->'dates'))::bigint from outbox where kind = 'series_booked'";
    assert_eq!(scene.app.count(dates).await, 4);
    let first = lesson(&scene, &series, "1").await;
    let recorded = "select count(*) from audit where action = 'booking.book_series'
                    and after->>'series' = (select series_id::text from bookings where id = $1::uuid)";
    assert_eq!(scene.count(recorded, &first).await, 4, "the record has each of them");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn one_key_is_one_series(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let key = ("idempotency_key", "a-key-of-the-plan");
    let first = book(&scene, &[key]).await.expect(200);
    let again = book(&scene, &[key]).await.expect(200);
    assert_eq!((id(&first), message(&first)), (id(&again), message(&again)));
    let other = book(&scene, &[key, ("count", "3")]).await.expect(422);
    assert!(!other.field("idempotency_key").is_empty(), "{}", other.body);
    // Many at once: one series, and whoever comes while it is being made is told so.
    let changes = [("idempotency_key", "another-key"), ("time", "16:00")];
    let answers = join_all((0..10).map(|_| book(&scene, &changes))).await;
    let mut made: Vec<String> = answers.iter().filter(|answer| answer.status == 200).map(id).collect();
    made.dedup();
    assert_eq!(made.len(), 1, "{answers:?}");
    assert_eq!(with(&answers, 200) + with(&answers, 409), 10, "{answers:?}");
    let all = "select count(*) from bookings where series_id is not null";
    assert_eq!((scene.app.count("select count(*) from series").await, scene.app.count(all).await), (2, 8));
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_series_and_single_lessons_race_for_a_time(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let students = scene.students(8).await;
    let singles = students.iter().map(|student| scene.book(student, DRIVE, "thandi", SECOND, &[]));
    let (series, singles) = join(book(&scene, &[]), join_all(singles)).await;
    assert!(matches!(series.status.as_u16(), 200 | 409), "{}", series.body);
    let won = usize::from(series.status == 200);
    assert_eq!((with(&singles, 200), with(&singles, 409)), (1 - won, 7 + won), "{singles:?}");
    let all = scene.app.count("select count(*) from bookings where series_id is not null").await;
    assert_eq!(all, 4 * won as i64, "all of it or nothing");
    for refused in singles.iter().filter(|answer| answer.status.as_u16() == 409) {
        assert_eq!(near(refused), 3);
    }
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn all_that_are_to_come_are_cancelled_and_no_other(admin: PgPool) {
    let mut scene = Scene::new(admin).await;
    let used = scene.used().await;
    let series = id(&book(&scene, &[]).await.expect(200));
    let second = lesson(&scene, &series, "2").await;
    // The first one is over; nobody has said yet how it went.
    scene.go_to("2027-01-15T17:00:00+02:00").await;
    let cancelled = scene.cancel(&scene.sipho, &second, &[("scope", "all")]).await.expect(200);
    assert!(
        message(&cancelled).contains(" 2 more lessons of the series were cancelled with it. "),
        "{}",
        cancelled.body
    );
    assert_eq!(
        lessons(&scene, &series).await,
        "1 01-15 15:00 confirmed, 2 01-22 15:00 cancelled, 3 01-29 15:00 cancelled, 4 02-05 15:00 cancelled"
    );
    assert_eq!(scene.used().await, used + 1);
    for to in [SIPHO, THANDI] {
        assert_eq!(mails(&scene.app, "booking_cancelled", to).await, 1, "{to}");
    }
    scene.book(&scene.lerato, DRIVE, "thandi", SECOND, &[]).await.expect(200);
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn one_is_cancelled_or_it_and_those_that_follow(admin: PgPool) {
    let scene = Scene::new(admin).await;
    let series = id(&book(&scene, &[]).await.expect(200));
    let (first, third) = (lesson(&scene, &series, "1").await, lesson(&scene, &series, "3").await);
    scene.cancel(&scene.sipho, &first, &[]).await.expect(200);
    scene.cancel(&scene.sipho, &third, &[("scope", "following")]).await.expect(200);
    assert_eq!(
        lessons(&scene, &series).await,
        "1 01-15 15:00 cancelled, 2 01-22 15:00 confirmed, 3 01-29 15:00 cancelled, 4 02-05 15:00 cancelled"
    );
    scene.assert_consistent().await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn all_are_moved_or_none(admin: PgPool) {
    let scene = Scene::new(admin).await;
    scene.lesson(&scene.lerato, "2027-01-29T16:00:00+02:00").await;
    let series = id(&book(&scene, &[]).await.expect(200));
    let before = lessons(&scene, &series).await;
    let second = lesson(&scene, &series, "2").await;
    let change =
        |scope| [("booking", second.as_str()), ("date", "2027-01-22"), ("time", "16:00"), ("scope", scope)];
    for which in ["following", "all"] {
        let refused = act(&scene.sipho, "booking/move", &change(which)).await.expect(409);
        assert!(message(&refused).contains("Fri 29 Jan, 16:00"), "{}", refused.body);
        assert!(message(&refused).ends_with("Nothing was moved."), "{}", refused.body);
    }
    assert_eq!(lessons(&scene, &series).await, before);
    act(&scene.sipho, "booking/move", &change("this")).await.expect(200);
    assert_eq!(scene.starts(&second).await, "2027-01-22 16:00");
    scene.assert_consistent().await;
}

/// North Mentors in Berlin: its staff, a service and a mentor.
async fn berlin(admin: PgPool) -> (TestApp, Client, String, String) {
    let app = TestApp::demo(admin).await;
    let service = app.text("select s.id::text from services s join tenants t on t.id = s.tenant_id where t.slug = 'north-mentors' and s.name = 'Mentoring session'").await;
    let ada = app.text("select id::text from instructors where email = 'ada@north-mentors.test'").await;
    let staff = app.login("staff@north-mentors.test").await;
    (app, staff, service, ada)
}

/// Four Tuesdays at four around the 28th of March, when the clocks change there; the ids in order.
async fn over_the_change(app: &TestApp, staff: &Client, service: &str, ada: &str) -> (String, Vec<String>) {
    let fields = [
        ("tenant", "north-mentors"),
        ("student", "kim@north-mentors.test"),
        ("service", service),
        ("instructor", ada),
        ("date", "2027-03-16"),
        ("time", "16:00"),
        ("every", "weekly"),
        ("until", "day"),
        ("last_day", "2027-04-06"),
    ];
    let series = id(&staff.post("booking/book_series", &fields).await.expect(200));
    let ids =
        sqlx::query_scalar("select id::text from bookings where series_id = $1::uuid order by series_place")
            .bind(&series)
            .fetch_all(&app.admin)
            .await
            .unwrap();
    (series, ids)
}

/// When the lessons of a series begin, by the clock of a zone.
async fn clocks(app: &TestApp, series: &str, zone: &str) -> String {
    sqlx::query_scalar(
        "select string_agg(to_char(starts_at at time zone $2, 'MM-DD HH24:MI'), ', ' order by series_place)
         from bookings where series_id = $1::uuid and status = 'confirmed'",
    )
    .bind(series)
    .bind(zone)
    .fetch_one(&app.admin)
    .await
    .unwrap()
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_weekly_four_o_clock_stays_that_when_clocks_change(admin: PgPool) {
    let (app, staff, service, ada) = berlin(admin).await;
    let (series, ids) = over_the_change(&app, &staff, &service, &ada).await;
    assert_eq!(ids.len(), 4);
    assert_eq!(
        clocks(&app, &series, "Europe/Berlin").await,
        "03-16 16:00, 03-23 16:00, 03-30 16:00, 04-06 16:00"
    );
    assert_eq!(clocks(&app, &series, "UTC").await, "03-16 15:00, 03-23 15:00, 03-30 14:00, 04-06 14:00");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn those_that_follow_move_by_the_wall_clock(admin: PgPool) {
    let (app, staff, service, ada) = berlin(admin).await;
    let (series, ids) = over_the_change(&app, &staff, &service, &ada).await;
    let fields = [
        ("tenant", "north-mentors"),
        ("booking", ids[1].as_str()),
        ("date", "2027-03-24"),
        ("time", "13:30"),
        ("scope", "following"),
    ];
    let moved = staff.post("booking/move", &fields).await.expect(200);
    assert!(
        message(&moved).ends_with(" 2 more sessions of the series were moved with it."),
        "{}",
        moved.body
    );
    assert_eq!(
        clocks(&app, &series, "Europe/Berlin").await,
        "03-16 16:00, 03-24 13:30, 03-31 13:30, 04-07 13:30"
    );
    for to in ["kim@north-mentors.test", "ada@north-mentors.test"] {
        assert_eq!(mails(&app, "booking_moved", to).await, 1, "{to}");
    }
    let claims =
        "select count(*) from claims c join bookings b on b.tenant_id = c.tenant_id and b.id = c.booking_id
                  where b.series_id is not null and c.active and c.starts_at = b.starts_at";
    assert_eq!(app.count(claims).await, 8);
}
