//! Refusals, as a page or as JSON (DA-03).

use std::num::NonZeroU32;

use app::{AppError, Code};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};

/// Fills in what only the request knows.
pub fn complete(mut error: AppError, path: &str) -> AppError {
    if error.error_id.is_empty() {
        error.error_id = uuid::Uuid::new_v4().to_string();
    }
    error.timestamp = domain::clock::Clock::system().now().to_string();
    error.path = path.to_owned();
    error
}

/// The status of an error.
pub fn status(error: &AppError) -> StatusCode {
    StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// As JSON.
pub fn json(error: AppError, path: &str) -> Response {
    let error = complete(error, path);
    let mut response = (status(&error), Json(&error)).into_response();
    say_when(&mut response, &error);
    response
}

/// Says when to try again, where that helps.
pub fn say_when(response: &mut Response, error: &AppError) {
    let busy = (error.code == Code::Unavailable).then_some(5);
    let seconds = error.retry_after.map(NonZeroU32::get).or(busy);
    if let Some(seconds) = seconds {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}
