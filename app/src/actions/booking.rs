//! Booking a lesson and taking it further.

// A form's fields are arguments.
#![allow(clippy::too_many_arguments)]

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::cx::Cx;
use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use domain::{
    authz::TenantScope,
    booking::{
        Booking, Status, cancel as cancelling,
        create::{self, BookRequest, Who},
        service, staff,
    },
};

/// Books a lesson for the student who is signed in. `instructor` is an id or `any`, `starts_at` is RFC 3339.
#[server(endpoint = "booking/book", prefix = "/fn")]
pub async fn book(
    tenant: String,
    service: String,
    instructor: String,
    starts_at: String,
    #[server(default)] note: String,
    #[server(default)] pickup: String,
    #[server(default)] idempotency_key: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let request = BookRequest {
        service: service.parse().map_err(|_| domain::Error::NotFound)?,
        instructor: match instructor.as_str() {
            "any" => None,
            id => Some(id.parse().map_err(|_| domain::Error::NotFound)?),
        },
        student: Who::Myself,
        starts_at: starts_at
            .parse()
            .map_err(|_| AppError::field("starts_at", "Choose a time, such as 2026-03-30T16:00:00+02:00."))?,
        note,
        pickup,
        idempotency_key: Some(idempotency_key),
    };
    let booking = create::book(&mut scope, request).await?;
    let outcome = booked(&scope, &booking);
    scope.commit().await?;
    Ok(outcome)
}

/// Books a lesson for a student, by staff: `student` is an id, an e-mail address or a name; day and time are local,
/// `which` says `first` or `second` of a time that the clock shows twice.
#[server(endpoint = "booking/book_for_student", prefix = "/fn")]
pub async fn book_for_student(
    tenant: String,
    student: String,
    instructor: String,
    service: String,
    date: String,
    time: String,
    #[server(default)] which: String,
    #[server(default)] note: String,
    #[server(default)] pickup: String,
    #[server(default)] idempotency_key: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let idempotency_key = Some(idempotency_key);
    let typed =
        staff::Typed { student, instructor, service, date, time, which, note, pickup, idempotency_key };
    let booking = staff::book_typed(&mut scope, typed).await?;
    let outcome = booked(&scope, &booking);
    scope.commit().await?;
    Ok(outcome)
}

/// Cancels a lesson.
#[server(endpoint = "booking/cancel", prefix = "/fn")]
pub async fn cancel(tenant: String, booking: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = booking.parse().map_err(|_| domain::Error::NotFound)?;
    let done = cancelling::cancel(&mut scope, id, &reason).await?;
    let lesson = &scope.tenant().words().lesson;
    let credit = match (done.booking.pack, done.credit_back) {
        (None, _) => String::new(),
        (Some(_), true) => format!(" The {lesson} is back in the pack."),
        (Some(_), false) => format!(" The {lesson} counts as used."),
    };
    let outcome = said(&scope, &done.booking, "Cancelled", &credit);
    scope.commit().await?;
    Ok(outcome)
}

/// Approves a requested lesson.
#[server(endpoint = "booking/confirm", prefix = "/fn")]
pub async fn confirm(tenant: String, booking: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = booking.parse().map_err(|_| domain::Error::NotFound)?;
    let booking = service::confirm(&mut scope, id).await?;
    let outcome = said(&scope, &booking, "Approved", "");
    scope.commit().await?;
    Ok(outcome)
}

/// Says that a lesson took place.
#[server(endpoint = "booking/complete", prefix = "/fn")]
pub async fn complete(tenant: String, booking: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = booking.parse().map_err(|_| domain::Error::NotFound)?;
    let booking = service::complete(&mut scope, id).await?;
    let outcome = said(&scope, &booking, "Completed", "");
    scope.commit().await?;
    Ok(outcome)
}

/// Says that the student didn't come.
#[server(endpoint = "booking/no_show", prefix = "/fn")]
pub async fn no_show(tenant: String, booking: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = booking.parse().map_err(|_| domain::Error::NotFound)?;
    let booking = service::no_show(&mut scope, id).await?;
    let outcome = said(&scope, &booking, "No-show", "");
    scope.commit().await?;
    Ok(outcome)
}

/// A lesson that is new.
#[cfg(feature = "ssr")]
fn booked(scope: &TenantScope, booking: &Booking) -> Outcome {
    match booking.status {
        Status::Requested => {
            let next = format!(" The {} approves it first.", scope.tenant().words().instructor);
            said(scope, booking, "Requested", &next)
        }
        _ => said(scope, booking, "Booked", ""),
    }
}

/// Goes to the lesson and says what happened to it: which one, with whom, and when.
#[cfg(feature = "ssr")]
fn said(scope: &TenantScope, booking: &Booking, what: &str, more: &str) -> Outcome {
    let tenant = scope.tenant();
    let when = tenant.zone.long_span(booking.starts_at, booking.ends_at, scope.now());
    let message = format!("{what}: {} with {}, {when}.{more}", booking.service_name, booking.instructor_name);
    Outcome::new(format!("/t/{}/bookings/{}", tenant.slug, booking.id), message).with_id(booking.id)
}
