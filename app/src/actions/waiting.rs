//! The waiting list: joining and leaving it, and answering what it offers.

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
        Status,
        waiting::{self as list, AcceptRequest, Typed, Waited},
    },
};

/// Joins the waiting list for a day, or for one time of it: the student who is signed in, or by staff a student by id,
/// e-mail address or name. `instructor` is an id or `any`.
#[server(endpoint = "waiting/join", prefix = "/fn")]
pub async fn join(
    tenant: String,
    service: String,
    instructor: String,
    date: String,
    #[server(default)] time: String,
    #[server(default)] pickup: String,
    #[server(default)] note: String,
    #[server(default)] student: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let typed = Typed { student, service, instructor, date, time, pickup, note };
    let waited = list::join(&mut scope, &typed).await?;
    let message = format!(
        "{} on the waiting list for {}. When it is free, it is kept for a while and a message says so.",
        who_is(&scope, &waited),
        what(&scope, &waited)
    );
    scope.commit().await?;
    Ok(Outcome::new(format!("/t/{tenant}/waiting"), message).with_id(waited.id))
}

/// Leaves the waiting list.
#[server(endpoint = "waiting/leave", prefix = "/fn")]
pub async fn leave(tenant: String, entry: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = entry.parse().map_err(|_| domain::Error::NotFound)?;
    let waited = list::leave(&mut scope, id).await?;
    let message = format!("{} off the waiting list for {}.", who_is(&scope, &waited), what(&scope, &waited));
    scope.commit().await?;
    Ok(Outcome::new(format!("/t/{tenant}/waiting"), message))
}

/// Takes what the waiting list offers.
#[server(endpoint = "waiting/accept", prefix = "/fn")]
pub async fn accept(
    tenant: String,
    hold: String,
    #[server(default)] pickup: String,
    #[server(default)] note: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let hold = hold.parse().map_err(|_| domain::Error::NotFound)?;
    let booking = list::accept(&mut scope, &AcceptRequest { hold, pickup, note }).await?;
    let school = scope.tenant();
    let (did, next) = match booking.status {
        Status::Requested => ("Requested", format!(" The {} approves it first.", school.words().instructor)),
        _ => ("Booked", String::new()),
    };
    let when = school.zone.long_span(booking.starts_at, booking.ends_at, scope.now());
    let message = format!("{did}: {} with {}, {when}.{next}", booking.service_name, booking.instructor_name);
    scope.commit().await?;
    Ok(Outcome::new(format!("/t/{tenant}/bookings/{}", booking.id), message).with_id(booking.id))
}

/// Declines what the waiting list offers.
#[server(endpoint = "waiting/decline", prefix = "/fn")]
pub async fn decline(tenant: String, hold: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = hold.parse().map_err(|_| domain::Error::NotFound)?;
    let offer = list::decline(&mut scope, id).await?;
    let when = scope.tenant().zone.span(offer.starts_at, offer.ends_at, scope.now());
    let message = format!(
        "Declined: {} with {}, {when}. It goes to the next one on the waiting list.",
        offer.service_name, offer.instructor_name
    );
    scope.commit().await?;
    Ok(Outcome::new(format!("/t/{tenant}/waiting"), message))
}

/// "You are", "Sipho Dlamini is".
#[cfg(feature = "ssr")]
fn who_is(scope: &TenantScope, waited: &Waited) -> String {
    match scope.actor().student() {
        Some(_) => "You are".into(),
        None => format!("{} is", waited.student_name),
    }
}

/// "Driving lesson on Tue 30 Mar, 16:00".
#[cfg(feature = "ssr")]
fn what(scope: &TenantScope, waited: &Waited) -> String {
    format!("{} on {}", waited.service_name, waited.when(&scope.tenant().zone))
}
