//! The form of a series as it was typed, and what it asks for.

use std::collections::BTreeSet;

use jiff::{
    ToSpan,
    civil::{Date, DateTime},
};

use super::{Every, Refused, Until, dates};
use crate::{
    Error, FieldErrors, Result,
    authz::{Action, Reach, TenantScope},
    booking::{staff, wall_clock},
    identity,
    ids::{InstructorId, ServiceId, StudentId},
};

/// How far ahead a series can begin, in days.
const FIRST_DAYS: i64 = 731;

/// The form as it was typed.
#[derive(Clone, Debug, Default)]
pub struct SeriesTyped {
    /// By staff: an id, an e-mail address or a name. Students book for themselves and leave it empty.
    pub student: String,
    /// An id.
    pub service: String,
    /// An id, or `any`: one instructor for all of the lessons.
    pub instructor: String,
    /// The first local day.
    pub date: String,
    /// A local time.
    pub time: String,
    /// `second` to take the second of two moments where the clock shows the time twice; else it is the first.
    pub clock: String,
    /// `weekly`, `fortnightly` or `monthly`.
    pub every: String,
    /// `count` or `day`: which of the next two says how it ends.
    pub until: String,
    /// Number of lessons.
    pub count: String,
    /// The last local day.
    pub last_day: String,
    /// Places to leave out; 1 is the first lesson.
    pub skip: Vec<i32>,
    /// What the instructor should know.
    pub note: String,
    /// Where to pick the student up.
    pub pickup: String,
    /// The same key asks for the same series, not for another.
    pub idempotency_key: Option<String>,
}

/// The student that staff mean by an id, an e-mail address or a name.
///
/// # Errors
/// A message beside `student`.
pub async fn student(scope: &mut TenantScope, text: &str) -> Result<StudentId> {
    if scope.require(Action::BookSeries)? != Reach::All {
        return Err(Error::NotFound);
    }
    let name = student_text(text).map_err(|message| Error::field("student", message))?;
    staff::student_named(scope, &name).await
}

fn student_text(text: &str) -> Result<String, String> {
    let name = identity::text(text, 320)?;
    if name.is_empty() { Err("Say who it is for: a name or an e-mail address.".into()) } else { Ok(name) }
}

/// A form that was checked as far as it goes without looking at anyone's time.
pub(super) struct Wanted {
    pub(super) student: StudentId,
    pub(super) by_student: bool,
    pub(super) service: ServiceId,
    pub(super) instructor: Option<InstructorId>,
    pub(super) every: Every,
    pub(super) first: DateTime,
    pub(super) second: bool,
    pub(super) days: Vec<Date>,
    pub(super) skip: BTreeSet<i32>,
    pub(super) note: String,
    pub(super) pickup: String,
    pub(super) key: Option<String>,
}

impl Wanted {
    /// Checks all fields at once. One query when staff name the student by anything.
    pub(super) async fn new(scope: &mut TenantScope, typed: &SeriesTyped) -> Result<Self> {
        let own = match scope.require(Action::BookSeries)? {
            Reach::All => None,
            _ => Some(scope.actor().student().ok_or(Error::NotFound)?),
        };
        let (first, every, days, texts) = typed.check(scope, own.is_some())?;
        let Texts { student, note, pickup, key } = texts;
        let service = id(&typed.service)?;
        let instructor = match typed.instructor.trim() {
            "any" => None,
            one => Some(id(one)?),
        };
        let by_student = own.is_some();
        let student = match own {
            // Who books for themselves can't name another.
            Some(own) if student.is_empty() || student == own.to_string() => own,
            Some(_) => return Err(Error::NotFound),
            // The look at what is named finds out whether there is such a student.
            None => match student.parse() {
                Ok(id) => id,
                Err(_) => staff::student_named(scope, &student).await?,
            },
        };
        Ok(Self {
            student,
            by_student,
            service,
            instructor,
            every,
            first,
            second: typed.clock.trim() == "second",
            days,
            skip: typed.skip.iter().copied().collect(),
            note,
            pickup,
            key,
        })
    }

    /// What tells this request from others with the same key: all it says, and who says it.
    pub(super) fn said(&self, scope: &TenantScope) -> Result<Vec<u8>> {
        let said = (
            "series",
            scope.actor().user,
            self.student,
            self.service,
            self.instructor,
            self.every.as_str(),
            (self.first, self.second),
            (&self.days, &self.skip),
            (&self.note, &self.pickup),
        );
        serde_json::to_vec(&said).map_err(Error::internal)
    }
}

fn id<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.trim().parse().map_err(|_| Error::NotFound)
}

/// The texts of a form, trimmed and within their limits.
struct Texts {
    student: String,
    note: String,
    pickup: String,
    key: Option<String>,
}

impl SeriesTyped {
    /// Names every field to mend.
    fn check(&self, scope: &TenantScope, own: bool) -> Result<(DateTime, Every, Vec<Date>, Texts)> {
        let mut errors = FieldErrors::new();
        let student = if own {
            Some(self.student.trim().to_owned())
        } else {
            errors.check("student", student_text(&self.student))
        };
        for (field, value, message) in [
            ("service", &self.service, "Choose a service."),
            ("instructor", &self.instructor, "Choose who gives it, or any."),
        ] {
            if value.trim().is_empty() {
                errors.add(field, message);
            }
        }
        let note = errors.check("note", identity::text(&self.note, 10_000));
        let pickup = errors.check("pickup", identity::text(&self.pickup, 300));
        let key = errors
            .check("idempotency_key", identity::text(self.idempotency_key.as_deref().unwrap_or(""), 200));
        let today = scope.tenant().zone.date(scope.now());
        let first = errors.take(wall_clock(&self.date, &self.time))?;
        let first = first.and_then(|first| errors.check("date", first_day(first, today)));
        let every = errors.check("every", Every::parse(self.every.trim()).ok_or("Choose how often."));
        let mut named = |(field, message): Refused| errors.add(field, message);
        let until = Until::parse(&self.until, &self.count, &self.last_day).map_err(&mut named).ok();
        let days = match (first, every, until) {
            (Some(first), Some(every), Some(until)) => {
                dates(first.date(), every, until).map_err(&mut named).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        errors.finish()?;
        let texts = Texts {
            student: student.unwrap_or_default(),
            note: note.unwrap_or_default(),
            pickup: pickup.unwrap_or_default(),
            key: key.filter(|key| !key.is_empty()),
        };
        Ok((first.unwrap_or_default(), every.unwrap_or(Every::Weekly), days, texts))
    }
}

/// The first lesson, unless its day has passed or lies too far off.
fn first_day(first: DateTime, today: Date) -> Result<DateTime, &'static str> {
    if first.date() < today {
        Err("This day has passed. Choose a later one.")
    } else if first.date() > today.saturating_add(FIRST_DAYS.days()) {
        Err("Choose a day within the next two years.")
    } else {
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_first_day_is_neither_over_nor_too_far() {
        let today = date(2026, 3, 3);
        let first = |day: Date| first_day(day.at(16, 0, 0, 0), today).map(|first| first.date());
        assert_eq!(first(today), Ok(today));
        assert!(first(date(2026, 3, 2)).is_err_and(|message| message.contains("passed")));
        assert_eq!(first(date(2028, 3, 3)), Ok(date(2028, 3, 3)));
        for far in [date(2028, 3, 4), Date::MAX] {
            assert!(first(far).is_err_and(|message| message.contains("two years")));
        }
        assert!(first(Date::MIN).is_err());
    }
}
