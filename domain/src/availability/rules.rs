//! How an instructor may be booked beyond their hours: the time between two places, how much a day and a week, and
//! their share when any instructor will do.

#[cfg(feature = "server")]
mod service;
#[cfg(feature = "server")]
mod store;

#[cfg(feature = "server")]
pub(super) use service::allow;
#[cfg(feature = "server")]
pub use service::{desk, set};

use super::{Block, WeeklyHour, exceptions::DayException};
use crate::{FieldErrors, Result};

/// The limits of an instructor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// Minutes between two lessons at different places.
    pub travel_min: i32,
    /// Lessons a day at most.
    pub max_per_day: Option<i32>,
    /// Lessons a week at most, Monday to Sunday.
    pub max_per_week: Option<i32>,
    /// Who has twice the weight gets twice the lessons when any instructor will do.
    pub weight: i32,
}

/// All that is set of an instructor's time: what their page shows and changes.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Openings of each week, in order.
    pub hours: Vec<WeeklyHour>,
    /// Blocked times that aren't over, in order.
    pub blocks: Vec<Block>,
    /// Days from today on with hours of their own, in order.
    pub exceptions: Vec<DayException>,
    /// The limits.
    pub limits: Limits,
}

/// The form of the limits as typed.
#[derive(Clone, Copy, Debug)]
pub struct TypedLimits<'a> {
    /// Minutes.
    pub travel: &'a str,
    /// A number; empty for no limit.
    pub max_per_day: &'a str,
    /// A number; empty for no limit.
    pub max_per_week: &'a str,
    /// A number; empty to leave it as it is. Instructors don't set their own.
    pub weight: &'a str,
}

impl TypedLimits<'_> {
    /// The limits that were meant. `weighs` says whether the weight is for the one who typed them to set.
    ///
    /// # Errors
    /// All fields to mend at once.
    pub fn check(self, before: Limits, weighs: bool) -> Result<Limits> {
        let mut errors = FieldErrors::new();
        let travel = errors.check("travel", whole(self.travel, 0, 240, " of minutes"));
        let day = errors.check("max_per_day", at_most(self.max_per_day, 100));
        let week = errors.check("max_per_week", at_most(self.max_per_week, 500));
        let weight = match (self.weight.trim(), weighs) {
            ("", _) => Ok(before.weight),
            (typed, true) => whole(typed, 1, 10, ""),
            (_, false) => Err("The school sets this. Leave it out.".into()),
        };
        let weight = errors.check("weight", weight);
        if let (Some(Some(day)), Some(Some(week))) = (day, week)
            && day > week
        {
            errors.add("max_per_day", format!("In a week it is at most {week}. Type no more than that."));
        }
        errors.finish()?;
        Ok(Limits {
            travel_min: travel.unwrap_or_default(),
            max_per_day: day.flatten(),
            max_per_week: week.flatten(),
            weight: weight.unwrap_or(before.weight),
        })
    }
}

fn whole(typed: &str, min: i32, max: i32, of: &str) -> Result<i32, String> {
    let number: Option<i32> = typed.trim().parse().ok();
    number
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| format!("Type a whole number{of} from {min} to {max}."))
}

fn at_most(typed: &str, max: i32) -> Result<Option<i32>, String> {
    if typed.trim().is_empty() {
        return Ok(None);
    }
    let number = whole(typed, 1, max, "");
    number.map(Some).map_err(|_| format!("Type a whole number from 1 to {max}, or nothing for no limit."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    const BEFORE: Limits = Limits { travel_min: 0, max_per_day: None, max_per_week: None, weight: 3 };

    fn typed([travel, max_per_day, max_per_week, weight]: [&str; 4]) -> TypedLimits<'_> {
        TypedLimits { travel, max_per_day, max_per_week, weight }
    }

    fn fields(typed: TypedLimits<'_>, weighs: bool) -> Vec<String> {
        match typed.check(BEFORE, weighs) {
            Err(Error::Invalid(errors)) => errors.0.into_keys().collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn limits_may_be_none() {
        let found = typed(["0", "", " ", "10"]).check(BEFORE, true).expect("limits");
        assert_eq!(found, Limits { weight: 10, ..BEFORE });
        let found = typed(["240", "100", "500", "1"]).check(BEFORE, true).expect("limits");
        let all = Limits { travel_min: 240, max_per_day: Some(100), max_per_week: Some(500), weight: 1 };
        assert_eq!(found, all);
    }

    #[test]
    fn each_wrong_field_is_named() {
        let all = ["max_per_day", "max_per_week", "travel", "weight"];
        assert_eq!(fields(typed(["241", "101", "501", "11"]), true), all);
        assert_eq!(fields(typed(["", "0", "0", "1.0"]), true), all);
        assert_eq!(fields(typed(["-1", "1.5", "x", "0"]), true), all);
        assert_eq!(fields(typed(["0", "6", "5", "1"]), true), ["max_per_day"]);
        assert!(typed(["0", "5", "5", "1"]).check(BEFORE, true).is_ok());
    }

    #[test]
    fn an_instructor_does_not_weigh_themselves() {
        assert_eq!(fields(typed(["0", "", "", "10"]), false), ["weight"]);
        let found = typed(["15", "", "", ""]).check(BEFORE, false).expect("limits");
        assert_eq!(found, Limits { travel_min: 15, ..BEFORE });
    }
}
