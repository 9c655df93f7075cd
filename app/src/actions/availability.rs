//! Setting hours and blocking time.

// A form's fields are arguments.
#![allow(clippy::too_many_arguments)]

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::cx::Cx;
use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use domain::availability::service::{self, TypedBlock};

/// Sets an instructor's weekly hours: a text a day, "09:00-12:00, 13:00-17:00", empty for none.
#[server(endpoint = "availability/set_hours", prefix = "/fn")]
pub async fn set_hours(
    tenant: String,
    instructor: String,
    #[server(default)] mon: String,
    #[server(default)] tue: String,
    #[server(default)] wed: String,
    #[server(default)] thu: String,
    #[server(default)] fri: String,
    #[server(default)] sat: String,
    #[server(default)] sun: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = instructor.parse().map_err(|_| domain::Error::NotFound)?;
    let name = service::set_hours(&mut scope, id, [&mon, &tue, &wed, &thu, &fri, &sat, &sun]).await?;
    scope.commit().await?;
    let message = format!("The hours of {name} are saved. What is booked stays.");
    Ok(Outcome::new(format!("/t/{tenant}/instructors/{id}"), message))
}

/// Blocks a stretch of an instructor's day; without times it is the whole day.
#[server(endpoint = "availability/block", prefix = "/fn")]
pub async fn block(
    tenant: String,
    instructor: String,
    date: String,
    #[server(default)] from: String,
    #[server(default)] to: String,
    #[server(default)] reason: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = instructor.parse().map_err(|_| domain::Error::NotFound)?;
    let typed = TypedBlock { date: &date, from: &from, to: &to, reason: &reason };
    let block = service::block(&mut scope, id, typed).await?;
    let when = scope.tenant().zone.long_span(block.starts_at, block.ends_at, scope.now());
    scope.commit().await?;
    let message = format!("Blocked: {when}. What is booked stays.");
    Ok(Outcome::new(format!("/t/{tenant}/instructors/{id}"), message).with_id(block.id))
}

/// Frees a blocked stretch again.
#[server(endpoint = "availability/unblock", prefix = "/fn")]
pub async fn unblock(tenant: String, block: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = block.parse().map_err(|_| domain::Error::NotFound)?;
    let (instructor, block) = service::unblock(&mut scope, id).await?;
    let when = scope.tenant().zone.long_span(block.starts_at, block.ends_at, scope.now());
    scope.commit().await?;
    Ok(Outcome::new(format!("/t/{tenant}/instructors/{instructor}"), format!("Free again: {when}.")))
}
