//! Who came, and what the instructor keeps about a lesson (BK-12).

#[cfg(feature = "server")]
mod service;
#[cfg(feature = "server")]
mod store;

use sha2::{Digest, Sha256};

#[cfg(feature = "server")]
pub use self::service::{Asked, AttendanceRow, Mark, day, mark};
use super::Status;
use crate::ids::BookingId;

/// What lesson notes are sealed with: they are kept encrypted.
pub const LESSON_NOTE: &str = "bookings.lesson_note";
/// Characters of a lesson note at most. A page of rows, each with its note, has to fit into one form.
pub const LONGEST_NOTE: usize = 1500;

/// Whether the student came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attendance {
    /// Came.
    Present,
    /// Came late; the lesson took place.
    Late,
    /// Didn't come and had said so, too late to cancel.
    Absent,
    /// Didn't come, without a word.
    NoShow,
}

impl Attendance {
    /// All, in the order of the form.
    pub const ALL: [Self; 4] = [Self::Present, Self::Late, Self::Absent, Self::NoShow];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Late => "late",
            Self::Absent => "absent",
            Self::NoShow => "no_show",
        }
    }

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Present => "Present",
            Self::Late => "Late",
            Self::Absent => "Absent",
            Self::NoShow => "No-show",
        }
    }

    /// From the database or a form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attendance| attendance.as_str() == text)
    }

    /// Where it takes a lesson.
    pub fn status(self) -> Status {
        match self {
            Self::Present | Self::Late => Status::Completed,
            Self::Absent | Self::NoShow => Status::NoShow,
        }
    }
}

/// Whether a lesson that has begun and stands at `status` may be marked so. What is said can be corrected as long as
/// the lesson stays what it is: taken place, or missed.
///
/// # Errors
/// Why not, for people.
pub fn may_mark(status: Status, wanted: Attendance) -> Result<(), &'static str> {
    match status {
        Status::Confirmed => Ok(()),
        Status::Completed | Status::NoShow if wanted.status() == status => Ok(()),
        Status::Completed => Err("It is completed. Choose Present or Late."),
        Status::NoShow => Err("It is a no-show. Choose Absent or No-show."),
        Status::Requested => Err("It waits for approval. Approve it first."),
        Status::Cancelled => Err("It is cancelled. Nothing can be said of it any more."),
    }
}

/// The name of a lesson's field in the form of a day: of `attendance`, `notes` or `seen`. It begins with a letter, because what
/// stands in brackets and begins with a digit is read as a number.
pub fn field(part: &str, lesson: BookingId) -> String {
    format!("{part}[lesson-{lesson}]")
}

/// What tells one note from another: a form sends that of the note it showed, so that what someone else wrote meanwhile
/// isn't lost.
pub fn fingerprint(note: &str) -> String {
    Sha256::digest(note).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// The lesson that a field's key names: what stands in the brackets.
pub fn lesson_of(key: &str) -> Option<BookingId> {
    key.strip_prefix("lesson-")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_reads_back() {
        for attendance in Attendance::ALL {
            assert_eq!(Attendance::parse(attendance.as_str()), Some(attendance));
        }
        assert_eq!(Attendance::parse("here"), None);
    }

    #[test]
    fn corrections_stay_within_what_the_lesson_is() {
        for wanted in Attendance::ALL {
            assert!(may_mark(Status::Confirmed, wanted).is_ok());
            assert!(Status::Confirmed.may_become(wanted.status()));
            assert_eq!(may_mark(Status::Completed, wanted).is_ok(), wanted.status() == Status::Completed);
            assert_eq!(may_mark(Status::NoShow, wanted).is_ok(), wanted.status() == Status::NoShow);
            assert!(may_mark(Status::Requested, wanted).is_err());
            assert!(may_mark(Status::Cancelled, wanted).is_err());
        }
    }

    #[test]
    fn a_field_names_its_lesson() {
        let id = BookingId(uuid::Uuid::from_u128(7));
        let name = field("notes", id);
        let key = name.strip_prefix("notes[").and_then(|rest| rest.strip_suffix(']'));
        assert_eq!(key.and_then(lesson_of), Some(id));
        assert_eq!(lesson_of(&id.to_string()), None);
    }
}
