//! The days of a series, and the moments of a wall-clock time on them.

use jiff::{
    ToSpan,
    civil::{Date, DateTime},
};

use crate::{
    Instant,
    zoned::{LocalTime, Zone},
};

/// Lessons of a series at most: two years of weeks.
pub const MOST: usize = 104;

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// Each week.
    Weekly,
    /// Each second week.
    Fortnightly,
    /// Each month, on the same weekday: the third Tuesday stays the third Tuesday.
    Monthly,
}

/// How a series ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After so many lessons.
    Count(i32),
    /// With this day, at the latest.
    Day(Date),
}

/// A field of the form and what is wrong with it.
pub type Refused = (&'static str, String);

impl Every {
    /// All, most often first.
    pub const ALL: [Self; 3] = [Self::Weekly, Self::Fortnightly, Self::Monthly];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Weekly => "weekly",
            Self::Fortnightly => "fortnightly",
            Self::Monthly => "monthly",
        }
    }

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Weekly => "Weekly",
            Self::Fortnightly => "Fortnightly",
            Self::Monthly => "Monthly",
        }
    }

    /// From the database or a form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|every| every.as_str() == text)
    }

    /// When, in words: "Every Tuesday at 16:00".
    pub fn describe(self, first: DateTime) -> String {
        let (day, clock) = (first.strftime("%A"), first.strftime("%H:%M"));
        match self {
            Self::Weekly => format!("Every {day} at {clock}"),
            Self::Fortnightly => format!("Every second {day} at {clock}"),
            Self::Monthly => {
                let which = match place_in_month(first.date()) {
                    1 => "first",
                    2 => "second",
                    3 => "third",
                    4 => "fourth",
                    _ => "fifth or last",
                };
                format!("Each month on the {which} {day} at {clock}")
            }
        }
    }

    /// The day of the lesson that follows `n` after the first.
    fn day(self, first: Date, n: i64) -> Option<Date> {
        match self {
            Self::Weekly => first.checked_add((7 * n).days()).ok(),
            Self::Fortnightly => first.checked_add((14 * n).days()).ok(),
            Self::Monthly => {
                let month = first.first_of_month().checked_add(n.months()).ok()?;
                let weekday = first.weekday();
                // A fifth one that the month doesn't have is its last.
                month
                    .nth_weekday_of_month(place_in_month(first), weekday)
                    .or_else(|_| month.nth_weekday_of_month(-1, weekday))
                    .ok()
            }
        }
    }
}

/// The how many-th of its weekday in the month a day is, from 1 to 5.
fn place_in_month(day: Date) -> i8 {
    (day.day() - 1) / 7 + 1
}

impl Until {
    /// The end as typed: `until` says which of the two fields counts, `count` or `day`. When it says nothing, one of
    /// them must be empty.
    ///
    /// # Errors
    /// The field and what is wrong with it.
    pub fn parse(until: &str, count: &str, last_day: &str) -> Result<Self, Refused> {
        let (count, last_day) = (count.trim(), last_day.trim());
        let by_count = match (until.trim(), count.is_empty(), last_day.is_empty()) {
            ("count", ..) | ("", false, true) => true,
            ("day", ..) | ("", true, false) => false,
            ("", false, false) => {
                return Err(("until", "Give a number of lessons or a last day, not both.".into()));
            }
            _ => return Err(("until", "Say how it ends: after a number of lessons or on a day.".into())),
        };
        if by_count {
            count.parse().map(Self::Count).map_err(|_| ("count", how_many()))
        } else {
            last_day.parse().map(Self::Day).map_err(|_| ("last_day", "Choose the last day.".into()))
        }
    }
}

fn how_many() -> String {
    format!("Between 2 and {MOST} lessons.")
}

/// The days of a series that begins on `first`, in order.
///
/// # Errors
/// The field and what is wrong with it.
pub fn dates(first: Date, every: Every, until: Until) -> Result<Vec<Date>, Refused> {
    match until {
        Until::Count(count) => {
            if !usize::try_from(count).is_ok_and(|count| (2..=MOST).contains(&count)) {
                return Err(("count", how_many()));
            }
            let days: Option<Vec<Date>> = (0..i64::from(count)).map(|n| every.day(first, n)).collect();
            days.ok_or_else(|| ("date", "Choose an earlier day.".into()))
        }
        Until::Day(last) => {
            if last < first {
                return Err(("last_day", "The last day must come after the first.".into()));
            }
            if last > first.saturating_add(2.years()) {
                return Err(("last_day", "At most two years after the first. Choose an earlier day.".into()));
            }
            let days: Vec<Date> =
                (0..).map_while(|n| every.day(first, n).filter(|day| *day <= last)).collect();
            match days.len() {
                ..2 => Err(("last_day", "That makes one lesson alone. Choose a later day.".into())),
                number if number > MOST => {
                    let message =
                        format!("That makes {number} lessons; {MOST} at most. Choose an earlier day.");
                    Err(("last_day", message))
                }
                _ => Ok(days),
            }
        }
    }
}

/// The moment of a wall-clock time. Of a time that the clock shows twice it is the first, or the second if `second`.
///
/// # Errors
/// When the clock skips it, in words.
pub fn moment(zone: &Zone, wall: DateTime, second: bool) -> Result<Instant, String> {
    match zone.resolve(wall) {
        LocalTime::Twice(_, later) if second => Ok(later),
        LocalTime::Once(at) | LocalTime::Twice(at, _) => Ok(at),
        LocalTime::Never => Err(format!("The clock skips {} on that day.", wall.strftime("%H:%M"))),
    }
}

#[cfg(test)]
mod tests;
