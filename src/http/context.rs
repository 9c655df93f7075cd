//! From a request to the [`Cx`] that pages and actions work with.

use std::{collections::BTreeMap, sync::Arc};

use app::{
    AppError, Code,
    cx::{Cx, Flash, Site, Theme},
    session,
};
use axum::extract::{FromRequestParts, RawPathParams};
use http::{header, request::Parts};
use tower_sessions::Session;

use crate::http::headers::Nonce;

/// Reads a request's context; the flash stays where it is.
pub async fn read(parts: &mut Parts, site: &Arc<Site>) -> Result<Cx, AppError> {
    let session = parts
        .extensions
        .get::<Session>()
        .cloned()
        .ok_or_else(|| AppError::new(Code::Internal, "Something went wrong on our side."))?;
    let user = session::user(&session).await.map_err(unavailable)?;
    let params = match RawPathParams::from_request_parts(parts, &()).await {
        Ok(params) => params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        // A path that is no UTF-8 names nothing.
        Err(_) => return Err(domain::Error::NotFound.into()),
    };
    Ok(Cx {
        site: Arc::clone(site),
        now: site.clock.now(),
        user,
        session,
        path: parts.uri.path().to_owned(),
        params,
        query: parse_query(parts.uri.query().unwrap_or("")),
        flash: None,
        theme: theme(parts),
        nonce: parts.extensions.get::<Nonce>().map_or_else(String::new, |nonce| nonce.0.clone()),
    })
}

/// Takes the outcome of the form posted last, for the page that shows it.
pub async fn take_flash(session: &Session) -> Result<Option<Flash>, AppError> {
    session::take_flash(session).await.map_err(unavailable)
}

/// A session store that fails is a database that can't serve.
pub fn unavailable(error: tower_sessions::session::Error) -> AppError {
    tracing::error!(%error, "the session store failed");
    domain::Error::Unavailable.into()
}

/// The last value of each name; what isn't UTF-8 shows as replacement characters and finds nothing.
fn parse_query(query: &str) -> BTreeMap<String, String> {
    serde_urlencoded::from_str::<Vec<(String, String)>>(query).unwrap_or_default().into_iter().collect()
}

fn theme(parts: &Parts) -> Theme {
    let cookies = parts.headers.get_all(header::COOKIE);
    cookies
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix("theme="))
        .map_or(Theme::System, Theme::parse)
}

/// Whether the client is a browser showing a page, rather than a script.
pub fn wants_page(headers: &http::HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}
