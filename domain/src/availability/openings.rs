//! Local days and their openings: here wall-clock minutes become moments, and nowhere else.

use jiff::{ToSpan, civil::Date};

use super::{Stretch, Window, shift};
use crate::{Instant, zoned::Zone};

/// Minutes of a day without a change of clocks.
const DAY_MIN: i32 = 1440;

/// Some whole weeks of local days with the moments at which they begin, so that the zone is asked once and not for each
/// lesson. Days are named by their number: 0 is the Monday of the first week.
pub(super) struct Calendar<'a> {
    zone: &'a Zone,
    monday: Date,
    /// The start of each day, and of the one after the last.
    starts: Vec<Instant>,
    /// When clocks change on these days.
    changes: Vec<Instant>,
}

/// What decides the openings of a day.
pub(super) enum Plan<'a> {
    /// The hours of each week.
    Weekly,
    /// The instructor's own for this day, which go before all others.
    Exception(&'a [(i16, i16)]),
    /// The school is closed.
    Holiday(&'a str),
}

/// An opening of one day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    /// The day's number.
    pub(super) day: usize,
    /// When a lesson may begin.
    pub(super) span: Stretch,
    /// When it must have ended: with the opening, or with the ones of later days that follow without a gap.
    pub(super) until: Instant,
}

impl Opening {
    /// Whether a lesson may take place in it.
    pub(super) fn admits(&self, lesson: Stretch) -> bool {
        self.span.holds(lesson.starts_at) && lesson.ends_at <= self.until
    }
}

impl<'a> Calendar<'a> {
    /// The weeks from that of one day up to that of another.
    pub(super) fn new(zone: &'a Zone, first: Date, last: Date) -> Self {
        let monday = first.saturating_sub(i64::from(first.weekday().to_monday_zero_offset()).days());
        let weeks = last.duration_since(monday).as_hours() / (24 * 7) + 1;
        let days = usize::try_from(weeks * 7).unwrap_or(7);
        let mut at = zone.day_start(monday);
        // Two days more: no offset moves a day as far as that.
        let end = shift(at, i32::try_from(days).unwrap_or(7).saturating_add(2).saturating_mul(DAY_MIN));
        let changes: Vec<Instant> = zone
            .tz()
            .following(shift(at, -1))
            .map(|change| change.timestamp())
            .take_while(|change| *change <= end)
            .collect();
        let mut calendar = Self { zone, monday, starts: Vec::with_capacity(days + 1), changes };
        let mut day = monday;
        for _ in 0..=days {
            calendar.starts.push(at);
            day = day.tomorrow().unwrap_or(day);
            at = if calendar.is_plain(at) { shift(at, DAY_MIN) } else { zone.day_start(day) };
        }
        calendar
    }

    /// Whether the day that begins at `start` is one without a change of clocks: its minutes can be counted.
    fn is_plain(&self, start: Instant) -> bool {
        let end = shift(start, DAY_MIN);
        !self.changes.iter().any(|change| start <= *change && *change <= end)
    }

    /// How many days there are.
    pub(super) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The number of the day that `at` lies in, if it is one of these.
    pub(super) fn day_of(&self, at: Instant) -> Option<usize> {
        let day = self.starts.partition_point(|start| *start <= at).checked_sub(1)?;
        (day < self.len()).then_some(day)
    }

    /// When a day begins.
    pub(super) fn start(&self, day: usize) -> Option<Instant> {
        self.starts.get(day).copied()
    }

    fn days(&self, first: usize, count: usize) -> Option<Stretch> {
        Some(Stretch { starts_at: self.start(first)?, ends_at: self.start(first + count)? })
    }

    /// The day that `at` lies in.
    pub(super) fn day(&self, at: Instant) -> Option<Stretch> {
        self.days(self.day_of(at)?, 1)
    }

    /// The week, Monday to Sunday, that `at` lies in.
    pub(super) fn week(&self, at: Instant) -> Option<Stretch> {
        self.days(self.day_of(at)? / 7 * 7, 7)
    }

    /// The date of a day.
    pub(super) fn date(&self, day: usize) -> Date {
        self.monday.saturating_add(i64::try_from(day).unwrap_or(0).days())
    }

    fn at_minute(&self, day: usize, date: Date, minute: i16) -> Instant {
        match self.start(day) {
            Some(start) if self.is_plain(start) => shift(start, i32::from(minute)),
            _ => self.zone.at_minute(date, minute),
        }
    }

    /// The openings from one day to another, both included, in order. Those of a day that meet are one: a lesson may
    /// cross the seam. Midnight may be crossed too, but each day's openings begin anew there, so that candidates don't
    /// depend on the days before.
    pub(super) fn openings(&self, window: &Window<'_>, first: usize, last: usize) -> Vec<Opening> {
        let mut weekly: Vec<(i16, i16, i16)> = window
            .diary
            .hours
            .iter()
            .map(|hour| (hour.weekday, hour.start_minute, hour.end_minute))
            .collect();
        weekly.sort_unstable();
        let mut found: Vec<Opening> = Vec::new();
        for day in first..=last.min(self.len().saturating_sub(1)) {
            let date = self.date(day);
            match plan(window, date) {
                Plan::Holiday(_) => {}
                Plan::Exception(own) => {
                    let mut own = own.to_vec();
                    own.sort_unstable();
                    own.iter().for_each(|(from, to)| self.open(&mut found, (day, date), *from, *to));
                }
                Plan::Weekly => {
                    let weekday = i16::from(date.weekday().to_monday_one_offset());
                    let hours = weekly.iter().filter(|(day, ..)| *day == weekday);
                    hours.for_each(|(_, from, to)| self.open(&mut found, (day, date), *from, *to));
                }
            }
        }
        let mut after: Option<Opening> = None;
        for open in found.iter_mut().rev() {
            if let Some(after) = after.filter(|after| after.span.starts_at <= open.span.ends_at) {
                open.until = open.until.max(after.until);
            }
            after = Some(*open);
        }
        found
    }

    /// Adds an opening, or the rest of it to the one before.
    fn open(&self, found: &mut Vec<Opening>, (day, date): (usize, Date), from: i16, to: i16) {
        let span =
            Stretch { starts_at: self.at_minute(day, date, from), ends_at: self.at_minute(day, date, to) };
        // An opening that lies in the hour the clock skips is none that day.
        if span.starts_at >= span.ends_at {
            return;
        }
        match found.last_mut().filter(|last| last.day == day && span.starts_at <= last.until) {
            Some(last) => {
                last.until = last.until.max(span.ends_at);
                last.span.ends_at = last.until;
            }
            None => found.push(Opening { day, span, until: span.ends_at }),
        }
    }
}

/// What decides the openings of a day.
pub(super) fn plan<'a>(window: &Window<'a>, date: Date) -> Plan<'a> {
    let Window { diary, school, .. } = *window;
    if let Some(own) = diary.exceptions.get(&date) {
        Plan::Exception(own)
    } else if let Some(name) = school.holidays.get(&date) {
        Plan::Holiday(name)
    } else {
        Plan::Weekly
    }
}

/// In order and without overlaps.
pub(super) fn merged(mut list: Vec<Stretch>) -> Vec<Stretch> {
    list.sort_unstable();
    list.dedup_by(|next, last| {
        let meets = next.starts_at <= last.ends_at;
        if meets {
            last.ends_at = last.ends_at.max(next.ends_at);
        }
        meets
    });
    list
}
