//! What student and instructor are told about a lesson.

use super::{Booking, Status, cancel_terms};
use crate::{
    Result,
    authz::TenantScope,
    notify::{self, BookingMail, Mail},
};

/// E-mail addresses of those concerned.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses {
    pub(super) student: Option<String>,
    pub(super) instructor: Option<String>,
}

/// A lesson was booked or asked for.
pub(super) async fn booked(scope: &mut TenantScope, booking: &Booking, to: &Addresses) -> Result<()> {
    let facts = facts(scope, booking);
    let terms = terms(scope, booking);
    let (student, instructor) = match booking.status {
        Status::Requested => (
            Mail::BookingRequested(BookingMail {
                next: "You will hear when it is approved.".into(),
                terms,
                ..facts.clone()
            }),
            Mail::BookingRequested(BookingMail { next: "It waits for your approval.".into(), ..facts }),
        ),
        _ => (Mail::BookingMade(BookingMail { terms, ..facts.clone() }), Mail::BookingMade(facts)),
    };
    send(scope, to.student.as_deref(), &student, booking).await?;
    send(scope, to.instructor.as_deref(), &instructor, booking).await
}

/// A requested lesson was approved.
pub(super) async fn confirmed(scope: &mut TenantScope, booking: &Booking, to: &Addresses) -> Result<()> {
    let mail = Mail::BookingConfirmed(BookingMail { terms: terms(scope, booking), ..facts(scope, booking) });
    send(scope, to.student.as_deref(), &mail, booking).await
}

/// A lesson was cancelled; `reason` is what was said.
pub(super) async fn cancelled(
    scope: &mut TenantScope,
    booking: &Booking,
    credit_back: bool,
    reason: &str,
    to: &Addresses,
) -> Result<()> {
    let facts = BookingMail { reason: reason.to_owned(), ..facts(scope, booking) };
    let next = match (booking.pack, credit_back) {
        (None, _) => String::new(),
        (Some(_), true) => format!("The {} is back in the pack.", facts.lesson),
        (Some(_), false) => format!("The {} counts as used.", facts.lesson),
    };
    let student = Mail::BookingCancelled(BookingMail { next, ..facts.clone() });
    send(scope, to.student.as_deref(), &student, booking).await?;
    send(scope, to.instructor.as_deref(), &Mail::BookingCancelled(facts), booking).await
}

fn terms(scope: &TenantScope, booking: &Booking) -> String {
    let tenant = scope.tenant();
    let lesson = &tenant.words().lesson;
    cancel_terms(&tenant.zone, lesson, booking.starts_at, booking.cancel_notice_min, scope.now())
}

/// What, who, when and where.
fn facts(scope: &TenantScope, booking: &Booking) -> BookingMail {
    let (tenant, now) = (scope.tenant(), scope.now());
    BookingMail {
        booking: booking.id,
        school: tenant.name.clone(),
        slug: tenant.slug.clone(),
        lesson: tenant.words().lesson.clone(),
        service: booking.service_name.clone(),
        span: tenant.zone.span(booking.starts_at, booking.ends_at, now),
        when: tenant.zone.long_span(booking.starts_at, booking.ends_at, now),
        was: String::new(),
        student: booking.student_name.clone(),
        instructor: booking.instructor_name.clone(),
        pickup: booking.pickup.clone(),
        note: booking.note.clone(),
        reason: String::new(),
        next: String::new(),
        terms: String::new(),
        starts_at: booking.starts_at,
        ends_at: booking.ends_at,
        zone: tenant.zone.name().to_owned(),
    }
}

/// Writes a message to the outbox, for those who have an address.
async fn send(scope: &mut TenantScope, to: Option<&str>, mail: &Mail, booking: &Booking) -> Result<()> {
    if let Some(to) = to {
        notify::enqueue(scope, to, mail, None, Some(booking.id)).await?;
    }
    Ok(())
}
