//! Where things stand in a column of hours. A column is cut into rows of a quarter of an hour; style/calendar.css has a
//! class for each row to begin at and each number of rows to reach over, because a page may bring no styles of its own.

use domain::{
    Instant,
    booking::calendar::{Lesson, Person},
    zoned::Zone,
};
use jiff::civil::Date;

/// Minutes of a row.
const ROW: i16 = 15;
/// The hours that are always shown.
const ALWAYS: Hours = Hours { from: 8, to: 18 };
/// Lessons beside each other in a column at most; what is beyond lies on the last.
const MOST_LANES: usize = 4;

/// The hours shown: from the start of one to the start of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hours {
    pub(super) from: i16,
    pub(super) to: i16,
}

impl Hours {
    /// From the earliest of some stretches to the latest, each in minutes of a day.
    pub(super) fn around(stretches: impl IntoIterator<Item = (i16, i16)>) -> Self {
        stretches.into_iter().fold(ALWAYS, |hours, (from, to)| Self {
            from: hours.from.min(from.div_euclid(60)),
            to: hours.to.max((to + 59).div_euclid(60)),
        })
    }

    /// The start of each.
    pub(super) fn each(self) -> impl Iterator<Item = i16> {
        self.from..self.to
    }

    fn rows(self) -> usize {
        usize::try_from((self.to - self.from) * 60 / ROW).unwrap_or_default()
    }

    /// The row in which a minute of the day lies, from 0.
    fn row(self, minute: i16) -> usize {
        usize::try_from((minute - self.from * 60).div_euclid(ROW)).unwrap_or_default().min(self.rows())
    }

    /// The first row at or after a minute of the day.
    fn row_after(self, minute: i16) -> usize {
        self.row(minute + ROW - 1)
    }
}

/// The minutes of a local day that a stretch of time takes; nothing when it takes none. Where clocks go back within it, it
/// still ends after it begins.
pub(super) fn minutes(zone: &Zone, day: Date, from: Instant, to: Instant) -> Option<(i16, i16)> {
    let (begins, ends) = (zone.day_start(day), zone.day_start(day.tomorrow().unwrap_or(day)));
    if to <= begins || ends <= from {
        return None;
    }
    let first = if from <= begins { 0 } else { minute(zone, from) };
    let last = if to >= ends { 1440 } else { minute(zone, to) };
    Some((first, last.max(first + 1)))
}

/// The minute of its day.
fn minute(zone: &Zone, at: Instant) -> i16 {
    let clock = at.to_zoned(zone.tz().clone()).time();
    i16::from(clock.hour()) * 60 + i16::from(clock.minute())
}

/// Rows of a column, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) first: usize,
    pub(super) len: usize,
}

impl Rows {
    /// The classes that put something there.
    pub(super) fn class(self) -> String {
        // Lines of a grid count from 1.
        format!("at-{} len-{}", self.first + 1, self.len)
    }
}

/// The row that is now on a day, if it is shown.
pub(super) fn now(zone: &Zone, day: Date, now: Instant, hours: Hours) -> Option<Rows> {
    if zone.date(now) != day {
        return None;
    }
    let minute = minute(zone, now);
    let shown = (hours.from * 60..hours.to * 60).contains(&minute);
    shown.then(|| Rows { first: hours.row(minute), len: 1 })
}

/// Where a lesson stands in its column: its rows, and its lane when others lie beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) rows: Rows,
    /// From 1.
    pub(super) lane: usize,
    pub(super) lanes: usize,
}

impl Place {
    /// The classes that put it there.
    pub(super) fn class(self) -> String {
        let rows = self.rows.class();
        if self.lanes > 1 { format!("{rows} lane-{}-{}", self.lane, self.lanes) } else { rows }
    }
}

/// Where lessons stand, given their minutes in order of start. They are rounded outward to whole rows, but not over one
/// another. Nobody gives two lessons at once; those that do overlap (an hour that the clock shows twice, a room's view of
/// what was booked before it was one) stand side by side.
pub(super) fn lay(lessons: &[(i16, i16)], hours: Hours) -> Vec<Place> {
    let mut rows: Vec<(usize, usize)> =
        lessons.iter().map(|(from, to)| (hours.row(*from), hours.row_after(*to))).collect();
    for at in 1..rows.len() {
        let begins = rows[at].0;
        let meets = lessons[at - 1].1 <= lessons[at].0;
        if meets && rows[at - 1].1 > begins {
            rows[at - 1].1 = begins.max(rows[at - 1].0 + 1);
        }
    }
    let mut places = Vec::with_capacity(rows.len());
    let mut at = 0;
    while at < rows.len() {
        // All that hang together share their width.
        let mut ends: Vec<usize> = Vec::new();
        let mut lanes = Vec::new();
        let mut reach = rows[at].0 + 1;
        let first = at;
        while at < rows.len() && (at == first || rows[at].0 < reach) {
            let (begins, until) = rows[at];
            let free = ends.iter().position(|end| *end <= begins);
            let lane = free.unwrap_or(ends.len().min(MOST_LANES - 1));
            match ends.get_mut(lane) {
                Some(end) => *end = until.max(*end),
                None => ends.push(until),
            }
            lanes.push(lane);
            reach = reach.max(until);
            at += 1;
        }
        for (lane, (begins, until)) in lanes.into_iter().zip(&rows[first..at]) {
            let len = until.saturating_sub(*begins).max(1);
            places.push(Place { rows: Rows { first: *begins, len }, lane: lane + 1, lanes: ends.len() });
        }
    }
    places
}

/// A stretch of a column in which there is nothing to be had, and why, where that isn't clear by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Off {
    pub(super) rows: Rows,
    pub(super) why: String,
}

/// When someone isn't there on a day. `closed` is the holiday it is, if it is one.
pub(super) fn off(zone: &Zone, person: &Person, day: Date, closed: Option<&str>, hours: Hours) -> Vec<Off> {
    let openings = person.openings(day, closed.is_some());
    let rest = match (person.exception(day), closed) {
        (Some(own), _) => own.reason.as_str(),
        (None, Some(holiday)) => holiday,
        (None, None) => "",
    };
    let blocks: Vec<(i16, i16, &str)> = person
        .blocks
        .iter()
        .filter_map(|block| {
            let (from, to) = minutes(zone, day, block.starts_at, block.ends_at)?;
            Some((from, to, if block.reason.is_empty() { "Blocked" } else { block.reason.as_str() }))
        })
        .collect();
    let mut found: Vec<(Off, usize)> = Vec::new();
    for row in 0..hours.rows() {
        let from = hours.from * 60 + i16::try_from(row).unwrap_or_default() * ROW;
        let to = from + ROW;
        let block = blocks.iter().position(|block| block.0 < to && from < block.1);
        let open = openings.iter().any(|opening| opening.0 < to && from < opening.1);
        // What tells one stretch from the next: which block it is, or none.
        let (why, kind) = match block {
            Some(at) => (blocks[at].2, at + 1),
            None if open => continue,
            None => (rest, 0),
        };
        match found.last_mut() {
            Some((last, same)) if *same == kind && last.rows.first + last.rows.len == row => {
                last.rows.len += 1
            }
            _ => found.push((Off { rows: Rows { first: row, len: 1 }, why: why.to_owned() }, kind)),
        }
    }
    found.into_iter().map(|(off, _)| off).collect()
}

/// The minutes that lessons take of a day, with the lessons, in order of start.
pub(super) fn on_day<'a>(
    zone: &Zone,
    day: Date,
    lessons: impl Iterator<Item = &'a Lesson>,
) -> Vec<((i16, i16), &'a Lesson)> {
    let mut found: Vec<((i16, i16), &Lesson)> = lessons
        .filter_map(|lesson| Some((minutes(zone, day, lesson.starts_at, lesson.ends_at)?, lesson)))
        .collect();
    found.sort_by_key(|(minutes, _)| *minutes);
    found
}

#[cfg(test)]
mod tests {
    use domain::{availability::WeeklyHour, booking::calendar::Blocked, ids::InstructorId};

    use super::*;

    const HOURS: Hours = ALWAYS;

    fn zone() -> Zone {
        Zone::parse("Europe/Berlin").unwrap()
    }

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn hours_grow_with_what_is_in_them() {
        assert_eq!(Hours::around([]), ALWAYS);
        assert_eq!(Hours::around([(9 * 60, 17 * 60)]), ALWAYS);
        assert_eq!(Hours::around([(7 * 60 + 30, 20 * 60 + 15)]), Hours { from: 7, to: 21 });
        assert_eq!(Hours::around([(0, 1440)]), Hours { from: 0, to: 24 });
    }

    #[test]
    fn a_lesson_stands_in_its_rows_rounded_outward() {
        let place = |from, to| lay(&[(from, to)], HOURS)[0];
        assert_eq!(place(8 * 60, 9 * 60).rows, Rows { first: 0, len: 4 });
        assert_eq!(place(9 * 60 + 10, 9 * 60 + 50).rows, Rows { first: 4, len: 4 });
        assert_eq!(place(17 * 60 + 55, 18 * 60).rows, Rows { first: 39, len: 1 });
        assert_eq!(place(8 * 60, 9 * 60).class(), "at-1 len-4");
    }

    #[test]
    fn rounding_puts_no_lesson_over_another() {
        // 10:00 to 10:50 and 10:50 to 11:40: each has its own rows.
        let places = lay(&[(600, 650), (650, 700)], HOURS);
        assert_eq!(places[0].rows, Rows { first: 8, len: 3 });
        assert_eq!(places[1].rows, Rows { first: 11, len: 4 });
        assert!(places.iter().all(|place| place.lanes == 1));
        // Two within one row lie beside each other.
        let places = lay(&[(600, 605), (605, 610), (660, 720)], HOURS);
        assert_eq!((places[0].lane, places[0].lanes), (1, 2));
        assert_eq!((places[1].lane, places[1].lanes), (2, 2));
        assert_eq!((places[2].lane, places[2].lanes), (1, 1));
    }

    #[test]
    fn overlapping_ones_stand_side_by_side() {
        let places = lay(&[(600, 720), (600, 660), (660, 720), (720, 780)], HOURS);
        let lanes: Vec<(usize, usize)> = places.iter().map(|place| (place.lane, place.lanes)).collect();
        assert_eq!(lanes, [(1, 2), (2, 2), (2, 2), (1, 1)]);
        let many = lay(&[(600, 660); 6], HOURS);
        assert!(many.iter().all(|place| place.lane <= MOST_LANES && place.lanes == MOST_LANES));
    }

    #[test]
    fn a_day_has_the_minutes_of_its_own_clock() {
        let zone = zone();
        let monday = day("2026-03-30");
        // 16:00 to 17:00 in Berlin.
        let lesson = (at("2026-03-30T14:00:00Z"), at("2026-03-30T15:00:00Z"));
        assert_eq!(minutes(&zone, monday, lesson.0, lesson.1), Some((960, 1020)));
        assert_eq!(minutes(&zone, day("2026-03-31"), lesson.0, lesson.1), None);
        // Over midnight: a part on each day.
        let night = (at("2026-03-30T21:00:00Z"), at("2026-03-30T23:00:00Z"));
        assert_eq!(minutes(&zone, monday, night.0, night.1), Some((1380, 1440)));
        assert_eq!(minutes(&zone, day("2026-03-31"), night.0, night.1), Some((0, 60)));
        // 02:30 to 02:15, as the clock goes back in between.
        let twice = (at("2026-10-25T00:30:00Z"), at("2026-10-25T01:15:00Z"));
        assert_eq!(minutes(&zone, day("2026-10-25"), twice.0, twice.1), Some((150, 151)));
    }

    #[test]
    fn now_is_a_row_of_today() {
        let zone = zone();
        let today = day("2026-03-30");
        let at_noon = at("2026-03-30T10:07:00Z");
        assert_eq!(now(&zone, today, at_noon, HOURS), Some(Rows { first: 16, len: 1 }));
        assert_eq!(now(&zone, day("2026-03-31"), at_noon, HOURS), None);
        assert_eq!(now(&zone, today, at("2026-03-30T20:00:00Z"), HOURS), None);
    }

    #[test]
    fn what_cannot_be_had_is_off() {
        let zone = zone();
        let monday = day("2026-03-30");
        let mut person = Person::gone(InstructorId(uuid::Uuid::nil()), "Ada".into());
        person.hours = vec![WeeklyHour { weekday: 1, start_minute: 540, end_minute: 1020 }];
        person.blocks = vec![Blocked {
            starts_at: at("2026-03-30T10:00:00Z"),
            ends_at: at("2026-03-30T11:00:00Z"),
            reason: "Dentist".into(),
        }];
        let found = off(&zone, &person, monday, None, HOURS);
        let said: Vec<(usize, usize, &str)> =
            found.iter().map(|off| (off.rows.first, off.rows.len, off.why.as_str())).collect();
        assert_eq!(said, [(0, 4, ""), (16, 4, "Dentist"), (36, 4, "")]);
        // A holiday takes the whole day, but for what is blocked in it anyway.
        let found = off(&zone, &person, monday, Some("Easter"), HOURS);
        assert_eq!(found.first().map(|off| off.why.as_str()), Some("Easter"));
        assert_eq!(found.iter().map(|off| off.rows.len).sum::<usize>(), 40);
        assert_eq!(off(&zone, &person, day("2026-03-31"), None, HOURS).len(), 1);
    }
}
