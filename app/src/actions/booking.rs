//! Booking a lesson and taking it further.

// A form's fields are arguments.
#![allow(clippy::too_many_arguments)]

pub mod moves;
pub mod series;
pub mod work;

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::cx::Cx;
use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use domain::{
    authz::TenantScope,
    booking::{
        Booking, Status,
        create::{self, BookRequest, Who},
        hold::{self as holds, Hold as Held, HoldRequest},
        service, staff,
    },
    ids::{InstructorId, ServiceId},
};

/// Books a lesson for the student who is signed in. `instructor` is an id or `any`, `starts_at` is RFC 3339, `also` are
/// ids of further services with commas between them, and `hold` is what has kept the time meanwhile.
#[server(endpoint = "booking/book", prefix = "/fn")]
pub async fn book(
    tenant: String,
    service: String,
    instructor: String,
    starts_at: String,
    #[server(default)] note: String,
    #[server(default)] pickup: String,
    #[server(default)] idempotency_key: String,
    #[server(default)] also: String,
    #[server(default)] hold: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let request = BookRequest {
        service: service.parse().map_err(|_| domain::Error::NotFound)?,
        also: further(&also)?,
        instructor: with(&instructor)?,
        student: Who::Myself,
        starts_at: moment(&starts_at)?,
        note,
        pickup,
        idempotency_key: Some(idempotency_key),
        hold: match hold.as_str() {
            "" => None,
            id => Some(id.parse().map_err(|_| domain::Error::NotFound)?),
        },
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

/// Keeps a time for the student who is signed in, while they look over what they book. Fields as in `book`.
#[server(endpoint = "booking/hold", prefix = "/fn")]
pub async fn hold(
    tenant: String,
    service: String,
    instructor: String,
    starts_at: String,
    #[server(default)] also: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let request = HoldRequest {
        service: service.parse().map_err(|_| domain::Error::NotFound)?,
        also: further(&also)?,
        instructor: with(&instructor)?,
        starts_at: moment(&starts_at)?,
    };
    let held = holds::hold(&mut scope, &request).await?;
    let message = format!("Kept for you until {}.", scope.tenant().zone.clock(held.expires_at));
    // With any instructor it stays that way: whose time is kept shows when it is booked.
    let next = book_page(&scope, &held, request.instructor, true);
    scope.commit().await?;
    Ok(Outcome::new(next, message).with_id(held.id))
}

/// Frees a time that was kept. `instructor` is an id or `any`, as it was chosen with; else it is the one it was with.
#[server(endpoint = "booking/release_hold", prefix = "/fn")]
pub async fn release_hold(
    tenant: String,
    hold: String,
    #[server(default)] instructor: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = hold.parse().map_err(|_| domain::Error::NotFound)?;
    let held = holds::release(&mut scope, id).await?;
    let chosen = with(&instructor).unwrap_or(Some(held.instructor));
    let next = book_page(&scope, &held, chosen, false);
    scope.commit().await?;
    Ok(Outcome::new(next, "That time is no longer kept for you."))
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

/// Ids of further services, with commas between them.
#[cfg(feature = "ssr")]
fn further(also: &str) -> Result<Vec<ServiceId>, AppError> {
    also.split(',')
        .map(str::trim)
        .filter(|id| !id.is_empty())
        .map(|id| id.parse().map_err(|_| domain::Error::NotFound.into()))
        .collect()
}

/// An instructor, or any.
#[cfg(feature = "ssr")]
fn with(instructor: &str) -> Result<Option<InstructorId>, AppError> {
    match instructor {
        "any" => Ok(None),
        id => Ok(Some(id.parse().map_err(|_| domain::Error::NotFound)?)),
    }
}

/// A time as the book page names it.
#[cfg(feature = "ssr")]
fn moment(starts_at: &str) -> Result<domain::Instant, AppError> {
    starts_at
        .parse()
        .map_err(|_| AppError::field("starts_at", "Choose a time, such as 2026-03-30T16:00:00+02:00."))
}

/// The book page at what was kept: with its time chosen, or with the day alone.
#[cfg(feature = "ssr")]
fn book_page(scope: &TenantScope, held: &Held, with: Option<InstructorId>, chosen: bool) -> String {
    let tenant = scope.tenant();
    let also: Vec<String> = held.also.iter().map(ToString::to_string).collect();
    let mut pairs = vec![
        ("service", held.service.to_string()),
        ("also", also.join(",")),
        ("instructor", with.map_or_else(|| "any".to_owned(), |id| id.to_string())),
        ("date", tenant.zone.date(held.starts_at).to_string()),
    ];
    if chosen {
        pairs.push(("at", tenant.zone.rfc3339(held.starts_at)));
        // Once it is over, the page can say so.
        pairs.push(("hold", held.id.to_string()));
    }
    pairs.retain(|(_, value)| !value.is_empty());
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    format!("/s/{}/book?{query}", tenant.slug)
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
