//! Moving and cancelling lessons.

// A form's fields are arguments.
#![allow(clippy::too_many_arguments)]

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::{moment, said};
#[cfg(feature = "ssr")]
use crate::cx::Cx;
use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use domain::{
    authz::TenantScope,
    booking::{
        cancel::{self as cancelling, CancelRequest},
        local_time,
        moves::{self, MoveRequest, Which},
    },
};

/// Gives a lesson another time: `date` and `time` are local, `clock` says `first` or `second` of a time that the clock
/// shows twice; or `starts_at` is RFC 3339. `instructor` is empty when they stay, `scope` is `this`, `following` or
/// `all` of a series.
#[server(endpoint = "booking/move", prefix = "/fn")]
pub async fn move_lesson(
    tenant: String,
    booking: String,
    #[server(default)] date: String,
    #[server(default)] time: String,
    #[server(default)] clock: String,
    #[server(default)] instructor: String,
    #[server(default)] scope: String,
    #[server(default)] reason: String,
    #[server(default)] starts_at: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let which = which(&scope)?;
    let mut scope = cx.member(&tenant).await?;
    let (starts_at, time_field) = if starts_at.trim().is_empty() {
        (local_time(&scope.tenant().zone, &date, &time, &clock)?, "time")
    } else {
        (moment(starts_at.trim())?, "starts_at")
    };
    let request = MoveRequest {
        booking: booking.parse().map_err(|_| domain::Error::NotFound)?,
        starts_at,
        time_field,
        instructor: match instructor.trim() {
            "" => None,
            id => Some(id.parse().map_err(|_| domain::Error::NotFound)?),
        },
        which,
        reason,
    };
    let done = moves::move_lesson(&mut scope, request).await.map_err(not_moved)?;
    let outcome = said(&scope, &done.booking, "Moved", &with_it(&scope, done.more, "moved"));
    scope.commit().await?;
    Ok(outcome)
}

/// Cancels a lesson, and those of its series that `scope` says. `as_student` is `on` when staff cancel by the student's
/// terms.
#[server(endpoint = "booking/cancel", prefix = "/fn")]
pub async fn cancel(
    tenant: String,
    booking: String,
    reason: String,
    #[server(default)] scope: String,
    #[server(default)] as_student: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let which = which(&scope)?;
    let mut scope = cx.member(&tenant).await?;
    let request = CancelRequest {
        booking: booking.parse().map_err(|_| domain::Error::NotFound)?,
        reason,
        which,
        as_student: !as_student.is_empty(),
    };
    let done = cancelling::cancel(&mut scope, request).await?;
    let mut more = with_it(&scope, done.more, "cancelled");
    if !done.next.is_empty() {
        more.push(' ');
        more.push_str(&done.next);
    }
    let outcome = said(&scope, &done.booking, "Cancelled", &more);
    scope.commit().await?;
    Ok(outcome)
}

/// Which lessons of a series; the one that is named when nothing is said.
#[cfg(feature = "ssr")]
fn which(text: &str) -> Result<Which, AppError> {
    match text.trim() {
        "" => Ok(Which::This),
        text => Which::parse(text).ok_or_else(|| AppError::field("scope", "Choose which of them.")),
    }
}

/// " 4 more lessons of the series were moved with it."
#[cfg(feature = "ssr")]
fn with_it(scope: &TenantScope, more: usize, what: &str) -> String {
    let lesson = &scope.tenant().words().lesson;
    match more {
        0 => String::new(),
        1 => format!(" 1 more {lesson} of the series was {what} with it."),
        more => format!(" {more} more {lesson}s of the series were {what} with it."),
    }
}

/// The answer to a lost race says that nothing was booked; here nothing was moved.
#[cfg(feature = "ssr")]
fn not_moved(error: domain::Error) -> AppError {
    let taken = matches!(error, domain::Error::SlotTaken { .. });
    let error = AppError::from(error);
    if taken {
        AppError { message: "That time has just been taken. Nothing was moved.".into(), ..error }
    } else {
        error
    }
}
