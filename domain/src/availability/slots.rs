//! Which times are free. [`bookable`] looks at one moment and names what is against it; [`free_slots`] goes once through
//! some days, with everything sorted, because a page asks it of all instructors. Both keep to the same rules, and the
//! tests hold one against the other.

use uuid::Uuid;

use super::{
    Claim, Group, Need, Place, Slot, Stretch, WhyNot, Window,
    openings::{Calendar, Plan, merged, plan},
    shift,
};
use crate::Instant;

impl<'a> Window<'a> {
    /// The group lessons that can be joined.
    fn groups(&self) -> &'a [Group] {
        if self.rules.capacity > 1 { &self.diary.groups } else { &[] }
    }

    /// Whether the instructor would have to travel between the lesson and what `other` takes.
    fn is_elsewhere(&self, other: &Claim) -> bool {
        self.diary.travel_min > 0
            && !other.place.is_empty()
            && match self.place {
                Place::Nowhere => false,
                Place::Unknown => true,
                Place::At(place) => !place.is_empty() && *place != other.place,
            }
    }

    /// The lesson of a claim elsewhere, with the way to it and from it.
    fn with_travel(&self, other: &Claim) -> Stretch {
        Stretch {
            starts_at: shift(other.lesson.starts_at, -self.diary.travel_min),
            ends_at: shift(other.lesson.ends_at, self.diary.travel_min),
        }
    }

    /// Up to when the student has a prepaid lesson with the instructor, as far as one is asked for.
    fn paid_until(&self) -> Instant {
        match self.student {
            Some(student) if self.rules.needs_credit => student
                .credits
                .iter()
                .filter(|credit| credit.instructor == self.diary.instructor && credit.left > 0)
                .map(|credit| credit.expires_at.unwrap_or(Instant::MAX))
                .max()
                .unwrap_or(Instant::MIN),
            _ => Instant::MAX,
        }
    }

    /// A lesson alone, or the first of a group.
    fn alone(&self, lesson: Stretch) -> Slot {
        Slot {
            starts_at: lesson.starts_at,
            ends_at: lesson.ends_at,
            instructor: self.diary.instructor,
            group: None,
            left: self.rules.capacity.max(1),
        }
    }
}

/// Whether the lesson that begins at `start` can be booked: `start` needn't be one of the listed ones, staff type
/// times by hand. The days of the window don't matter; its diary must cover the lesson and its week.
///
/// # Errors
/// The first cause against it. Causes are looked for from the calendar to the student: time, hours, blocks, other
/// lessons, travel, the instructor's limits, resources, the student's lessons, limits and packs.
pub fn bookable(window: &Window<'_>, start: Instant, now: Instant) -> Result<Slot, WhyNot> {
    let Window { zone, rules, diary, needs, .. } = *window;
    rules.in_time(zone, start, now)?;
    if let Some(group) = window.groups().iter().find(|group| group.starts_at == start) {
        let day = zone.date(start);
        return join(window, &Calendar::new(zone, day, day), group);
    }
    let (lesson, claim) = (rules.lesson(start), rules.claim(start));
    let calendar = Calendar::new(zone, zone.date(start), zone.date(lesson.ends_at));
    within_hours(window, &calendar, lesson)?;
    if diary.blocks.iter().any(|block| block.overlaps(claim)) {
        return Err(WhyNot::Blocked);
    }
    instructor_is_free(window, lesson, claim)?;
    let causes: Causes = [WhyNot::InstructorDay, WhyNot::InstructorWeek];
    within_limits(&calendar, start, &diary.claims, [diary.max_per_day, diary.max_per_week], causes)?;
    if let Some(short) = needs.iter().find(|need| need.pick(claim).is_none()) {
        return Err(WhyNot::Resource(short.name.clone()));
    }
    student_can(window, &calendar, lesson)?;
    Ok(window.alone(lesson))
}

/// Whether a group lesson can be joined. It stands: its instructor and its resources are there whatever else is.
fn join(window: &Window<'_>, calendar: &Calendar<'_>, group: &Group) -> Result<Slot, WhyNot> {
    if window.student.is_some_and(|student| student.groups.contains(&group.id)) {
        return Err(WhyNot::InGroup);
    }
    if group.left <= 0 {
        return Err(WhyNot::GroupFull);
    }
    let lesson = Stretch { starts_at: group.starts_at, ends_at: group.ends_at };
    student_can(window, calendar, lesson)?;
    Ok(Slot { group: Some(group.id), left: group.left, ..window.alone(lesson) })
}

fn within_hours(window: &Window<'_>, calendar: &Calendar<'_>, lesson: Stretch) -> Result<(), WhyNot> {
    let first = calendar.day_of(lesson.starts_at).ok_or(WhyNot::OutsideHours)?;
    let last = calendar.day_of(lesson.ends_at).unwrap_or(first);
    let openings = calendar.openings(window, first, last);
    if openings.iter().any(|open| open.admits(lesson)) {
        return Ok(());
    }
    let closed = |day: usize| match plan(window, calendar.date(day)) {
        Plan::Holiday(name) => Some(WhyNot::Holiday(name.to_owned())),
        Plan::Exception([]) => Some(WhyNot::DayOff),
        Plan::Exception(_) | Plan::Weekly => None,
    };
    // A later day is to blame only for a lesson that begins well and goes on into it.
    let begins = openings.iter().any(|open| open.span.holds(lesson.starts_at));
    let enters = |day: &usize| calendar.start(*day).is_some_and(|start| start < lesson.ends_at);
    let cause =
        closed(first).or_else(|| (first + 1..=last).take_while(|day| begins && enters(day)).find_map(closed));
    Err(cause.unwrap_or(WhyNot::OutsideHours))
}

fn instructor_is_free(window: &Window<'_>, lesson: Stretch, claim: Stretch) -> Result<(), WhyNot> {
    let diary = window.diary;
    let in_the_way = diary
        .claims
        .iter()
        .filter(|other| other.stretch.overlaps(claim))
        .map(|other| match other.lesson.overlaps(lesson) {
            true if other.held => WhyNot::Held,
            true => WhyNot::Taken,
            false => WhyNot::Buffer,
        })
        // Of several, a lesson says more than a hold, and a hold more than a buffer.
        .min_by_key(WhyNot::nearness);
    let on_the_way = |other: &Claim| window.is_elsewhere(other) && window.with_travel(other).overlaps(lesson);
    match in_the_way {
        Some(cause) => Err(cause),
        None if diary.claims.iter().any(on_the_way) => Err(WhyNot::Travel(diary.travel_min)),
        None => Ok(()),
    }
}

/// What a full day is called, and a full week.
type Causes = [fn(i32) -> WhyNot; 2];

/// Whether the lessons of the day and of the week leave room for one more.
fn within_limits(
    calendar: &Calendar<'_>,
    start: Instant,
    claims: &[Claim],
    limits: [Option<i32>; 2],
    causes: Causes,
) -> Result<(), WhyNot> {
    let spans = [calendar.day(start), calendar.week(start)];
    for ((limit, cause), span) in limits.into_iter().zip(causes).zip(spans) {
        if let (Some(limit), Some(span)) = (limit, span) {
            let lessons = claims.iter().filter(|claim| span.holds(claim.lesson.starts_at)).count();
            if is_full(limit, lessons) {
                return Err(cause(limit));
            }
        }
    }
    Ok(())
}

fn is_full(limit: i32, lessons: usize) -> bool {
    usize::try_from(limit).is_ok_and(|limit| lessons >= limit)
}

fn student_can(window: &Window<'_>, calendar: &Calendar<'_>, lesson: Stretch) -> Result<(), WhyNot> {
    let Some(student) = window.student else { return Ok(()) };
    if student.claims.iter().any(|own| own.stretch.overlaps(lesson)) {
        return Err(WhyNot::OwnLesson);
    }
    let causes: Causes = [WhyNot::StudentDay, WhyNot::StudentWeek];
    let limits = [student.max_per_day, student.max_per_week];
    within_limits(calendar, lesson.starts_at, &student.claims, limits, causes)?;
    if lesson.starts_at < window.paid_until() { Ok(()) } else { Err(WhyNot::NoCredit) }
}

impl Need {
    /// The first units that are free, as many as a lesson takes.
    fn pick(&self, claim: Stretch) -> Option<Vec<Uuid>> {
        let free = self.each.iter().filter(|(_, taken)| !taken.iter().any(|other| other.overlaps(claim)));
        let picked: Vec<Uuid> = free.map(|(id, _)| *id).take(self.units).collect();
        (picked.len() == self.units).then_some(picked)
    }
}

/// Units of all that is needed, the first free ones of each; `None` when a resource is short.
pub fn pick_units(needs: &[Need], claim: Stretch) -> Option<Vec<Uuid>> {
    let mut picked = Vec::new();
    for need in needs {
        picked.extend(need.pick(claim)?);
    }
    Some(picked)
}

/// All starts to choose from, in order: from each opening's start in steps, and the group lessons that can be joined.
pub fn free_slots(window: &Window<'_>, now: Instant) -> Vec<Slot> {
    let Window { zone, rules, from, to, .. } = *window;
    let earliest = shift(now, rules.notice_min.max(0)).max(zone.day_start(from));
    let latest = rules.horizon_end(zone, now).min(zone.day_start(to));
    if earliest >= latest {
        return Vec::new();
    }
    let end = shift(latest, rules.duration_min);
    let calendar = Calendar::new(zone, zone.date(earliest), zone.date(end));
    let Some(first) = calendar.day_of(earliest) else { return Vec::new() };
    let last = calendar.day_of(end).unwrap_or(calendar.len());

    let mut groups: Vec<&Group> = window.groups().iter().collect();
    // Of two at one time, which the school can't plan, the first one counts here too.
    groups.sort_by_key(|group| group.starts_at);
    groups.dedup_by_key(|group| group.starts_at);

    let mut sweep = Sweep::new(window, &calendar);
    let mut slots = Vec::new();
    for open in calendar.openings(window, first, last) {
        if open.span.starts_at >= latest {
            break;
        }
        if sweep.full.get(open.day).is_some_and(|full| *full) {
            continue;
        }
        let mut start = open.span.starts_at;
        while start < open.span.ends_at.min(latest) {
            let lesson = rules.lesson(start);
            if lesson.ends_at > open.until {
                break;
            }
            if start >= earliest
                && sweep.is_clear(lesson, rules.claim(start))
                && groups.binary_search_by_key(&start, |group| group.starts_at).is_err()
            {
                slots.push(window.alone(lesson));
            }
            start = shift(start, rules.step_min());
        }
    }
    let asked = Stretch { starts_at: earliest, ends_at: latest };
    let joinable = groups.iter().filter(|group| asked.holds(group.starts_at));
    slots.extend(joinable.filter_map(|group| join(window, &calendar, group).ok()));
    if !groups.is_empty() {
        slots.sort_unstable();
    }
    slots
}

/// What candidates are held against. They come in order, and so does everything here: each list has a place behind which
/// all later candidates lie, so one pass over it is enough.
struct Sweep<'a> {
    /// The instructor's blocked time and claims.
    busy: Track,
    /// The instructor's lessons elsewhere, with the ways.
    elsewhere: Track,
    /// The student's time.
    own: Track,
    needs: Vec<Shelf<'a>>,
    /// Days on which the instructor or the student has no room for one more.
    full: Vec<bool>,
    paid_until: Instant,
}

impl<'a> Sweep<'a> {
    fn new(window: &Window<'a>, calendar: &Calendar<'_>) -> Self {
        let Window { diary, student, needs, .. } = *window;
        let taken = diary.claims.iter().map(|claim| claim.stretch);
        let elsewhere = diary.claims.iter().filter(|claim| window.is_elsewhere(claim));
        let own = student.map_or(&[][..], |student| &student.claims[..]);
        let mut full = vec![false; calendar.len()];
        mark_full(&mut full, calendar, &diary.claims, [diary.max_per_day, diary.max_per_week]);
        if let Some(student) = student {
            mark_full(&mut full, calendar, own, [student.max_per_day, student.max_per_week]);
        }
        Self {
            busy: Track::new(diary.blocks.iter().copied().chain(taken).collect()),
            elsewhere: Track::new(elsewhere.map(|claim| window.with_travel(claim)).collect()),
            own: Track::new(own.iter().map(|claim| claim.stretch).collect()),
            needs: needs.iter().map(|need| Shelf { need, next: vec![0; need.each.len()] }).collect(),
            full,
            paid_until: window.paid_until(),
        }
    }

    fn is_clear(&mut self, lesson: Stretch, claim: Stretch) -> bool {
        self.busy.is_clear(claim)
            && self.own.is_clear(lesson)
            && self.elsewhere.is_clear(lesson)
            && self.needs.iter_mut().all(|shelf| shelf.has_enough(claim))
            && lesson.starts_at < self.paid_until
    }
}

/// Marks the days whose own lessons, or those of their week, leave no room.
fn mark_full(full: &mut [bool], calendar: &Calendar<'_>, claims: &[Claim], limits: [Option<i32>; 2]) {
    let [per_day, per_week] = limits;
    if per_day.is_none() && per_week.is_none() {
        return;
    }
    let mut lessons = vec![0_usize; full.len()];
    for claim in claims {
        if let Some(day) = calendar.day_of(claim.lesson.starts_at)
            && let Some(count) = lessons.get_mut(day)
        {
            *count += 1;
        }
    }
    for (days, full) in lessons.chunks(7).zip(full.chunks_mut(7)) {
        let week: usize = days.iter().sum();
        let week = per_week.is_some_and(|limit| is_full(limit, week));
        for (day, full) in days.iter().zip(full) {
            *full |= week || per_day.is_some_and(|limit| is_full(limit, *day));
        }
    }
}

/// Stretches in order and apart, and how many of them lie behind all later questions.
struct Track {
    list: Vec<Stretch>,
    next: usize,
}

impl Track {
    fn new(list: Vec<Stretch>) -> Self {
        Self { list: merged(list), next: 0 }
    }

    fn is_clear(&mut self, wanted: Stretch) -> bool {
        is_clear(&self.list, &mut self.next, wanted)
    }
}

/// A resource, and for each unit how much of what takes it lies behind.
struct Shelf<'a> {
    need: &'a Need,
    next: Vec<usize>,
}

impl Shelf<'_> {
    fn has_enough(&mut self, claim: Stretch) -> bool {
        let mut free = 0;
        for ((_, taken), next) in self.need.each.iter().zip(&mut self.next) {
            if free == self.need.units {
                break;
            }
            free += usize::from(is_clear(taken, next, claim));
        }
        free == self.need.units
    }
}

/// Whether nothing in `list` overlaps `wanted`. `next` remembers what lies behind all later questions.
fn is_clear(list: &[Stretch], next: &mut usize, wanted: Stretch) -> bool {
    while list.get(*next).is_some_and(|taken| taken.ends_at <= wanted.starts_at) {
        *next += 1;
    }
    list.get(*next).is_none_or(|taken| taken.starts_at >= wanted.ends_at)
}
