//! A page that stays true (BK-17): when the server says that something changed, the part of the page with the id `live`
//! is fetched again, with the page's heading and the number of results in a filter bar.

use leptos::prelude::*;

/// Listens at `source` while the page is looked at. Draws nothing.
#[island]
pub fn LiveRefresh(source: String) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    browser::listen(source);
    #[cfg(not(feature = "hydrate"))]
    let _ = source;
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::{
        cell::{Cell, RefCell},
        rc::Rc,
        time::Duration,
    };

    use leptos::{prelude::*, task::spawn_local};
    use wasm_bindgen::{JsCast, prelude::Closure};
    use web_sys::EventSource;

    use crate::islands::{
        renew::{Why, renew},
        work::is_busy,
    };

    /// What must not be disturbed while someone is at work in it.
    const LIVE: &str = "live";
    /// What is renewed.
    const RENEWED: [&str; 3] = [LIVE, "page-head", "filter-total"];
    /// At most: who looks at the same page needn't all come at the same moment.
    const SPREAD_MS: f64 = 700.0;
    /// Until it is looked again whether someone is still at work.
    const AGAIN: Duration = Duration::from_secs(2);
    /// Until a stream that the server refused is asked for again, and as much more at most.
    const REFUSED_MS: f64 = 15_000.0;
    /// A page that took longer to come to life may have missed something.
    const LATE_MS: f64 = 3_000.0;

    /// A page that follows what changes.
    struct Follower {
        source: String,
        stream: RefCell<Option<Stream>>,
        /// The server has said once that it would tell.
        told: Cell<bool>,
        /// Something has changed that isn't shown yet.
        due: Cell<bool>,
        /// It is being fetched, or soon will be.
        underway: Cell<bool>,
    }

    /// A stream and what listens to it.
    struct Stream {
        events: EventSource,
        _heard: [Closure<dyn FnMut()>; 3],
    }

    impl Drop for Stream {
        fn drop(&mut self) {
            self.events.close();
        }
    }

    pub(super) fn listen(source: String) {
        let follower = Rc::new(Follower {
            source,
            stream: RefCell::default(),
            told: Cell::default(),
            due: Cell::default(),
            underway: Cell::default(),
        });
        follower.follow();
        let shown = Closure::<dyn FnMut()>::new(move || follower.follow());
        let _ =
            document().add_event_listener_with_callback("visibilitychange", shown.as_ref().unchecked_ref());
        // It listens for as long as the page is there.
        shown.forget();
    }

    impl Follower {
        /// Listens while the page is looked at: browsers hold few connections to one server, and a tab that nobody looks
        /// at gives its own back.
        fn follow(self: &Rc<Self>) {
            let listens =
                |stream: &Option<Stream>| stream.as_ref().is_some_and(|stream| !is_closed(&stream.events));
            if document().hidden() {
                self.stream.take();
            } else if !listens(&self.stream.borrow()) {
                self.stream.replace(self.connect());
            }
        }

        fn connect(self: &Rc<Self>) -> Option<Stream> {
            let events = EventSource::new(&self.source).ok()?;
            let ready = {
                let follower = Rc::clone(self);
                // What happened while nobody listened was told to nobody.
                move || {
                    if follower.told.replace(true) || age() > LATE_MS {
                        follower.changed();
                    }
                }
            };
            let changed = {
                let follower = Rc::clone(self);
                move || follower.changed()
            };
            let lost = {
                let (follower, events) = (Rc::clone(self), events.clone());
                // It comes again by itself when it has broken off, but not when it was refused.
                move || {
                    if is_closed(&events) {
                        let follower = Rc::clone(&follower);
                        set_timeout(move || follower.follow(), at_random(REFUSED_MS, REFUSED_MS));
                    }
                }
            };
            let on = |name: &str, work: Box<dyn FnMut()>| {
                let work = Closure::wrap(work);
                let _ = events.add_event_listener_with_callback(name, work.as_ref().unchecked_ref());
                work
            };
            let heard =
                [on("ready", Box::new(ready)), on("changed", Box::new(changed)), on("error", Box::new(lost))];
            Some(Stream { events, _heard: heard })
        }

        fn changed(self: &Rc<Self>) {
            self.due.set(true);
            self.refresh_after(at_random(0.0, SPREAD_MS));
        }

        fn refresh_after(self: &Rc<Self>, pause: Duration) {
            if self.underway.replace(true) {
                return;
            }
            let follower = Rc::clone(self);
            set_timeout(move || spawn_local(follower.refresh()), pause);
        }

        /// Fetches the page, unless someone is at work in it: then it waits for the end of that.
        async fn refresh(self: Rc<Self>) {
            if !is_busy(LIVE) {
                self.due.set(false);
                let location = window().location();
                if let (Ok(path), Ok(query)) = (location.pathname(), location.search()) {
                    let idle = || !is_busy(LIVE);
                    // When it fails the page is as old as it was.
                    let renewed = renew(&format!("{path}{query}"), &RENEWED, Why::Changed, idle).await;
                    if !matches!(renewed, Ok(true)) && is_busy(LIVE) {
                        self.due.set(true);
                    }
                }
            }
            self.underway.set(false);
            // A tab that nobody looks at is renewed when it is looked at again.
            if self.due.get() && !document().hidden() {
                self.refresh_after(AGAIN);
            }
        }
    }

    fn is_closed(events: &EventSource) -> bool {
        events.ready_state() == EventSource::CLOSED
    }

    /// Milliseconds since the page was asked for.
    fn age() -> f64 {
        window().performance().map_or(0.0, |performance| performance.now())
    }

    fn at_random(least_ms: f64, more_ms: f64) -> Duration {
        Duration::from_millis((least_ms + js_sys::Math::random() * more_ms) as u64)
    }
}
