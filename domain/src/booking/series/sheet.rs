//! What an instructor's diary, the student's and those of resources say of each lesson of a series.

use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeSet,
};

use jiff::ToSpan;
use uuid::Uuid;

use crate::{
    Instant,
    availability::{Credit, Diary, Slot, WhyNot, bookable, free_slots, nearest, pick_units, store::Diaries},
    booking::plan::Plan,
    ids::InstructorId,
    zoned::Zone,
};

/// How far from a lesson that can't be had other times are looked for, in days.
pub(super) const NEAR_DAYS: i64 = 3;
/// How many of them are named.
const NEAR_COUNT: usize = 3;

/// What is against a lesson.
pub(super) enum Against {
    /// The clock skips its time; in words.
    Clock(String),
    /// What the engine says.
    Engine(WhyNot),
}

/// What one instructor's diary says of each lesson.
pub(super) struct Sheet<'a> {
    pub(super) diary: &'a Diary,
    pub(super) outcomes: Vec<Result<(Slot, Vec<Uuid>), Against>>,
    /// How many are free of those that aren't to be left out.
    free: usize,
    /// Lessons between the first and the last that the instructor has already.
    lessons: u64,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(
        zone: &Zone,
        plan: &Plan,
        found: &Diaries,
        diary: &'a Diary,
        starts: &[Result<Instant, String>],
        skip: &BTreeSet<i32>,
        now: Instant,
    ) -> Self {
        let outcomes: Vec<Result<(Slot, Vec<Uuid>), Against>> = starts
            .iter()
            .map(|start| match start {
                Ok(start) => free_at(zone, plan, found, diary, *start, now).map_err(Against::Engine),
                Err(message) => Err(Against::Clock(message.clone())),
            })
            .collect();
        let mut real = starts.iter().flatten();
        let first = real.next().copied().unwrap_or(Instant::MAX);
        let last = real.next_back().copied().unwrap_or(first);
        let begun = diary.claims.iter().map(|claim| claim.lesson.starts_at);
        Self {
            diary,
            free: (1i32..).zip(&outcomes).filter(|(n, one)| one.is_ok() && !skip.contains(n)).count(),
            lessons: begun.filter(|at| first <= *at && *at <= last).count() as u64,
            outcomes,
        }
    }

    /// The better one is greater.
    pub(super) fn better(one: &Self, other: &Self) -> Ordering {
        let weight = |sheet: &Self| u64::from(sheet.diary.weight.max(1).unsigned_abs());
        // Lessons for each weight, compared without fractions.
        let load = (one.lessons * weight(other)).cmp(&(other.lessons * weight(one)));
        let id = |sheet: &Self| Reverse(sheet.diary.instructor);
        one.free.cmp(&other.free).then(load.reverse()).then(id(one).cmp(&id(other)))
    }
}

/// Whether the lesson that begins at `start` can be had, and which units it would take.
fn free_at(
    zone: &Zone,
    plan: &Plan,
    found: &Diaries,
    diary: &Diary,
    start: Instant,
    now: Instant,
) -> Result<(Slot, Vec<Uuid>), WhyNot> {
    let day = zone.date(start);
    let window = found.window(zone, plan.rules, &plan.place, diary, day, day.saturating_add(1.day()));
    let slot = bookable(&window, start, now)?;
    match pick_units(&found.needs, plan.rules.claim(start)) {
        Some(units) => Ok((slot, units)),
        None => Err(WhyNot::Taken),
    }
}

/// Free starts of the same instructor on the days around one.
pub(super) fn free_near(
    zone: &Zone,
    plan: &Plan,
    found: &Diaries,
    diary: &Diary,
    near: Instant,
    now: Instant,
) -> Vec<Instant> {
    let day = zone.date(near);
    let (from, to) = (day.saturating_sub(NEAR_DAYS.days()), day.saturating_add((NEAR_DAYS + 1).days()));
    let window = found.window(zone, plan.rules, &plan.place, diary, from, to);
    nearest(&free_slots(&window, now), near, NEAR_COUNT)
}

/// Which of some lessons packs pay for, in the order in which they are booked: each takes from the pack that ends first.
/// What isn't booked has no start.
pub(super) fn paid(credits: &[Credit], instructor: InstructorId, starts: &[Option<Instant>]) -> Vec<bool> {
    let theirs = credits.iter().filter(|credit| credit.instructor == instructor);
    let mut packs: Vec<(Option<Instant>, i32)> =
        theirs.map(|credit| (credit.expires_at, credit.left)).collect();
    packs.sort_by_key(|(ends, _)| ends.unwrap_or(Instant::MAX));
    let mut take = |start: Instant| {
        let pack = packs.iter_mut().find(|(ends, left)| *left > 0 && ends.is_none_or(|ends| ends > start));
        pack.is_some_and(|(_, left)| {
            *left -= 1;
            true
        })
    };
    starts.iter().map(|start| start.is_some_and(&mut take)).collect()
}

#[cfg(test)]
mod tests;
