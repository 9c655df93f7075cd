//! Reading lessons and taking them one step further.

use serde_json::json;

pub use super::store::{Choice, Choices};
use super::{
    Attendance, Booking, BookingFilter, Status,
    mail::{self, Addresses},
    store::{self, Whose},
    writes,
};
use crate::{
    Error, Instant, Result, audit,
    authz::{Action, Reach, TenantScope},
    ids::BookingId,
    paging::Page,
};

/// Lessons of a dashboard at most.
const MOST: i64 = 500;
/// Students that a form lists by name; a school with more types who it is.
const MOST_STUDENTS: i64 = 200;

/// Whose lessons the actor reaches with `action`: all of the school, or their own.
pub(crate) fn reached(scope: &TenantScope, action: Action) -> Result<Whose> {
    match scope.require(action)? {
        Reach::All => Ok(Whose::default()),
        _ => {
            let own = Whose { instructor: scope.actor().instructor(), student: scope.actor().student() };
            if own.instructor.is_none() && own.student.is_none() { Err(Error::NotFound) } else { Ok(own) }
        }
    }
}

/// Lessons that aren't cancelled and start from `from` up to, but without, `to`; 500 at most.
pub async fn between(scope: &mut TenantScope, from: Instant, to: Instant) -> Result<Vec<Booking>> {
    let whose = reached(scope, Action::ViewBookings)?;
    let (tenant, conn) = scope.conn();
    store::between(conn, tenant, whose, from, Some(to), MOST).await
}

/// A page of the lessons that the actor reaches.
pub async fn list(scope: &mut TenantScope, filter: &BookingFilter) -> Result<Page<Booking>> {
    let whose = reached(scope, Action::ViewBookings)?;
    let zone = scope.tenant().zone.clone();
    let (tenant, conn) = scope.conn();
    let (items, total) = store::list(conn, tenant, whose, filter, &zone).await?;
    Ok(Page::new(items, total, &filter.list))
}

/// One lesson that the actor reaches.
pub async fn one(scope: &mut TenantScope, id: BookingId) -> Result<Booking> {
    load(scope, Action::ViewBookings, id, false).await
}

/// One lesson that the actor reaches with `action`; with `lock` it stays as it is until the transaction ends.
pub(super) async fn load(
    scope: &mut TenantScope,
    action: Action,
    id: BookingId,
    lock: bool,
) -> Result<Booking> {
    let whose = reached(scope, action)?;
    let (tenant, conn) = scope.conn();
    let booking = store::find(conn, tenant, id, lock).await?.ok_or(Error::NotFound)?;
    if whose.holds(&booking) { Ok(booking) } else { Err(Error::NotFound) }
}

/// What the staff's form offers; no students when there are more than 200.
pub async fn choices(scope: &mut TenantScope) -> Result<Choices> {
    scope.require(Action::BookForStudent)?;
    let (tenant, conn) = scope.conn();
    store::choices(conn, tenant, MOST_STUDENTS).await
}

/// Approves a requested lesson.
pub async fn confirm(scope: &mut TenantScope, id: BookingId) -> Result<Booking> {
    let booking = load(scope, Action::ConfirmBooking, id, true).await?;
    if booking.status == Status::Requested && booking.starts_at <= scope.now() {
        return Err(Error::Conflict("Its time has passed. Cancel it with a reason instead.".into()));
    }
    let booking = step(scope, booking, Status::Confirmed).await?;
    let to = addresses(scope, &booking).await?;
    mail::confirmed(scope, &booking, &to).await?;
    record(scope, Action::ConfirmBooking, &booking, Some(Status::Requested), None).await?;
    Ok(booking)
}

/// Says that a lesson took place.
pub async fn complete(scope: &mut TenantScope, id: BookingId) -> Result<Booking> {
    finish(scope, id, Status::Completed).await
}

/// Says that the student didn't come; the lesson counts as used.
pub async fn no_show(scope: &mut TenantScope, id: BookingId) -> Result<Booking> {
    finish(scope, id, Status::NoShow).await
}

async fn finish(scope: &mut TenantScope, id: BookingId, next: Status) -> Result<Booking> {
    let booking = load(scope, Action::CompleteBooking, id, true).await?;
    if booking.status.may_become(next) && scope.now() < booking.starts_at {
        return Err(Error::Conflict("It has not begun yet.".into()));
    }
    let before = booking.status;
    let booking = step(scope, booking, next).await?;
    record(scope, Action::CompleteBooking, &booking, Some(before), None).await?;
    Ok(booking)
}

/// One legal step of a lesson that is loaded and locked.
pub(super) async fn step(scope: &mut TenantScope, mut booking: Booking, next: Status) -> Result<Booking> {
    if !booking.status.may_become(next) {
        let (now, then) = (booking.status.label().to_lowercase(), next.label().to_lowercase());
        return Err(Error::Conflict(format!("It is {now} and can't become {then}.")));
    }
    let (tenant, conn) = scope.conn();
    writes::set_status(conn, tenant, booking.id, next).await?;
    booking.status = next;
    booking.attendance = booking.attendance.or(match next {
        Status::Completed => Some(Attendance::Present),
        Status::NoShow => Some(Attendance::NoShow),
        _ => None,
    });
    Ok(booking)
}

/// Where those concerned are written to.
pub(super) async fn addresses(scope: &mut TenantScope, booking: &Booking) -> Result<Addresses> {
    let (tenant, conn) = scope.conn();
    let (student, instructor) = store::addresses(conn, tenant, booking.student, booking.instructor).await?;
    Ok(Addresses { student, instructor })
}

/// Audits what was done to a lesson; a new one has no status before.
pub(super) async fn record(
    scope: &mut TenantScope,
    action: Action,
    booking: &Booking,
    before: Option<Status>,
    reason: Option<&str>,
) -> Result<()> {
    let mut after = json!({ "status": booking.status.as_str() });
    if before.is_none() {
        after = json!({
            "status": booking.status.as_str(), "service": booking.service, "instructor": booking.instructor,
            "student": booking.student, "starts_at": booking.starts_at, "ends_at": booking.ends_at,
            "pack": booking.pack,
        });
        // What most lessons don't have is named where they have it.
        if !booking.also.is_empty() {
            after["also"] = json!(booking.also);
        }
        if let Some(group) = booking.group {
            after["group"] = json!(group);
        }
        if let Some((series, place)) = booking.series {
            after["series"] = json!(series);
            after["series_place"] = json!(place);
        }
    }
    let entry = audit::Entry {
        action: action.as_str(),
        entity: "booking",
        entity_id: Some(booking.id.0),
        before: before.map(|status| json!({ "status": status.as_str() })),
        after: Some(after),
        reason,
    };
    audit::record(scope, entry).await
}
