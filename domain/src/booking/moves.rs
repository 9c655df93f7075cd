//! Giving lessons another time: one, or those of its series that follow, or all of them. All are moved or none.
//!
//! A series moves by the wall clock: by as many days as the lesson that was named, and to its time of day. So a weekly
//! 16:00 becomes a weekly 17:30 on either side of a change of clocks.

#[cfg(feature = "server")]
mod look;
#[cfg(feature = "server")]
mod service;
#[cfg(feature = "server")]
pub(super) mod store;

use jiff::civil::{Date, DateTime};

#[cfg(feature = "server")]
pub use self::service::{Moved, in_series, move_lesson, preview, sheet, view};
use super::policy::Standing;
use crate::{
    Instant,
    availability::{Rules, Slot},
    ids::{BookingId, HoldId, InstructorId, SeriesId, ServiceId, StudentId},
    zoned::{LocalTime, Zone},
};

/// Which lessons of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// The one that is named.
    #[default]
    This,
    /// It and those to come after it.
    Following,
    /// It and all that are to come.
    All,
}

impl Which {
    /// All, from least to most.
    pub const ALL: [Self; 3] = [Self::This, Self::Following, Self::All];

    /// As forms and addresses have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::This => "this",
            Self::Following => "following",
            Self::All => "all",
        }
    }

    /// For people; `lesson` is the school's word.
    pub fn label(self, lesson: &str) -> String {
        match self {
            Self::This => format!("This {lesson}"),
            Self::Following => format!("This {lesson} and the following ones"),
            Self::All => format!("All {lesson}s to come"),
        }
    }

    /// From a form or an address.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|which| which.as_str() == text)
    }
}

/// What is to be moved where.
#[derive(Clone, Debug)]
pub struct MoveRequest {
    /// The lesson that is named.
    pub booking: BookingId,
    /// Its new start.
    pub starts_at: Instant,
    /// The field of the form that holds the time.
    pub time_field: &'static str,
    /// Who gives it then; none for who gives it now.
    pub instructor: Option<InstructorId>,
    /// Which of its series go with it.
    pub which: Which,
    /// Why; may be empty.
    pub reason: String,
}

/// What one would like to see: a new start, or free ones from a day on.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The new start of the lesson that is named.
    pub starts_at: Option<Instant>,
    /// Who gives it then; none for who gives it now.
    pub instructor: Option<InstructorId>,
    /// The first of seven days whose free times are shown.
    pub day: Date,
}

/// A lesson, as far as moving it is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// Id.
    pub id: BookingId,
    /// Its place in its series.
    pub place: Option<i32>,
    /// Who gives it.
    pub instructor: InstructorId,
    /// Their name.
    pub instructor_name: String,
    /// Start.
    pub starts_at: Instant,
    /// End.
    pub ends_at: Instant,
    /// What decides whether it can be moved.
    pub standing: Standing,
    /// Where its student is picked up.
    pub pickup: String,
    /// When the pack that pays for it ends.
    pub pack_ends: Option<Instant>,
}

#[cfg(feature = "server")]
impl Lesson {
    /// How long it takes.
    fn duration_min(&self) -> i32 {
        i32::try_from(self.ends_at.duration_since(self.starts_at).as_mins()).unwrap_or(i32::MAX)
    }
}

/// Who could give a lesson.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Teacher {
    /// Id.
    pub id: InstructorId,
    /// Name.
    pub name: String,
}

/// All that moving a lesson depends on, but for diaries.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The first service of the appointment.
    pub service: ServiceId,
    /// The others.
    pub also: Vec<ServiceId>,
    /// What all of it is called.
    pub service_name: String,
    /// Who takes it.
    pub student: StudentId,
    /// Their name.
    pub student_name: String,
    /// Its series.
    pub series: Option<SeriesId>,
    /// What the service asks of a time now. The length is the one that was booked.
    pub rules: Rules,
    /// It takes place where the student is picked up.
    pub needs_pickup: bool,
    /// The lesson that is named.
    pub named: Lesson,
    /// All that are concerned, it among them, by start.
    pub lessons: Vec<Lesson>,
    /// Who teaches the service, and who gives the lesson now, by name.
    pub teachers: Vec<Teacher>,
    /// What the student keeps during checkout, as long as it isn't over.
    pub checkout: Option<HoldId>,
}

impl Sheet {
    /// The name of one who could give the lesson.
    pub fn teacher(&self, id: InstructorId) -> Option<&str> {
        self.teachers.iter().find(|teacher| teacher.id == id).map(|teacher| teacher.name.as_str())
    }
}

/// What a page about moving shows.
#[derive(Clone, Debug)]
pub struct View {
    /// Every lesson with its new time, when a time was asked for.
    pub plan: Option<MovePlan>,
    /// Free starts of seven days.
    pub free: Vec<Slot>,
}

/// What a move would do.
#[derive(Clone, Debug)]
pub struct MovePlan {
    /// Every lesson concerned, by its old start.
    pub lessons: Vec<Moving>,
}

impl MovePlan {
    /// Whether all can be moved.
    pub fn fits(&self) -> bool {
        self.lessons.iter().all(|moving| moving.conflict.is_none())
    }
}

/// A lesson and its new time.
#[derive(Clone, Debug)]
pub struct Moving {
    /// As it is.
    pub lesson: Lesson,
    /// Its new start.
    pub starts_at: Instant,
    /// Its new end.
    pub ends_at: Instant,
    /// Who gives it then.
    pub instructor: InstructorId,
    /// Their name.
    pub instructor_name: String,
    /// What is against it.
    pub conflict: Option<Conflict>,
    /// What it takes there: a time, and units of resources.
    #[cfg(feature = "server")]
    taken: Option<look::Taken>,
}

/// Why a lesson can't take place then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// In a few words, for a table.
    pub label: String,
    /// In a sentence, with what to do.
    pub message: String,
    /// Whether someone or something is there already.
    pub taken: bool,
    /// Free starts near it.
    pub nearest: Vec<Instant>,
}

/// The series of a lesson, as far as the lesson shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InSeries {
    /// `weekly`, `fortnightly` or `monthly`.
    pub every: String,
    /// How many lessons were booked.
    pub total: i32,
    /// How many of them are to come.
    pub to_come: i64,
}

/// The new start of a lesson at `at`, when one of its series moves from `old` to `new`.
///
/// # Errors
/// The wall-clock time and why there is none such.
pub fn shifted(zone: &Zone, old: Instant, new: Instant, at: Instant) -> Result<Instant, (DateTime, String)> {
    if at == old {
        return Ok(new);
    }
    let wall = |at: Instant| at.to_zoned(zone.tz().clone()).datetime();
    let (from, to, now) = (wall(old), wall(new), wall(at));
    let Ok(day) = now.date().checked_add(to.date() - from.date()) else {
        return Err((now, "Choose an earlier day.".into()));
    };
    let then = day.to_datetime(to.time());
    match zone.resolve(then) {
        LocalTime::Once(at) | LocalTime::Twice(at, _) => Ok(at),
        LocalTime::Never => Err((then, format!("The clock skips {} on that day.", then.strftime("%H:%M")))),
    }
}

#[cfg(test)]
mod tests;
