//! Pages: load, then draw.

use std::sync::Arc;

use app::{
    AppError, Code,
    cx::{Cx, Flash, Site},
    doc::Doc,
    pages::{PageRoute, error_page},
    session, shell,
};
use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::{StatusCode, header};
use leptos::prelude::*;

use super::{context, errors};
use crate::session::REFRESH;

/// All pages.
pub fn router(site: &Arc<Site>) -> Router {
    app::pages::routes().into_iter().fold(Router::new(), |router, route| {
        let site = Arc::clone(site);
        router.route(route.path, get(move |request: Request| serve(route, site, request)))
    })
}

/// What isn't there.
pub async fn not_found(site: Arc<Site>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    if !context::wants_page(&parts.headers) {
        return errors::json(domain::Error::NotFound.into(), parts.uri.path());
    }
    match context::read(&mut parts, &site).await {
        Ok(cx) => draw_error(&cx, domain::Error::NotFound.into()),
        Err(error) => errors::json(error, parts.uri.path()),
    }
}

async fn serve(route: PageRoute, site: Arc<Site>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let cx = match context::read(&mut parts, &site).await {
        Ok(cx) => cx,
        Err(error) => return errors::json(error, parts.uri.path()),
    };
    show(cx, |cx| (route.run)(cx), &parts, route.access.admits(domain::authz::Role::Visitor)).await
}

/// Runs a page function and turns its answer into a response.
pub async fn show<F: Future<Output = app::doc::PageResult>>(
    mut cx: Cx,
    run: impl FnOnce(Cx) -> F,
    parts: &http::request::Parts,
    open: bool,
) -> Response {
    // The second belt: what isn't open to visitors is closed to them before any page runs.
    if cx.user().is_none() && !open {
        return to_login(parts);
    }
    // A page that renews itself leaves the outcome of a form to the page that was asked for.
    if !parts.headers.contains_key(REFRESH) {
        match context::take_flash(&cx).await {
            Ok(flash) => cx.flash = flash,
            Err(error) => return draw_error(&cx, error),
        }
    }
    if let Some(carried) = cx.flash.as_ref().and_then(Flash::carried)
        && let Err(error) = session::put_flash(&cx.session, cx.site.db.vault(), &carried, cx.now()).await
    {
        return draw_error(&cx, context::unavailable(error));
    }
    let mut forget = http::HeaderMap::new();
    if !parts.headers.contains_key(REFRESH)
        && let Some(once) = context::take_once(parts, &mut forget, &cx)
        && let Some(flash) = &mut cx.flash
    {
        once.into_flash(flash);
    }
    match run(cx.clone()).await {
        Ok(Doc { redirect: Some(to), .. }) => Redirect::to(&to).into_response(),
        Ok(doc) => {
            let status = StatusCode::from_u16(doc.status).unwrap_or(StatusCode::OK);
            let mut response = page(status, draw(doc, &cx));
            response.headers_mut().extend(forget);
            response
        }
        Err(error) if error.code == Code::Unauthorized => to_login(parts),
        Err(AppError { mend: Some(mend), .. }) => to_mend(mend.path(), here(parts)),
        Err(error) => draw_error(&cx, error),
    }
}

fn to_login(parts: &http::request::Parts) -> Response {
    to_mend("/login", here(parts))
}

fn here(parts: &http::request::Parts) -> &str {
    parts.uri.path_and_query().map_or("/", |path| path.as_str())
}

/// The way to a page that one has to pass first, and back.
pub fn to_mend(mend: &str, back: &str) -> Response {
    let query = serde_urlencoded::to_string([("next", back)]).unwrap_or_default();
    Redirect::to(&format!("{mend}?{query}")).into_response()
}

/// A refusal as a page.
pub fn draw_error(cx: &Cx, error: AppError) -> Response {
    let error = errors::complete(error, &cx.path);
    let mut response = page(errors::status(&error), draw(error_page(&error), cx));
    errors::say_when(&mut response, &error);
    response
}

/// Draws a document. Nothing is loaded here, so nothing can fail or wait.
pub fn draw(doc: Doc, cx: &Cx) -> String {
    // Islands number themselves by the owner's shared context.
    let owner = Owner::new_root(Some(Arc::new(hydration_context::SsrSharedContext::new_islands())));
    let html = owner.with(|| shell::shell(doc, cx).to_html());
    owner.unset_with_forced_cleanup();
    without_markers(&html)
}

/// Leptos marks where text and branches end, for hydration. Only islands are hydrated: elsewhere the marks are weight,
/// and in a `<title>` they would show. Text and attributes are escaped, so none of theirs is taken for a mark.
fn without_markers(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let strip = |part: &str| part.replace("<!>", "").replace("<!--<() />-->", "");
    let mut rest = html;
    while let Some(start) = rest.find("<leptos-island") {
        let end = rest[start..].find("</leptos-island>").map_or(rest.len(), |at| start + at);
        out.push_str(&strip(&rest[..start]));
        out.push_str(&rest[start..end]);
        rest = &rest[end..];
    }
    out.push_str(&strip(rest));
    out
}

/// HTML that no cache keeps: it says who is signed in.
pub fn page(status: StatusCode, html: String) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        .body(Body::from(html))
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

#[cfg(test)]
mod tests {
    #[test]
    fn marks_stay_in_islands_alone() {
        let html = "<title>A<!></title><p>b<!><!--<() />--></p><leptos-island x><b>c<!></b></leptos-island><i>d<!></i>";
        let clean = "<title>A</title><p>b</p><leptos-island x><b>c<!></b></leptos-island><i>d</i>";
        assert_eq!(super::without_markers(html), clean);
    }
}
