//! Whether lessons fit where they are to be moved.

use jiff::{ToSpan, civil::Date};
use uuid::Uuid;

use super::{Conflict, Lesson, MovePlan, Moving, Sheet, Wanted, shifted};
use crate::{
    Instant, Result,
    authz::TenantScope,
    availability::{
        Claim, Place, Rules, Slot, Stretch, bookable, free_slots, nearest, pick_units, place_key,
        service::around,
        store::{Asked, Diaries, Ignore, diaries},
    },
    booking::policy::Canceller,
    ids::InstructorId,
    tenancy::Tenant,
    zoned::Zone,
};

/// How far around a taken time other ones are looked for, in days.
const NEAREST_DAYS: i64 = 7;
/// How many of them are offered.
const NEAREST_COUNT: usize = 3;
/// Days whose free times a page shows.
const FREE_DAYS: i64 = 7;
/// How many days ahead the school moves lessons, whatever the service says.
const SCHOOL_HORIZON_DAYS: i32 = 730;

/// Who would move the lessons, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    pub(super) by: Canceller,
    pub(super) now: Instant,
}

/// What a lesson takes at its new time.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) slot: Slot,
    /// Units of resources; none for a seat, whose group has them.
    pub(super) units: Vec<Uuid>,
    /// Of the instructor's time, with buffers.
    pub(super) claim: Stretch,
    pub(super) place: Place,
}

impl Sheet {
    /// What one of the lessons asks of its new time: the length it was booked with, and for the school neither notice
    /// nor, within reason, a horizon. What is booked already may stay as far ahead as it is.
    fn rules_of(&self, zone: &Zone, lesson: &Lesson, asker: Asker) -> Rules {
        let ahead = zone.date(lesson.starts_at).duration_since(zone.date(asker.now)).as_hours() / 24;
        let ahead = i32::try_from(ahead).unwrap_or(0).max(self.rules.horizon_days);
        let rules = Rules { duration_min: lesson.duration_min(), horizon_days: ahead, ..self.rules };
        match asker.by {
            Canceller::Student => rules,
            _ => Rules { notice_min: 0, horizon_days: ahead.max(SCHOOL_HORIZON_DAYS), ..rules },
        }
    }

    fn place_of(&self, lesson: &Lesson) -> Place {
        match place_key(&lesson.pickup) {
            _ if !self.needs_pickup => Place::Nowhere,
            key if key.is_empty() => Place::Unknown,
            key => Place::At(key),
        }
    }

    /// Who would give one of the lessons then.
    fn instructor_of(&self, lesson: &Lesson, wanted: &Wanted) -> InstructorId {
        wanted.instructor.unwrap_or(lesson.instructor)
    }

    /// The local days to look at: those of the page, and those around each new time. What nobody could book isn't
    /// looked at, the end of time neither.
    fn days(&self, zone: &Zone, wanted: &Wanted, asker: Asker) -> (Date, Date) {
        let today = zone.date(asker.now);
        let (mut from, mut to) = (wanted.day, wanted.day.saturating_add(FREE_DAYS.days()));
        let mut horizon = 0_i32;
        for lesson in &self.lessons {
            horizon = horizon.max(self.rules_of(zone, lesson, asker).horizon_days);
            if let Some(Ok(at)) =
                wanted.starts_at.map(|new| shifted(zone, self.named.starts_at, new, lesson.starts_at))
            {
                from = from.min(zone.date(at).saturating_sub(NEAREST_DAYS.days()));
                to = to.max(zone.date(at).saturating_add((NEAREST_DAYS + 1).days()));
            }
        }
        let last = today.saturating_add((i64::from(horizon) + NEAREST_DAYS).days());
        (from.clamp(today, last), to.clamp(today, last))
    }
}

/// The time of all concerned, in which the lessons that move count for nothing, and neither does what the student who
/// moves them keeps during checkout. One query.
pub(super) async fn look(
    scope: &mut TenantScope,
    sheet: &Sheet,
    wanted: &Wanted,
    asker: Asker,
) -> Result<Diaries> {
    let zone = scope.tenant().zone.clone();
    let (from, to) = sheet.days(&zone, wanted, asker);
    let mut instructors: Vec<InstructorId> =
        sheet.lessons.iter().map(|lesson| sheet.instructor_of(lesson, wanted)).collect();
    instructors.sort_unstable();
    instructors.dedup();
    let hold = sheet.checkout.filter(|_| asker.by == Canceller::Student);
    let ignore = Ignore { bookings: sheet.lessons.iter().map(|lesson| lesson.id).collect(), hold };
    let asked = Asked {
        service: sheet.service,
        also: &sheet.also,
        instructors: &instructors,
        student: Some(sheet.student),
        within: sheet.rules.reach(around(&zone, from, to)),
        now: asker.now,
        ignore: &ignore,
    };
    let (tenant, conn) = scope.conn();
    diaries(conn, tenant, asked).await
}

/// Free starts of the lesson that is named on the days of the page, without the one it has.
pub(super) fn free(
    tenant: &Tenant,
    sheet: &Sheet,
    wanted: &Wanted,
    found: &Diaries,
    asker: Asker,
) -> Vec<Slot> {
    let zone = &tenant.zone;
    let who = sheet.instructor_of(&sheet.named, wanted);
    let Some(diary) = found.instructors.iter().find(|diary| diary.instructor == who) else {
        return Vec::new();
    };
    let (rules, place) = (sheet.rules_of(zone, &sheet.named, asker), sheet.place_of(&sheet.named));
    let to = wanted.day.saturating_add(FREE_DAYS.days());
    let mut slots = free_slots(&found.window(zone, rules, &place, diary, wanted.day, to), asker.now);
    slots.retain(|slot| slot.starts_at != sheet.named.starts_at || who != sheet.named.instructor);
    slots
}

/// Every lesson with its new time, when the one that is named begins at `starts_at`. Each that fits takes its time in
/// `found`, so that limits of days and weeks count them all.
pub(super) fn plan(
    tenant: &Tenant,
    sheet: &Sheet,
    wanted: &Wanted,
    starts_at: Instant,
    found: &mut Diaries,
    asker: Asker,
) -> MovePlan {
    let zone = &tenant.zone;
    let mut lessons = Vec::with_capacity(sheet.lessons.len());
    for lesson in &sheet.lessons {
        let who = sheet.instructor_of(lesson, wanted);
        let name = if who == lesson.instructor {
            lesson.instructor_name.clone()
        } else {
            sheet.teacher(who).unwrap_or_default().to_owned()
        };
        let (at, fits) = match shifted(zone, sheet.named.starts_at, starts_at, lesson.starts_at) {
            Ok(at) => (at, fit(tenant, sheet, lesson, who, found, at, asker)),
            Err((wall, message)) => {
                let label = "No such time".to_owned();
                let conflict = Conflict { label, message, taken: false, nearest: Vec::new() };
                (zone.jump(wall).unwrap_or(lesson.starts_at), Err(conflict))
            }
        };
        let (taken, conflict) = match fits {
            Ok(taken) => {
                note(found, &taken);
                (Some(taken), None)
            }
            Err(conflict) => (None, Some(conflict)),
        };
        let length = lesson.ends_at.duration_since(lesson.starts_at);
        let ends_at = at.checked_add(length).unwrap_or(at);
        lessons.push(Moving {
            lesson: lesson.clone(),
            starts_at: at,
            ends_at: taken.as_ref().map_or(ends_at, |taken| taken.slot.ends_at),
            instructor: who,
            instructor_name: name,
            conflict,
            taken,
        });
    }
    MovePlan { lessons }
}

/// Whether a lesson can take place at `at`, and what it takes then.
fn fit(
    tenant: &Tenant,
    sheet: &Sheet,
    lesson: &Lesson,
    who: InstructorId,
    found: &Diaries,
    at: Instant,
    asker: Asker,
) -> std::result::Result<Taken, Conflict> {
    let (zone, words, now) = (&tenant.zone, tenant.words(), asker.now);
    let refused = |label: &str, message: String| Conflict {
        label: label.to_owned(),
        message,
        taken: false,
        nearest: Vec::new(),
    };
    if let Err(message) = lesson.standing.may_move(asker.by, now) {
        return Err(refused("Can't be moved", message));
    }
    if asker.by == Canceller::Student && lesson.pack_ends.is_some_and(|end| end <= at) {
        let message = "The pack that pays for it ends before. Choose an earlier time.";
        return Err(refused("Pack ends before", message.to_owned()));
    }
    let rules = sheet.rules_of(zone, lesson, asker);
    // The end of time is nothing to look at.
    if let Err(why) = rules.in_time(zone, at, now) {
        return Err(refused(&why.label(words), why.message(words)));
    }
    let Some(diary) = found.instructors.iter().find(|diary| diary.instructor == who) else {
        let message = format!("This {} is no longer here. Ask the school.", words.instructor);
        return Err(refused("Nobody there", message));
    };
    let place = sheet.place_of(lesson);
    let day = zone.date(at);
    let window = |from: Date, to: Date| found.window(zone, rules, &place, diary, from, to);
    let near = || {
        let from = day.saturating_sub(NEAREST_DAYS.days());
        let slots = free_slots(&window(from, day.saturating_add((NEAREST_DAYS + 1).days())), now);
        nearest(&slots, at, NEAREST_COUNT)
    };
    let slot = bookable(&window(day, day.saturating_add(1.day())), at, now).map_err(|why| Conflict {
        label: why.label(words),
        message: why.message(words),
        taken: why.is_taken(),
        nearest: near(),
    })?;
    let claim = rules.claim(at);
    let units = match slot.group {
        Some(_) => Vec::new(),
        None => pick_units(&found.needs, claim).ok_or_else(|| Conflict {
            label: "Nothing free".into(),
            message: "Not all that it needs is free then. Choose another time.".into(),
            taken: true,
            nearest: near(),
        })?,
    };
    Ok(Taken { slot, units, claim, place })
}

/// Takes the time of a lesson that fits, for those that are looked at after it.
fn note(found: &mut Diaries, taken: &Taken) {
    let slot = taken.slot;
    let lesson = Stretch { starts_at: slot.starts_at, ends_at: slot.ends_at };
    let place = match &taken.place {
        Place::Nowhere => String::new(),
        // Another place than every other, and than that of the next one.
        Place::Unknown => format!("?{}", slot.starts_at),
        Place::At(key) => key.clone(),
    };
    let claim = Claim { stretch: taken.claim, lesson, place, held: false, group: false };
    if slot.group.is_none()
        && let Some(diary) = found.instructors.iter_mut().find(|diary| diary.instructor == slot.instructor)
    {
        diary.claims.push(claim.clone());
        diary.claims.sort_by_key(|claim| claim.stretch);
    }
    if let Some(student) = &mut found.student {
        student.claims.push(Claim { stretch: lesson, ..claim });
        student.claims.sort_by_key(|claim| claim.stretch);
    }
}
