//! Cancelling lessons: their time is free again, and what that costs is in the terms stored with each.

use serde_json::json;

use super::{
    Booking, Status, mail,
    moves::{self, Which},
    policy::{Canceller, Consequence, cancellation, consequence},
    service::{addresses, reached},
    store, writes,
};
use crate::{
    Error, Result, audit,
    authz::{Action, Role, TenantScope},
    identity,
    ids::{BookingId, InstructorId, UserId},
    packs,
};

const BY_TERMS: &str = "Only the school can apply the student's terms.";

/// What is to be cancelled.
#[derive(Clone, Debug)]
pub struct CancelRequest {
    /// The lesson that is named.
    pub booking: BookingId,
    /// Why; everyone concerned reads it.
    pub reason: String,
    /// Which of its series go with it.
    pub which: Which,
    /// Staff cancel in the student's stead, by the student's terms.
    pub as_student: bool,
}

/// What cancelling did.
#[derive(Clone, Debug)]
pub struct Cancelled {
    /// Whether the lesson that was named went back to its pack.
    pub credit_back: bool,
    /// The lesson that was named, as it is now.
    pub booking: Booking,
    /// How many more of its series were cancelled with it.
    pub more: usize,
    /// What it means for the student, in sentences; empty for nothing.
    pub next: String,
}

/// As whom the actor cancels.
pub fn canceller(role: Role) -> Canceller {
    match role {
        Role::Student => Canceller::Student,
        Role::Instructor => Canceller::Instructor,
        _ => Canceller::Staff,
    }
}

/// Cancels a lesson, or several of its series, each by the terms stored with it.
pub async fn cancel(scope: &mut TenantScope, request: CancelRequest) -> Result<Cancelled> {
    let whose = reached(scope, Action::CancelBooking)?;
    let (now, by) = (scope.now(), canceller(scope.actor().role));
    let (tenant, conn) = scope.conn();
    let ids = moves::store::lock(conn, tenant, request.booking, request.which, whose, now).await?;
    let mut bookings = store::each(conn, tenant, &ids).await?;
    // The one that is named was locked whosever it is.
    if bookings.is_empty() || !bookings.iter().all(|booking| whose.holds(booking)) {
        return Err(Error::NotFound);
    }
    let reason = identity::text(&request.reason, 1000)
        .and_then(
            |text| {
                if text.is_empty() { Err("Say why, so that everyone knows.".into()) } else { Ok(text) }
            },
        )
        .map_err(|message| Error::field("reason", message))?;
    if request.as_student && by == Canceller::Instructor {
        return Err(Error::Forbidden(BY_TERMS));
    }
    // The one that is named comes first in what is said.
    bookings.sort_by_key(|booking| (booking.id != request.booking, booking.starts_at));
    let mut cancelled = Vec::with_capacity(bookings.len());
    let mut before = Vec::with_capacity(bookings.len());
    for booking in bookings {
        let done = cancellation(&booking, by, now).map_err(|message| Error::Conflict(message.into()))?;
        let by_terms = consequence(&booking, true, now);
        let done = if request.as_student { by_terms } else { done };
        // Nothing was agreed yet on what is only asked for.
        let over_terms = by != Canceller::Student && booking.status == Status::Confirmed && done != by_terms;
        before.push(Before { status: booking.status, over_terms });
        cancelled.push((booking, done));
    }
    write(scope, &mut cancelled, &reason).await?;
    let next = tell(scope, &cancelled, &reason).await?;
    for ((booking, done), before) in cancelled.iter().zip(&before) {
        record(scope, booking, *done, *before, &reason).await?;
    }
    let more = cancelled.len() - 1;
    let (booking, done) = cancelled.swap_remove(0);
    Ok(Cancelled { credit_back: done.credit_back, booking, more, next })
}

/// What a lesson was, and whether the school is more lenient than its terms.
#[derive(Clone, Copy)]
struct Before {
    status: Status,
    over_terms: bool,
}

/// Frees the time of lessons that are locked, and gives back what comes back.
async fn write(
    scope: &mut TenantScope,
    cancelled: &mut [(Booking, Consequence)],
    reason: &str,
) -> Result<()> {
    let (now, user) = (scope.now(), scope.actor().user);
    let (tenant, conn) = scope.conn();
    for (booking, done) in cancelled.iter_mut() {
        writes::set_cancelled(conn, tenant, booking.id, user, reason, done.fee_minor, now).await?;
        writes::release(conn, tenant, booking.id, now).await?;
        booking.status = Status::Cancelled;
        booking.cancel_reason = Some(reason.to_owned());
        booking.fee_minor = done.fee_minor;
    }
    // Packs after all time, and one after the other: so does everyone.
    let mut back: Vec<&Booking> =
        cancelled.iter().filter(|(_, done)| done.credit_back).map(|(booking, _)| booking).collect();
    back.sort_by_key(|booking| booking.pack.map(|pack| pack.0));
    for booking in back {
        give_back(scope, booking, user).await?;
    }
    Ok(())
}

async fn give_back(scope: &mut TenantScope, booking: &Booking, user: Option<UserId>) -> Result<()> {
    let Some(pack) = booking.pack else {
        return Ok(());
    };
    let posting = packs::Posting {
        pack,
        from: packs::CreditAccount::Used,
        to: packs::CreditAccount::Pack,
        lessons: 1,
        booking: Some(booking.id),
        actor: user,
        reason: "Cancelled",
    };
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    packs::store::post(conn, tenant, now, posting).await?;
    Ok(())
}

/// Writes to those concerned, once each. What it means for the student, in sentences.
async fn tell(scope: &mut TenantScope, cancelled: &[(Booking, Consequence)], reason: &str) -> Result<String> {
    let Some((first, done)) = cancelled.first() else {
        return Ok(String::new());
    };
    let to = addresses(scope, first).await?;
    if cancelled.len() == 1 {
        mail::cancelled(scope, first, done.credit_back, reason, &to).await?;
        return Ok(mail::after_cancelling(scope.tenant(), first, done.credit_back));
    }
    let mut instructors: Vec<InstructorId> =
        cancelled.iter().map(|(booking, _)| booking.instructor).collect();
    instructors.sort_unstable();
    instructors.dedup();
    let (tenant, conn) = scope.conn();
    let instructors = moves::store::emails(conn, tenant, &instructors).await?;
    mail::several_cancelled(scope, cancelled, reason, to.student.as_deref(), &instructors).await?;
    Ok(mail::cost_of_all(scope.tenant(), cancelled))
}

/// Audits a cancelled lesson.
async fn record(
    scope: &mut TenantScope,
    booking: &Booking,
    done: Consequence,
    before: Before,
    reason: &str,
) -> Result<()> {
    let mut after = json!({ "status": booking.status.as_str() });
    if let Some(fee) = done.fee_minor {
        after["fee_minor"] = json!(fee);
    }
    if before.over_terms {
        after["override"] = json!(true);
    }
    let entry = audit::Entry {
        action: Action::CancelBooking.as_str(),
        entity: "booking",
        entity_id: Some(booking.id.0),
        before: Some(json!({ "status": before.status.as_str() })),
        after: Some(after),
        reason: Some(reason),
    };
    audit::record(scope, entry).await
}
