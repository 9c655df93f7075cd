//! For those who watch the program: `/api/health`.

use std::{sync::Arc, time::Instant};

use app::cx::Site;
use axum::{Json, Router, routing::get};
use http::StatusCode;
use serde_json::{Value, json};

/// A round trip longer than this is worth a warning.
const SLOW_MS: u128 = 1000;

/// The health addresses. Nothing secret is in them.
pub fn router(site: &Arc<Site>, started: Instant) -> Router {
    let (ready, db) = (Arc::clone(site), Arc::clone(site));
    Router::new()
        .route(
            "/api/health",
            get(move || async move {
                Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION"), "uptime_s": started.elapsed().as_secs() }))
            }),
        )
        .route("/api/health/live", get(|| async { Json(json!({ "status": "ok" })) }))
        .route("/api/health/ready", get(move || async move { database(&ready).await }))
        .route("/api/health/db", get(move || async move { database(&db).await }))
}

async fn database(site: &Site) -> (StatusCode, Json<Value>) {
    let asked = Instant::now();
    match domain::db::ping(&site.db).await {
        Ok(()) => {
            let ms = asked.elapsed().as_millis();
            (StatusCode::OK, Json(json!({ "status": "ok", "latency_ms": ms, "warning": ms > SLOW_MS })))
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "unavailable" }))),
    }
}
