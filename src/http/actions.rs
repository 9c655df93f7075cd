//! Actions: `/fn/{area}/{verb}`.
//!
//! The framework's own answer to a plain form is a 302 to the Referer with the error in the address, whatever went
//! wrong. Here the function is always asked for JSON; a script gets that with its status, a browser gets 303 to a page
//! that shows the outcome, with what was typed kept in the session.

use std::{collections::BTreeMap, sync::Arc};

use app::{
    AppError, Code, Outcome,
    cx::{Cx, Flash, Site},
    safe_path, session,
};
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderValue, StatusCode, header};
use leptos::prelude::provide_context;

use super::{
    context::{self, Once},
    errors,
    limits::WentWell,
};

/// A form is never larger; notes of 10,000 characters in any script fit.
const MAX_BODY: usize = 64 * 1024;
/// Where one proves who one is.
const PROOF: &str = "/fn/identity/confirm";
/// Bytes of what a visitor typed that are kept to be shown again: ten times what the longest of their forms needs.
const KEPT_OF_A_VISITOR: usize = 16 * 1024;
/// An answer is never larger.
const MAX_ANSWER: usize = 64 * 1024;

/// Runs the action of an address.
pub async fn serve(site: Arc<Site>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let for_page = context::wants_page(&parts.headers);
    let cx = match context::read(&mut parts, &site).await {
        Ok(cx) => cx,
        Err(error) => return errors::json(error, &path),
    };
    let Some((_, access)) = app::actions::TABLE.iter().find(|(name, _)| *name == path) else {
        return errors::json(domain::Error::NotFound.into(), &path);
    };
    let form = match read_form(&parts, body).await {
        Ok(form) => form,
        Err(error) => return answer(&cx, for_page, &BTreeMap::new(), Err(error), &path).await,
    };
    // The second belt: services refuse visitors too.
    let error = if !access.admits(domain::authz::Role::Visitor) && cx.user().is_none() {
        Some(domain::Error::Unauthorized("Log in to go on.").into())
    } else {
        form.damaged
    };
    match error {
        Some(error) => answer(&cx, for_page, &form.values, Err(error), &path).await,
        None => run(cx, parts, form.raw, &form.values, for_page, &path).await,
    }
}

/// Refuses an action before it runs, the way it refuses by itself: a plain form goes back to its page.
pub async fn refuse(site: &Arc<Site>, request: Request, error: AppError) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let for_page = context::wants_page(&parts.headers);
    let cx = match context::read(&mut parts, site).await {
        Ok(cx) => cx,
        Err(error) => return errors::json(error, &path),
    };
    // A form that can't be read has nothing to show again.
    let typed = read_form(&parts, body).await.map(|form| form.values).unwrap_or_default();
    answer(&cx, for_page, &typed, Err(error), &path).await
}

/// A form as it came and as it reads.
struct Form {
    raw: bytes::Bytes,
    /// What can be shown again.
    values: BTreeMap<String, String>,
    /// A field that holds no text.
    damaged: Option<AppError>,
}

async fn run(
    cx: Cx,
    mut parts: http::request::Parts,
    raw: bytes::Bytes,
    typed: &BTreeMap<String, String>,
    for_page: bool,
    path: &str,
) -> Response {
    parts.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let request = Request::from_parts(parts, Body::from(raw));
    let given = cx.clone();
    let response =
        leptos_axum::handle_server_fns_with_context(move || provide_context(given.clone()), request)
            .await
            .into_response();
    let (head, body) = response.into_parts();
    let result = match to_bytes(body, MAX_ANSWER).await {
        Ok(bytes) if head.status == StatusCode::OK => {
            serde_json::from_slice::<Outcome>(&bytes).map_err(misread)
        }
        Ok(bytes) => Err(serde_json::from_slice::<AppError>(&bytes).unwrap_or_else(misread)),
        Err(error) => Err(domain::Error::internal(error).into()),
    };
    let went_well = result.is_ok();
    let mut response = answer(&cx, for_page, typed, result, path).await;
    if went_well {
        response.extensions_mut().insert(WentWell);
    }
    for cookie in head.headers.get_all(header::SET_COOKIE) {
        response.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    response
}

fn misread(error: serde_json::Error) -> AppError {
    domain::Error::internal(error).into()
}

/// Reads a form: its size, kind and encoding are checked here, so that an action only sees text.
async fn read_form(parts: &http::request::Parts, body: Body) -> Result<Form, AppError> {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    if !kind.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
    {
        return Err(AppError::new(Code::ValidationError, "Send a form (application/x-www-form-urlencoded)."));
    }
    let raw = to_bytes(body, MAX_BODY).await.map_err(|_| {
        AppError::new(Code::TooLarge, "That is more text than is read here. Nothing was saved.")
    })?;
    let mut values = BTreeMap::new();
    let mut damaged = None;
    for pair in raw.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &[][..]),
        };
        let (name, named) = decode(name);
        let (value, read) = decode(value);
        if !(named && read) && damaged.is_none() {
            damaged = Some(AppError::field(
                &name,
                "This text is damaged: it isn't UTF-8, or holds NUL. Type it again.",
            ));
        }
        values.insert(name, value);
    }
    Ok(Form { raw, values, damaged })
}

/// The text of a name or value, and whether it was one: UTF-8 without NUL, which Postgres can't store.
fn decode(text: &[u8]) -> (String, bool) {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let bytes: Vec<u8> = percent_encoding::percent_decode(&spaced).filter(|byte| *byte != 0).collect();
    let whole = !text.windows(3).any(|three| three == b"%00") && !text.contains(&0);
    match String::from_utf8(bytes) {
        Ok(text) => (text, whole),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), false),
    }
}

async fn answer(
    cx: &Cx,
    for_page: bool,
    typed: &BTreeMap<String, String>,
    result: Result<Outcome, AppError>,
    path: &str,
) -> Response {
    if !for_page {
        return match result {
            Ok(outcome) => axum::Json(outcome).into_response(),
            Err(error) => errors::json(error, path),
        };
    }
    let form = path.trim_start_matches("/fn/").to_owned();
    let mut once = None;
    let mut retry_after = None;
    let (next, flash) = match result {
        Ok(mut outcome) => {
            once = Once::of(&mut outcome);
            let flash = Flash { form, ok: true, message: outcome.message, ..Flash::default() };
            (safe_path(&outcome.next).unwrap_or("/").to_owned(), flash)
        }
        Err(error) => {
            let error = errors::complete(error, path);
            retry_after = error.retry_after;
            let back = typed.get("_back").and_then(|back| safe_path(back)).unwrap_or("/").to_owned();
            let next = match error.code {
                // With a field named it is a wrong password or code, which is mended where it was typed.
                Code::Unauthorized if error.fields.is_empty() && path != "/fn/identity/login" => {
                    let query = serde_urlencoded::to_string([("next", &back)]).unwrap_or_default();
                    format!("/login?{query}")
                }
                _ if let Some(mend) = error.mend => {
                    let query = serde_urlencoded::to_string([("next", &back)]).unwrap_or_default();
                    format!("{}?{query}", mend.path())
                }
                // Without its own page to go back to, a refusal is its own page.
                _ if !typed.contains_key("_back") => return super::pages::draw_error(cx, error),
                _ => back,
            };
            let message = match error.code {
                Code::Internal => format!("{} (Number {})", error.message, error.error_id),
                _ => error.message,
            };
            let kept = if path == PROOF { waiting(cx).await } else { None };
            let values: BTreeMap<String, String> = typed
                .iter()
                .filter(|(name, _)| may_be_kept(name))
                .map(|(n, v)| (n.clone(), v.clone()))
                .collect();
            // Anyone can fill the store with what nobody will look at again.
            let length: usize = values.values().map(String::len).sum();
            let values =
                if cx.user().is_none() && length > KEPT_OF_A_VISITOR { BTreeMap::new() } else { values };
            (
                next,
                Flash {
                    form,
                    ok: false,
                    message,
                    errors: error.fields,
                    values,
                    nearest: error.nearest,
                    carry: error.mend.is_some(),
                    kept,
                    ..Flash::default()
                },
            )
        }
    };
    if !flash.message.is_empty()
        && let Err(error) = session::put_flash(&cx.session, cx.site.db.vault(), &flash, cx.now()).await
    {
        return super::pages::draw_error(cx, context::unavailable(error));
    }
    let mut response = Redirect::to(&next).into_response();
    if let Some(once) = once {
        context::keep_once(response.headers_mut(), cx, &next, &once);
    }
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.get()));
    }
    response
}

/// What waits until one has proved who one is.
async fn waiting(cx: &Cx) -> Option<Box<Flash>> {
    context::take_flash(cx).await.ok().flatten().map(Box::new)
}

/// What is typed is shown again, but no secret is kept for that.
fn may_be_kept(name: &str) -> bool {
    // The page's own address may hold a token too.
    !(name.contains("password") || matches!(name, "current" | "token" | "code" | "_back"))
}
