//! Operations on hours and blocked times, and what the public page shows of them.

use jiff::{ToSpan, civil::Date};

pub use super::store::{Catalogue, Guide, Offer, Prepaid};
use super::{
    Block, Rules, Slot, Stretch, WeeklyHour, Window, free_slots,
    hours::{DAYS, parse_clock, parse_day},
    store,
};
use crate::{
    Error, FieldErrors, Instant, Result, audit,
    authz::{Action, Reach, TenantScope},
    identity,
    ids::{BlockId, InstructorId},
    people,
    services::Service,
    zoned::{LocalTime, Zone},
};

/// Services, verified instructors, and the packs of the student who looks.
pub async fn catalogue(scope: &mut TenantScope) -> Result<Catalogue> {
    scope.require(Action::ViewSchool)?;
    let (student, now) = (scope.actor().student(), scope.now());
    let (tenant, conn) = scope.conn();
    store::catalogue(conn, tenant, student, now).await
}

/// Free times of a service with some instructors on the local days from `from` up to, but without, `to`: by time,
/// then by instructor.
pub async fn week(
    scope: &mut TenantScope,
    service: &Service,
    instructors: &[InstructorId],
    from: Date,
    to: Date,
) -> Result<Vec<Slot>> {
    scope.require(Action::ViewSchool)?;
    let (student, now) = (scope.actor().student(), scope.now());
    let zone = scope.tenant().zone.clone();
    let within = around(&zone, from, to);
    let (tenant, conn) = scope.conn();
    let found = store::diaries(conn, tenant, instructors, student, within).await?;
    let rules = Rules::of(service);
    let mut slots: Vec<Slot> = found
        .instructors
        .iter()
        .flat_map(|diary| {
            free_slots(&Window { zone: &zone, rules, from, to, diary, student: &found.student }, now)
        })
        .collect();
    slots.sort_unstable();
    Ok(slots)
}

/// The moments of some local days, with room at both ends for lessons and buffers that reach over them.
pub(crate) fn around(zone: &Zone, from: Date, to: Date) -> Stretch {
    Stretch {
        starts_at: zone.day_start(from.saturating_sub(1.day())),
        ends_at: zone.day_start(to.saturating_add(2.days())),
    }
}

/// Weekly hours of an instructor, and their blocked times that aren't over.
pub async fn hours_and_blocks(
    scope: &mut TenantScope,
    instructor: InstructorId,
) -> Result<(Vec<WeeklyHour>, Vec<Block>)> {
    allow(scope, Action::ViewInstructors, instructor)?;
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    store::hours_and_blocks(conn, tenant, instructor, now).await
}

/// An instructor reaches their own record only; another's isn't there for them.
fn allow(scope: &TenantScope, action: Action, instructor: InstructorId) -> Result<()> {
    match scope.require(action)? {
        Reach::All => Ok(()),
        _ if scope.actor().instructor() == Some(instructor) => Ok(()),
        _ => Err(Error::NotFound),
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
    let (tenant, conn) = scope.conn();
    // One save at a time: hours are replaced as a whole.
    let (name, _) = people::store::lock_instructor(conn, tenant, instructor).await?.ok_or(Error::NotFound)?;
    let (before, _) = store::hours_and_blocks(conn, tenant, instructor, now).await?;
    store::set_hours(conn, tenant, instructor, &hours).await?;
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
    let (tenant, conn) = scope.conn();
    let (instructor, block) = store::delete_block(conn, tenant, id, own).await?.ok_or(Error::NotFound)?;
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
