use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn zone(name: &str) -> Zone {
    Zone::parse(name).expect("a zone")
}

fn field(result: Result<Vec<Date>, Refused>) -> (&'static str, String) {
    result.expect_err("it should be refused")
}

#[test]
fn weeks_and_fortnights_keep_their_weekday() {
    let days = dates(date(2026, 3, 31), Every::Weekly, Until::Count(3)).expect("days");
    assert_eq!(days, [date(2026, 3, 31), date(2026, 4, 7), date(2026, 4, 14)]);
    let days = dates(date(2026, 12, 22), Every::Fortnightly, Until::Count(2)).expect("days");
    assert_eq!(days, [date(2026, 12, 22), date(2027, 1, 5)]);
}

#[test]
fn a_month_keeps_the_weekday_and_which_one_it_is() {
    let third = dates(date(2026, 3, 17), Every::Monthly, Until::Count(4)).expect("days");
    assert_eq!(third, [date(2026, 3, 17), date(2026, 4, 21), date(2026, 5, 19), date(2026, 6, 16)]);
    // The fifth Tuesday of March; April and May have four only, June has five.
    let fifth = dates(date(2026, 3, 31), Every::Monthly, Until::Count(4)).expect("days");
    assert_eq!(fifth, [date(2026, 3, 31), date(2026, 4, 28), date(2026, 5, 26), date(2026, 6, 30)]);
}

#[test]
fn a_last_day_counts_if_it_is_one() {
    let until = |day| dates(date(2026, 3, 3), Every::Weekly, Until::Day(day)).expect("days").len();
    assert_eq!(until(date(2026, 3, 31)), 5);
    assert_eq!(until(date(2026, 3, 30)), 4);
}

#[test]
fn a_count_lies_between_two_and_the_most() {
    for count in [i32::MIN, -1, 0, 1, 105, 5000, i32::MAX] {
        let refused = field(dates(date(2026, 3, 3), Every::Weekly, Until::Count(count)));
        assert_eq!(refused, ("count", "Between 2 and 104 lessons.".to_owned()), "{count}");
    }
    for every in Every::ALL {
        assert_eq!(dates(date(2026, 3, 3), every, Until::Count(104)).map(|days| days.len()), Ok(104));
    }
}

#[test]
fn a_last_day_lies_within_two_years() {
    let first = date(2026, 3, 3);
    for (last, part) in [
        (date(2026, 3, 2), "after the first"),
        (date(2026, 3, 3), "one lesson"),
        (date(2026, 3, 9), "one lesson"),
        (date(2028, 3, 4), "two years"),
        (Date::MAX, "two years"),
    ] {
        let (name, message) = field(dates(first, Every::Weekly, Until::Day(last)));
        assert_eq!(name, "last_day");
        assert!(message.contains(part), "{message}");
    }
    // Two years can have one week more than may be booked.
    let (name, message) = field(dates(first, Every::Weekly, Until::Day(date(2028, 3, 3))));
    assert_eq!((name, message.contains("105")), ("last_day", true), "{message}");
    assert_eq!(dates(first, Every::Weekly, Until::Day(date(2028, 2, 28))).map(|days| days.len()), Ok(104));
}

#[test]
fn the_end_of_time_is_no_panic() {
    for every in Every::ALL {
        assert_eq!(field(dates(Date::MAX, every, Until::Count(2))).0, "date");
        assert_eq!(field(dates(Date::MAX, every, Until::Day(Date::MAX))).0, "last_day");
    }
    assert!(dates(Date::MIN, Every::Monthly, Until::Count(2)).is_ok());
}

#[test]
fn an_end_is_given_one_way() {
    assert_eq!(Until::parse("count", "10", ""), Ok(Until::Count(10)));
    // What the other field holds doesn't matter once it is said which one counts.
    assert_eq!(Until::parse("count", "10", "2026-05-01"), Ok(Until::Count(10)));
    assert_eq!(Until::parse("day", "10", " 2026-05-01 "), Ok(Until::Day(date(2026, 5, 1))));
    assert_eq!(Until::parse("", "10", ""), Ok(Until::Count(10)));
    assert_eq!(Until::parse("", "", "2026-05-01"), Ok(Until::Day(date(2026, 5, 1))));
    let field = |until, count, day| Until::parse(until, count, day).expect_err("it should be refused").0;
    assert_eq!(field("", "", ""), "until");
    assert_eq!(field("", "10", "2026-05-01"), "until");
    assert_eq!(field("never", "10", ""), "until");
    assert_eq!(field("count", "", "2026-05-01"), "count");
    assert_eq!(field("count", "ten", ""), "count");
    assert_eq!(field("count", "99999999999", ""), "count");
    assert_eq!(field("day", "10", ""), "last_day");
    assert_eq!(field("day", "", "2026-02-30"), "last_day");
}

#[test]
fn what_repeats_is_said_in_words() {
    let said = |every: Every, day: Date| every.describe(day.at(16, 0, 0, 0));
    assert_eq!(said(Every::Weekly, date(2026, 3, 31)), "Every Tuesday at 16:00");
    assert_eq!(said(Every::Fortnightly, date(2026, 3, 31)), "Every second Tuesday at 16:00");
    assert_eq!(said(Every::Monthly, date(2026, 3, 17)), "Each month on the third Tuesday at 16:00");
    assert_eq!(said(Every::Monthly, date(2026, 3, 31)), "Each month on the fifth or last Tuesday at 16:00");
}

#[test]
fn every_has_one_name() {
    for every in Every::ALL {
        assert_eq!(Every::parse(every.as_str()), Some(every));
    }
    assert_eq!(Every::parse("daily"), None);
}

#[test]
fn a_skipped_time_has_no_moment_and_one_shown_twice_is_the_first() {
    let berlin = zone("Europe/Berlin");
    let at = |day: Date, second| moment(&berlin, day.at(2, 30, 0, 0), second).map(|at| at.to_string());
    assert_eq!(at(date(2026, 3, 29), false), Err("The clock skips 02:30 on that day.".into()));
    assert_eq!(at(date(2026, 3, 22), false).as_deref(), Ok("2026-03-22T01:30:00Z"));
    assert_eq!(at(date(2026, 10, 25), false).as_deref(), Ok("2026-10-25T00:30:00Z"));
    assert_eq!(at(date(2026, 10, 25), true).as_deref(), Ok("2026-10-25T01:30:00Z"));
}

const ZONES: [&str; 14] = [
    "Africa/Johannesburg",
    "Africa/Cairo",
    "America/New_York",
    "America/Santiago",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Asia/Jerusalem",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Chatham",
    "UTC",
];

proptest! {
    /// A weekly 16:00 stays 16:00 on the wall, whatever the clocks do in two years.
    #[test]
    fn the_wall_clock_stays(
        zone_at in 0..ZONES.len(), day in 0i64..3650, hour in 5i8..23, minute in 0i8..60, every in 0usize..3
    ) {
        let zone = zone(ZONES[zone_at]);
        let first = date(2026, 1, 1).saturating_add(day.days());
        let days = dates(first, Every::ALL[every], Until::Count(104)).expect("days");
        prop_assert_eq!(days.len(), 104);
        for day in days {
            let wall = day.at(hour, minute, 0, 0);
            let at = moment(&zone, wall, false).expect("clocks change at night");
            prop_assert_eq!(at.to_zoned(zone.tz().clone()).datetime(), wall);
            prop_assert_eq!(day.weekday(), first.weekday());
        }
    }

    /// Days are in order, at least a week apart, and none is left out.
    #[test]
    fn days_are_in_order(day in 0i64..3650, every in 0usize..3, weeks in 1i64..100) {
        let first = date(2026, 1, 1).saturating_add(day.days());
        let every = Every::ALL[every];
        let Ok(days) = dates(first, every, Until::Day(first.saturating_add((7 * weeks).days()))) else {
            return Ok(());
        };
        prop_assert_eq!(days.first(), Some(&first));
        for pair in days.windows(2) {
            let apart = pair[1].duration_since(pair[0]).as_hours() / 24;
            let fits = match every {
                Every::Weekly => apart == 7,
                Every::Fortnightly => apart == 14,
                Every::Monthly => apart == 28 || apart == 35,
            };
            prop_assert!(fits, "{} after {}", pair[1], pair[0]);
        }
    }
}
