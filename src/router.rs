//! The whole program as one router, for `serve` and for the tests.

use std::{path::PathBuf, sync::Arc, time::Duration};

use app::{AppError, Code, cx::Site};
use axum::{
    Router,
    extract::{MatchedPath, Request},
    middleware::{self, Next},
    response::Response,
    routing::post,
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{CompressionLayer, CompressionLevel},
    csrf::CsrfLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    services::{ServeDir, ServeFile},
    timeout::TimeoutLayer,
    trace::TraceLayer,
};

use crate::{
    http::{
        self as web,
        limits::{self, Gate, Limiter},
        live::Live,
    },
    session,
};

/// What the router is made from.
#[derive(Clone, Debug)]
pub struct AppState {
    /// What pages and actions work with.
    pub site: Arc<Site>,
    /// Counts how often who asks.
    pub limiter: Limiter,
    /// Tells pages what has just changed.
    pub live: Live,
    /// Whether people come over https.
    pub https: bool,
    /// Where the built browser files are.
    pub site_dir: PathBuf,
}

/// No answer takes longer; downloads have begun theirs by then.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Builds the router.
pub fn build_router(state: AppState) -> Router {
    let AppState { site, limiter, live, https, site_dir } = state;
    let reload = site.reload;
    let sessions = session::layer(session::Store::new(site.db.pool().clone(), site.clock.clone()), https);
    let (for_actions, for_missing) = (Arc::clone(&site), Arc::clone(&site));

    let with_session = web::pages::router(&site)
        .merge(web::csv::router(&site))
        .merge(web::import::router(&site))
        .merge(web::holidays::router(&site))
        .merge(web::ics::router(&site))
        .merge(web::live::router(&site, &live))
        .route("/fn/{*path}", post(move |request: Request| web::actions::serve(for_actions, request)))
        .fallback(move |request: Request| web::pages::not_found(for_missing, request))
        .layer(middleware::from_fn_with_state(Gate { site: Arc::clone(&site), limiter }, limits::layer))
        .layer(sessions)
        .layer(middleware::from_fn(session::unattended));

    let mut router = Router::new()
        .merge(web::health::router(&site, std::time::Instant::now()))
        .nest_service("/assets", files(&site_dir.join("assets"), "public, max-age=31536000, immutable"))
        .merge(well_known(&site_dir.join("public")))
        .merge(with_session);
    if reload {
        router = router.merge(web::reload::router());
    }
    let request_id = HeaderName::from_static("x-request-id");
    // The last is the outermost.
    router
        .layer(CsrfLayer::new().with_rejection_response(forged))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, TIMEOUT))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            web::headers::add(https, request, next)
        }))
        .layer(PropagateRequestIdLayer::new(request_id.clone()))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .layer(SetRequestIdLayer::new(request_id, MakeRequestUuid))
}

/// Files that browsers and robots look for at the root.
fn well_known(dir: &std::path::Path) -> Router {
    ["favicon.svg", "robots.txt"].into_iter().fold(Router::new(), |router, name| {
        router.route_service(&format!("/{name}"), ServeFile::new(dir.join(name)))
    })
}

fn files(dir: &std::path::Path, caching: &'static str) -> Router {
    let serve =
        ServeDir::new(dir).precompressed_br().precompressed_gzip().append_index_html_on_directories(false);
    Router::new().fallback_service(serve).layer(middleware::from_fn(
        move |request: Request, next: Next| async move {
            let mut response = next.run(request).await;
            if response.status().is_success() {
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
            }
            response
        },
    ))
}

/// A line of the log names the request and its route, never the address itself: that may hold a token or a name.
fn span(request: &Request) -> tracing::Span {
    let id = request.headers().get("x-request-id").and_then(|value| value.to_str().ok()).unwrap_or("");
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    tracing::info_span!("request", %id, method = %request.method(), route)
}

fn forged(_: tower_http::csrf::ProtectionError) -> Response {
    let error =
        AppError::new(Code::Forbidden, "This form came from another site. Open the page here and try again.");
    web::errors::json(error, "")
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    web::errors::json(domain::Error::internal("a handler panicked").into(), "")
}
