use super::*;

fn at(text: &str) -> Instant {
    text.parse().expect("a moment")
}

fn berlin() -> Zone {
    Zone::parse("Europe/Berlin").expect("a zone")
}

#[test]
fn a_series_moves_by_the_wall_clock() {
    // Weekly on Mondays at 16:00; the clocks change on 29 March.
    let (old, new) = (at("2026-03-23T15:00:00Z"), at("2026-03-24T16:30:00Z"));
    let moved = |text| shifted(&berlin(), old, new, at(text));
    assert_eq!(moved("2026-03-23T15:00:00Z"), Ok(new));
    assert_eq!(moved("2026-03-16T15:00:00Z"), Ok(at("2026-03-17T16:30:00Z")));
    assert_eq!(moved("2026-03-30T14:00:00Z"), Ok(at("2026-03-31T15:30:00Z")));
    // One that had been moved by itself keeps its day and gets the time of all.
    assert_eq!(moved("2026-04-08T08:00:00Z"), Ok(at("2026-04-09T15:30:00Z")));
}

#[test]
fn a_series_moves_back_too() {
    let (old, new) = (at("2026-10-28T09:00:00Z"), at("2026-10-26T07:00:00Z"));
    let moved = |text| shifted(&berlin(), old, new, at(text));
    assert_eq!(moved("2026-10-21T08:00:00Z"), Ok(at("2026-10-19T06:00:00Z")));
    assert_eq!(moved("2026-11-04T09:00:00Z"), Ok(at("2026-11-02T07:00:00Z")));
}

#[test]
fn a_time_that_the_clock_skips_is_a_conflict_and_one_shown_twice_the_first() {
    let spring = shifted(
        &berlin(),
        at("2026-03-15T09:00:00Z"),
        at("2026-03-15T01:30:00Z"),
        at("2026-03-29T08:00:00Z"),
    );
    let (wall, message) = spring.unwrap_err();
    assert_eq!(wall, jiff::civil::date(2026, 3, 29).at(2, 30, 0, 0));
    assert_eq!(message, "The clock skips 02:30 on that day.");
    let autumn = shifted(
        &berlin(),
        at("2026-10-18T08:00:00Z"),
        at("2026-10-18T00:30:00Z"),
        at("2026-10-25T09:00:00Z"),
    );
    assert_eq!(autumn, Ok(at("2026-10-25T00:30:00Z")));
}

#[test]
fn of_a_time_shown_twice_the_one_that_was_meant_is_taken() {
    let (old, second) = (at("2026-10-25T09:00:00Z"), at("2026-10-25T01:30:00Z"));
    assert_eq!(shifted(&berlin(), old, second, old), Ok(second));
}

#[test]
fn the_end_of_time_is_a_conflict() {
    let (old, new) = (at("2026-03-02T09:00:00Z"), at("9999-12-30T09:00:00Z"));
    assert!(shifted(&berlin(), old, new, at("2026-03-09T09:00:00Z")).is_err());
}

#[test]
fn which_lessons_is_read_as_it_is_written() {
    for which in Which::ALL {
        assert_eq!(Which::parse(which.as_str()), Some(which));
    }
    assert_eq!(Which::parse("THIS"), None);
    assert_eq!(Which::default(), Which::This);
    assert_eq!(Which::All.label("session"), "All sessions to come");
}
