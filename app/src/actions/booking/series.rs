//! Lessons that come again and again, and lessons for several.

// A form's fields are arguments.
#![allow(clippy::too_many_arguments)]

use leptos::prelude::*;

use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use crate::{cx::Cx, ui::plural};
#[cfg(feature = "ssr")]
use domain::{
    authz::TenantScope,
    booking::{
        Status,
        group::{self as groups, GroupLesson, TypedGroup},
        series::{self, SeriesTyped},
    },
};

/// Books lessons that come again and again, all with one instructor: `instructor` is an id or `any`; day and time are
/// local; `until` says which of `count` and `last_day` ends them; `skip` are the numbers of those to leave out. Staff
/// name the `student` by an id, an e-mail address or a name.
#[server(endpoint = "booking/book_series", prefix = "/fn")]
pub async fn book_series(
    tenant: String,
    #[server(default)] student: String,
    service: String,
    instructor: String,
    date: String,
    time: String,
    #[server(default)] clock: String,
    every: String,
    #[server(default)] until: String,
    #[server(default)] count: String,
    #[server(default)] last_day: String,
    #[server(default)] skip: Vec<String>,
    #[server(default)] note: String,
    #[server(default)] pickup: String,
    #[server(default)] idempotency_key: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let skip: Result<Vec<i32>, _> = skip.iter().map(|place| place.trim().parse()).collect();
    let typed = SeriesTyped {
        student,
        service,
        instructor,
        date,
        time,
        clock,
        every,
        until,
        count,
        last_day,
        skip: skip.map_err(|_| AppError::field("skip", "Name those to leave out by their numbers."))?,
        note,
        pickup,
        idempotency_key: Some(idempotency_key),
    };
    let made = series::create(&mut scope, &typed).await?;
    let school = scope.tenant();
    let words = school.words();
    let lessons = plural(made.lessons, &words.lesson);
    let when = school.zone.long_span(made.first.starts_at, made.first.ends_at, scope.now());
    let message = match made.first.status {
        Status::Requested => {
            let who = &words.instructor;
            format!("Requested: {lessons}, the first on {when}. The {who} approves them first.")
        }
        _ => format!("Booked: {lessons}, the first on {when}."),
    };
    let next = format!("/t/{}/bookings?series={}", school.slug, made.series);
    scope.commit().await?;
    Ok(Outcome::new(next, message).with_id(made.series))
}

/// Plans a lesson for several; day and time are local, `clock` says `first` or `second` of a time that the clock shows
/// twice. An instructor plans their own and leaves `instructor` empty.
#[server(endpoint = "booking/open_group", prefix = "/fn")]
pub async fn open_group(
    tenant: String,
    service: String,
    #[server(default)] instructor: String,
    date: String,
    time: String,
    #[server(default)] clock: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let typed = TypedGroup { service, instructor, date, time, clock };
    let group = groups::open(&mut scope, &typed).await?;
    let outcome = said(&scope, &group, "Planned");
    scope.commit().await?;
    Ok(outcome)
}

/// Calls off a lesson for several that nobody is in.
#[server(endpoint = "booking/close_group", prefix = "/fn")]
pub async fn close_group(tenant: String, group: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = group.parse().map_err(|_| domain::Error::NotFound)?;
    let group = groups::close(&mut scope, id, &reason).await?;
    let outcome = said(&scope, &group, "Called off");
    scope.commit().await?;
    Ok(outcome)
}

/// Goes to a group lesson and says what happened to it.
#[cfg(feature = "ssr")]
fn said(scope: &TenantScope, group: &GroupLesson, what: &str) -> Outcome {
    let tenant = scope.tenant();
    let when = tenant.zone.long_span(group.starts_at, group.ends_at, scope.now());
    let message = format!("{what}: {} with {}, {when}.", group.service_name, group.instructor_name);
    Outcome::new(format!("/t/{}/groups/{}", tenant.slug, group.id), message).with_id(group.id)
}
