//! Hours and days that can't be meant so: what is said of them, and that those at the edge are taken at their word.

use sqlx::PgPool;

use super::{Cape, LERATO, SIPHO, SLOTS, THANDI, act, id};
use crate::{
    downloads::attrs,
    harness::{Answer, Client, TestApp},
};

const HOURS: &str = "select count(*) from weekly_hours";
const EXCEPTIONS: &str = "select count(*) from hour_exceptions";
const EDITS: &str = "select count(*) from audit where action = 'availability.edit'";

const OVERLAP: &str = "09:00-12:00 and 11:00-13:00 overlap.";
const OPENING: &str = "Type each opening like 09:00-17:00, with commas between them.";

/// Hours as typed, and what is said of them.
const BAD: [(&str, &str); 11] = [
    ("09:00-12:00, 11:00-13:00", OVERLAP),
    // In whatever order.
    ("11:00-13:00, 09:00-12:00", OVERLAP),
    ("09:00-12:00, 09:00-12:00", "09:00-12:00 and 09:00-12:00 overlap."),
    ("22:00-02:00", "22:00-02:00 runs over midnight: type 22:00-24:00 here and 00:00-02:00 on the next day."),
    ("20:00-00:00", "20:00-00:00: type 24:00 for the end of the day."),
    ("17:00-09:00", "17:00-09:00: the end must come after the start."),
    ("09:00-09:00", "09:00-09:00: the end must come after the start."),
    ("09:00", OPENING),
    ("all day", OPENING),
    ("9-17", "“9” is no time. Type it like 09:30."),
    ("09:00-25:00", "“25:00” is no time. Type it like 09:30."),
];

async fn exception(client: &Client, instructor: &str, date: &str, hours: &str) -> Answer {
    let fields = [("instructor", instructor), ("date", date), ("hours", hours)];
    act(client, "availability/save_exception", &fields).await
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn hours_that_overlap_or_end_before_they_begin_are_named(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let (thandi, own) = (cape.app.login(THANDI).await, cape.instructor("thandi"));
    let before = cape.app.count(HOURS).await;
    for (typed, message) in BAD {
        let fields = [("instructor", own), ("mon", "09:00-17:00"), ("fri", typed), ("sat", "10:00-11:00")];
        let answer = act(&thandi, "availability/set_hours", &fields).await.expect(422);
        assert_eq!(answer.field("fri"), message);
        assert_eq!((answer.field("mon"), answer.field("sat")), (String::new(), String::new()), "{typed}");
        let answer = exception(&thandi, own, "2027-02-05", typed).await.expect(422);
        assert_eq!(answer.field("hours"), message);
    }
    let many = (0..13).map(|n| format!("{n:02}:00-{n:02}:30")).collect::<Vec<_>>().join(", ");
    let answer = exception(&thandi, own, "2027-02-05", &many).await.expect(422);
    assert_eq!(answer.field("hours"), "At most 12 openings a day.");
    let counts = (cape.app.count(HOURS).await, cape.app.count(EXCEPTIONS).await, cape.app.count(EDITS).await);
    assert_eq!(counts, (before, 0, 0));
    // Each of several days is named.
    let fields = [("instructor", own), ("mon", "09:00-12:00, 11:00-13:00"), ("sun", "late")];
    let answer = act(&thandi, "availability/set_hours", &fields).await.expect(422);
    assert!(!answer.field("mon").is_empty() && !answer.field("sun").is_empty(), "{}", answer.body);
    // Those that meet are fine, and so are a whole day and other dashes.
    for good in ["09:00-12:00, 12:00-13:00", "00:00-24:00", "9:00–12:00; 13:00—17:00,", ""] {
        exception(&thandi, own, "2027-02-05", good).await.expect(200);
    }
    assert_eq!(cape.app.count(EXCEPTIONS).await, 1, "the last one stands in place of the others");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn hours_of_a_night_typed_as_told_are_one_stretch(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let (student, other) = (cape.app.login(SIPHO).await, cape.app.login(LERATO).await);
    let fields = [("instructor", cape.instructor("thandi")), ("fri", "22:00-24:00"), ("sat", "00:00-02:00")];
    act(&cape.staff, "availability/set_hours", &fields).await.expect(200);
    let clocks = |day: &str, clocks: &[&str]| -> Vec<String> {
        clocks.iter().map(|clock| format!("{day}T{clock}:00+02:00")).collect()
    };
    let listed = async |day: &str| cape.listed(&student, "Driving lesson", "thandi", day).await;
    assert_eq!(listed("2027-02-05").await, clocks("2027-02-05", &["22:00", "22:30", "23:00", "23:30"]));
    assert_eq!(listed("2027-02-06").await, clocks("2027-02-06", &["00:00", "00:30", "01:00"]));
    let booked = cape.book(&student, "Driving lesson", "thandi", "2027-02-05T23:30", &[]).await.expect(200);
    assert!(booked.body.contains("Fri 5 Feb, 23:30–00:30"), "{}", booked.body);
    assert_eq!(listed("2027-02-06").await, clocks("2027-02-06", &["00:30", "01:00"]));
    cape.book(&other, "Driving lesson", "thandi", "2027-02-06T00:00", &[]).await.expect(409);
    cape.book(&other, "Driving lesson", "thandi", "2027-02-06T00:30", &[]).await.expect(200);
    cape.book(&other, "Driving lesson", "thandi", "2027-02-06T01:30", &[]).await.expect(422);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_day_that_is_over_or_too_far_ahead_has_no_hours_of_its_own(admin: PgPool) {
    let cape = Cape::new(admin).await;
    let (thandi, own) = (cape.app.login(THANDI).await, cape.instructor("thandi"));
    // 730 days ahead is the furthest that anything can be booked.
    let message = "Choose a day from today to 11 Jan 2029.";
    for date in [
        "2027-01-11",
        "2020-01-01",
        "2029-01-12",
        "9999-12-31",
        "-009999-01-01",
        "2027-02-30",
        "tomorrow",
        "",
    ] {
        let answer = exception(&thandi, own, date, "09:00-12:00").await.expect(422);
        assert_eq!(answer.field("date"), message, "{date}");
    }
    // Both are named at once.
    let answer = exception(&thandi, own, "2027-01-11", "22:00-02:00").await.expect(422);
    assert!(!answer.field("date").is_empty() && !answer.field("hours").is_empty(), "{}", answer.body);
    assert_eq!((cape.app.count(EXCEPTIONS).await, cape.app.count(EDITS).await), (0, 0));
    for date in ["2027-01-12", "2029-01-11"] {
        exception(&thandi, own, date, "").await.expect(200);
    }
    let remove = async |date: &str| {
        act(&thandi, "availability/remove_exception", &[("instructor", own), ("date", date)]).await
    };
    remove("2029-01-11").await.expect(200);
    for date in ["2029-01-11", "9999-12-31", "tomorrow"] {
        remove(date).await.expect(404);
    }
    // Another instructor's days aren't theirs to set.
    exception(&thandi, cape.instructor("pieter"), "2027-02-05", "").await.expect(404);
    act(
        &thandi,
        "availability/remove_exception",
        &[("instructor", cape.instructor("pieter")), ("date", "2027-02-05")],
    )
    .await
    .expect(404);
    exception(&cape.app.login(SIPHO).await, own, "2027-02-05", "").await.expect(403);
}

/// North Mentors in the weeks before the clocks of Berlin go forward, on 28 March at two.
struct North {
    app: TestApp,
    ada: Client,
    instructor: String,
    service: String,
}

impl North {
    async fn new(admin: PgPool) -> Self {
        let app = TestApp::demo_at(admin, "2027-03-16T08:00:00Z").await;
        Self {
            ada: app.login("ada@north-mentors.test").await,
            instructor: app.text("select id::text from instructors where email = 'ada@north-mentors.test'").await,
            service: app.text("select s.id::text from services s join tenants t on t.id = s.tenant_id where t.slug = 'north-mentors' and s.name = 'Mentoring session'").await,
            app,
        }
    }

    /// An action of Ada's about her own time.
    async fn set(&self, action: &str, more: &[(&str, &str)]) -> Answer {
        let mut fields = vec![("tenant", "north-mentors"), ("instructor", self.instructor.as_str())];
        fields.extend_from_slice(more);
        self.ada.post(&format!("availability/{action}"), &fields).await
    }

    /// The times that a student sees on 28 March, as they stand in the page.
    async fn listed(&self, student: &Client) -> Vec<String> {
        let (service, instructor) = (&self.service, &self.instructor);
        let path = format!("/s/north-mentors/book?service={service}&instructor={instructor}&date=2027-03-28");
        attrs(&student.get(&path).await.expect(200), SLOTS, "value")
    }

    async fn book(&self, student: &Client, at: &str) -> Answer {
        let fields = [
            ("tenant", "north-mentors"),
            ("service", self.service.as_str()),
            ("instructor", self.instructor.as_str()),
            ("starts_at", at),
        ];
        student.post("booking/book", &fields).await
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn hours_that_the_clock_skips_are_refused_for_that_day_alone(admin: PgPool) {
    let north = North::new(admin).await;
    let day = ("date", "2027-03-28");
    for hours in ["02:00-03:00", "02:15-02:45", "09:00-12:00, 02:00-03:00"] {
        let answer = north.set("save_exception", &[day, ("hours", hours)]).await.expect(422);
        assert_eq!(answer.field("hours"), "The clock skips 02:00 to 03:00 on that day.", "{hours}");
    }
    assert_eq!(north.app.count(EXCEPTIONS).await, 0);
    for date in ["2027-03-27", "2027-03-29", "2027-10-31", "2028-03-28"] {
        north.set("save_exception", &[("date", date), ("hours", "02:00-03:00")]).await.expect(200);
    }
    // Each week such hours are simply none on that day.
    north.set("set_hours", &[("sun", "02:00-03:00")]).await.expect(200);
    let kim = north.app.login("kim@north-mentors.test").await;
    assert!(north.listed(&kim).await.is_empty());
    let answer = north.book(&kim, "2027-03-28T03:00:00+02:00").await.expect(422);
    assert_eq!(answer.field("starts_at"), "Outside the mentor's hours. Choose another time.");
    // Some of these is there: they begin when the clock has jumped.
    north.set("save_exception", &[day, ("hours", "02:30-04:30")]).await.expect(200);
    assert_eq!(north.listed(&kim).await, ["2027-03-28T03:00:00+02:00", "2027-03-28T03:30:00+02:00"]);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn hours_across_the_skipped_one_are_listed_and_booked_by_the_clock(admin: PgPool) {
    let north = North::new(admin).await;
    north.set("set_hours", &[("sun", "01:00-05:00")]).await.expect(200);
    let kim = north.app.login("kim@north-mentors.test").await;
    // Three hours, though the clock shows four.
    let expected = ["01:00:00+01:00", "01:30:00+01:00", "03:00:00+02:00", "03:30:00+02:00", "04:00:00+02:00"]
        .map(|clock| format!("2027-03-28T{clock}"));
    assert_eq!(north.listed(&kim).await, expected);
    for at in &expected {
        let answer = north.book(&kim, at).await;
        assert_eq!(answer.status.as_u16(), 200, "{at}: {}", answer.body);
        let booking = id(&answer);
        let fields = [("tenant", "north-mentors"), ("booking", booking.as_str()), ("reason", "Again")];
        kim.post("booking/cancel", &fields).await.expect(200);
    }
    // An hour that begins at half past one ends at half past three.
    let answer = north.book(&kim, &expected[1]).await.expect(200);
    assert!(answer.body.contains("Sun 28 Mar, 01:30–03:30 (Berlin)"), "{}", answer.body);
    let other = north.app.login("mentee2@north-mentors.test").await;
    assert_eq!(north.listed(&other).await, expected[3..]);
    north.book(&other, &expected[2]).await.expect(409);
    north.book(&other, &expected[3]).await.expect(200);
    assert!(north.listed(&kim).await.is_empty());
}
