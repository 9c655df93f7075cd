//! Setting hours, blocking time, days with other hours, limits and holidays.

// A form's fields are arguments.
#![allow(clippy::too_many_arguments)]

use leptos::prelude::*;

use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use crate::{
    cx::Cx,
    pages::availability::{long_day, stay_booked},
    ui::plural,
};
#[cfg(feature = "ssr")]
use domain::availability::{
    exceptions::{self, TypedException},
    holidays::{self, TypedHoliday},
    hours::openings_text,
    rules::{self, TypedLimits},
    service::{self, TypedBlock},
};

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

/// Sets the hours of one day, "09:00-12:00, 14:00-16:00", in place of those each week has; empty for a day off.
#[server(endpoint = "availability/save_exception", prefix = "/fn")]
pub async fn save_exception(
    tenant: String,
    instructor: String,
    date: String,
    #[server(default)] hours: String,
    #[server(default)] reason: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = instructor.parse().map_err(|_| domain::Error::NotFound)?;
    let typed = TypedException { date: &date, hours: &hours, reason: &reason };
    let saved = exceptions::save(&mut scope, id, typed).await?;
    let lesson = scope.tenant().words().lesson.clone();
    scope.commit().await?;
    let day = long_day(saved.exception.day);
    let what = match saved.exception.openings.as_slice() {
        [] => format!("{} is off on {day}.", saved.name),
        openings => format!("{} works {} on {day}.", saved.name, openings_text(openings)),
    };
    let stay = match saved.lessons {
        0 => String::new(),
        1 => format!(" 1 {lesson} that is booked stays."),
        many => format!(" {} that are booked stay.", plural(many as i64, &lesson)),
    };
    let message = format!("{what}{stay}");
    Ok(Outcome::new(format!("/t/{tenant}/instructors/{id}"), message))
}

/// Gives a day the hours of each week again.
#[server(endpoint = "availability/remove_exception", prefix = "/fn")]
pub async fn remove_exception(tenant: String, instructor: String, date: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = instructor.parse().map_err(|_| domain::Error::NotFound)?;
    let (name, removed) = exceptions::remove(&mut scope, id, &date).await?;
    scope.commit().await?;
    let day = long_day(removed.day);
    let message = format!("{name} has the usual hours on {day} again. What is booked stays.");
    Ok(Outcome::new(format!("/t/{tenant}/instructors/{id}"), message))
}

/// Sets how an instructor may be booked: minutes between two places, lessons a day and a week at most (empty for no
/// limit), and, by the school alone, their share when any instructor will do (empty to leave it).
#[server(endpoint = "availability/set_rules", prefix = "/fn")]
pub async fn set_rules(
    tenant: String,
    instructor: String,
    #[server(default)] travel: String,
    #[server(default)] max_per_day: String,
    #[server(default)] max_per_week: String,
    #[server(default)] weight: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = instructor.parse().map_err(|_| domain::Error::NotFound)?;
    let typed = TypedLimits {
        travel: &travel,
        max_per_day: &max_per_day,
        max_per_week: &max_per_week,
        weight: &weight,
    };
    let name = rules::set(&mut scope, id, typed).await?;
    scope.commit().await?;
    let message = format!("The limits of {name} are saved. What is booked stays.");
    Ok(Outcome::new(format!("/t/{tenant}/instructors/{id}"), message))
}

/// Closes the school on a day.
#[server(endpoint = "availability/add_holiday", prefix = "/fn")]
pub async fn add_holiday(tenant: String, date: String, name: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let added = holidays::add(&mut scope, TypedHoliday { date: &date, name: &name }).await?;
    let lesson = scope.tenant().words().lesson.clone();
    scope.commit().await?;
    let day = long_day(added.holiday.day);
    let stay = stay_booked(added.lessons, &lesson, "it").map_or_else(String::new, |stay| format!(" {stay}"));
    let message = format!("Closed on {day}: {}.{stay}", added.holiday.name);
    Ok(Outcome::new(format!("/t/{tenant}/holidays"), message))
}

/// Opens the school again on a day.
#[server(endpoint = "availability/remove_holiday", prefix = "/fn")]
pub async fn remove_holiday(tenant: String, date: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let removed = holidays::remove(&mut scope, &date).await?;
    scope.commit().await?;
    let message = format!("Open again on {}: {} is removed.", long_day(removed.day), removed.name);
    Ok(Outcome::new(format!("/t/{tenant}/holidays"), message))
}
