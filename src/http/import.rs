//! The upload of a people file: a form with a file is no server function, but ends the same way, in the page.

use std::sync::Arc;

use app::{
    AppError,
    access::Access,
    cx::{Cx, Site},
    doc::{Frame, PageResult},
    pages::people::import::report_doc,
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request},
    routing::post,
};
use bytes::Bytes;
use domain::{authz::Action, people::import};

use super::uploads;

/// 10,000 rows with long names fit.
const MAX_FILE: usize = 8 * 1024 * 1024;
/// What is said of a larger one.
const TOO_LARGE: &str = "The file is larger than 8 MB. Cut it into parts of at most 10,000 rows.";

/// Where the form posts to, and who may.
pub const UPLOAD: (&str, Access) = ("/t/{tenant}/students/import", Access::Member(Action::ImportPeople));

/// The upload.
pub fn router(site: &Arc<Site>) -> Router {
    let site = Arc::clone(site);
    Router::new().route(
        UPLOAD.0,
        post(move |request: Request| uploads::serve(site, request, upload))
            .layer(DefaultBodyLimit::max(MAX_FILE)),
    )
}

async fn upload(cx: Cx, request: Request) -> PageResult {
    // Who may not import is told before a large file is read; the connection goes back meanwhile.
    cx.member(cx.param("tenant")).await?.require(Action::ImportPeople)?;
    let (file, write) = read(request).await?;
    let mut scope = cx.member(cx.param("tenant")).await?;
    let report = import::import(&mut scope, &file, !write).await?;
    let frame = Frame::member(&scope, "students");
    if write && report.errors.is_empty() {
        scope.commit().await?;
    }
    let status = if report.errors.is_empty() { 200 } else { 422 };
    Ok(report_doc(&cx, frame, Some(report)).with_status(status))
}

/// The file, and whether it is to be imported rather than checked.
async fn read(request: Request) -> Result<(Bytes, bool), AppError> {
    let unread = || AppError::field("file", "Choose a CSV file.");
    let refused = |error| uploads::refused(error, TOO_LARGE);
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| unread())?;
    let (mut file, mut write) = (None, false);
    while let Some(field) = form.next_field().await.map_err(refused)? {
        match field.name() {
            Some("file") => file = Some(field.bytes().await.map_err(refused)?),
            Some("mode") => write = field.text().await.map_err(|_| unread())? == "import",
            _ => {}
        }
    }
    file.map(|file| (file, write)).ok_or_else(unread)
}
