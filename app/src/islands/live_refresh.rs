//! A page that stays true (BK-17): when the server says that something changed, the part of the page with the id `live`
//! is fetched again, and the number of results in a filter bar.

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
    use web_sys::{
        Element, EventSource, HtmlInputElement, HtmlOptionElement, HtmlSelectElement, HtmlTextAreaElement,
        Node,
    };

    use crate::islands::renew::{Why, renew};

    /// What must not be disturbed while someone is at work in it.
    const LIVE: &str = "live";
    /// What is renewed.
    const RENEWED: [&str; 2] = [LIVE, "filter-total"];
    /// In there: pressed, in the hand, unfolded, or refused, which is said only once.
    const AT_WORK: &str = ":active, .dragging, details[open], .invalid, .error-summary";
    /// At most: who looks at the same page needn't all come at the same moment.
    const SPREAD_MS: f64 = 700.0;

    pub(super) fn listen(source: String) {
        let open: Rc<RefCell<Option<EventSource>>> = Rc::default();
        let follow = {
            let open = Rc::clone(&open);
            move || {
                // Browsers hold few connections to one server; a tab that nobody looks at gives its own back.
                if document().hidden() {
                    if let Some(stream) = open.borrow_mut().take() {
                        stream.close();
                    }
                } else if open.borrow().is_none() {
                    *open.borrow_mut() = connect(&source);
                }
            }
        };
        follow();
        let shown = Closure::<dyn FnMut()>::new(move || {
            let was_closed = open.borrow().is_none();
            follow();
            // What happened while nobody looked.
            if was_closed && open.borrow().is_some() {
                refresh();
            }
        });
        let _ =
            document().add_event_listener_with_callback("visibilitychange", shown.as_ref().unchecked_ref());
        // It listens for as long as the page is there.
        shown.forget();
    }

    fn connect(source: &str) -> Option<EventSource> {
        let stream = EventSource::new(source).ok()?;
        let waiting = Rc::new(Cell::new(false));
        let changed = Closure::<dyn FnMut()>::new(move || {
            if waiting.replace(true) {
                return;
            }
            let waiting = Rc::clone(&waiting);
            let pause = Duration::from_millis((js_sys::Math::random() * SPREAD_MS) as u64);
            set_timeout(
                move || {
                    waiting.set(false);
                    refresh();
                },
                pause,
            );
        });
        let _ = stream.add_event_listener_with_callback("changed", changed.as_ref().unchecked_ref());
        changed.forget();
        Some(stream)
    }

    fn refresh() {
        if is_busy() {
            return;
        }
        spawn_local(async {
            let location = window().location();
            if let (Ok(path), Ok(query)) = (location.pathname(), location.search()) {
                // When it fails the page is as old as it was.
                let _ = renew(&format!("{path}{query}"), &RENEWED, Why::Changed, || !is_busy()).await;
            }
        });
    }

    /// Whether someone is at work in the part that would be renewed: nothing that was typed or chosen may be lost.
    fn is_busy() -> bool {
        let Some(live) = document().get_element_by_id(LIVE) else { return true };
        let typing = document().active_element().is_some_and(|active: Element| {
            matches!(active.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
                && live.contains(Some(&active))
        });
        typing || matches!(live.query_selector(AT_WORK), Ok(Some(_))) || is_filled(&live)
    }

    /// Whether a field holds something else than the page came with.
    fn is_filled(live: &Element) -> bool {
        let Ok(fields) = live.query_selector_all("input, textarea, select") else { return false };
        (0..fields.length()).filter_map(|at| fields.get(at)).any(|field| differs(&field))
    }

    fn differs(field: &Node) -> bool {
        if let Some(input) = field.dyn_ref::<HtmlInputElement>() {
            return input.checked() != input.default_checked() || input.value() != input.default_value();
        }
        if let Some(area) = field.dyn_ref::<HtmlTextAreaElement>() {
            return area.default_value().is_ok_and(|text| text != area.value());
        }
        let Some(select) = field.dyn_ref::<HtmlSelectElement>() else { return false };
        let chosen = select.selected_options().item(0);
        let chosen = chosen.and_then(|option| option.dyn_into::<HtmlOptionElement>().ok());
        let marked = matches!(select.query_selector("option[selected]"), Ok(Some(_)));
        chosen.is_some_and(|option| if marked { !option.default_selected() } else { option.index() != 0 })
    }
}
