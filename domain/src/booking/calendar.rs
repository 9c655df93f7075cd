//! The calendar (BK-14): the lessons of some days, who gives them or what they take, and when those are to be had.

mod store;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

use self::store::Columns;

use super::Status;
use crate::{
    Error, Instant, Result,
    authz::{Action, Reach, TenantScope},
    availability::WeeklyHour,
    ids::{BookingId, GroupId, InstructorId},
};

/// Lessons shown at most.
pub const MOST: usize = 2000;
/// Instructors side by side at most; one of the others can be chosen.
pub const MOST_COLUMNS: i64 = 100;

/// What stands across.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Who gives the lessons.
    Instructors,
    /// What they take: rooms, cars, chairs.
    Resources,
}

/// How many of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// All there are.
    All,
    /// The first by name.
    First,
    /// The instructor or unit with this id.
    One {
        /// Whose or which.
        id: Uuid,
        /// Whether the first is shown when there is none with it; else all are.
        or_first: bool,
    },
}

impl Chosen {
    fn id(self) -> Option<Uuid> {
        match self {
            Self::One { id, .. } => Some(id),
            Self::All | Self::First => None,
        }
    }

    fn or_first(self) -> bool {
        match self {
            Self::All => false,
            Self::First => true,
            Self::One { or_first, .. } => or_first,
        }
    }
}

/// What the calendar is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// First local day.
    pub from: Date,
    /// First local day after it.
    pub to: Date,
    /// What stands across.
    pub by: By,
    /// How many of them.
    pub chosen: Chosen,
}

/// Some days of a school.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// Instructors to choose from, by name.
    pub names: Vec<Named>,
    /// Those shown, by name; none when resources are.
    pub people: Vec<Person>,
    /// Units of resources to choose from, by name; none when instructors are shown.
    pub units: Vec<Unit>,
    /// Days on which the school is closed.
    pub holidays: BTreeMap<Date, String>,
    /// The instructor or unit that alone is shown.
    pub one: Option<Uuid>,
    /// By start.
    pub lessons: Vec<Lesson>,
    /// There are more than are shown.
    pub cut: bool,
}

/// An instructor to choose.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Named {
    /// Id.
    pub id: InstructorId,
    /// Name.
    pub name: String,
}

/// An instructor with what is known of those days.
#[derive(Clone, Debug, Deserialize)]
pub struct Person {
    /// Id.
    pub id: InstructorId,
    /// Name.
    pub name: String,
    /// Openings of each week.
    pub hours: Vec<WeeklyHour>,
    /// Days with hours of their own.
    pub exceptions: Vec<DayHours>,
    /// Blocked time.
    pub blocks: Vec<Blocked>,
}

/// The hours of one day in place of the weekly ones.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DayHours {
    /// The local day.
    pub day: Date,
    /// Minutes from midnight at which openings begin.
    pub starts: Vec<i16>,
    /// Minutes at which they end.
    pub ends: Vec<i16>,
    /// Why; empty when nothing was said.
    pub reason: String,
}

/// A stretch in which an instructor doesn't work.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Blocked {
    /// First moment.
    pub starts_at: Instant,
    /// First moment after it.
    pub ends_at: Instant,
    /// Why; empty when nothing was said.
    pub reason: String,
}

impl Person {
    /// Someone of whom nothing is known but the lessons: who was removed keeps them.
    pub fn gone(id: InstructorId, name: String) -> Self {
        Self { id, name, hours: Vec::new(), exceptions: Vec::new(), blocks: Vec::new() }
    }

    /// The day's own hours, if it has any.
    pub fn exception(&self, day: Date) -> Option<&DayHours> {
        self.exceptions.iter().find(|exception| exception.day == day)
    }

    /// The openings of a local day in minutes of the wall clock: the day's own, else none on a holiday, else the weekly
    /// ones.
    pub fn openings(&self, day: Date, holiday: bool) -> Vec<(i16, i16)> {
        if let Some(own) = self.exception(day) {
            return own.starts.iter().copied().zip(own.ends.iter().copied()).collect();
        }
        if holiday {
            return Vec::new();
        }
        let weekday = i16::from(day.weekday().to_monday_one_offset());
        let mut openings: Vec<(i16, i16)> = self
            .hours
            .iter()
            .filter(|hour| hour.weekday == weekday)
            .map(|hour| (hour.start_minute, hour.end_minute))
            .collect();
        openings.sort_unstable();
        openings
    }
}

/// One of the rooms, cars or chairs of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Unit {
    /// Id.
    pub id: Uuid,
    /// Name of the resource.
    pub name: String,
    /// Which of its units, from 1.
    pub place: i16,
    /// How many units there are.
    pub units: i64,
}

impl Unit {
    /// "Hall", or "Car 2" where there are several.
    pub fn label(&self) -> String {
        if self.units > 1 { format!("{} {}", self.name, self.place) } else { self.name.clone() }
    }
}

/// What a lesson of the calendar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One student's.
    Single(BookingId),
    /// For several.
    Group {
        /// Id.
        id: GroupId,
        /// Seats that are taken.
        taken: i32,
        /// Seats there are.
        capacity: i32,
    },
}

/// A lesson in the calendar.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// One student's, or for several.
    pub kind: Kind,
    /// Who gives it.
    pub instructor: InstructorId,
    /// Their name.
    pub instructor_name: String,
    /// Who takes it; empty when several do.
    pub student_name: String,
    /// What.
    pub service_name: String,
    /// The service's colour, `#rrggbb`.
    pub colour: Option<String>,
    /// Where it stands; one for several is requested when a seat in it is.
    pub status: Status,
    /// Where to pick the student up.
    pub pickup: String,
    /// Start.
    pub starts_at: Instant,
    /// End.
    pub ends_at: Instant,
    /// What it takes; known only when resources are shown.
    pub units: Vec<Uuid>,
}

/// The calendar of those days, as far as the actor reaches: an instructor sees their own.
pub async fn calendar(scope: &mut TenantScope, asked: Asked) -> Result<Calendar> {
    let own = match scope.require(Action::ViewCalendar)? {
        Reach::All => None,
        _ => Some(scope.actor().instructor().ok_or(Error::NotFound)?),
    };
    let asked = match own {
        Some(id) => Asked { by: By::Instructors, chosen: Chosen::One { id: id.0, or_first: true }, ..asked },
        None => asked,
    };
    let zone = &scope.tenant().zone;
    let (begins, ends) = (zone.day_start(asked.from), zone.day_start(asked.to));
    let (tenant, conn) = scope.conn();
    let found = store::columns(conn, tenant, own, asked, begins, ends).await?;
    let one = match asked.by {
        // Whoever reaches their own only is shown nothing else, whatever was found.
        By::Instructors => own.map(|id| id.0).or(found.one),
        By::Resources => {
            let wanted = asked.chosen.id().filter(|id| found.units.iter().any(|unit| unit.id == *id));
            let first = found.units.first().map(|unit| unit.id).filter(|_| asked.chosen.or_first());
            wanted.or(first)
        }
    };
    let (mut lessons, limited) = store::lessons(conn, tenant, asked.by, one, begins, ends).await?;
    lessons.sort_by_cached_key(|lesson| {
        (lesson.starts_at, lesson.instructor_name.clone(), lesson.student_name.clone())
    });
    let cut = limited || lessons.len() > MOST;
    lessons.truncate(MOST);
    let Columns { names, people, units, holidays, .. } = found;
    Ok(Calendar { names, people, units, holidays, one, lessons, cut })
}
