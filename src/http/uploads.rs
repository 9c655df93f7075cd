//! Forms with a file: no server functions, but they end the same way, in the page.

use std::sync::Arc;

use app::{
    AppError, Code,
    cx::{Cx, Site},
    doc::PageResult,
};
use axum::{
    extract::{Request, multipart::MultipartError},
    response::Response,
};

use super::{context, errors, pages};

/// Runs what reads the form, and answers with its page. Visitors have no such form.
pub(super) async fn serve<F: Future<Output = PageResult>>(
    site: Arc<Site>,
    request: Request,
    run: impl FnOnce(Cx, Request) -> F,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let cx = match context::read(&mut parts, &site).await {
        Ok(cx) => cx,
        Err(error) => return errors::json(error, parts.uri.path()),
    };
    let request = Request::from_parts(parts.clone(), body);
    pages::show(cx, |cx| run(cx, request), &parts, false).await
}

/// Why a part of the form couldn't be read; `too_large` says how to make the file smaller.
pub(super) fn refused(error: MultipartError, too_large: &str) -> AppError {
    if error.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
        return AppError::new(Code::TooLarge, too_large);
    }
    AppError::field("file", "The upload broke off. Choose the file again.")
}
