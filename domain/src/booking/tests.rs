use uuid::Uuid;

use super::*;
use crate::Error;

fn at(text: &str) -> Instant {
    text.parse().expect("a moment")
}

fn lesson(status: Status) -> Booking {
    Booking {
        id: BookingId(Uuid::nil()),
        service: ServiceId(Uuid::nil()),
        service_name: "Driving lesson".into(),
        instructor: InstructorId(Uuid::nil()),
        instructor_name: "Thandi".into(),
        student: StudentId(Uuid::nil()),
        student_name: "Sipho".into(),
        starts_at: at("2026-03-30T14:00:00Z"),
        ends_at: at("2026-03-30T15:00:00Z"),
        status,
        note: String::new(),
        pickup: String::new(),
        price_minor: 35_000,
        currency: "ZAR".into(),
        cancel_notice_min: 1440,
        pack: None,
        cancel_reason: None,
    }
}

fn message(result: Result<Instant>, field: &str) -> String {
    match result {
        Err(Error::Invalid(errors)) => errors.0.get(field).cloned().unwrap_or_default(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn students_get_a_lesson_back_in_time_only() {
    let booking = lesson(Status::Confirmed);
    let rule = |by, now| cancellation(&booking, by, at(now));
    assert_eq!(rule(Canceller::Student, "2026-03-29T14:00:00Z"), Ok(true));
    assert_eq!(rule(Canceller::Student, "2026-03-29T14:00:01Z"), Ok(false));
    assert_eq!(rule(Canceller::Instructor, "2026-03-30T13:59:00Z"), Ok(true));
    assert!(rule(Canceller::Student, "2026-03-30T14:00:00Z").is_err());
    assert!(rule(Canceller::Instructor, "2026-03-30T14:00:00Z").is_err());
    assert_eq!(rule(Canceller::Staff, "2026-03-31T00:00:00Z"), Ok(true));
    for status in [Status::Cancelled, Status::Completed, Status::NoShow] {
        assert!(cancellation(&lesson(status), Canceller::Staff, at("2026-03-01T00:00:00Z")).is_err());
    }
}

#[test]
fn the_rule_is_said_in_a_sentence() {
    let zone = Zone::parse("Africa/Johannesburg").expect("a zone");
    let terms = |notice, now| cancel_terms(&zone, "lesson", at("2026-03-31T14:00:00Z"), notice, at(now));
    assert_eq!(
        terms(1440, "2026-03-01T00:00:00Z"),
        "Free to cancel until Mon 30 Mar, 16:00; after that the lesson counts as used."
    );
    assert_eq!(
        terms(1440, "2026-03-31T00:00:00Z"),
        "Too late to cancel for free: the lesson counts as used."
    );
    assert_eq!(terms(0, "2026-03-31T00:00:00Z"), "Free to cancel until the lesson begins.");
}

#[test]
fn only_some_steps_are_legal() {
    let legal: Vec<String> = Status::ALL
        .into_iter()
        .flat_map(|from| Status::ALL.map(|to| (from, to)))
        .filter(|(from, to)| from.may_become(*to))
        .map(|(from, to)| format!("{} {}", from.as_str(), to.as_str()))
        .collect();
    assert_eq!(
        legal,
        [
            "requested confirmed",
            "requested cancelled",
            "confirmed completed",
            "confirmed cancelled",
            "confirmed no_show"
        ]
    );
}

#[test]
fn a_skipped_time_names_the_next_one() {
    let berlin = Zone::parse("Europe/Berlin").expect("a zone");
    let york = Zone::parse("America/New_York").expect("a zone");
    for skipped in ["02:00", "02:30", "02:59"] {
        assert_eq!(
            message(local_time(&berlin, "2026-03-29", skipped, ""), "time"),
            format!("The clock skips {skipped} on that day. Choose 03:00 or later.")
        );
        assert!(message(local_time(&york, "2026-03-08", skipped, "first"), "time").contains("Choose 03:00"));
    }
    assert_eq!(local_time(&berlin, "2026-03-29", "03:00", "").ok(), Some(at("2026-03-29T01:00:00Z")));
}

#[test]
fn a_time_shown_twice_asks_which() {
    let berlin = Zone::parse("Europe/Berlin").expect("a zone");
    let resolve = |which| local_time(&berlin, "2026-10-25", "02:30", which);
    assert!(message(resolve(""), "time").contains("twice"));
    assert_eq!(resolve("first").ok(), Some(at("2026-10-25T00:30:00Z")));
    assert_eq!(resolve("second").ok(), Some(at("2026-10-25T01:30:00Z")));
}

#[test]
fn nonsense_is_named_by_field() {
    let utc = Zone::parse("UTC").expect("a zone");
    assert_eq!(message(local_time(&utc, "tomorrow", "09:00", ""), "date"), "Choose a day.");
    assert_eq!(message(local_time(&utc, "2026-02-29", "09:00", ""), "date"), "Choose a day.");
    assert_eq!(message(local_time(&utc, "2026-03-01", "24:00", ""), "time"), "Type a time such as 09:30.");
    assert_eq!(message(local_time(&utc, "2026-03-01", "9 am", ""), "time"), "Type a time such as 09:30.");
}

#[test]
fn a_filter_is_never_an_error() {
    let get = |name: &str| match name {
        "status" => Some("confirmed"),
        "instructor" => Some("nobody"),
        "from" => Some("-009999-01-01"),
        "to" => Some("2026-03-31"),
        _ => None,
    };
    let filter = BookingFilter::parse(get);
    assert_eq!(filter.status, Some(Status::Confirmed));
    assert_eq!((filter.instructor, filter.from), (None, None));
    assert_eq!(filter.to, Some(jiff::civil::date(2026, 3, 31)));
}
