//! Packs: prepaid lessons of a student with an instructor.
//!
//! Credits move between three accounts of a pack, one posting a movement. The database keeps the totals and refuses to
//! go below zero; a mistake is mended by another posting.

#[cfg(feature = "server")]
pub mod service;
#[cfg(feature = "server")]
pub(crate) mod store;

use jiff::civil::Date;

use crate::{
    Instant,
    ids::{BookingId, InstructorId, PackId, StudentId, UserId},
    zoned::Zone,
};

/// Lessons of a pack when nothing else is said.
pub const DEFAULT_LESSONS: i32 = 4;
/// Lessons of a pack at most: more is a slip of the finger.
const MAX_LESSONS: i32 = 1000;

/// Where a credit of a pack can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreditAccount {
    /// Not given out.
    Issued,
    /// In the pack, to be used.
    Pack,
    /// Used.
    Used,
}

impl CreditAccount {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Pack => "pack",
            Self::Used => "used",
        }
    }
}

/// A movement of credits.
#[derive(Clone, Copy, Debug)]
pub struct Posting<'a> {
    /// Of which pack.
    pub pack: PackId,
    /// Out of this account.
    pub from: CreditAccount,
    /// Into this one.
    pub to: CreditAccount,
    /// How many, 1 or more.
    pub lessons: i32,
    /// The lesson that caused it.
    pub booking: Option<BookingId>,
    /// Who did it.
    pub actor: Option<UserId>,
    /// Why, 1 to 1,000 characters.
    pub reason: &'a str,
}

/// What is done to a pack by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// One more lesson.
    Add,
    /// One lesson used.
    Use,
}

impl Hand {
    /// From and to.
    pub fn accounts(self) -> (CreditAccount, CreditAccount) {
        match self {
            Self::Add => (CreditAccount::Issued, CreditAccount::Pack),
            Self::Use => (CreditAccount::Pack, CreditAccount::Used),
        }
    }
}

/// A pack after a posting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackAfter {
    /// Lessons left.
    pub left: i32,
    /// Lessons given out.
    pub total: i32,
    /// Lessons used.
    pub used: i32,
    /// Whose it is.
    pub student: StudentId,
    /// With whom.
    pub instructor: InstructorId,
}

/// What a pack holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct PackLine {
    /// Id.
    pub id: PackId,
    /// Lessons given out.
    pub total: i32,
    /// Lessons used.
    pub used: i32,
    /// Lessons left.
    pub left: i32,
    /// From then on it can't be used; `None` is no expiry.
    pub expires_at: Option<Instant>,
}

/// A pack as its student sees it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct StudentPack {
    /// With whom.
    pub instructor: InstructorId,
    /// Their name.
    pub instructor_name: String,
    /// They were removed: the pack can't be used as long as they are.
    pub gone: bool,
    /// What it holds.
    pub pack: PackLine,
}

/// Whether a pack can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackStatus {
    /// Lessons are left.
    Active,
    /// None is left.
    UsedUp,
    /// Its time is over.
    Expired,
}

impl PackStatus {
    /// For people and exports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::UsedUp => "used up",
            Self::Expired => "expired",
        }
    }
}

impl PackLine {
    /// Whether it can be used at `now`.
    pub fn status(&self, now: Instant) -> PackStatus {
        status(self.left, self.expires_at, now)
    }
}

/// Whether a pack with so many lessons left and this end can be used at `now`.
pub fn status(left: i32, expires_at: Option<Instant>, now: Instant) -> PackStatus {
    if expires_at.is_some_and(|at| at <= now) {
        PackStatus::Expired
    } else if left == 0 {
        PackStatus::UsedUp
    } else {
        PackStatus::Active
    }
}

/// The number of lessons as typed; empty is [`DEFAULT_LESSONS`].
///
/// # Errors
/// A message for people.
pub fn parse_lessons(text: &str) -> Result<i32, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(DEFAULT_LESSONS);
    }
    match text.parse::<i32>() {
        Ok(lessons) if (1..=MAX_LESSONS).contains(&lessons) => Ok(lessons),
        _ => Err("Give a whole number from 1 to 1,000.".into()),
    }
}

/// The last day of a pack as typed, `2027-03-30`: it ends with that day on the school's wall clock. Empty is no expiry.
///
/// # Errors
/// A message for people.
pub fn parse_expiry(text: &str, zone: &Zone, now: Instant) -> Result<Option<Instant>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let how = || "Write the day like 2027-03-30, or leave it empty for no expiry.".to_owned();
    let day: Date = text.parse().map_err(|_| how())?;
    let today = zone.date(now);
    if day < today {
        return Err("This day is over. Choose today or a later day, or leave it empty for no expiry.".into());
    }
    if day.year() > today.year() + 10 {
        return Err("Choose a day within the next ten years, or leave it empty for no expiry.".into());
    }
    Ok(Some(zone.day_start(day.tomorrow().map_err(|_| how())?)))
}

/// The last day on which a pack with this end can be used.
pub fn last_day(expires_at: Instant, zone: &Zone) -> Date {
    let last =
        expires_at.as_nanosecond().checked_sub(1).and_then(|nanos| Instant::from_nanosecond(nanos).ok());
    zone.date(last.unwrap_or(expires_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().expect("a timestamp")
    }

    #[test]
    fn lessons_are_four_unless_said() {
        assert_eq!(parse_lessons(" "), Ok(4));
        assert_eq!(parse_lessons(" 10 "), Ok(10));
        for bad in ["0", "-1", "1001", "4.5", "four", "99999999999"] {
            assert!(parse_lessons(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_pack_lasts_through_its_last_day() {
        let zone = Zone::parse("Africa/Johannesburg").expect("a zone");
        let now = at("2027-03-30T20:00:00Z");
        let end = parse_expiry("2027-03-30", &zone, now).expect("today").expect("an expiry");
        assert_eq!(end, at("2027-03-30T22:00:00Z"));
        assert_eq!(last_day(end, &zone).to_string(), "2027-03-30");
        assert_eq!(parse_expiry("", &zone, now), Ok(None));
        for bad in ["2027-03-29", "2050-01-01", "30.3.2027", "2027-02-30", "soon"] {
            assert!(parse_expiry(bad, &zone, now).is_err(), "{bad}");
        }
    }

    #[test]
    fn status_tells_expired_from_used_up() {
        let now = at("2027-03-30T20:00:00Z");
        let pack =
            |left, expires_at| PackLine { id: PackId::new(now), total: 4, used: 4 - left, left, expires_at };
        assert_eq!(pack(1, None).status(now), PackStatus::Active);
        assert_eq!(pack(0, None).status(now), PackStatus::UsedUp);
        assert_eq!(pack(1, Some(now)).status(now), PackStatus::Expired);
    }
}
