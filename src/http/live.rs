//! Live status (BK-17): server-sent events that say nothing but "something here has changed". A page that hears it
//! fetches itself again, with the rights its reader has by then; without scripts it is the page it was.

use std::{convert::Infallible, sync::Arc, time::Duration};

use app::{AppError, access::Access, cx::Site};
use axum::{
    Router,
    extract::Request,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::get,
};
use domain::{
    authz::Action,
    ids::TenantId,
    live::{Changes, Watch},
};
use futures::{Stream, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep, timeout_at},
};

use super::{context, errors};

/// Streams at a time in a process: each holds a socket and a little memory.
const AT_ONCE: usize = 1_000;
/// Then the stream ends and the browser comes again, so that whoever has left or lost a right is asked.
const LIFE: Duration = Duration::from_secs(600);
/// What belongs together (lesson, time, seats) is told once.
const PAUSE: Duration = Duration::from_millis(300);

/// Where pages listen, and who may.
pub const STREAMS: [(&str, Access); 2] =
    [("/t/{tenant}/live", Access::Member(Action::ViewDashboard)), ("/s/{tenant}/live", Access::School)];

/// What streams are made from.
#[derive(Clone, Debug)]
pub struct Live {
    changes: Changes,
    stopping: watch::Receiver<bool>,
    places: Arc<Semaphore>,
}

impl Live {
    /// Streams of `changes` that end when the program stops.
    pub fn new(changes: Changes, stopping: watch::Receiver<bool>) -> Self {
        Self { changes, stopping, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

/// The streams.
pub fn router(site: &Arc<Site>, live: &Live) -> Router {
    STREAMS.iter().fold(Router::new(), |router, (path, access)| {
        let (site, live) = (Arc::clone(site), live.clone());
        router.route(path, get(move |request: Request| serve(site, live, *access, request)))
    })
}

async fn serve(site: Arc<Site>, live: Live, access: Access, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let school = match context::read(&mut parts, &site).await {
        Ok(cx) => enter(&cx, access).await,
        Err(error) => Err(error),
    };
    let place = live.places.clone().try_acquire_owned();
    match (school, place) {
        (Ok(school), Ok(place)) => {
            let events = events(live.changes.watch(school), live.stopping, place);
            Sse::new(events).keep_alive(KeepAlive::default()).into_response()
        }
        (Err(error), _) => errors::json(error, &path),
        (_, Err(_)) => errors::json(domain::Error::Unavailable.into(), &path),
    }
}

/// The school, if whoever asks may see that something changes there. The connection goes back at once.
async fn enter(cx: &app::cx::Cx, access: Access) -> Result<TenantId, AppError> {
    let slug = cx.param("tenant");
    let scope = match access {
        Access::School => cx.school(slug).await?,
        _ => cx.member(slug).await?,
    };
    Ok(scope.tenant().id)
}

struct State {
    watch: Watch,
    stopping: watch::Receiver<bool>,
    until: Instant,
    begun: bool,
    _place: OwnedSemaphorePermit,
}

fn events(
    watch: Watch,
    stopping: watch::Receiver<bool>,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let state = State { watch, stopping, until: Instant::now() + LIFE, begun: false, _place: place };
    stream::unfold(state, |mut state| async move {
        if !state.begun {
            state.begun = true;
            // Spread, so that a restart isn't met by all at the same moment.
            let again = Duration::from_millis(2_000 + rand::random_range(0..3_000));
            return Some((Ok(Event::default().event("open").data("").retry(again)), state));
        }
        let changed = tokio::select! {
            changed = timeout_at(state.until, state.watch.changed()) => changed.unwrap_or(false),
            _ = state.stopping.wait_for(|stop| *stop) => false,
        };
        if !changed {
            return None;
        }
        sleep(PAUSE).await;
        state.watch.catch_up();
        Some((Ok(Event::default().event("changed").data("")), state))
    })
}
