//! Cancelling a lesson: its time is free again, and the lesson comes back when the terms say so.

use super::{
    Booking, Canceller, Status, cancellation, mail,
    service::{addresses, load, record},
    writes,
};
use crate::{
    Error, Result,
    authz::{Action, Role, TenantScope},
    identity,
    ids::BookingId,
    packs,
};

/// What cancelling did.
#[derive(Clone, Debug)]
pub struct Cancelled {
    /// Whether a lesson went back to a pack.
    pub credit_back: bool,
    /// The lesson as it is now.
    pub booking: Booking,
}

/// As whom the actor cancels.
pub fn canceller(role: Role) -> Canceller {
    match role {
        Role::Student => Canceller::Student,
        Role::Instructor => Canceller::Instructor,
        _ => Canceller::Staff,
    }
}

/// Cancels a lesson by the terms stored with it.
pub async fn cancel(scope: &mut TenantScope, id: BookingId, reason: &str) -> Result<Cancelled> {
    let mut booking = load(scope, Action::CancelBooking, id, true).await?;
    let reason = identity::text(reason, 1000)
        .and_then(
            |text| {
                if text.is_empty() { Err("Say why, so that everyone knows.".into()) } else { Ok(text) }
            },
        )
        .map_err(|message| Error::field("reason", message))?;
    let (now, user) = (scope.now(), scope.actor().user);
    let in_time = cancellation(&booking, canceller(scope.actor().role), now)
        .map_err(|message| Error::Conflict(message.into()))?;
    let before = booking.status;
    let (tenant, conn) = scope.conn();
    writes::set_cancelled(conn, tenant, booking.id, user, &reason, now).await?;
    writes::release(conn, tenant, booking.id).await?;
    let pack = booking.pack.filter(|_| in_time);
    if let Some(pack) = pack {
        let posting = packs::Posting {
            pack,
            from: packs::CreditAccount::Used,
            to: packs::CreditAccount::Pack,
            lessons: 1,
            booking: Some(booking.id),
            actor: user,
            reason: "Cancelled",
        };
        packs::store::post(conn, tenant, now, posting).await?;
    }
    booking.status = Status::Cancelled;
    booking.cancel_reason = Some(reason.clone());
    let to = addresses(scope, &booking).await?;
    mail::cancelled(scope, &booking, pack.is_some(), &reason, &to).await?;
    record(scope, Action::CancelBooking, &booking, Some(before), Some(&reason)).await?;
    Ok(Cancelled { credit_back: pack.is_some(), booking })
}
