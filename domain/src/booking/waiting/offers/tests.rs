use super::*;

fn at(text: &str) -> Instant {
    text.parse().expect("a moment")
}

const NOW: &str = "2027-01-12T07:30:00Z";

#[test]
fn an_offer_stands_as_long_as_the_time_can_be_booked() {
    let until = |offer_min, start: &str, notice_min| {
        offered_until(at(NOW), offer_min, at(start), notice_min).to_string()
    };
    assert_eq!(until(120, "2027-01-15T14:00:00Z", 120), "2027-01-12T09:30:00Z");
    assert_eq!(until(2880, "2027-01-12T16:00:00Z", 120), "2027-01-12T14:00:00Z");
    // Some minutes in any case, be it that notice runs out meanwhile.
    assert_eq!(until(120, "2027-01-12T09:31:00Z", 120), "2027-01-12T07:35:00Z");
    assert_eq!(until(120, "2027-01-12T07:40:00Z", 0), "2027-01-12T07:40:00Z");
}

#[test]
fn all_who_wait_are_looked_at_at_the_same_moment() {
    assert_eq!(next_look(at(NOW)), at("2027-01-12T07:45:00Z"));
    assert_eq!(next_look(at("2027-01-12T07:44:59.999999Z")), at("2027-01-12T07:45:00Z"));
    assert_eq!(next_look(at("2027-01-12T07:45:00Z")), at("2027-01-12T08:00:00Z"));
}

fn offer(state: OfferState) -> OfferView {
    let id = uuid::Uuid::nil();
    OfferView {
        hold: HoldId(id),
        entry: WaitId(id),
        state,
        service: ServiceId(id),
        service_name: "Driving lesson".into(),
        instructor: InstructorId(id),
        instructor_name: "Thandi".into(),
        student: StudentId(id),
        student_name: "Sipho".into(),
        starts_at: at("2027-01-15T14:00:00Z"),
        ends_at: at("2027-01-15T15:00:00Z"),
        until: at("2027-01-12T14:05:00Z"),
        price_minor: 42_000,
        currency: "ZAR".into(),
        terms: Terms {
            cancel_notice_min: 1440,
            move_notice_min: 1440,
            max_moves: None,
            late_fee_percent: 100,
        },
        needs_pickup: false,
        needs_approval: false,
        pack_left: None,
        pickup: String::new(),
        note: String::new(),
        group: None,
    }
}

#[test]
fn an_offer_that_is_over_says_what_became_of_it() {
    let zone = Zone::parse("Africa/Johannesburg").expect("a zone");
    let said = |state, now: &str| match offer(state).must_be_open(&zone, "lesson", at(now)) {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    };
    assert_eq!(said(OfferState::Open, NOW), "");
    assert_eq!(said(OfferState::Taken, NOW), "You have taken this offer already.");
    assert_eq!(
        said(OfferState::Ended, "2027-01-12T14:06:00Z"),
        "This offer ended at 16:05 and was passed on."
    );
    assert_eq!(
        said(OfferState::Ended, "2027-01-13T08:00:00Z"),
        "This offer ended on Tue 12 Jan at 16:05 and was passed on."
    );
    assert!(said(OfferState::Declined, NOW).contains("declined"));
}

#[test]
fn what_stands_beside_no_field_is_said_as_such() {
    let refused = without_a_field(Error::field("starts_at", "Add a lesson to the pack."));
    assert_eq!(refused.to_string(), "Add a lesson to the pack.");
    assert!(matches!(without_a_field(Error::field("pickup", "x")), Error::Invalid(_)));
}
