//! What a school is made of before it is written.

use std::ops::Range;

use crate::tenancy::Preset;

/// A school to be written.
pub(super) struct Plan {
    pub(super) slug: &'static str,
    pub(super) name: String,
    pub(super) preset: Preset,
    pub(super) zone: &'static str,
    pub(super) currency: &'static str,
    pub(super) suspended: Option<&'static str>,
    pub(super) staff: Vec<Member>,
    pub(super) instructors: Vec<(Member, &'static str)>,
    pub(super) students: Vec<Member>,
    pub(super) services: Vec<Taught>,
    pub(super) combos: Vec<Combo>,
    pub(super) resources: Vec<Resource>,
    pub(super) groups: Vec<GroupLesson>,
    /// Month, day and name; the next of each that is far enough away not to be in anyone's way.
    pub(super) holidays: Vec<(i8, i8, &'static str)>,
    /// Lessons in a pack.
    pub(super) pack: i32,
    /// Every n-th student has one.
    pub(super) pack_every: usize,
    /// The lessons of a week, counted from the current one; by the number of instructors and students.
    pub(super) lessons: fn(i64, usize, usize) -> Vec<Lesson>,
    /// First and last week.
    pub(super) weeks: (i64, i64),
}

pub(super) struct Member {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) role: &'static str,
}

pub(super) struct Taught {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    pub(super) minutes: i32,
    pub(super) price: i64,
    pub(super) buffer: i32,
    pub(super) pickup: bool,
    pub(super) approval: bool,
    pub(super) seats: i32,
    pub(super) colour: Option<&'static str>,
    /// Resources by place, and how many units of each.
    pub(super) needs: &'static [(usize, i32)],
}

impl Taught {
    /// For one, without anything out of the ordinary.
    pub(super) fn of(name: &'static str, minutes: i32, price: i64) -> Self {
        Self {
            name,
            text: "",
            minutes,
            price,
            buffer: 0,
            pickup: false,
            approval: false,
            seats: 1,
            colour: None,
            needs: &[],
        }
    }
}

pub(super) struct Combo {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    pub(super) price: i64,
    /// Services by place. They have no buffer before, need no resources and have the same terms.
    pub(super) parts: &'static [usize],
}

pub(super) struct Resource {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) units: i16,
}

#[derive(Clone, Copy)]
pub(super) struct Lesson {
    pub(super) student: usize,
    pub(super) instructor: usize,
    /// 0 is Monday.
    pub(super) weekday: i8,
    pub(super) minute: i16,
    pub(super) service: usize,
    pub(super) cancelled: bool,
}

/// One lesson for several.
pub(super) struct GroupLesson {
    /// Counted from the current one.
    pub(super) week: i64,
    /// 0 is Monday.
    pub(super) weekday: i8,
    pub(super) minute: i16,
    pub(super) service: usize,
    pub(super) instructor: usize,
    pub(super) students: Range<usize>,
}
