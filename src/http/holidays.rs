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
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request},
    routing::post,
};
use bytes::Bytes;
use domain::{Error, authz::Action, availability::holidays};

use super::uploads;

/// A thousand days with long names fit.
const MAX_FILE: usize = 1024 * 1024;
/// What a browser puts around a file.
const MAX_AROUND: usize = 16 * 1024;
/// What is said of a larger one.
const TOO_LARGE: &str = "The file is larger than 1 MB. Choose one with holidays alone.";

/// Where the form posts to, and who may.
pub const UPLOAD: (&str, Access) = ("/t/{tenant}/holidays/import", Access::Member(Action::EditHolidays));

/// The upload.
pub fn router(site: &Arc<Site>) -> Router {
    let site = Arc::clone(site);
    Router::new().route(
        UPLOAD.0,
        post(move |request: Request| uploads::serve(site, request, upload))
            .layer(DefaultBodyLimit::max(MAX_FILE + MAX_AROUND)),
    )
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
    let refused = |error| uploads::refused(error, TOO_LARGE);
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| unread())?;
    let mut file = None;
    while let Some(field) = form.next_field().await.map_err(refused)? {
        if field.name() == Some("file") {
            file = Some(field.bytes().await.map_err(refused)?);
        }
    }
    let file = file.ok_or_else(unread)?;
    if file.len() > MAX_FILE { Err(AppError::new(Code::TooLarge, TOO_LARGE)) } else { Ok(file) }
}
