//! When a lesson can take place: one engine that both lists free times and decides a booking, so that what is shown
//! can be had.
//!
//! Everything here works on moments. Hours are wall-clock minutes, so they become moments day by day through the
//! school's zone; lengths and buffers are real elapsed time. A day on which clocks change needs no special case. Nothing
//! here asks a database: what is known of everyone's time comes in a [`Window`].

pub mod exceptions;
pub mod holidays;
pub mod hours;
mod openings;
pub mod rules;
#[cfg(feature = "server")]
pub mod service;
mod slots;
#[cfg(feature = "server")]
pub(crate) mod store;
#[cfg(test)]
mod tests;
mod why;

use std::collections::BTreeMap;

use jiff::{SignedDuration, ToSpan, civil::Date};
use uuid::Uuid;

pub use slots::{bookable, free_slots, pick_units};
pub use why::WhyNot;
pub(crate) use why::length;

use crate::{
    Instant,
    ids::{BlockId, GroupId, InstructorId},
    services::Service,
    zoned::Zone,
};

/// Longest place that a claim keeps.
const LONGEST_PLACE: usize = 300;

/// From a moment up to, but without, another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch {
    /// First moment.
    pub starts_at: Instant,
    /// First moment after it.
    pub ends_at: Instant,
}

impl Stretch {
    /// Whether they have a moment in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.starts_at < other.ends_at && other.starts_at < self.ends_at
    }

    /// Whether `at` lies in it.
    pub fn holds(self, at: Instant) -> bool {
        self.starts_at <= at && at < self.ends_at
    }
}

/// An opening in each week, in minutes of the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct WeeklyHour {
    /// 1 is Monday.
    pub weekday: i16,
    /// Minutes from midnight, 0 to 1439.
    pub start_minute: i16,
    /// Minutes from midnight, up to 1440.
    pub end_minute: i16,
}

/// A stretch in which an instructor doesn't work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Id.
    pub id: BlockId,
    /// First moment.
    pub starts_at: Instant,
    /// First moment after it.
    pub ends_at: Instant,
    /// Why; empty when nothing was said.
    pub reason: String,
}

/// What a service asks of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Length of the lesson.
    pub duration_min: i32,
    /// The instructor's time before it.
    pub buffer_before_min: i32,
    /// The instructor's time after it.
    pub buffer_after_min: i32,
    /// How long from now it may begin.
    pub notice_min: i32,
    /// How many days ahead it may lie.
    pub horizon_days: i32,
    /// Seats; with more than one, others may join.
    pub capacity: i32,
    /// Only for students with a prepaid lesson left.
    pub needs_credit: bool,
}

impl Rules {
    /// The rules of a service.
    pub fn of(service: &Service) -> Self {
        Self {
            duration_min: service.duration_min,
            buffer_before_min: service.buffer_before_min,
            buffer_after_min: service.buffer_after_min,
            notice_min: service.notice_min,
            horizon_days: service.horizon_days,
            capacity: service.capacity,
            needs_credit: service.needs_credit,
        }
    }

    /// Candidate starts lie this far apart, counted from each opening. Half hours read well and leave few odd gaps;
    /// short lessons are offered each quarter, so that their buffers don't waste half of the day.
    fn step_min(self) -> i32 {
        if self.duration_min >= 30 { 30 } else { 15 }
    }

    /// The lesson that begins at `start`.
    pub fn lesson(self, start: Instant) -> Stretch {
        Stretch { starts_at: start, ends_at: shift(start, self.duration_min) }
    }

    /// What that lesson takes of the instructor's time.
    pub fn claim(self, start: Instant) -> Stretch {
        let lesson = self.lesson(start);
        Stretch {
            starts_at: shift(lesson.starts_at, -self.buffer_before_min),
            ends_at: shift(lesson.ends_at, self.buffer_after_min),
        }
    }

    /// `within` and what a lesson of more than a day that begins in it takes behind it.
    pub fn reach(self, within: Stretch) -> Stretch {
        Stretch { ends_at: shift(within.ends_at, (self.duration_min - 1440).max(0)), ..within }
    }

    /// The first moment beyond the horizon: the horizon ends with a local day.
    fn horizon_end(self, zone: &Zone, now: Instant) -> Instant {
        zone.day_start(zone.date(now).saturating_add((i64::from(self.horizon_days) + 1).days()))
    }

    /// Whether `start` is neither too soon nor too far, which needs no look at anyone's diary.
    ///
    /// # Errors
    /// The cause.
    pub fn in_time(self, zone: &Zone, start: Instant, now: Instant) -> Result<(), WhyNot> {
        if start < now {
            Err(WhyNot::Past)
        } else if start < shift(now, self.notice_min) {
            Err(WhyNot::TooSoon(self.notice_min))
        } else if start >= self.horizon_end(zone, now) {
            Err(WhyNot::TooFar(self.horizon_days))
        } else {
            Ok(())
        }
    }
}

/// A stretch in which someone is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What is taken; of instructors and resources with buffers.
    pub stretch: Stretch,
    /// The lesson itself. Where its end isn't known, it ends with the stretch.
    pub lesson: Stretch,
    /// Where, as [`place_key`] writes it; empty for nowhere in particular.
    pub place: String,
    /// Kept for someone for a while, and no lesson yet.
    pub held: bool,
    /// A group lesson's.
    pub group: bool,
}

impl Claim {
    /// A lesson without buffers, nowhere in particular.
    pub fn plain(lesson: Stretch) -> Self {
        Self { stretch: lesson, lesson, place: String::new(), held: false, group: false }
    }
}

/// What is known of an instructor's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diary {
    /// Whose.
    pub instructor: InstructorId,
    /// Openings of each week.
    pub hours: Vec<WeeklyHour>,
    /// Openings of single days in place of the weekly ones, in minutes from midnight; none is a day off.
    pub exceptions: BTreeMap<Date, Vec<(i16, i16)>>,
    /// Blocked time.
    pub blocks: Vec<Stretch>,
    /// Time taken.
    pub claims: Vec<Claim>,
    /// Minutes between two lessons at different places.
    pub travel_min: i32,
    /// Lessons a day at most.
    pub max_per_day: Option<i32>,
    /// Lessons a week at most, Monday to Sunday.
    pub max_per_week: Option<i32>,
    /// Share of the lessons when any instructor will do.
    pub weight: i32,
    /// Group lessons of the service that is asked for.
    pub groups: Vec<Group>,
}

impl Diary {
    /// An empty one: no hours, no limits.
    pub fn new(instructor: InstructorId) -> Self {
        Self {
            instructor,
            hours: Vec::new(),
            exceptions: BTreeMap::new(),
            blocks: Vec::new(),
            claims: Vec::new(),
            travel_min: 0,
            max_per_day: None,
            max_per_week: None,
            weight: 1,
            groups: Vec::new(),
        }
    }
}

/// A group lesson that stands already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Id.
    pub id: GroupId,
    /// Start.
    pub starts_at: Instant,
    /// End.
    pub ends_at: Instant,
    /// Seats left.
    pub left: i32,
    /// Seats.
    pub capacity: i32,
}

/// What is known of the student who would take the lesson.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learner {
    /// Time taken.
    pub claims: Vec<Claim>,
    /// Lessons a day at most.
    pub max_per_day: Option<i32>,
    /// Lessons a week at most, Monday to Sunday.
    pub max_per_week: Option<i32>,
    /// Packs with lessons left.
    pub credits: Vec<Credit>,
    /// Group lessons they have a seat in.
    pub groups: Vec<GroupId>,
}

/// A pack of prepaid lessons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// With whom.
    pub instructor: InstructorId,
    /// Lessons left.
    pub left: i32,
    /// When it ends, if it does. A lesson that begins then isn't paid by it any more.
    pub expires_at: Option<Instant>,
}

/// A resource that the service needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// What it is called.
    pub name: String,
    /// How many units of it a lesson takes.
    pub units: usize,
    /// Each unit there is, in the order in which they are taken, with what takes it: in order and apart.
    pub each: Vec<(Uuid, Vec<Stretch>)>,
}

/// What holds for all of a school.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct School {
    /// Days on which it is closed, and what they are called.
    pub holidays: BTreeMap<Date, String>,
}

/// Where the lesson would take place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere in particular: nobody travels.
    Nowhere,
    /// Not said yet, so taken as another place than every other.
    Unknown,
    /// There, as [`place_key`] writes it.
    At(String),
}

/// A place as places are compared: two spellings of an address are one place.
pub fn place_key(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let key: String = words.join(" ").to_lowercase().chars().take(LONGEST_PLACE).collect();
    key.trim_end().to_owned()
}

/// One instructor's time over some days, seen by one service.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// The school's clock.
    pub zone: &'a Zone,
    /// The service's rules.
    pub rules: Rules,
    /// First local day.
    pub from: Date,
    /// First local day after it.
    pub to: Date,
    /// The instructor's time. Limits of a week are counted right when it covers the whole weeks of these days.
    pub diary: &'a Diary,
    /// The student's own time, when the student is known.
    pub student: Option<&'a Learner>,
    /// What else the lesson needs.
    pub needs: &'a [Need],
    /// The school's days.
    pub school: &'a School,
    /// Where.
    pub place: &'a Place,
}

/// A time that can be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// Start of the lesson.
    pub starts_at: Instant,
    /// Its end.
    pub ends_at: Instant,
    /// With whom.
    pub instructor: InstructorId,
    /// The group lesson that stands there and can be joined.
    pub group: Option<GroupId>,
    /// Seats left; 1 for a lesson alone.
    pub left: i32,
}

/// A moment some minutes later, or earlier; the ends of time hold.
fn shift(at: Instant, minutes: i32) -> Instant {
    let end = if minutes < 0 { Instant::MIN } else { Instant::MAX };
    at.checked_add(SignedDuration::from_mins(i64::from(minutes))).unwrap_or(end)
}

/// The `count` starts nearest to `wanted`, in order.
pub fn nearest(slots: &[Slot], wanted: Instant, count: usize) -> Vec<Instant> {
    let mut starts: Vec<Instant> = slots.iter().map(|slot| slot.starts_at).collect();
    starts.sort_unstable_by_key(|start| (start.duration_since(wanted).abs(), *start));
    starts.dedup();
    starts.truncate(count);
    starts.sort_unstable();
    starts
}
