//! Lessons on the days clocks change, booked over HTTP.

use sqlx::PgPool;

use crate::harness::{Answer, Client, TestApp};

/// The demo with North Mentors moved to `zone` and its mentors at work around the clock on Sundays, when clocks change.
async fn school(admin: PgPool, now: &str, zone: &str) -> (TestApp, Client, String, String) {
    let app = TestApp::demo_at(admin, now).await;
    sqlx::query("update tenants set zone = $1 where slug = 'north-mentors'")
        .bind(zone)
        .execute(&app.admin)
        .await
        .unwrap();
    sqlx::query(
        "insert into weekly_hours (tenant_id, instructor_id, weekday, start_minute, end_minute)
         select tenant_id, id, 7, 0, 1440 from instructors where email = 'ada@north-mentors.test'",
    )
    .execute(&app.admin)
    .await
    .unwrap();
    let service = app.text("select s.id::text from services s join tenants t on t.id = s.tenant_id where t.slug = 'north-mentors' and s.name = 'Mentoring session'").await;
    let instructor =
        app.text("select id::text from instructors where email = 'ada@north-mentors.test'").await;
    let staff = app.login("staff@north-mentors.test").await;
    (app, staff, service, instructor)
}

async fn book(
    staff: &Client,
    (service, instructor): (&str, &str),
    student: &str,
    date: &str,
    time: &str,
    which: &str,
) -> Answer {
    let student = format!("{student}@north-mentors.test");
    let fields = [
        ("tenant", "north-mentors"),
        ("student", &student),
        ("instructor", instructor),
        ("service", service),
        ("date", date),
        ("time", time),
        ("which", which),
    ];
    staff.post("booking/book_for_student", &fields).await
}

async fn starts(app: &TestApp, answer: &Answer) -> String {
    let id: uuid::Uuid = answer.json()["id"].as_str().unwrap().parse().unwrap();
    sqlx::query_scalar("select to_char(starts_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' ' || extract(epoch from ends_at - starts_at)::int from bookings where id = $1")
        .bind(id)
        .fetch_one(&app.admin)
        .await
        .unwrap()
}

async fn spring(admin: PgPool, zone: &str, now: &str, day: &str, expected: [&str; 2]) {
    let (app, staff, service, instructor) = school(admin, now, zone).await;
    let ids = (service.as_str(), instructor.as_str());
    let answer = book(&staff, ids, "kim", day, "02:30", "").await.expect(422);
    assert!(answer.field("time").contains("03:00"), "{}", answer.body);
    // An hour before the gap ends an hour of real time later, at 03:00 by the clock.
    let before = book(&staff, ids, "kim", day, "01:00", "").await.expect(200);
    assert_eq!(starts(&app, &before).await, expected[0]);
    let after = book(&staff, ids, "mentee2", day, "03:00", "").await.expect(200);
    assert_eq!(starts(&app, &after).await, expected[1]);
    // 01:30 to 03:30 by the clock is one hour, and both ends are taken.
    book(&staff, ids, "mentee3", day, "01:30", "").await.expect(409);
}

async fn autumn(admin: PgPool, zone: &str, now: &str, day: &str, time: &str, expected: [&str; 2]) {
    let (app, staff, service, instructor) = school(admin, now, zone).await;
    let ids = (service.as_str(), instructor.as_str());
    let answer = book(&staff, ids, "kim", day, time, "").await.expect(422);
    assert!(!answer.field("time").is_empty(), "{}", answer.body);
    let first = book(&staff, ids, "kim", day, time, "first").await.expect(200);
    assert_eq!(starts(&app, &first).await, expected[0]);
    // The second one is another hour, so it is free.
    let second = book(&staff, ids, "mentee2", day, time, "second").await.expect(200);
    assert_eq!(starts(&app, &second).await, expected[1]);
    book(&staff, ids, "mentee3", day, time, "first").await.expect(409);
    // The page says which it is by the offset.
    let lessons = staff.get(&format!("/t/north-mentors/bookings?from={day}&to={day}")).await.expect(200);
    let offsets: std::collections::BTreeSet<&str> = lessons
        .body
        .split(&format!("datetime=\"{day}T{time}:00"))
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(offsets.len(), 2, "{offsets:?}");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn berlin_in_spring(admin: PgPool) {
    spring(
        admin,
        "Europe/Berlin",
        "2027-03-16T08:00:00Z",
        "2027-03-28",
        ["2027-03-28 00:00 3600", "2027-03-28 01:00 3600"],
    )
    .await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn new_york_in_spring(admin: PgPool) {
    spring(
        admin,
        "America/New_York",
        "2027-03-02T08:00:00Z",
        "2027-03-14",
        ["2027-03-14 06:00 3600", "2027-03-14 07:00 3600"],
    )
    .await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn berlin_in_autumn(admin: PgPool) {
    autumn(
        admin,
        "Europe/Berlin",
        "2027-10-19T08:00:00Z",
        "2027-10-31",
        "02:00",
        ["2027-10-31 00:00 3600", "2027-10-31 01:00 3600"],
    )
    .await;
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn new_york_in_autumn(admin: PgPool) {
    autumn(
        admin,
        "America/New_York",
        "2027-10-26T08:00:00Z",
        "2027-11-07",
        "01:00",
        ["2027-11-07 05:00 3600", "2027-11-07 06:00 3600"],
    )
    .await;
}

/// What the booking page lists on those days can be booked, each hour once.
#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn listed_times_of_a_changing_day_can_be_booked(admin: PgPool) {
    let (app, _, service, instructor) = school(admin, "2027-10-19T08:00:00Z", "Europe/Berlin").await;
    let kim = app.login("kim@north-mentors.test").await;
    let page = kim
        .get(&format!("/s/north-mentors/book?service={service}&instructor={instructor}&date=2027-10-31"))
        .await
        .expect(200);
    let times: Vec<&str> = page
        .body
        .split("datetime=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|at| at.starts_with("2027-10-31T02:"))
        .collect();
    assert_eq!(
        times,
        [
            "2027-10-31T02:00:00+02:00",
            "2027-10-31T02:30:00+02:00",
            "2027-10-31T02:00:00+01:00",
            "2027-10-31T02:30:00+01:00"
        ]
    );
    for at in ["2027-10-31T02:00:00+02:00", "2027-10-31T02:00:00+01:00"] {
        let fields = [
            ("tenant", "north-mentors"),
            ("service", &service),
            ("instructor", &instructor),
            ("starts_at", at),
        ];
        kim.post("booking/book", &fields).await.expect(200);
    }
}
