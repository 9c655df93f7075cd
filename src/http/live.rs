//! Live status (BK-17): server-sent events that say nothing but "something here has changed". A page that hears it
//! fetches itself again, with the rights its reader has by then; without scripts it is the page it was.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

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
    time::{Instant, sleep_until, timeout_at},
};

use super::{context, errors};

/// Streams at a time in a process: each holds a socket and a little memory.
const AT_ONCE: usize = 1_000;
/// Then the stream ends and the browser comes again, so that whoever has left or lost a right is asked.
const LIFE: Duration = Duration::from_secs(600);
/// Of them, for one account or, without one, one network.
const EACH: usize = 10;
/// What belongs together (lesson, time, seats) is told once.
const PAUSE: Duration = Duration::from_millis(300);
/// At most so often for each who looks, however many pages they have open: each event is a request of theirs, and the limits
/// must leave enough for what they do themselves.
const REST: Duration = Duration::from_secs(3);

/// Browsers drop an event without data.
const SOMETHING: &str = "-";

/// Where pages listen, and who may.
pub const STREAMS: [(&str, Access); 2] =
    [("/t/{tenant}/live", Access::Member(Action::ViewDashboard)), ("/s/{tenant}/live", Access::School)];

/// What streams are made from.
#[derive(Clone, Debug)]
pub struct Live {
    changes: Changes,
    stopping: watch::Receiver<bool>,
    places: Arc<Semaphore>,
    /// How many each has, by account or network.
    counts: Arc<Mutex<HashMap<String, usize>>>,
}

impl Live {
    /// Streams of `changes` that end when the program stops.
    pub fn new(changes: Changes, stopping: watch::Receiver<bool>) -> Self {
        Self { changes, stopping, places: Arc::new(Semaphore::new(AT_ONCE)), counts: Arc::default() }
    }

    /// A place for `whose` stream, until it is dropped.
    fn place(&self, whose: String) -> Option<Place> {
        let free = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(whose.clone()).or_default();
        if *count >= EACH {
            return None;
        }
        *count += 1;
        Some(Place { counts: Arc::clone(&self.counts), whose, _free: free })
    }
}

/// A place that is taken.
struct Place {
    counts: Arc<Mutex<HashMap<String, usize>>>,
    whose: String,
    _free: OwnedSemaphorePermit,
}

impl Place {
    /// How many streams its account or network has, this one among them.
    fn siblings(&self) -> u32 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(&self.whose).map_or(1, |count| u32::try_from(*count).unwrap_or(u32::MAX))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.whose) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.whose);
            }
        }
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
        Ok(cx) => {
            let whose = cx.user().map_or_else(|| cx.caller().origin.ip.clone(), |user| user.to_string());
            enter(&cx, access).await.map(|school| (school, live.place(whose)))
        }
        Err(error) => Err(error),
    };
    match school {
        Ok((school, Some(place))) => {
            let events = events(live.changes.watch(school), live.stopping, place);
            Sse::new(events).keep_alive(KeepAlive::default()).into_response()
        }
        Err(error) => errors::json(error, &path),
        Ok((_, None)) => errors::json(domain::Error::Unavailable.into(), &path),
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
    /// Not before.
    next: Instant,
    place: Place,
}

fn events(
    watch: Watch,
    stopping: watch::Receiver<bool>,
    place: Place,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let now = Instant::now();
    let state = State { watch, stopping, until: now + LIFE, begun: false, next: now, place };
    stream::unfold(state, |mut state| async move {
        if !state.begun {
            state.begun = true;
            // Spread, so that a restart isn't met by all at the same moment.
            let again = Duration::from_millis(2_000 + rand::random_range(0..3_000));
            return Some((Ok(Event::default().event("ready").data(SOMETHING).retry(again)), state));
        }
        let changed = tokio::select! {
            changed = timeout_at(state.until, state.watch.changed()) => changed.unwrap_or(false),
            _ = state.stopping.wait_for(|stop| *stop) => false,
        };
        if !changed {
            return None;
        }
        tokio::select! {
            () = sleep_until(state.next.max(Instant::now() + PAUSE)) => {}
            _ = state.stopping.wait_for(|stop| *stop) => return None,
        }
        state.watch.catch_up();
        state.next = Instant::now() + REST * state.place.siblings();
        Some((Ok(Event::default().event("changed").data(SOMETHING)), state))
    })
}
