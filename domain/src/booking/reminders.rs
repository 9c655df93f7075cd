//! Reminders before a lesson (NT-03): some time before it by the school's offsets, and never in its quiet hours.

mod send;

use jiff::{SignedDuration, civil::Date};

pub(super) use send::{Reminder, due, remind};

use crate::{
    Instant,
    zoned::{LocalTime, Zone},
};

/// A reminder that quiet hours put off still comes this long before its lesson, in minutes; else it comes before them.
const LEAST_MIN: i64 = 30;
/// How long before quiet hours it comes then: not in the last minute, if that can be.
const EARLY_MIN: [i64; 2] = [15, 1];

/// When the student of a lesson is to be reminded that it begins `offset_min` later. In quiet hours it comes after them, or
/// before them where that would be too late. None when there is no such time, for it is quiet all day.
pub fn due_at(
    zone: &Zone,
    starts_at: Instant,
    offset_min: i32,
    quiet_from: i16,
    quiet_to: i16,
) -> Option<Instant> {
    let quiet = Quiet { from: quiet_from, to: quiet_to };
    let due = starts_at.checked_sub(SignedDuration::from_mins(i64::from(offset_min))).ok()?;
    let Some((mut begin, end)) = quiet.around(zone, due) else {
        return Some(due);
    };
    let latest = starts_at.checked_sub(SignedDuration::from_mins(LEAST_MIN)).ok()?;
    if end <= latest && !quiet.holds(zone, end) {
        return Some(end);
    }
    // On a day that clocks change, what lies between two quiet stretches may be skipped: then the day before.
    for _ in 0..3 {
        for early in EARLY_MIN {
            let before = begin.checked_sub(SignedDuration::from_mins(early)).ok()?;
            if !quiet.holds(zone, before) {
                return Some(before);
            }
        }
        let before = begin.checked_sub(SignedDuration::from_mins(1)).ok()?;
        begin = quiet.around(zone, before)?.0;
    }
    None
}

/// The minutes of each day, by the wall clock, in which nobody is reminded; over midnight when it ends before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// First minute.
    pub from: i16,
    /// First minute after it; the same as the first is never quiet.
    pub to: i16,
}

impl Quiet {
    /// Whether the clock shows a quiet minute.
    pub fn holds(self, zone: &Zone, at: Instant) -> bool {
        let minute = wall(zone, at).1;
        if self.from <= self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }

    /// The quiet stretch that a moment lies in.
    fn around(self, zone: &Zone, at: Instant) -> Option<(Instant, Instant)> {
        if !self.holds(zone, at) {
            return None;
        }
        let (day, minute) = wall(zone, at);
        let over_midnight = self.to < self.from;
        let begins = if over_midnight && minute < self.to { day.yesterday().unwrap_or(day) } else { day };
        let ends = if over_midnight { begins.tomorrow().unwrap_or(begins) } else { begins };
        Some((zone.at_minute(begins, self.from), last_at(zone, ends, self.to)))
    }
}

/// The local day and the minute of it.
fn wall(zone: &Zone, at: Instant) -> (Date, i16) {
    let zoned = at.to_zoned(zone.tz().clone());
    (zoned.date(), i16::from(zoned.hour()) * 60 + i16::from(zoned.minute()))
}

/// The moment for a minute of a day: of one that the clock shows twice, the second.
fn last_at(zone: &Zone, day: Date, minute: i16) -> Instant {
    let first = zone.at_minute(day, minute);
    match zone.resolve(first.to_zoned(zone.tz().clone()).datetime()) {
        LocalTime::Twice(_, second) => second,
        _ => first,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().expect("a moment")
    }

    /// When the student of a lesson in Johannesburg (UTC+2) is reminded.
    fn due(starts_at: &str, offset_min: i32, quiet: (i16, i16)) -> Option<Instant> {
        let zone = Zone::parse("Africa/Johannesburg").expect("a zone");
        due_at(&zone, at(starts_at), offset_min, quiet.0, quiet.1)
    }

    const NIGHT: (i16, i16) = (1320, 360);

    #[test]
    fn by_day_it_comes_when_the_school_says() {
        assert_eq!(due("2027-01-15T13:00:00Z", 1440, NIGHT), Some(at("2027-01-14T13:00:00Z")));
        assert_eq!(due("2027-01-15T13:00:00Z", 120, NIGHT), Some(at("2027-01-15T11:00:00Z")));
        // Quiet hours end with their last minute, and begin with their first.
        assert_eq!(due("2027-01-15T06:00:00Z", 120, NIGHT), Some(at("2027-01-15T04:00:00Z")));
        assert_eq!(due("2027-01-15T21:59:00Z", 120, NIGHT), Some(at("2027-01-15T19:59:00Z")));
    }

    #[test]
    fn in_quiet_hours_it_comes_after_them_or_before_them() {
        // 07:00, two hours before is 05:00: at 06:00.
        assert_eq!(due("2027-01-15T05:00:00Z", 120, NIGHT), Some(at("2027-01-15T04:00:00Z")));
        assert_eq!(due("2027-01-15T04:30:00Z", 120, NIGHT), Some(at("2027-01-15T04:00:00Z")));
        // 06:29 would leave 29 minutes: at 21:45 the evening before.
        assert_eq!(due("2027-01-15T04:29:00Z", 120, NIGHT), Some(at("2027-01-14T19:45:00Z")));
        // A lesson at 23:30, 24 hours before: the morning after that is early enough.
        assert_eq!(due("2027-01-15T21:30:00Z", 1440, NIGHT), Some(at("2027-01-15T04:00:00Z")));
        // Quiet at noon.
        assert_eq!(due("2027-01-15T13:00:00Z", 120, (720, 840)), Some(at("2027-01-15T12:00:00Z")));
        // The same twice is never quiet.
        assert_eq!(due("2027-01-15T01:00:00Z", 120, (0, 0)), Some(at("2027-01-14T23:00:00Z")));
    }

    #[test]
    fn nearly_always_quiet_still_leaves_a_minute() {
        let found = due("2027-01-15T13:00:00Z", 120, (601, 600)).expect("a time");
        let zone = Zone::parse("Africa/Johannesburg").expect("a zone");
        assert_eq!(zone.clock(found), "10:00");
        assert!(found < at("2027-01-15T13:00:00Z"));
    }

    #[test]
    fn when_clocks_change_the_wall_clock_counts() {
        let zone = Zone::parse("Europe/Berlin").expect("a zone");
        // 25 October 2026, 03:00 becomes 02:00: quiet until the clock shows 02:30 for the second time.
        let starts_at = at("2026-10-25T03:00:00Z");
        assert_eq!(due_at(&zone, starts_at, 195, 1320, 150), Some(at("2026-10-25T01:30:00Z")));
        // 28 March 2027, 02:00 becomes 03:00: what ends at 02:30 ends with the jump.
        let starts_at = at("2027-03-28T04:00:00Z");
        assert_eq!(due_at(&zone, starts_at, 240, 1320, 150), Some(at("2027-03-28T01:00:00Z")));
    }

    proptest! {
        #[test]
        fn never_in_quiet_hours_and_always_before_the_lesson(
            zone in prop::sample::select(vec![
                "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Johannesburg", "Asia/Kathmandu",
                "America/Sao_Paulo", "Pacific/Apia", "UTC",
            ]),
            minute in 0i64..5_256_000,
            offset in 15i32..=20_160,
            from in 0i16..1440,
            to in 0i16..1440,
        ) {
            let zone = Zone::parse(zone).expect("a zone");
            let starts_at = at("2020-01-01T00:00:00Z") + SignedDuration::from_mins(minute);
            if let Some(due) = due_at(&zone, starts_at, offset, from, to) {
                prop_assert!(due < starts_at);
                prop_assert!(!Quiet { from, to }.holds(&zone, due), "{due}");
                let asked = starts_at - SignedDuration::from_mins(i64::from(offset));
                let moved = due.duration_since(asked).abs();
                prop_assert!(moved <= SignedDuration::from_hours(4 * 24), "moved by {moved}");
            } else {
                // Only where a day has hardly a minute that isn't quiet.
                prop_assert!((to - from).rem_euclid(1440) > 1440 - 120);
            }
        }
    }
}
