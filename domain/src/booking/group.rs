//! Lessons for several (BK-11): planned by the school, with seats that students book one by one.

#[cfg(feature = "server")]
mod service;
#[cfg(feature = "server")]
mod store;

#[cfg(feature = "server")]
pub use service::{GroupChoices, TypedGroup, choices, close, one, open};

use super::{Attendance, Status};
use crate::{
    Instant,
    ids::{BookingId, GroupId, InstructorId, ServiceId, StudentId},
};

/// A lesson for several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupLesson {
    /// Id.
    pub id: GroupId,
    /// What.
    pub service: ServiceId,
    /// Its name.
    pub service_name: String,
    /// The service's colour, `#rrggbb`.
    pub colour: Option<String>,
    /// Who gives it.
    pub instructor: InstructorId,
    /// Their name.
    pub instructor_name: String,
    /// Start.
    pub starts_at: Instant,
    /// End.
    pub ends_at: Instant,
    /// Seats.
    pub capacity: i32,
    /// Seats that are booked, or held for someone.
    pub taken: i32,
    /// How many wait for a seat in it.
    pub waiting: i64,
    /// When it was called off.
    pub cancelled_at: Option<Instant>,
}

impl GroupLesson {
    /// Seats that can be booked.
    pub fn left(&self) -> i32 {
        (self.capacity - self.taken).max(0)
    }
}

/// Who comes to a group lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendee {
    /// Their booking.
    pub booking: BookingId,
    /// Who.
    pub student: StudentId,
    /// Their name.
    pub student_name: String,
    /// Where their booking stands; never cancelled.
    pub status: Status,
    /// Whether they came, once that is said.
    pub attendance: Option<Attendance>,
}

/// Whether a group lesson can be called off now. `lesson` is the school's word.
///
/// # Errors
/// Why it can't, for people.
pub fn may_close(group: &GroupLesson, attendees: usize, lesson: &str, now: Instant) -> Result<(), String> {
    if group.cancelled_at.is_some() {
        return Err("It is called off already.".into());
    }
    match attendees {
        0 => {}
        1 => return Err(format!("Cancel or move its {lesson} first.")),
        number => return Err(format!("Cancel or move its {number} {lesson}s first.")),
    }
    if group.taken > 0 {
        return Err("A seat in it is held for someone. Look again in a few minutes.".into());
    }
    if now >= group.starts_at {
        return Err("It has begun and can't be called off any more.".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use uuid::Uuid;

    use super::*;

    fn group() -> GroupLesson {
        let starts_at: Instant = "2026-03-30T14:00:00Z".parse().expect("a moment");
        GroupLesson {
            id: GroupId(Uuid::nil()),
            service: ServiceId(Uuid::nil()),
            service_name: "Theory".into(),
            colour: None,
            instructor: InstructorId(Uuid::nil()),
            instructor_name: "Thandi".into(),
            starts_at,
            ends_at: starts_at + SignedDuration::from_hours(1),
            capacity: 8,
            taken: 0,
            waiting: 0,
            cancelled_at: None,
        }
    }

    fn why(group: &GroupLesson, attendees: usize, minutes: i64) -> String {
        let now = group.starts_at + SignedDuration::from_mins(minutes);
        may_close(group, attendees, "session", now).expect_err("it should be refused")
    }

    #[test]
    fn only_an_empty_one_that_lies_ahead_is_called_off() {
        let empty = group();
        let before = empty.starts_at - SignedDuration::from_mins(1);
        assert_eq!(may_close(&empty, 0, "session", before), Ok(()));
        assert!(why(&empty, 0, 0).contains("begun"));
        assert_eq!(why(&group(), 1, -60), "Cancel or move its session first.");
        assert_eq!(why(&group(), 3, -60), "Cancel or move its 3 sessions first.");
        assert!(why(&GroupLesson { taken: 1, ..group() }, 0, -60).contains("held"));
        let off = GroupLesson { cancelled_at: Some(before), ..group() };
        assert!(why(&off, 0, -60).contains("already"));
    }

    #[test]
    fn seats_left_are_never_negative() {
        assert_eq!(group().left(), 8);
        assert_eq!(GroupLesson { taken: 8, ..group() }.left(), 0);
        assert_eq!(GroupLesson { taken: 9, ..group() }.left(), 0);
    }
}
