use uuid::Uuid;

use super::{
    policy::{Consequence, LateCost, cancel_terms_of, may_move, move_terms},
    *,
};
use crate::{
    Error,
    tenancy::{Preset, Words},
};

fn at(text: &str) -> Instant {
    text.parse().expect("a moment")
}

/// The terms of the lesson below: a day to cancel and two to move, twice; half of the price when it is too late.
const TERMS: Terms =
    Terms { cancel_notice_min: 1440, move_notice_min: 2880, max_moves: Some(2), late_fee_percent: 50 };

fn lesson(status: Status) -> Booking {
    Booking {
        id: BookingId(Uuid::nil()),
        service: ServiceId(Uuid::nil()),
        also: Vec::new(),
        service_name: "Driving lesson".into(),
        colour: None,
        instructor: InstructorId(Uuid::nil()),
        instructor_name: "Thandi".into(),
        student: StudentId(Uuid::nil()),
        student_name: "Sipho".into(),
        starts_at: at("2026-03-30T14:00:00Z"),
        ends_at: at("2026-03-30T15:00:00Z"),
        status,
        needs_approval: false,
        note: String::new(),
        pickup: String::new(),
        price_minor: 42_001,
        currency: "ZAR".into(),
        cancel_notice_min: TERMS.cancel_notice_min,
        terms: TERMS,
        pack: None,
        cancel_reason: None,
        fee_minor: None,
        group: None,
        seats: None,
        series: None,
        moves: 0,
        moved_at: None,
        created_at: at("2026-03-01T08:00:00Z"),
        attendance: None,
    }
}

fn prepaid() -> Booking {
    Booking { pack: Some(PackId(Uuid::nil())), ..lesson(Status::Confirmed) }
}

fn words() -> Words {
    Preset::DrivingSchool.words()
}

fn message(result: Result<Instant>, field: &str) -> String {
    match result {
        Err(Error::Invalid(errors)) => errors.0.get(field).cloned().unwrap_or_default(),
        other => panic!("{other:?}"),
    }
}

/// The last moment to cancel for free, and the one after it.
const IN_TIME: &str = "2026-03-29T14:00:00Z";
const LATE: &str = "2026-03-29T14:00:00.000001Z";

#[test]
fn students_get_a_lesson_back_in_time_only() {
    let booking = prepaid();
    let rule = |by, now| cancellation(&booking, by, at(now)).map(|done| (done.credit_back, done.late));
    assert_eq!(rule(Canceller::Student, IN_TIME), Ok((true, false)));
    assert_eq!(rule(Canceller::Student, LATE), Ok((false, true)));
    assert_eq!(rule(Canceller::Instructor, "2026-03-30T13:59:00Z"), Ok((true, true)));
    assert!(rule(Canceller::Student, "2026-03-30T14:00:00Z").is_err());
    assert!(rule(Canceller::Instructor, "2026-03-30T14:00:00Z").is_err());
    assert_eq!(rule(Canceller::Staff, "2026-03-31T00:00:00Z"), Ok((true, true)));
    for status in [Status::Cancelled, Status::Completed, Status::NoShow] {
        assert!(cancellation(&lesson(status), Canceller::Staff, at("2026-03-01T00:00:00Z")).is_err());
    }
}

#[test]
fn what_cancelling_costs_is_in_the_terms() {
    let rule = |booking: &Booking, by, now| cancellation(booking, by, at(now)).unwrap();
    let free = Consequence { credit_back: false, fee_minor: None, late: false };
    let paid = lesson(Status::Confirmed);
    assert_eq!(rule(&paid, Canceller::Student, IN_TIME), free);
    // Half a cent is rounded up.
    let due = Consequence { fee_minor: Some(21_001), late: true, ..free };
    assert_eq!(rule(&paid, Canceller::Student, LATE), due);
    assert_eq!(rule(&paid, Canceller::Staff, LATE), Consequence { late: true, ..free });
    assert_eq!(policy::consequence(&paid, true, at("2026-03-31T00:00:00Z")), due, "the student's terms");
    // Without a fee a prepaid lesson comes back too, and what costs nothing has no fee.
    let lenient = Terms { late_fee_percent: 0, ..TERMS };
    let back = Consequence { credit_back: true, late: true, ..free };
    assert_eq!(rule(&Booking { terms: lenient, ..prepaid() }, Canceller::Student, LATE), back);
    let none = Consequence { late: true, ..free };
    assert_eq!(rule(&Booking { terms: lenient, ..paid.clone() }, Canceller::Student, LATE), none);
    assert_eq!(rule(&Booking { price_minor: 0, ..paid }, Canceller::Student, LATE), none);
    assert_eq!(Terms { late_fee_percent: 100, ..TERMS }.fee(i64::MAX), i64::MAX);
}

#[test]
fn the_rule_is_said_in_a_sentence() {
    let zone = Zone::parse("Africa/Johannesburg").expect("a zone");
    let starts_at = at("2026-03-31T14:00:00Z");
    let said = |terms: Terms, pack, now| {
        let cost = terms.late_cost(pack, 42_000, |minor| format!("R {}.00", minor / 100));
        cancel_terms(&zone, &words(), &terms, &cost, starts_at, at(now))
    };
    let (early, last, late) = ("2026-03-01T00:00:00Z", "2026-03-30T14:00:00Z", "2026-03-30T14:00:01Z");
    let whole = Terms { late_fee_percent: 100, ..TERMS };
    for now in [early, last] {
        assert_eq!(
            said(TERMS, true, now),
            "Free to cancel until Mon 30 Mar, 16:00; after that it costs one lesson."
        );
    }
    assert_eq!(said(TERMS, true, late), "Too late to cancel for free: the lesson counts as used.");
    assert_eq!(
        said(TERMS, false, early),
        "Free to cancel until Mon 30 Mar, 16:00; after that 50 % of the price (R 210.00) is due."
    );
    assert_eq!(said(TERMS, false, late), "Too late to cancel for free: 50 % of the price (R 210.00) is due.");
    assert_eq!(
        said(whole, false, early),
        "Free to cancel until Mon 30 Mar, 16:00; after that the price (R 420.00) is due."
    );
    let free = "Free to cancel until the lesson begins.";
    assert_eq!(said(Terms { cancel_notice_min: 0, ..TERMS }, true, late), free);
    assert_eq!(said(Terms { late_fee_percent: 0, ..TERMS }, true, late), free);
    assert_eq!(said(Terms { late_fee_percent: 0, ..TERMS }, false, early), free);
    assert_eq!(TERMS.late_cost(false, 0, |_| String::new()), LateCost::Nothing);
}

#[test]
fn what_is_only_asked_for_is_withdrawn_for_free() {
    let free = Consequence { credit_back: false, fee_minor: None, late: false };
    let asked = lesson(Status::Requested);
    let withdraw = |booking: &Booking| cancellation(booking, Canceller::Student, at(LATE)).unwrap();
    assert_eq!(withdraw(&asked), free);
    let pack = Booking { status: Status::Requested, ..prepaid() };
    assert_eq!(withdraw(&pack), Consequence { credit_back: true, ..free });
    assert_eq!(policy::consequence(&asked, true, at(LATE)), free, "in the student's stead");
    assert!(cancellation(&asked, Canceller::Student, asked.starts_at).is_err());

    let zone = Zone::parse("Africa/Johannesburg").expect("a zone");
    let said = |booking: &Booking, now| {
        let money = |minor: i64| format!("R {}.{:02}", minor / 100, minor % 100);
        cancel_terms_of(booking, &zone, &words(), money, at(now))
    };
    assert_eq!(
        said(&pack, IN_TIME),
        "Free to cancel until it is approved. Once approved, it is free to cancel until Sun 29 Mar, 16:00; after that it \
         costs one lesson."
    );
    assert_eq!(
        said(&asked, LATE),
        "Free to cancel until it is approved. Once approved, it is too late to cancel for free: 50 % of the price \
         (R 210.01) is due."
    );
    let lenient = Booking { terms: Terms { late_fee_percent: 0, ..TERMS }, ..asked };
    assert_eq!(said(&lenient, LATE), "Free to cancel until the lesson begins.");
    assert_eq!(said(&prepaid(), LATE), "Too late to cancel for free: the lesson counts as used.");
}

#[test]
fn students_move_a_lesson_by_its_terms() {
    let may = |booking: &Booking, by, now| may_move(booking, by, at(now));
    let booking = lesson(Status::Confirmed);
    assert_eq!(may(&booking, Canceller::Student, "2026-03-28T14:00:00Z"), Ok(()));
    let late = "2026-03-28T14:00:01Z";
    assert!(may(&booking, Canceller::Student, late).unwrap_err().contains("too late"));
    assert_eq!(may(&booking, Canceller::Instructor, late), Ok(()));
    // Twice, and no more.
    let early = "2026-03-01T00:00:00Z";
    let moved = |moves| Booking { moves, ..lesson(Status::Confirmed) };
    assert_eq!(may(&moved(1), Canceller::Student, early), Ok(()));
    assert!(may(&moved(2), Canceller::Student, early).is_err());
    assert_eq!(may(&moved(2), Canceller::Staff, early), Ok(()));
    let unlimited = Booking { terms: Terms { max_moves: None, ..TERMS }, ..moved(99) };
    assert_eq!(may(&unlimited, Canceller::Student, early), Ok(()));
    // Each time is approved: what is asked for can still change, what is agreed goes through the school.
    let approved = |status| Booking { needs_approval: true, ..lesson(status) };
    assert_eq!(may(&approved(Status::Requested), Canceller::Student, early), Ok(()));
    let refused = may(&approved(Status::Confirmed), Canceller::Student, early).unwrap_err();
    assert!(refused.contains("approved"), "{refused}");
    assert_eq!(may(&approved(Status::Confirmed), Canceller::Instructor, early), Ok(()));
}

#[test]
fn what_has_begun_is_moved_by_the_school_alone() {
    let begun = at("2026-03-30T14:00:00Z");
    let anytime = Booking {
        terms: Terms { move_notice_min: 0, max_moves: None, ..TERMS },
        ..lesson(Status::Confirmed)
    };
    assert_eq!(may_move(&anytime, Canceller::Student, at("2026-03-30T13:59:59Z")), Ok(()));
    assert!(may_move(&anytime, Canceller::Student, begun).is_err());
    assert!(may_move(&anytime, Canceller::Instructor, begun).is_err());
    assert_eq!(may_move(&anytime, Canceller::Staff, begun), Ok(()));
    for status in [Status::Cancelled, Status::Completed, Status::NoShow] {
        assert!(may_move(&lesson(status), Canceller::Staff, at("2026-03-01T00:00:00Z")).is_err());
    }
}

#[test]
fn the_rule_of_moving_is_said_in_a_sentence() {
    let zone = Zone::parse("Africa/Johannesburg").expect("a zone");
    let starts_at = at("2026-03-31T14:00:00Z");
    let said = |terms: Terms, moves, now| move_terms(&zone, &words(), &terms, moves, starts_at, at(now));
    let early = "2026-03-01T00:00:00Z";
    assert_eq!(said(TERMS, 0, early), "Can be moved until Sun 29 Mar, 16:00, 2 times.");
    assert_eq!(said(TERMS, 0, "2026-03-29T14:00:00Z"), "Can be moved until Sun 29 Mar, 16:00, 2 times.");
    assert_eq!(said(TERMS, 1, early), "Can be moved until Sun 29 Mar, 16:00, once more.");
    assert_eq!(said(TERMS, 2, early), "It has been moved as often as its terms allow.");
    assert_eq!(said(TERMS, 0, "2026-03-29T14:00:01Z"), "It is too late to move it.");
    let often = |max_moves| Terms { max_moves, ..TERMS };
    assert_eq!(said(often(Some(1)), 0, early), "Can be moved until Sun 29 Mar, 16:00, once.");
    assert_eq!(said(often(Some(4)), 1, early), "Can be moved until Sun 29 Mar, 16:00, 3 more times.");
    assert_eq!(said(often(Some(0)), 0, early), "It can't be moved.");
    assert_eq!(said(often(None), 7, early), "Can be moved until Sun 29 Mar, 16:00.");
    let short = Terms { move_notice_min: 0, max_moves: None, ..TERMS };
    assert_eq!(said(short, 0, "2026-03-31T13:59:00Z"), "Can be moved until the lesson begins.");
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
