//! The upload of a people file: a form with a file is no server function, but ends the same way, in the page.

use std::sync::Arc;

use app::{
    AppError, Code,
    access::Access,
    cx::{Cx, Site},
    doc::{Frame, PageResult},
    pages::people::import::report_doc,
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request, multipart::MultipartError},
    response::Response,
    routing::post,
};
use bytes::Bytes;
use domain::{authz::Action, people::import};

use super::{context, errors, pages};

/// 10,000 rows with long names fit.
const MAX_FILE: usize = 8 * 1024 * 1024;

/// Where the form posts to, and who may.
pub const UPLOAD: (&str, Access) = ("/t/{tenant}/students/import", Access::Member(Action::ImportPeople));

/// The upload.
pub fn router(site: &Arc<Site>) -> Router {
    let site = Arc::clone(site);
    Router::new().route(
        UPLOAD.0,
        post(move |request: Request| serve(site, request)).layer(DefaultBodyLimit::max(MAX_FILE)),
    )
}

async fn serve(site: Arc<Site>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let cx = match context::read(&mut parts, &site).await {
        Ok(cx) => cx,
        Err(error) => return errors::json(error, parts.uri.path()),
    };
    let request = Request::from_parts(parts.clone(), body);
    pages::show(cx, |cx| upload(cx, request), &parts, false).await
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

fn refused(error: MultipartError) -> AppError {
    if error.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
        return AppError::new(
            Code::TooLarge,
            "The file is larger than 8 MB. Cut it into parts of at most 10,000 rows.",
        );
    }
    AppError::field("file", "The upload broke off. Choose the file again.")
}
