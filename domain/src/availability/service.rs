//! Operations on hours and blocked times, and what the public page shows of them.

use jiff::{ToSpan, civil::Date};

pub use super::store::{Catalogue, Guide, Offer, Prepaid, WaitingLine};
use super::{
    Block, Diary, Place, Rules, Slot, Stretch, WhyNot, Window, bookable,
    exceptions::all_ahead,
    free_slots,
    hours::{DAYS, parse_clock, parse_day},
    rules::allow,
    store::{self, Asked, Ignore},
};
use crate::{
    Error, FieldErrors, Instant, Result, audit,
    authz::{Action, Reach, Role, TenantScope},
    booking::writes::freed,
    identity,
    ids::{BlockId, HoldId, InstructorId, ServiceId},
    people,
    services::Service,
    zoned::{LocalTime, Zone},
};

/// Services and verified instructors; of the student who looks packs, the time that is kept for them, and what they wait
/// for.
pub async fn catalogue(scope: &mut TenantScope) -> Result<Catalogue> {
    scope.require(Action::ViewSchool)?;
    let (student, now) = (scope.actor().student(), scope.now());
    let (tenant, conn) = scope.conn();
    store::catalogue(conn, tenant, student, now).await
}

/// Some local days of a service with some instructors.
#[derive(Clone, Debug)]
pub struct Days {
    /// Free times by time, then by instructor.
    pub slots: Vec<Slot>,
    zone: Zone,
    rules: Rules,
    place: Place,
    from: Date,
    to: Date,
    found: store::Diaries,
    /// Whoever looks doesn't belong to the school.
    stranger: bool,
}

impl Days {
    /// Why a time isn't free (BK-05), listed or not; `None` when it is, and for days that weren't asked for. With several
    /// instructors it is the cause of the one who comes nearest to free ([`WhyNot::nearness`]), of two the first. Strangers
    /// aren't told whose time it is and what takes it.
    pub fn why(&self, start: Instant, now: Instant) -> Option<WhyNot> {
        if let Err(cause) = self.rules.in_time(&self.zone, start, now) {
            return Some(cause);
        }
        let days =
            Stretch { starts_at: self.zone.day_start(self.from), ends_at: self.zone.day_start(self.to) };
        if !days.holds(start) {
            return None;
        }
        let mut causes = Vec::new();
        for diary in &self.found.instructors {
            match bookable(&self.window(diary), start, now) {
                Ok(_) => return None,
                Err(cause) => causes.push(cause),
            }
        }
        let cause = WhyNot::closest(causes);
        if self.stranger { cause.map(WhyNot::for_strangers) } else { cause }
    }

    fn window<'a>(&'a self, diary: &'a Diary) -> Window<'a> {
        self.found.window(&self.zone, self.rules, &self.place, diary, self.from, self.to)
    }
}

/// Free times of a service with some instructors on the local days from `from` up to, but without, `to`. Of several
/// services, `service` is all of them as one and `also` names those after the first. `hold` is the student's own during
/// checkout, which is in nobody's way here.
pub async fn week(
    scope: &mut TenantScope,
    service: &Service,
    also: &[ServiceId],
    instructors: &[InstructorId],
    from: Date,
    to: Date,
    hold: Option<HoldId>,
) -> Result<Days> {
    scope.require(Action::ViewSchool)?;
    let (student, now) = (scope.actor().student(), scope.now());
    let stranger = scope.actor().role == Role::Visitor;
    let zone = scope.tenant().zone.clone();
    let rules = Rules::of(service);
    let asked = Asked {
        service: service.id,
        also,
        instructors,
        student,
        within: rules.reach(around(&zone, from, to)),
        now,
        ignore: &Ignore { bookings: Vec::new(), hold },
    };
    let (tenant, conn) = scope.conn();
    let found = store::diaries(conn, tenant, asked).await?;
    // Where to pick the student up is said when the time is chosen: it may be anywhere.
    let place = if service.needs_pickup { Place::Unknown } else { Place::Nowhere };
    let mut days = Days { slots: Vec::new(), zone, rules, place, from, to, found, stranger };
    days.slots =
        days.found.instructors.iter().flat_map(|diary| free_slots(&days.window(diary), now)).collect();
    days.slots.sort_unstable();
    Ok(days)
}

/// The moments of some local days and of the rest of their weeks, for limits count by the week, with room at both ends
/// for lessons and buffers that reach over them.
pub(crate) fn around(zone: &Zone, from: Date, to: Date) -> Stretch {
    let monday = |day: Date| day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days());
    let after = monday(to.saturating_sub(1.day()).max(from)).saturating_add(7.days());
    Stretch {
        starts_at: zone.day_start(monday(from).saturating_sub(1.day())),
        ends_at: zone.day_start(after.saturating_add(2.days())),
    }
}

/// Sets the weekly hours of an instructor, as typed from Monday to Sunday. Lessons already booked stay.
pub async fn set_hours(
    scope: &mut TenantScope,
    instructor: InstructorId,
    typed: [&str; 7],
) -> Result<String> {
    allow(scope, Action::EditHours, instructor)?;
    let mut errors = FieldErrors::new();
    let mut hours = Vec::new();
    for (weekday, ((field, _), text)) in (1..).zip(DAYS.iter().zip(typed)) {
        hours.extend(errors.check(field, parse_day(weekday, text)).unwrap_or_default());
    }
    errors.finish()?;
    let now = scope.now();
    let ahead = all_ahead(&scope.tenant().zone, now);
    let (tenant, conn) = scope.conn();
    // One save at a time: hours are replaced as a whole.
    let (name, _) = people::store::lock_instructor(conn, tenant, instructor).await?.ok_or(Error::NotFound)?;
    let (before, _) = store::hours_and_blocks(conn, tenant, instructor, now).await?;
    store::set_hours(conn, tenant, instructor, &hours).await?;
    // The new openings may be what someone waits for.
    freed(conn, tenant, ahead, now).await?;
    let entry = audit::Entry {
        action: Action::EditHours.as_str(),
        entity: "instructor",
        entity_id: Some(instructor.0),
        before: Some(serde_json::json!({ "hours": before })),
        after: Some(serde_json::json!({ "hours": hours })),
        reason: None,
    };
    audit::record(scope, entry).await?;
    Ok(name)
}

/// A stretch to block, as typed: without times it is the whole day.
#[derive(Clone, Copy, Debug)]
pub struct TypedBlock<'a> {
    /// A local day.
    pub date: &'a str,
    /// "09:00".
    pub from: &'a str,
    /// "17:00".
    pub to: &'a str,
    /// Why.
    pub reason: &'a str,
}

impl TypedBlock<'_> {
    fn check(self, zone: &Zone, now: Instant) -> Result<Block> {
        let mut errors = FieldErrors::new();
        let date = errors.check("date", self.date.trim().parse::<Date>().map_err(|_| "Choose a day."));
        let clock = |text: &str, empty: i16| {
            if text.trim().is_empty() { Ok(empty) } else { parse_clock(text) }
        };
        let from = errors.check("from", clock(self.from, 0));
        let to = errors.check("to", clock(self.to, 1440));
        let reason = errors.check("reason", identity::text(self.reason, 200));
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            errors.add("to", "The end must come after the start.");
        }
        errors.finish()?;
        let date = date.unwrap_or_default();
        let starts_at = zone.at_minute(date, from.unwrap_or_default());
        let ends_at = end_of(zone, date, to.unwrap_or_default());
        if ends_at <= now {
            return Err(Error::field("date", "This is over already. Choose a later day or time."));
        }
        if starts_at >= ends_at {
            return Err(Error::field("from", "The clock skips this time on that day. Choose another one."));
        }
        Ok(Block { id: BlockId::new(now), starts_at, ends_at, reason: reason.unwrap_or_default() })
    }
}

/// The end of a blocked stretch: of a time that the clock shows twice, the second.
fn end_of(zone: &Zone, date: Date, minute: i16) -> Instant {
    let first = zone.at_minute(date, minute);
    if minute >= 1440 {
        return first;
    }
    match zone.resolve(first.to_zoned(zone.tz().clone()).datetime()) {
        LocalTime::Twice(_, second) => second,
        _ => first,
    }
}

/// Blocks a stretch of an instructor's time. Lessons already booked in it stay.
pub async fn block(
    scope: &mut TenantScope,
    instructor: InstructorId,
    typed: TypedBlock<'_>,
) -> Result<Block> {
    allow(scope, Action::EditHours, instructor)?;
    let now = scope.now();
    let block = typed.check(&scope.tenant().zone, now)?;
    let (tenant, conn) = scope.conn();
    store::instructor_name(conn, tenant, instructor).await?.ok_or(Error::NotFound)?;
    store::insert_block(conn, tenant, instructor, &block).await?;
    record_block(scope, instructor, None, Some(&block)).await?;
    Ok(block)
}

/// Frees a blocked stretch again.
pub async fn unblock(scope: &mut TenantScope, id: BlockId) -> Result<(InstructorId, Block)> {
    let own = match scope.require(Action::EditHours)? {
        Reach::All => None,
        _ => Some(scope.actor().instructor().ok_or(Error::NotFound)?),
    };
    let (now, (tenant, conn)) = (scope.now(), scope.conn());
    let (instructor, block) = store::delete_block(conn, tenant, id, own).await?.ok_or(Error::NotFound)?;
    freed(conn, tenant, Stretch { starts_at: block.starts_at, ends_at: block.ends_at }, now).await?;
    record_block(scope, instructor, Some(&block), None).await?;
    Ok((instructor, block))
}

async fn record_block(
    scope: &mut TenantScope,
    instructor: InstructorId,
    before: Option<&Block>,
    after: Option<&Block>,
) -> Result<()> {
    let json = |block: &Block| {
        serde_json::json!({
            "block": block.id, "starts_at": block.starts_at, "ends_at": block.ends_at, "reason": block.reason
        })
    };
    let entry = audit::Entry {
        action: Action::EditHours.as_str(),
        entity: "instructor",
        entity_id: Some(instructor.0),
        before: before.map(json),
        after: after.map(json),
        reason: None,
    };
    audit::record(scope, entry).await
}
