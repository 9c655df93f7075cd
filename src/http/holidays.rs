//! The upload of a calendar file with holidays: a form with a file is no server function, but ends the same way, in the
//! page.

use std::sync::Arc;

use app::{
    AppError, Code,
    access::Access,
    cx::{Cx, Site},
    doc::{Frame, PageResult},
    pages::availability::holidays::upload_doc,
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request, multipart::MultipartError},
    response::Response,
    routing::post,
};
use bytes::Bytes;
use domain::{Error, authz::Action, availability::holidays};

use super::{context, errors, pages};

/// A thousand days with long names fit.
const MAX_FILE: usize = 1024 * 1024;
/// What a browser puts around a file.
const MAX_AROUND: usize = 16 * 1024;

/// Where the form posts to, and who may.
pub const UPLOAD: (&str, Access) = ("/t/{tenant}/holidays/import", Access::Member(Action::EditHolidays));

/// The upload.
pub fn router(site: &Arc<Site>) -> Router {
    let site = Arc::clone(site);
    Router::new().route(
        UPLOAD.0,
        post(move |request: Request| serve(site, request))
            .layer(DefaultBodyLimit::max(MAX_FILE + MAX_AROUND)),
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
    // Who may not import is told before a file is read; the connection goes back meanwhile.
    cx.member(cx.param("tenant")).await?.require(Action::EditHolidays)?;
    let file = read(request).await?;
    let mut scope = cx.member(cx.param("tenant")).await?;
    let (frame, tenant) = (Frame::member(&scope, "holidays"), scope.tenant().clone());
    let result = match holidays::import(&mut scope, &file).await {
        Ok(report) => {
            scope.commit().await?;
            Ok(report)
        }
        // What is wrong with the file stands beside its field.
        Err(Error::Invalid(mut fields)) => Err(fields.0.remove("file").unwrap_or_default()),
        Err(error) => return Err(error.into()),
    };
    Ok(upload_doc(&cx, frame, &tenant, result))
}

/// The file.
async fn read(request: Request) -> Result<Bytes, AppError> {
    let unread = || AppError::field("file", "Choose a calendar file.");
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| unread())?;
    let mut file = None;
    while let Some(field) = form.next_field().await.map_err(refused)? {
        if field.name() == Some("file") {
            file = Some(field.bytes().await.map_err(refused)?);
        }
    }
    let file = file.ok_or_else(unread)?;
    if file.len() > MAX_FILE { Err(too_large()) } else { Ok(file) }
}

fn refused(error: MultipartError) -> AppError {
    if error.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    AppError::field("file", "The upload broke off. Choose the file again.")
}

fn too_large() -> AppError {
    AppError::new(Code::TooLarge, "The file is larger than 1 MB. Choose one with holidays alone.")
}
