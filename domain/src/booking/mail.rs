//! What student and instructor are told about a lesson.

use super::{
    Booking, Status,
    policy::{Consequence, cancel_terms_of},
};
use crate::{
    Instant, Result,
    authz::TenantScope,
    notify::{self, BookingMail, Mail},
    tenancy::Tenant,
};

/// Dates of further lessons that a message names; the rest is on the site.
const MOST_NAMED: usize = 12;

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
    let next = after_cancelling(scope.tenant(), booking, credit_back);
    let student = Mail::BookingCancelled(BookingMail { next, ..facts.clone() });
    send(scope, to.student.as_deref(), &student, booking).await?;
    send(scope, to.instructor.as_deref(), &Mail::BookingCancelled(facts), booking).await
}

/// Several lessons of a series were cancelled at once: one message to the student and one to each instructor.
pub(super) async fn several_cancelled(
    scope: &mut TenantScope,
    cancelled: &[(Booking, Consequence)],
    reason: &str,
    student: Option<&str>,
    instructors: &[String],
) -> Result<()> {
    let Some((first, _)) = cancelled.first() else {
        return Ok(());
    };
    let tenant = scope.tenant().clone();
    let facts = BookingMail { reason: reason.to_owned(), ..facts(scope, first) };
    let bookings: Vec<&Booking> = cancelled.iter().map(|(booking, _)| booking).collect();
    let all = with_it(&tenant, "is cancelled", "are cancelled", &bookings, scope.now());
    let cost = cost_of_all(&tenant, cancelled);
    let told =
        BookingMail { next: [all.as_str(), cost.as_str()].join(" ").trim().to_owned(), ..facts.clone() };
    send(scope, student, &Mail::BookingCancelled(told), first).await?;
    let told = Mail::BookingCancelled(BookingMail { next: all, ..facts });
    for address in instructors {
        send(scope, Some(address.as_str()), &told, first).await?;
    }
    Ok(())
}

/// Lessons were moved: the first that is given, which was to be at `was`, and those of its series with it. One message
/// to the student and one to each instructor.
pub(super) async fn moved(
    scope: &mut TenantScope,
    moved: &[Booking],
    was: (Instant, Instant),
    reason: &str,
    student: Option<&str>,
    instructors: &[String],
) -> Result<()> {
    let Some(first) = moved.first() else {
        return Ok(());
    };
    let (tenant, now) = (scope.tenant().clone(), scope.now());
    let bookings: Vec<&Booking> = moved.iter().collect();
    let facts = BookingMail {
        was: tenant.zone.long_span(was.0, was.1, now),
        reason: reason.to_owned(),
        next: with_it(&tenant, "is moved", "are moved", &bookings, now),
        ..facts(scope, first)
    };
    let mut told = BookingMail { terms: terms(scope, first), ..facts.clone() };
    let mut asked = facts;
    if first.status == Status::Requested {
        told.next = format!("{} You will hear when it is approved.", told.next).trim_start().to_owned();
        asked.next = format!("{} It waits for your approval.", asked.next).trim_start().to_owned();
    }
    send(scope, student, &Mail::BookingMoved(told), first).await?;
    let asked = Mail::BookingMoved(asked);
    for address in instructors {
        send(scope, Some(address.as_str()), &asked, first).await?;
    }
    Ok(())
}

/// "2 more are moved with it: Tue 6 Apr, 16:00–17:00; Tue 13 Apr, 16:00–17:00." Nothing of one alone.
fn with_it(tenant: &Tenant, is: &str, are: &str, bookings: &[&Booking], now: Instant) -> String {
    let more = bookings.get(1..).unwrap_or_default();
    let does = if more.len() == 1 { is } else { are };
    let named: Vec<String> = more
        .iter()
        .take(MOST_NAMED)
        .map(|booking| tenant.zone.span(booking.starts_at, booking.ends_at, now))
        .collect();
    let end = if more.len() > MOST_NAMED { "; the others are on the site" } else { "" };
    match more.len() {
        0 => String::new(),
        number => format!("{number} more {does} with it: {}{end}.", named.join("; ")),
    }
}

/// What cancelling a lesson means for its student.
pub(super) fn after_cancelling(tenant: &Tenant, booking: &Booking, credit_back: bool) -> String {
    let lesson = &tenant.words().lesson;
    match (booking.pack, booking.fee_minor) {
        (Some(_), _) if credit_back => format!("The {lesson} is back in the pack."),
        (Some(_), _) => format!("The {lesson} counts as used."),
        (None, Some(fee)) if fee > 0 => {
            format!("It came too late to be free: {} is due.", tenant.locale.money(fee, &booking.currency))
        }
        (None, _) => String::new(),
    }
}

/// What cancelling several lessons means for their student.
pub(super) fn cost_of_all(tenant: &Tenant, cancelled: &[(Booking, Consequence)]) -> String {
    let lesson = &tenant.words().lesson;
    let count = |back: bool| {
        cancelled.iter().filter(|(booking, done)| booking.pack.is_some() && done.credit_back == back).count()
    };
    let many =
        |number: usize| if number == 1 { format!("1 {lesson}") } else { format!("{number} {lesson}s") };
    let mut parts = Vec::new();
    match count(true) {
        0 => {}
        1 => parts.push(format!("{} is back in the pack.", many(1))),
        back => parts.push(format!("{} are back in the pack.", many(back))),
    }
    match count(false) {
        0 => {}
        1 => parts.push(format!("{} counts as used.", many(1))),
        used => parts.push(format!("{} count as used.", many(used))),
    }
    let fee: i64 = cancelled.iter().filter_map(|(_, done)| done.fee_minor).sum();
    if let (true, Some((first, _))) = (fee > 0, cancelled.first()) {
        parts.push(format!("{} is due.", tenant.locale.money(fee, &first.currency)));
    }
    parts.join(" ")
}

/// The rule of cancelling.
pub(super) fn terms(scope: &TenantScope, booking: &Booking) -> String {
    let tenant = scope.tenant();
    let money = |fee| tenant.locale.money(fee, &booking.currency);
    cancel_terms_of(booking, &tenant.zone, tenant.words(), money, scope.now())
}

/// What, who, when and where.
pub(super) fn facts(scope: &TenantScope, booking: &Booking) -> BookingMail {
    about(scope.tenant(), booking, scope.now())
}

/// What, who, when and where, for those who act in no one's name.
pub(super) fn about(tenant: &Tenant, booking: &Booking, now: Instant) -> BookingMail {
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
pub(super) async fn send(
    scope: &mut TenantScope,
    to: Option<&str>,
    mail: &Mail,
    booking: &Booking,
) -> Result<()> {
    if let Some(to) = to {
        notify::enqueue(scope, to, mail, None, Some(booking.id)).await?;
    }
    Ok(())
}
