//! Days on which a school is closed. An instructor's exception for such a day goes before.

pub mod ics;
#[cfg(feature = "server")]
mod service;
#[cfg(feature = "server")]
mod store;

use jiff::{ToSpan, civil::Date};

#[cfg(feature = "server")]
pub use service::{Added, Report, add, import, list, remove};

use super::exceptions::day_until;
use crate::{FieldErrors, Instant, Result, identity, zoned::Zone};

/// How many years ahead holidays are kept.
const YEARS: i32 = 5;

/// A day on which the school is closed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Holiday {
    /// A local day.
    pub day: Date,
    /// What it is called.
    pub name: String,
}

/// The form of a holiday as typed.
#[derive(Clone, Copy, Debug)]
pub struct TypedHoliday<'a> {
    /// A local day.
    pub date: &'a str,
    /// What it is called.
    pub name: &'a str,
}

impl TypedHoliday<'_> {
    /// The holiday that was meant.
    ///
    /// # Errors
    /// All fields to mend at once.
    pub fn check(self, zone: &Zone, now: Instant) -> Result<Holiday> {
        let mut errors = FieldErrors::new();
        let today = zone.date(now);
        let day = errors.check("date", day_until(self.date, today, last_day(today)));
        let name = errors.check("name", identity::thing_name(self.name));
        errors.finish()?;
        Ok(Holiday { day: day.unwrap_or_default(), name: name.unwrap_or_default() })
    }
}

/// The last day that can be a holiday.
pub fn last_day(today: Date) -> Date {
    today.saturating_add(YEARS.years())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::Error;

    fn check(date: &str, name: &str) -> Result<Holiday> {
        let zone = Zone::parse("Africa/Johannesburg").expect("a zone");
        TypedHoliday { date, name }.check(&zone, "2027-01-12T07:30:00Z".parse().expect("a moment"))
    }

    #[test]
    fn a_day_from_today_to_five_years_ahead() {
        let found = check(" 2032-01-12 ", " يوم الحرية ").expect("a holiday");
        assert_eq!(found, Holiday { day: date(2032, 1, 12), name: "يوم الحرية".into() });
        for (day, name, fields) in [
            ("2027-01-11", "x", "date"),
            ("2032-01-13", "x", "date"),
            ("2027-02-30", " ", "date name"),
            ("2027-01-12", "a\nb", "name"),
        ] {
            let Err(Error::Invalid(errors)) = check(day, name) else { panic!("{day} {name}") };
            assert_eq!(errors.0.into_keys().collect::<Vec<_>>().join(" "), fields);
        }
        assert!(check("2027-01-12", &"x".repeat(101)).is_err());
    }
}
