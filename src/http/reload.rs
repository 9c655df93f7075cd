//! Development only: an open connection whose loss and return tells a page that the program was rebuilt.

use std::convert::Infallible;

use axum::{
    Router,
    response::sse::{Event, KeepAlive, Sse},
    routing::get,
};
use futures::stream;

/// `/dev/reload`: an event stream that says nothing and stays open.
pub fn router() -> Router {
    Router::new().route(
        "/dev/reload",
        get(|| async {
            Sse::new(stream::pending::<Result<Event, Infallible>>()).keep_alive(KeepAlive::default())
        }),
    )
}
