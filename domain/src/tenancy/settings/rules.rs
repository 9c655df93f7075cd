//! How much a student may book, how long an offer is held, and when people are reminded.

use serde::Serialize;

use crate::{
    FieldErrors,
    availability::hours::parse_clock,
    services::{hours_text, parse_hours},
};

/// Reminders before a lesson at most.
const MOST_REMINDERS: usize = 5;

/// The rules of a school that no service has of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rules {
    /// Lessons a day of each student; none for no limit.
    pub student_max_per_day: Option<i32>,
    /// Lessons from Monday to Sunday of each student; none for no limit.
    pub student_max_per_week: Option<i32>,
    /// How long an offer from the waiting list is held.
    pub offer_min: i32,
    /// How long before a lesson its student is reminded, longest first.
    pub reminder_offsets: Vec<i32>,
    /// From this minute of the day nobody is reminded.
    pub quiet_from: i16,
    /// Up to this one; the same as the first is never quiet.
    pub quiet_to: i16,
}

/// The rules as typed. What isn't sent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct RulesInput {
    /// A whole number; empty for no limit.
    pub student_max_per_day: Option<String>,
    /// A whole number; empty for no limit.
    pub student_max_per_week: Option<String>,
    /// Hours.
    pub offer_hours: Option<String>,
    /// Hours, with commas between them.
    pub reminders: Option<String>,
    /// "22:00".
    pub quiet_from: Option<String>,
    /// "06:00".
    pub quiet_to: Option<String>,
}

impl RulesInput {
    /// The rules that were meant, given those that are there.
    pub(super) fn check(&self, errors: &mut FieldErrors, stored: &Rules) -> Rules {
        Rules {
            student_max_per_day: meant(
                errors,
                "student_max_per_day",
                self.student_max_per_day.as_deref(),
                &stored.student_max_per_day,
                |typed| parse_limit(typed, 100),
            ),
            student_max_per_week: meant(
                errors,
                "student_max_per_week",
                self.student_max_per_week.as_deref(),
                &stored.student_max_per_week,
                |typed| parse_limit(typed, 500),
            ),
            offer_min: meant(
                errors,
                "offer_hours",
                self.offer_hours.as_deref(),
                &stored.offer_min,
                parse_offer,
            ),
            reminder_offsets: meant(
                errors,
                "reminders",
                self.reminders.as_deref(),
                &stored.reminder_offsets,
                parse_reminders,
            ),
            quiet_from: meant(
                errors,
                "quiet_from",
                self.quiet_from.as_deref(),
                &stored.quiet_from,
                parse_minute,
            ),
            quiet_to: meant(errors, "quiet_to", self.quiet_to.as_deref(), &stored.quiet_to, parse_minute),
        }
    }
}

/// What a field says; what is stored when it wasn't sent, or is wrong.
fn meant<T: Clone>(
    errors: &mut FieldErrors,
    field: &str,
    typed: Option<&str>,
    stored: &T,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> T {
    typed.and_then(|typed| errors.check(field, parse(typed))).unwrap_or_else(|| stored.clone())
}

fn parse_limit(typed: &str, most: i32) -> Result<Option<i32>, String> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let digits = typed.bytes().all(|byte| byte.is_ascii_digit());
    let limit = typed.parse::<i32>().ok().filter(|limit| digits && (1..=most).contains(limit));
    limit
        .map(Some)
        .ok_or_else(|| format!("Type a whole number from 1 to {most}, or leave it empty for no limit."))
}

fn parse_offer(typed: &str) -> Result<i32, String> {
    let minutes = parse_hours(typed).ok().filter(|minutes| (5..=2880).contains(minutes));
    minutes.ok_or_else(|| "Type a number of hours from 0.1 to 48.".into())
}

/// "24, 2" as minutes, longest first.
fn parse_reminders(typed: &str) -> Result<Vec<i32>, String> {
    let mut offsets = Vec::new();
    for part in typed.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()) {
        let minutes = parse_hours(part).ok().filter(|minutes| (15..=20_160).contains(minutes));
        offsets.push(minutes.ok_or_else(|| {
            "Type hours from 0.25 to 336 with commas between them, such as 24, 2. Empty for none.".to_owned()
        })?);
    }
    offsets.sort_unstable_by(|one, other| other.cmp(one));
    offsets.dedup();
    if offsets.len() > MOST_REMINDERS {
        return Err(format!("At most {MOST_REMINDERS} reminders."));
    }
    Ok(offsets)
}

/// A minute of the day; 24:00 is the first one.
fn parse_minute(typed: &str) -> Result<i16, String> {
    parse_clock(typed).map(|minute| minute % 1440)
}

/// Reminders as typed in the form: "24, 2".
pub fn reminders_text(offsets: &[i32]) -> String {
    offsets.iter().map(|minutes| hours_text(*minutes)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What a new school has.
    pub(in crate::tenancy::settings) fn usual() -> Rules {
        Rules {
            student_max_per_day: None,
            student_max_per_week: Some(3),
            offer_min: 120,
            reminder_offsets: vec![1440, 120],
            quiet_from: 1320,
            quiet_to: 360,
        }
    }

    fn checked(typed: &RulesInput) -> Result<Rules, FieldErrors> {
        let mut errors = FieldErrors::new();
        let rules = typed.check(&mut errors, &usual());
        if errors.is_empty() { Ok(rules) } else { Err(errors) }
    }

    #[test]
    fn what_is_not_sent_stays_and_what_is_emptied_goes() {
        assert_eq!(checked(&RulesInput::default()), Ok(usual()));
        let emptied = RulesInput {
            student_max_per_week: Some(" ".into()),
            reminders: Some(String::new()),
            ..RulesInput::default()
        };
        let expected = Rules { student_max_per_week: None, reminder_offsets: Vec::new(), ..usual() };
        assert_eq!(checked(&emptied), Ok(expected));
    }

    #[test]
    fn the_form_reads_what_it_shows() {
        let text = |minute: i16| crate::availability::hours::clock_text(minute);
        let shown = RulesInput {
            student_max_per_day: Some(String::new()),
            student_max_per_week: Some("3".into()),
            offer_hours: Some(hours_text(120)),
            reminders: Some(reminders_text(&[1440, 120])),
            quiet_from: Some(text(1320)),
            quiet_to: Some(text(360)),
        };
        assert_eq!(reminders_text(&[1440, 120]), "24, 2");
        assert_eq!(checked(&shown), Ok(usual()));
        for minutes in (5..=2880).step_by(7) {
            assert_eq!(parse_offer(&hours_text(minutes)), Ok(minutes));
        }
    }

    #[test]
    fn reminders_are_hours_in_any_order() {
        assert_eq!(parse_reminders("2; 24, 0.25,2"), Ok(vec![1440, 120, 15]));
        assert_eq!(parse_reminders("336"), Ok(vec![20_160]));
        assert_eq!(parse_minute("24:00"), Ok(0));
        for bad in ["0.2", "337", "soon", "1,2,3,4,5,6", "-2", "24 h"] {
            assert!(parse_reminders(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn all_fields_to_mend_are_named_at_once() {
        let bad = RulesInput {
            student_max_per_day: Some("0".into()),
            student_max_per_week: Some("+5".into()),
            offer_hours: Some("49".into()),
            reminders: Some("400".into()),
            quiet_from: Some("late".into()),
            quiet_to: Some("25:00".into()),
        };
        let errors = checked(&bad).expect_err("it should be refused");
        assert_eq!(errors.0.len(), 6);
    }
}
