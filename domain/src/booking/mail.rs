//! What student and instructor are told about a lesson.

use super::{Booking, Status, cancel_terms};
use crate::{Result, authz::TenantScope, notify, tenancy::Words};

/// E-mail addresses of those concerned.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses {
    pub(super) student: Option<String>,
    pub(super) instructor: Option<String>,
}

/// A lesson was booked or asked for.
pub(super) async fn booked(scope: &mut TenantScope, booking: &Booking, to: &Addresses) -> Result<()> {
    let facts = facts(scope, booking);
    let Words { lesson, .. } = scope.tenant().words();
    let zone = &scope.tenant().zone;
    let terms = cancel_terms(zone, lesson, booking.starts_at, booking.cancel_notice_min, scope.now());
    let (kind, word, next) = match booking.status {
        Status::Requested => ("booking_requested", "requested", "You will hear when it is approved.\n"),
        _ => ("booking_made", "booked", ""),
    };
    let subject = format!("{} {word}: {}", booking.service_name, span(scope, booking));
    let body = format!("{facts}\n{next}{terms}\n");
    send(scope, kind, to.student.as_deref(), subject.clone(), body, booking).await?;
    let body = match booking.status {
        Status::Requested => format!("{facts}\nIt waits for your approval.\n"),
        _ => facts,
    };
    send(scope, kind, to.instructor.as_deref(), subject, body, booking).await
}

/// A requested lesson was approved.
pub(super) async fn confirmed(scope: &mut TenantScope, booking: &Booking, to: &Addresses) -> Result<()> {
    let subject = format!("{} confirmed: {}", booking.service_name, span(scope, booking));
    let Words { lesson, .. } = scope.tenant().words();
    let zone = &scope.tenant().zone;
    let terms = cancel_terms(zone, lesson, booking.starts_at, booking.cancel_notice_min, scope.now());
    let body = format!("{}\n{terms}\n", facts(scope, booking));
    send(scope, "booking_confirmed", to.student.as_deref(), subject, body, booking).await
}

/// A lesson was cancelled; `reason` is what was said.
pub(super) async fn cancelled(
    scope: &mut TenantScope,
    booking: &Booking,
    credit_back: bool,
    reason: &str,
    to: &Addresses,
) -> Result<()> {
    let subject = format!("{} cancelled: {}", booking.service_name, span(scope, booking));
    let facts = facts(scope, booking);
    let Words { lesson, .. } = scope.tenant().words();
    let credit = match (booking.pack, credit_back) {
        (None, _) => String::new(),
        (Some(_), true) => format!("The {lesson} is back in the pack.\n"),
        (Some(_), false) => format!("The {lesson} counts as used.\n"),
    };
    let body = format!("{facts}\nReason: {reason}\n{credit}");
    send(scope, "booking_cancelled", to.student.as_deref(), subject.clone(), body, booking).await?;
    let body = format!("{facts}\nReason: {reason}\n");
    send(scope, "booking_cancelled", to.instructor.as_deref(), subject, body, booking).await
}

fn span(scope: &TenantScope, booking: &Booking) -> String {
    scope.tenant().zone.span(booking.starts_at, booking.ends_at, scope.now())
}

/// What, who, when and where, a line each.
fn facts(scope: &TenantScope, booking: &Booking) -> String {
    let tenant = scope.tenant();
    let when = tenant.zone.long_span(booking.starts_at, booking.ends_at, scope.now());
    let mut lines = format!(
        "{} at {}\n{when}\n{} with {}\n",
        booking.service_name, tenant.name, booking.student_name, booking.instructor_name
    );
    if !booking.pickup.is_empty() {
        lines.push_str(&format!("Pickup: {}\n", booking.pickup));
    }
    if !booking.note.is_empty() {
        lines.push_str(&format!("Note: {}\n", booking.note));
    }
    lines
}

/// Writes a message to the outbox, for those who have an address.
async fn send(
    scope: &mut TenantScope,
    kind: &'static str,
    recipient: Option<&str>,
    subject: String,
    body: String,
    booking: &Booking,
) -> Result<()> {
    let Some(recipient) = recipient else {
        return Ok(());
    };
    notify::enqueue(scope, notify::Message { kind, recipient, subject, body, booking: Some(booking.id) })
        .await
}
