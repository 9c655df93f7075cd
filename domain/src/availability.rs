//! When a lesson can take place: one engine that both lists free times and decides a booking, so that what is shown
//! can be had.
//!
//! Everything here works on moments. Weekly hours are wall-clock minutes, so they become moments day by day through
//! the school's zone; lengths and buffers are real elapsed time. A day on which clocks change needs no special case.

pub mod hours;
#[cfg(feature = "server")]
pub mod service;
#[cfg(feature = "server")]
pub(crate) mod store;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, ToSpan, civil::Date};

use crate::{
    Instant,
    ids::{BlockId, InstructorId},
    services::Service,
    tenancy::Words,
    zoned::Zone,
};

/// From a moment up to, but without, another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch {
    /// First moment.
    pub starts_at: Instant,
    /// First moment after it.
    pub ends_at: Instant,
}

impl Stretch {
    fn overlaps(self, other: Self) -> bool {
        self.starts_at < other.ends_at && other.starts_at < self.ends_at
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

/// What is known of an instructor's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diary {
    /// Whose.
    pub instructor: InstructorId,
    /// Openings of each week.
    pub hours: Vec<WeeklyHour>,
    /// Blocked time.
    pub blocks: Vec<Stretch>,
    /// Time taken by lessons, with their buffers.
    pub claims: Vec<Stretch>,
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
    /// The instructor's time.
    pub diary: &'a Diary,
    /// The student's own lessons, when the student is known.
    pub student: &'a [Stretch],
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
}

/// Why a time can't be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// It has passed.
    Past,
    /// The service needs this many minutes of notice.
    TooSoon(i32),
    /// The service is booked at most this many days ahead.
    TooFar(i32),
    /// The instructor doesn't work then.
    OutsideHours,
    /// The instructor has blocked that time.
    Blocked,
    /// Another lesson or its buffer is there.
    Taken,
    /// The student has another lesson then.
    OwnLesson,
}

impl WhyNot {
    /// Whether another lesson is the cause.
    pub fn is_taken(self) -> bool {
        matches!(self, Self::Taken | Self::OwnLesson)
    }

    /// For people, beside the field of the time.
    pub fn message(self, words: &Words) -> String {
        let Words { lesson, student, instructor } = words;
        match self {
            Self::Past => "This time has passed. Choose a later one.".into(),
            Self::TooSoon(min) => {
                format!("Too soon: this service needs {} notice. Choose a later time.", notice(min))
            }
            Self::TooFar(1) => "Too far ahead: this service is booked at most 1 day ahead.".into(),
            Self::TooFar(days) => {
                format!("Too far ahead: this service is booked at most {days} days ahead.")
            }
            Self::OutsideHours => format!("Outside the {instructor}'s hours. Choose another time."),
            Self::Blocked => format!("The {instructor} has blocked this time. Choose another one."),
            Self::Taken => {
                format!("The {instructor} has another {lesson} then. Choose another time.")
            }
            Self::OwnLesson => {
                format!("The {student} has another {lesson} then. Choose another time.")
            }
        }
    }
}

/// "2 h", "45 min", "2 days".
fn notice(min: i32) -> String {
    match (min / 60, min % 60) {
        (0, min) => format!("{min} min"),
        (hours, 0) if hours > 48 && hours % 24 == 0 => format!("{} days", hours / 24),
        (hours, 0) => format!("{hours} h"),
        (hours, min) => format!("{hours} h {min} min"),
    }
}

/// A moment some minutes later, or earlier; the ends of time hold.
fn shift(at: Instant, minutes: i32) -> Instant {
    let end = if minutes < 0 { Instant::MIN } else { Instant::MAX };
    at.checked_add(SignedDuration::from_mins(i64::from(minutes))).unwrap_or(end)
}

/// All starts to choose from, in order.
pub fn free_slots(input: &Window<'_>, now: Instant) -> Vec<Slot> {
    let Window { zone, rules, from, to, diary, student } = *input;
    let earliest = shift(now, rules.notice_min.max(0)).max(zone.day_start(from));
    let latest = rules.horizon_end(zone, now).min(zone.day_start(to));
    let busy = merged(diary.blocks.iter().chain(&diary.claims).copied().collect());
    let own = merged(student.to_vec());
    // Both lists and the candidates are in order, so one pass over each is enough.
    let (mut next_busy, mut next_own) = (0, 0);
    let mut slots = Vec::new();
    for open in openings(zone, &diary.hours, from, to) {
        let mut start = open.starts_at;
        while start < latest {
            let lesson = rules.lesson(start);
            if lesson.ends_at > open.ends_at {
                break;
            }
            if start >= earliest
                && is_clear(&busy, &mut next_busy, rules.claim(start))
                && is_clear(&own, &mut next_own, lesson)
            {
                slots.push(Slot { starts_at: start, ends_at: lesson.ends_at, instructor: diary.instructor });
            }
            start = shift(start, rules.step_min());
        }
    }
    slots
}

/// Whether the lesson that begins at `start` can be booked: `start` needn't be one of the listed ones, staff type
/// times by hand. The days of the window don't matter; its diary must cover the lesson.
///
/// # Errors
/// The first cause against it.
pub fn bookable(input: &Window<'_>, start: Instant, now: Instant) -> Result<Slot, WhyNot> {
    let Window { zone, rules, diary, student, .. } = *input;
    rules.in_time(zone, start, now)?;
    let lesson = rules.lesson(start);
    let claim = rules.claim(start);
    let day = zone.date(start);
    let inside = |open: &Stretch| open.starts_at <= lesson.starts_at && lesson.ends_at <= open.ends_at;
    if !openings(zone, &diary.hours, day, zone.date(lesson.ends_at)).iter().any(inside) {
        Err(WhyNot::OutsideHours)
    } else if diary.blocks.iter().any(|block| block.overlaps(claim)) {
        Err(WhyNot::Blocked)
    } else if diary.claims.iter().any(|taken| taken.overlaps(claim)) {
        Err(WhyNot::Taken)
    } else if student.iter().any(|own| own.overlaps(lesson)) {
        Err(WhyNot::OwnLesson)
    } else {
        Ok(Slot { starts_at: start, ends_at: lesson.ends_at, instructor: diary.instructor })
    }
}

/// The openings of some days and of one more at each end, in order, those that meet as one: a lesson may cross the
/// seam between two of them, and midnight.
fn openings(zone: &Zone, hours: &[WeeklyHour], from: Date, to: Date) -> Vec<Stretch> {
    let mut found = Vec::new();
    let last = to.saturating_add(1.day());
    let mut day = from.saturating_sub(1.day());
    while day <= last {
        let weekday = i16::from(day.weekday().to_monday_one_offset());
        for hour in hours.iter().filter(|hour| hour.weekday == weekday) {
            let starts_at = zone.at_minute(day, hour.start_minute);
            let ends_at = zone.at_minute(day, hour.end_minute);
            // An opening that lies in the hour the clock skips is none that day.
            if starts_at < ends_at {
                found.push(Stretch { starts_at, ends_at });
            }
        }
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    merged(found)
}

/// In order and without overlaps.
fn merged(mut list: Vec<Stretch>) -> Vec<Stretch> {
    list.sort_unstable();
    list.dedup_by(|next, last| {
        let meets = next.starts_at <= last.ends_at;
        if meets {
            last.ends_at = last.ends_at.max(next.ends_at);
        }
        meets
    });
    list
}

/// Whether nothing in `list` overlaps `wanted`. `next` remembers what lies behind all later questions.
fn is_clear(list: &[Stretch], next: &mut usize, wanted: Stretch) -> bool {
    while list.get(*next).is_some_and(|taken| taken.ends_at <= wanted.starts_at) {
        *next += 1;
    }
    list.get(*next).is_none_or(|taken| taken.starts_at >= wanted.ends_at)
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
