//! People of a school: instructors, students, and which student is whose mentee.
//!
//! They are records of the school; an account may stand behind one.

#[cfg(feature = "server")]
pub(crate) mod board_store;
#[cfg(feature = "server")]
pub mod export;
#[cfg(feature = "server")]
pub mod import;
#[cfg(feature = "server")]
pub(crate) mod instructor_store;
#[cfg(feature = "server")]
pub(crate) mod phones;
#[cfg(feature = "server")]
pub mod remove;
#[cfg(feature = "server")]
pub mod service;
#[cfg(feature = "server")]
pub(crate) mod store;
#[cfg(feature = "server")]
pub(crate) mod student_store;

use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Instant,
    ids::{BookingId, InstructorId, StudentId, UserId},
    packs::{PackLine, StudentPack},
    paging::ListQuery,
    zoned::Zone,
};

/// An instructor or a student.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The record's id: an instructor's or a student's.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// E-mail, when known.
    pub email: Option<String>,
    /// The account behind it.
    pub user: Option<UserId>,
}

/// Whether an instructor has been checked; only the verified are shown to the public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// Not yet.
    Pending,
    /// Yes.
    Verified,
    /// Turned down.
    Rejected,
}

impl Verification {
    /// All, in the order of the form.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Verified, Self::Rejected];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Verified => "verified",
            Self::Rejected => "rejected",
        }
    }

    /// From a form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Whether a mentee holds one of the instructor's seats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seat {
    /// Holds one.
    Active,
    /// Held one.
    Released,
}

impl Seat {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Released => "released",
        }
    }
}

/// Which instructors to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstructorFilter {
    /// Search, order and page. Sorts: `name`, `city`, `mentees`, `lessons_left`, `last_lesson`.
    pub list: ListQuery,
    /// Of this city; empty for all.
    pub city: String,
    /// In this state of verification; empty for all.
    pub verification: String,
}

/// An instructor in a list, with their mentees.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct InstructorRow {
    /// Id.
    pub id: InstructorId,
    /// Name.
    pub name: String,
    /// E-mail, when known.
    pub email: Option<String>,
    /// Phone, when known.
    pub phone: Option<String>,
    /// City; may be empty.
    pub city: String,
    /// Whether they have been checked.
    pub verification: Verification,
    /// How many mentees they can have.
    pub seats: i32,
    /// How many seats are taken.
    pub seats_used: i64,
    /// Lessons left in packs that haven't expired.
    pub lessons_left: i64,
    /// Start of the latest lesson that took place.
    pub last_lesson: Option<Instant>,
    /// Their mentees by name.
    pub mentees: Vec<Mentee>,
}

/// A student as an instructor's mentee.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Mentee {
    /// Who.
    pub student: StudentId,
    /// Their name.
    pub name: String,
    /// Whether they hold a seat.
    pub seat: Seat,
    /// Start of the latest lesson with this instructor.
    pub last_lesson: Option<Instant>,
    /// Packs with this instructor: those that end first on top.
    pub packs: Vec<PackLine>,
}

/// An instructor's page.
#[derive(Clone, Debug)]
pub struct InstructorDetail {
    /// As in the list.
    pub row: InstructorRow,
    /// What they say about themselves.
    pub bio: String,
    /// The account that has applied to teach here and waits for an answer.
    pub applicant: Option<UserId>,
    /// Lessons from now on.
    pub next: Vec<LessonLine>,
    /// Lessons that wait for an answer.
    pub requests: Vec<LessonLine>,
    /// Students to choose from when associating; empty for those who may not.
    pub students: Vec<Named>,
}

/// A lesson in a short list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LessonLine {
    /// Id.
    pub id: BookingId,
    /// Start.
    pub starts_at: Instant,
    /// End.
    pub ends_at: Instant,
    /// State, as stored.
    pub status: String,
    /// What is taught.
    pub service: String,
    /// By whom.
    pub instructor: InstructorId,
    /// Their name.
    pub instructor_name: String,
    /// To whom.
    pub student: StudentId,
    /// Their name.
    pub student_name: String,
}

/// A person in a choice or a cell.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Named {
    /// The record's id.
    pub id: Uuid,
    /// Name.
    pub name: String,
}

/// Whom to choose from when associating.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// All instructors by name.
    pub instructors: Vec<Named>,
    /// Students by name, at most [`CHOICE_LIMIT`] and one.
    pub students: Vec<Named>,
}

/// Students in a select at most; a school with more types a name or an e-mail.
pub const CHOICE_LIMIT: usize = 200;

/// A student in a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct StudentRow {
    /// Id.
    pub id: StudentId,
    /// Name.
    pub name: String,
    /// E-mail, when known.
    pub email: Option<String>,
    /// Phone, when known.
    pub phone: Option<String>,
    /// Their instructors, as far as the reader may know.
    pub instructors: Vec<Named>,
    /// Lessons left in packs that haven't expired.
    pub lessons_left: i64,
    /// Start of the latest lesson that took place.
    pub last_lesson: Option<Instant>,
    /// Start of the next one.
    pub next_lesson: Option<Instant>,
}

/// A student's page.
#[derive(Clone, Debug)]
pub struct StudentDetail {
    /// Id.
    pub id: StudentId,
    /// Name.
    pub name: String,
    /// E-mail, when known.
    pub email: Option<String>,
    /// Phone, when known.
    pub phone: Option<String>,
    /// City; may be empty.
    pub city: String,
    /// When the record was made.
    pub created_at: Instant,
    /// Packs: those that end first on top.
    pub packs: Vec<StudentPack>,
    /// The latest movements of credits.
    pub postings: Vec<PostingLine>,
    /// The latest lessons, those to come first.
    pub lessons: Vec<LessonLine>,
}

/// A movement of credits in a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PostingLine {
    /// When.
    pub at: Instant,
    /// The pack's instructor.
    pub instructor_name: String,
    /// Out of this account, as stored.
    pub from: String,
    /// Into this one.
    pub to: String,
    /// How many.
    pub lessons: i32,
    /// Why.
    pub reason: String,
    /// Who did it, when it was a member.
    pub actor: Option<String>,
}

/// What the school's dashboard shows.
#[derive(Clone, Debug)]
pub struct Board {
    /// Students.
    pub students: i64,
    /// Instructors.
    pub instructors: i64,
    /// Lessons left in packs that haven't expired.
    pub lessons_left: i64,
    /// How many lessons wait for an answer.
    pub waiting: i64,
    /// The first of them.
    pub requests: Vec<LessonLine>,
    /// Lessons of each day of the week, Monday first, without cancelled ones.
    pub per_day: Vec<i64>,
}

/// The days of the week that `now` is in, Monday first, and the Monday after: eight days, seven stretches.
pub fn week(zone: &Zone, now: Instant) -> [Date; 8] {
    let today = zone.date(now);
    let monday = today.saturating_sub(i64::from(today.weekday().to_monday_zero_offset()).days());
    std::array::from_fn(|day| monday.saturating_add((day as i64).days()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_runs_from_monday_to_monday() {
        let zone = Zone::parse("Europe/Berlin").expect("a zone");
        // Sunday 28 March 2027, 23:30 in Berlin: the clocks changed that morning.
        let now: Instant = "2027-03-28T21:30:00Z".parse().expect("a timestamp");
        let days = week(&zone, now).map(|day| day.to_string());
        assert_eq!(days[0], "2027-03-22");
        assert_eq!(days[6], "2027-03-28");
        assert_eq!(days[7], "2027-03-29");
    }
}
