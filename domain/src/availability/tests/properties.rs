//! What holds for all diaries, students, resources and services.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::availability::openings::{Calendar, merged};

/// From one minute to another, counted from the start of the world.
type Minutes = (i64, i64);

/// A claim as numbers: the lesson, buffers, one of a few places, held.
type Taken = (Minutes, (i64, i64), usize, bool);

const PLACES: [&str; 3] = ["", "beach", "station"];

/// Hours, exceptions by day, blocks, claims, travel, limits, and groups with what is left of them.
type Instructor =
    (Vec<WeeklyHour>, Vec<(i64, Vec<(i16, i16)>)>, Vec<Minutes>, Vec<Taken>, i32, Limits, Vec<(i64, i32)>);

type Limits = (Option<i32>, Option<i32>);

/// Claims, limits, days for which the pack lasts, group lessons they are in.
type Student = (Vec<Taken>, Limits, Option<i64>, Vec<u128>);

/// Units that are needed, and what takes each there is.
type Resource = (usize, Vec<Vec<Minutes>>);

prop_compose! {
    fn any_hour()(weekday in 1i16..=7, start in 0i16..1380, length in 15i16..720) -> WeeklyHour {
        WeeklyHour { weekday, start_minute: start, end_minute: (start + length).min(1440) }
    }
}

prop_compose! {
    fn any_opening()(start in 0i16..1380, length in 15i16..720) -> (i16, i16) {
        (start, (start + length).min(1440))
    }
}

prop_compose! {
    fn any_minutes()(start in 0i64..24_000, length in 5i64..400) -> Minutes {
        (start, start + length)
    }
}

prop_compose! {
    fn any_taken()(
        lesson in any_minutes(),
        before in 0i64..40,
        after in 0i64..40,
        place in 0usize..3,
        held in any::<bool>(),
    ) -> Taken {
        (lesson, (before, after), place, held)
    }
}

prop_compose! {
    fn any_rules()(
        duration in 5i32..240,
        before in 0i32..60,
        after in 0i32..60,
        notice in 0i32..3000,
        horizon in 1i32..40,
        capacity in 1i32..4,
        needs_credit in any::<bool>(),
    ) -> Rules {
        Rules {
            duration_min: duration,
            buffer_before_min: before,
            buffer_after_min: after,
            notice_min: notice,
            horizon_days: horizon,
            capacity,
            needs_credit,
        }
    }
}

fn any_limits() -> impl Strategy<Value = Limits> {
    (prop::option::of(1i32..5), prop::option::of(1i32..12))
}

fn any_instructor() -> impl Strategy<Value = Instructor> {
    (
        prop::collection::vec(any_hour(), 0..14),
        prop::collection::vec((0i64..14, prop::collection::vec(any_opening(), 0..3)), 0..4),
        prop::collection::vec(any_minutes(), 0..5),
        prop::collection::vec(any_taken(), 0..25),
        prop_oneof![Just(0), 5i32..90],
        any_limits(),
        prop::collection::vec((0i64..20_000, 0i32..4), 0..5),
    )
}

fn any_student() -> impl Strategy<Value = Option<Student>> {
    let student = (
        prop::collection::vec(any_taken(), 0..8),
        any_limits(),
        prop::option::of(0i64..40),
        prop::collection::vec(0u128..5, 0..2),
    );
    prop::option::of(student)
}

fn any_resources() -> impl Strategy<Value = Vec<Resource>> {
    let units = prop::collection::vec(prop::collection::vec(any_minutes(), 0..12), 0..4);
    prop::collection::vec((1usize..3, units), 0..3)
}

prop_compose! {
    /// A world of some days in Berlin or New York that begins before the clocks change there.
    fn any_world()(
        berlin in any::<bool>(),
        spring in any::<bool>(),
        rules in any_rules(),
        instructor in any_instructor(),
        student in any_student(),
        resources in any_resources(),
        holidays in prop::collection::vec(0i64..14, 0..3),
        place in 0usize..5,
        first in 0i64..8,
    ) -> World {
        let start = match (berlin, spring) {
            (true, true) => date(2026, 3, 24),
            (true, false) => date(2026, 10, 20),
            (false, true) => date(2026, 3, 3),
            (false, false) => date(2026, 10, 27),
        };
        let mut world = World::day(if berlin { "Europe/Berlin" } else { "America/New_York" }, start, Vec::new());
        world.now = world.zone.day_start(start);
        world.rules = rules;
        world.from = start.saturating_add(first.days());
        world.to = world.from.saturating_add(6.days());
        fill_diary(&mut world, start, instructor);
        world.student = student.map(|student| learner(&world, start, student));
        world.needs = resources.into_iter().enumerate().map(|(n, resource)| need(&world, n, resource)).collect();
        for day in holidays {
            world.school.holidays.insert(start.saturating_add(day.days()), "Holiday".into());
        }
        world.place = match place {
            0 | 1 => Place::Nowhere,
            2 => Place::Unknown,
            n => Place::At(PLACES[n - 2].to_owned()),
        };
        world
    }
}

fn moment(world: &World, minutes: i64) -> Instant {
    // The world begins where the time is now.
    world.now + SignedDuration::from_mins(minutes)
}

fn span(world: &World, (from, to): Minutes) -> Stretch {
    Stretch { starts_at: moment(world, from), ends_at: moment(world, to) }
}

fn taken(world: &World, ((from, to), (before, after), place, held): Taken) -> Claim {
    Claim {
        stretch: span(world, (from - before, to + after)),
        lesson: span(world, (from, to)),
        place: PLACES[place].to_owned(),
        held,
        group: false,
    }
}

fn fill_diary(world: &mut World, start: Date, instructor: Instructor) {
    let (hours, exceptions, blocks, claims, travel_min, (max_per_day, max_per_week), groups) = instructor;
    let group = |n: u128, from: i64, left: i32| Group {
        id: GroupId(id(n)),
        starts_at: moment(world, from),
        ends_at: moment(world, from + 50),
        left,
        capacity: 4,
    };
    world.diary = Diary {
        hours,
        exceptions: exceptions
            .into_iter()
            .map(|(day, openings)| (start.saturating_add(day.days()), openings))
            .collect(),
        blocks: blocks.into_iter().map(|block| span(world, block)).collect(),
        claims: claims.into_iter().map(|claim| taken(world, claim)).collect(),
        travel_min,
        max_per_day,
        max_per_week,
        groups: (0..).zip(groups).map(|(n, (from, left))| group(n, from, left)).collect(),
        ..Diary::new(InstructorId(id(1)))
    };
}

fn learner(world: &World, start: Date, student: Student) -> Learner {
    let (claims, (max_per_day, max_per_week), lasts, groups) = student;
    let credit = |days: i64| Credit {
        instructor: InstructorId(id(1)),
        left: 1,
        expires_at: Some(world.zone.day_start(start.saturating_add(days.days()))),
    };
    Learner {
        claims: claims.into_iter().map(|claim| taken(world, claim)).collect(),
        max_per_day,
        max_per_week,
        credits: lasts.map(credit).into_iter().collect(),
        groups: groups.into_iter().map(|n| GroupId(id(n))).collect(),
    }
}

fn need(world: &World, n: usize, (units, each): Resource) -> Need {
    let sorted = |list: Vec<Minutes>| merged(list.into_iter().map(|minutes| span(world, minutes)).collect());
    let each = (0..).zip(each).map(|(unit, list)| (id(unit), sorted(list))).collect();
    Need { name: format!("Resource {n}"), units, each }
}

/// All starts that there are to choose from, free or not.
fn candidates(world: &World) -> BTreeSet<Instant> {
    let window = world.window();
    let calendar = Calendar::new(&world.zone, world.from, world.to);
    let mut found = BTreeSet::new();
    for open in calendar.openings(&window, 0, calendar.len()) {
        let mut start = open.span.starts_at;
        while start < open.span.ends_at {
            found.insert(start);
            start = shift(start, world.rules.step_min());
        }
    }
    if world.rules.capacity > 1 {
        found.extend(world.diary.groups.iter().map(|group| group.starts_at));
    }
    let days =
        Stretch { starts_at: world.zone.day_start(world.from), ends_at: world.zone.day_start(world.to) };
    found.retain(|start| days.holds(*start));
    found
}

/// Monday of the week of a day.
fn monday(day: Date) -> Date {
    day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days())
}

/// Whether one more lesson on `day` keeps to the limits, counted by dates.
fn keeps_to(world: &World, claims: &[Claim], (per_day, per_week): Limits, day: Date) -> bool {
    let days: Vec<Date> = claims.iter().map(|claim| world.zone.date(claim.lesson.starts_at)).collect();
    let of_day = days.iter().filter(|other| **other == day).count();
    let of_week = days.iter().filter(|other| monday(**other) == monday(day)).count();
    let below = |limit: Option<i32>, count: usize| limit.is_none_or(|limit| (count as i32) < limit);
    below(per_day, of_day) && below(per_week, of_week)
}

/// Looks at a slot without the engine's help.
fn holds_for_the_student(world: &World, slot: &Slot) -> Result<(), TestCaseError> {
    let Some(student) = &world.student else { return Ok(()) };
    let lesson = Stretch { starts_at: slot.starts_at, ends_at: slot.ends_at };
    prop_assert!(!student.claims.iter().any(|own| own.stretch.overlaps(lesson)));
    let limits = (student.max_per_day, student.max_per_week);
    prop_assert!(keeps_to(world, &student.claims, limits, world.zone.date(slot.starts_at)));
    if world.rules.needs_credit {
        let ends = student.credits.first().and_then(|credit| credit.expires_at);
        prop_assert!(ends.is_some_and(|ends| slot.starts_at < ends));
    }
    Ok(())
}

/// The same for a lesson alone, or the first of a group.
fn holds_for_the_school(world: &World, slot: &Slot) -> Result<(), TestCaseError> {
    let diary = &world.diary;
    let (lesson, claim) = (world.rules.lesson(slot.starts_at), world.rules.claim(slot.starts_at));
    prop_assert_eq!(slot.ends_at, lesson.ends_at);
    prop_assert_eq!(slot.left, world.rules.capacity);
    prop_assert!(!diary.blocks.iter().any(|block| block.overlaps(claim)));
    let travel = SignedDuration::from_mins(i64::from(diary.travel_min));
    for other in &diary.claims {
        prop_assert!(!other.stretch.overlaps(claim));
        let elsewhere = match &world.place {
            Place::Nowhere => false,
            Place::Unknown => !other.place.is_empty(),
            Place::At(place) => !other.place.is_empty() && other.place != *place,
        };
        let before = lesson.starts_at.duration_since(other.lesson.ends_at) >= travel;
        let after = other.lesson.starts_at.duration_since(lesson.ends_at) >= travel;
        prop_assert!(!elsewhere || before || after);
    }
    let limits = (diary.max_per_day, diary.max_per_week);
    prop_assert!(keeps_to(world, &diary.claims, limits, world.zone.date(slot.starts_at)));
    for need in &world.needs {
        let free = need.each.iter().filter(|(_, taken)| !taken.iter().any(|other| other.overlaps(claim)));
        prop_assert!(free.count() >= need.units);
    }
    let units: usize = world.needs.iter().map(|need| need.units).sum();
    prop_assert_eq!(pick_units(&world.needs, claim).map(|picked| picked.len()), Some(units));
    Ok(())
}

fn set(slots: Vec<Slot>) -> BTreeSet<Slot> {
    slots.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_listed_is_free(world in any_world()) {
        let slots = world.slots();
        prop_assert!(slots.windows(2).all(|pair| pair[0].starts_at < pair[1].starts_at));
        for slot in &slots {
            prop_assert!(slot.starts_at >= shift(world.now, world.rules.notice_min));
            let day = world.zone.date(slot.starts_at);
            prop_assert!(world.from <= day && day < world.to);
            prop_assert!(day <= world.zone.date(world.now).saturating_add(world.rules.horizon_days.days()));
            holds_for_the_student(&world, slot)?;
            match slot.group {
                None => holds_for_the_school(&world, slot)?,
                Some(id) => {
                    let group = world.diary.groups.iter().find(|group| group.id == id).expect("a group");
                    prop_assert_eq!((slot.starts_at, slot.ends_at), (group.starts_at, group.ends_at));
                    prop_assert!(slot.left == group.left && group.left > 0 && world.rules.capacity > 1);
                    prop_assert!(world.student.iter().all(|student| !student.groups.contains(&id)));
                }
            }
        }
    }

    #[test]
    fn what_is_listed_can_be_booked_and_what_can_be_booked_is_listed(world in any_world()) {
        let window = world.window();
        let can_be_booked: Vec<Slot> = candidates(&world)
            .into_iter()
            .filter_map(|start| bookable(&window, start, world.now).ok())
            .collect();
        prop_assert_eq!(world.slots(), can_be_booked);
    }

    #[test]
    fn one_claim_more_adds_no_slot(world in any_world(), claim in any_taken(), whose in 0u8..3) {
        let mut fuller = world.clone();
        let claim = taken(&world, claim);
        match whose {
            0 => fuller.diary.claims.push(claim),
            1 => fuller.student.get_or_insert_with(Learner::default).claims.push(claim),
            _ => {
                for need in &mut fuller.needs {
                    for (_, list) in need.each.iter_mut().take(1) {
                        list.push(claim.stretch);
                        *list = merged(std::mem::take(list));
                    }
                }
            }
        }
        prop_assert!(set(fuller.slots()).is_subset(&set(world.slots())));
    }

    #[test]
    fn one_closed_time_more_adds_no_slot(world in any_world(), block in any_minutes(), day in 0i64..14) {
        let all = set(world.slots());
        let mut blocked = world.clone();
        blocked.diary.blocks.push(span(&world, block));
        prop_assert!(set(blocked.slots()).is_subset(&all));
        let mut closed = world.clone();
        closed.school.holidays.insert(world.zone.date(world.now).saturating_add(day.days()), "Another".into());
        prop_assert!(set(closed.slots()).is_subset(&all));
    }

    #[test]
    fn a_higher_limit_removes_no_slot(world in any_world(), which in 0u8..4, more in prop::option::of(0i32..3)) {
        let raise = |limit: &mut Option<i32>| *limit = limit.and_then(|limit| more.map(|more| limit + more));
        let mut freer = world.clone();
        match (which, &mut freer.student) {
            (0, _) => raise(&mut freer.diary.max_per_day),
            (1, _) => raise(&mut freer.diary.max_per_week),
            (2, Some(student)) => raise(&mut student.max_per_day),
            (_, Some(student)) => raise(&mut student.max_per_week),
            (_, None) => {}
        }
        prop_assert!(set(world.slots()).is_subset(&set(freer.slots())));
    }

    /// On days without a change of clocks, hours can be checked by the wall clock alone.
    #[test]
    fn every_slot_lies_within_hours(hours in prop::collection::vec(any_hour(), 0..12), rules in any_rules()) {
        let mut world = World::day("Europe/Berlin", date(2026, 6, 1), hours);
        world.rules = rules;
        world.now = world.zone.day_start(world.from);
        world.to = world.from.saturating_add(7.days());
        for slot in world.slots() {
            let mut minute = slot.starts_at;
            while minute < slot.ends_at {
                let local = minute.to_zoned(world.zone.tz().clone());
                let weekday = i16::from(local.weekday().to_monday_one_offset());
                let clock = i16::from(local.hour()) * 60 + i16::from(local.minute());
                let open = |hour: &WeeklyHour| {
                    hour.weekday == weekday && hour.start_minute <= clock && clock < hour.end_minute
                };
                prop_assert!(world.diary.hours.iter().any(open));
                minute = shift(minute, 3);
            }
        }
    }
}
