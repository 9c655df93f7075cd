//! Keeping the services of a school.

// A form's fields are arguments.
#![allow(clippy::too_many_arguments)]

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::cx::Cx;
use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use domain::services::{Typed, service as services};

/// Saves a service: `service` is its id, or `new`. Notices are in hours, the horizon in days, the rest in minutes;
/// `instructors` are the ids of those who teach it.
#[server(endpoint = "services/save", prefix = "/fn")]
pub async fn save(
    tenant: String,
    service: String,
    name: String,
    #[server(default)] description: String,
    duration: String,
    price: String,
    buffer_before: String,
    buffer_after: String,
    notice: String,
    horizon: String,
    cancel_notice: String,
    #[server(default)] needs_pickup: String,
    #[server(default)] needs_approval: String,
    #[server(default)] instructors: Vec<String>,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = match service.as_str() {
        "new" => None,
        id => Some(id.parse().map_err(|_| domain::Error::NotFound)?),
    };
    let instructors: Result<Vec<domain::ids::InstructorId>, _> =
        instructors.iter().map(|id| id.parse()).collect();
    let typed = Typed {
        name,
        description,
        duration,
        price,
        buffer_before,
        buffer_after,
        notice,
        horizon,
        cancel_notice,
        needs_pickup: !needs_pickup.is_empty(),
        needs_approval: !needs_approval.is_empty(),
        instructors: instructors.map_err(|_| domain::Error::NotFound)?,
    };
    let saved = services::save(&mut scope, id, &typed).await?;
    scope.commit().await?;
    Ok(Outcome::new(format!("/t/{tenant}/services"), format!("{} is saved.", saved.name)).with_id(saved.id))
}

/// Takes a service off the school's page.
#[server(endpoint = "services/archive", prefix = "/fn")]
pub async fn archive(tenant: String, service: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = service.parse().map_err(|_| domain::Error::NotFound)?;
    let archived = services::archive(&mut scope, id).await?;
    scope.commit().await?;
    let message = format!("{} is archived. What is booked stays.", archived.name);
    Ok(Outcome::new(format!("/t/{tenant}/services"), message).with_id(id))
}

/// Offers an archived service again.
#[server(endpoint = "services/restore", prefix = "/fn")]
pub async fn restore(tenant: String, service: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = service.parse().map_err(|_| domain::Error::NotFound)?;
    let restored = services::restore(&mut scope, id).await?;
    scope.commit().await?;
    let message = format!("{} is offered again.", restored.name);
    Ok(Outcome::new(format!("/t/{tenant}/services"), message).with_id(id))
}
