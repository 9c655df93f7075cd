//! Days on which an instructor has other hours than each week, or none. An exception stands in place of the weekly
//! hours of its day, and goes before a holiday.

#[cfg(feature = "server")]
mod service;
#[cfg(feature = "server")]
pub(super) mod store;

use jiff::{ToSpan, civil::Date, tz::AmbiguousOffset};

#[cfg(feature = "server")]
pub use service::{Saved, remove, save};

use super::{Stretch, hours::parse_day};
use crate::{FieldErrors, Instant, Result, identity, paging, zoned::Zone};

/// How many days ahead hours of a day can be set: as far as anything can be booked.
const FURTHEST: i32 = 730;

/// The hours of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayException {
    /// A local day.
    pub day: Date,
    /// Openings in minutes from midnight, in order; none is a day off.
    pub openings: Vec<(i16, i16)>,
    /// Why; empty when nothing was said.
    pub reason: String,
}

/// The form of an exception as typed.
#[derive(Clone, Copy, Debug)]
pub struct TypedException<'a> {
    /// A local day.
    pub date: &'a str,
    /// "09:00-12:00, 14:00-16:00"; empty for a day off.
    pub hours: &'a str,
    /// Why.
    pub reason: &'a str,
}

impl TypedException<'_> {
    /// The exception that was meant.
    ///
    /// # Errors
    /// All fields to mend at once.
    pub fn check(self, zone: &Zone, now: Instant) -> Result<DayException> {
        let mut errors = FieldErrors::new();
        let today = zone.date(now);
        let day = errors.check("date", day_until(self.date, today, last_day(today)));
        let openings = errors.check("hours", parse_openings(self.hours, day, zone));
        let reason = errors.check("reason", identity::text(self.reason, 200));
        errors.finish()?;
        Ok(DayException {
            day: day.unwrap_or_default(),
            openings: openings.unwrap_or_default(),
            reason: reason.unwrap_or_default(),
        })
    }
}

/// The last day whose hours can be set.
pub fn last_day(today: Date) -> Date {
    today.saturating_add(FURTHEST.days())
}

/// A day from today on.
pub(super) fn day_until(typed: &str, today: Date, last: Date) -> Result<Date, String> {
    paging::day(typed)
        .filter(|day| (today..=last).contains(day))
        .ok_or_else(|| format!("Choose a day from today to {}.", last.strftime("%-d %b %Y")))
}

/// The openings of a day. Without the day, which is wrong then, only what is typed is read.
fn parse_openings(typed: &str, day: Option<Date>, zone: &Zone) -> Result<Vec<(i16, i16)>, String> {
    let weekday = day.map_or(1, |day| i16::from(day.weekday().to_monday_one_offset()));
    let openings: Vec<(i16, i16)> =
        parse_day(weekday, typed)?.iter().map(|hour| (hour.start_minute, hour.end_minute)).collect();
    let skipped = |day: Date| {
        // Each week such an opening is simply none on that day; typed for the day itself it is a slip.
        let mut gone =
            openings.iter().filter(|(from, to)| zone.at_minute(day, *from) >= zone.at_minute(day, *to));
        gone.next().map(|(from, _)| skip_text(zone, day, *from))
    };
    match day.and_then(skipped) {
        Some(message) => Err(message),
        None => Ok(openings),
    }
}

/// "The clock skips 02:00 to 03:00 on that day."
fn skip_text(zone: &Zone, day: Date, minute: i16) -> String {
    let wall = day.at((minute / 60) as i8, (minute % 60) as i8, 0, 0);
    let offset = zone.tz().to_ambiguous_timestamp(wall).offset();
    match (offset, zone.jump(wall)) {
        (AmbiguousOffset::Gap { before, after }, Some(jump)) => {
            let (from, to) = (before.to_datetime(jump), after.to_datetime(jump));
            format!("The clock skips {} to {} on that day.", from.strftime("%H:%M"), to.strftime("%H:%M"))
        }
        _ => "The clock skips these hours on that day. Choose others.".into(),
    }
}

impl DayException {
    /// All moments of its day.
    pub fn whole_day(&self, zone: &Zone) -> Stretch {
        whole_day(zone, self.day)
    }

    /// How many lessons that begin on its day lie outside its openings. What a lesson has behind midnight belongs to the
    /// hours of the next day.
    pub fn outside(&self, zone: &Zone, lessons: &[Stretch]) -> usize {
        let midnight = self.whole_day(zone).ends_at;
        let mut open: Vec<Stretch> = Vec::new();
        for (from, to) in &self.openings {
            let next = Stretch {
                starts_at: zone.at_minute(self.day, *from),
                ends_at: zone.at_minute(self.day, *to),
            };
            match open.last_mut() {
                // Two that meet are one.
                Some(last) if last.ends_at >= next.starts_at => last.ends_at = last.ends_at.max(next.ends_at),
                _ => open.push(next),
            }
        }
        let is_inside = |lesson: Stretch| {
            let ends_at = lesson.ends_at.min(midnight);
            open.iter().any(|open| open.starts_at <= lesson.starts_at && ends_at <= open.ends_at)
        };
        lessons.iter().filter(|lesson| !is_inside(**lesson)).count()
    }
}

/// All time that can still be booked.
#[cfg(feature = "server")]
pub(crate) fn all_ahead(zone: &Zone, now: Instant) -> Stretch {
    Stretch { starts_at: now, ends_at: zone.at_minute(last_day(zone.date(now)), 1440) }
}

/// All moments of a local day.
pub(super) fn whole_day(zone: &Zone, day: Date) -> Stretch {
    Stretch { starts_at: zone.day_start(day), ends_at: zone.at_minute(day, 1440) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::Error;

    const NOW: &str = "2027-01-12T07:30:00Z";

    fn check(zone: &str, date: &str, hours: &str) -> Result<DayException> {
        let zone = Zone::parse(zone).expect("a zone");
        TypedException { date, hours, reason: "" }.check(&zone, NOW.parse().expect("a moment"))
    }

    fn error(zone: &str, date: &str, hours: &str) -> (String, String) {
        let Err(Error::Invalid(errors)) = check(zone, date, hours) else { panic!("{date} {hours}") };
        assert_eq!(errors.0.len(), 1, "{errors:?}");
        errors.0.into_iter().next().expect("one error")
    }

    #[test]
    fn a_day_from_today_to_two_years_ahead() {
        let zone = "Africa/Johannesburg";
        for good in ["2027-01-12", "2029-01-11"] {
            assert!(check(zone, good, "").is_ok(), "{good}");
        }
        for bad in ["2027-01-11", "2029-01-12", "", "tomorrow", "2027-02-30", "-009999-01-01", "9999-12-31"] {
            let message = "Choose a day from today to 11 Jan 2029.".to_owned();
            assert_eq!(error(zone, bad, ""), ("date".to_owned(), message), "{bad}");
        }
        // Today is the school's: over there it is the 11th still.
        assert!(check("Pacific/Honolulu", "2027-01-11", "").is_ok());
    }

    #[test]
    fn hours_are_read_as_each_weeks_are() {
        let found = check("Europe/Berlin", "2027-03-01", "14:00-16:00, 9:00-12:00").expect("hours");
        assert_eq!((found.day, found.openings), (date(2027, 3, 1), vec![(540, 720), (840, 960)]));
        let message = "09:00-12:00 and 11:00-13:00 overlap.".to_owned();
        let typed = "09:00-12:00, 11:00-13:00";
        assert_eq!(error("Europe/Berlin", "2027-03-01", typed), ("hours".to_owned(), message));
    }

    #[test]
    fn an_opening_that_the_clock_skips_is_refused() {
        for (zone, day, hours, skipped) in [
            ("Europe/Berlin", "2027-03-28", "02:00-03:00", "02:00 to 03:00"),
            ("Europe/Berlin", "2027-03-28", "09:00-12:00, 02:15-02:45", "02:00 to 03:00"),
            ("Africa/Cairo", "2027-04-30", "00:00-00:30", "00:00 to 01:00"),
            ("Australia/Lord_Howe", "2027-10-03", "02:00-02:30", "02:00 to 02:30"),
        ] {
            let message = format!("The clock skips {skipped} on that day.");
            assert_eq!(error(zone, day, hours), ("hours".to_owned(), message), "{zone}");
        }
        // Some of it is there.
        assert!(check("Europe/Berlin", "2027-03-28", "02:00-03:30").is_ok());
        assert!(check("Europe/Berlin", "2027-03-29", "02:00-03:00").is_ok());
    }

    #[test]
    fn lessons_outside_are_counted() {
        let zone = Zone::parse("UTC").expect("a zone");
        let day = |openings: &[(i16, i16)]| DayException {
            day: date(2027, 3, 1),
            openings: openings.to_vec(),
            reason: String::new(),
        };
        let lesson = |from: &str, to: &str| Stretch {
            starts_at: from.parse().expect("a moment"),
            ends_at: to.parse().expect("a moment"),
        };
        let lessons = [
            lesson("2027-03-01T09:00:00Z", "2027-03-01T10:00:00Z"),
            lesson("2027-03-01T11:30:00Z", "2027-03-01T12:30:00Z"),
            lesson("2027-03-01T23:30:00Z", "2027-03-02T00:30:00Z"),
        ];
        assert_eq!(day(&[]).outside(&zone, &lessons), 3);
        assert_eq!(day(&[(540, 720)]).outside(&zone, &lessons), 2);
        assert_eq!(day(&[(540, 720), (720, 780)]).outside(&zone, &lessons), 1);
        assert_eq!(day(&[(0, 1440)]).outside(&zone, &lessons), 0);
    }
}
