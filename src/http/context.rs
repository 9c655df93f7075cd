//! From a request to the [`Cx`] that pages and actions work with.

use std::{collections::BTreeMap, sync::Arc};

use app::{
    AppError, Code, Outcome,
    cx::{Cx, Flash, Site, Theme},
    session::{self, Who},
};
use axum::extract::{FromRequestParts, RawPathParams};
use domain::{
    authz::{Caller, Origin},
    identity::sessions,
};
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
    let who = session::who(&session).await.map_err(unavailable)?;
    let params = match RawPathParams::from_request_parts(parts, &()).await {
        Ok(params) => params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        // A path that is no UTF-8 names nothing.
        Err(_) => return Err(domain::Error::NotFound.into()),
    };
    Ok(Cx {
        site: Arc::clone(site),
        caller: Caller {
            user: who.as_ref().map(|who| who.user),
            now: site.clock.now(),
            origin: parts.extensions.get::<Origin>().cloned().unwrap_or_default(),
            session: session.id().map(|id| sessions::hash_token(&id.to_string())),
            impersonator: who.as_ref().and_then(Who::impersonator),
            proven_at: who.as_ref().and_then(|who| who.proven_at),
        },
        acting_as: who.and_then(|who| who.acting).map(|acting| acting.name),
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
pub async fn take_flash(cx: &Cx) -> Result<Option<Flash>, AppError> {
    session::take_flash(&cx.session, cx.site.db.vault()).await.map_err(unavailable)
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
    cookie(parts, "theme=").map_or(Theme::System, Theme::parse)
}

fn cookie<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    let cookies = parts.headers.get_all(header::COOKIE).iter();
    cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name))
}

/// What is shown once: a link, or backup codes.
#[derive(Debug)]
pub enum Once {
    /// A link of our own making.
    Link(String),
    /// Backup codes.
    Codes(Vec<String>),
}

impl Once {
    /// What an action gave out, if anything.
    pub fn of(outcome: &mut Outcome) -> Option<Self> {
        let codes = std::mem::take(&mut outcome.codes);
        outcome.link.take().map(Self::Link).or_else(|| (!codes.is_empty()).then_some(Self::Codes(codes)))
    }

    /// For the page that shows it.
    pub fn into_flash(self, flash: &mut Flash) {
        match self {
            Self::Link(link) => flash.link = Some(link),
            Self::Codes(codes) => flash.codes = codes,
        }
    }

    /// Nothing but what this program makes is shown as such.
    fn parse(text: &str, base_url: &str) -> Option<Self> {
        let link = ["/reset/", "/invite/", "/ics/"]
            .iter()
            .any(|path| text.starts_with(&format!("{base_url}{path}")));
        let codes =
            || text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"-.".contains(&b));
        if link {
            Some(Self::Link(text.to_owned()))
        } else if !text.is_empty() && codes() {
            Some(Self::Codes(text.split('.').map(str::to_owned).collect()))
        } else {
            None
        }
    }

    fn as_text(&self) -> String {
        match self {
            Self::Link(link) => link.clone(),
            Self::Codes(codes) => codes.join("."),
        }
    }
}

/// Hands it to the next page by way of the browser: unlike a flash it must not touch the database, which knows tokens
/// and codes by their hash alone.
pub fn keep_once(headers: &mut http::HeaderMap, cx: &Cx, next: &str, once: &Once) {
    set_once(headers, cx, next, &once.as_text(), 300);
}

/// Takes what belongs to this page, and has the browser forget it.
pub fn take_once(parts: &Parts, headers: &mut http::HeaderMap, cx: &Cx) -> Option<Once> {
    let text = cookie(parts, "once=")?;
    set_once(headers, cx, &cx.path, "", 0);
    Once::parse(text, &cx.site.base_url)
}

fn set_once(headers: &mut http::HeaderMap, cx: &Cx, path: &str, link: &str, seconds: u32) {
    let secure = if cx.site.base_url.starts_with("https://") { "; Secure" } else { "" };
    let path = path.split('?').next().unwrap_or("/");
    let value = format!("once={link}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(value) = http::HeaderValue::from_str(&value) {
        headers.append(header::SET_COOKIE, value);
    }
}

/// Whether the client is a browser showing a page, rather than a script.
pub fn wants_page(headers: &http::HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}
