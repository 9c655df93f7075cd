//! A list that narrows while one types: the filter form's own address is fetched, and the list taken out of the page
//! that comes back.

use leptos::prelude::*;

/// Watches the filter form of a page and renews its list and the number of results. Draws nothing.
#[island]
pub fn LiveFilter() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    browser::watch();
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::{cell::Cell, rc::Rc, time::Duration};

    use leptos::{prelude::*, task::spawn_local};
    use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
    use web_sys::{Event, FormData, HtmlFormElement, HtmlInputElement, UrlSearchParams};

    use crate::islands::renew::{Why, renew};

    /// Long enough that a word is typed in one go, short enough to feel at once.
    const PAUSE: Duration = Duration::from_millis(200);

    /// The form, as `ui::filter_bar` draws it.
    const FORM: &str = "filter";
    /// What is renewed: the list that a page draws, and the number of results in the filter bar.
    const RENEWED: [&str; 2] = ["list", "filter-total"];

    pub(super) fn watch() {
        let Some(element) = document().get_element_by_id(FORM) else { return };
        let Ok(form) = element.dyn_into::<HtmlFormElement>() else {
            return;
        };
        // Only the last of several changes is fetched, and only its answer shown.
        let turn = Rc::new(Cell::new(0_u32));
        let target = form.clone();
        let changed = Closure::<dyn FnMut()>::new(move || {
            let mine = turn.get().wrapping_add(1);
            turn.set(mine);
            let (turn, form) = (Rc::clone(&turn), form.clone());
            set_timeout(
                move || {
                    if turn.get() == mine {
                        spawn_local(async move {
                            let current = || turn.get() == mine;
                            // When anything fails the form still works by its button.
                            let _ = filter(&form, current).await;
                        });
                    }
                },
                PAUSE,
            );
        });
        let _ = target.add_event_listener_with_callback("input", changed.as_ref().unchecked_ref());
        // What was typed before the program had loaded counts too.
        if let Ok(Some(field)) = target.query_selector("input[type=search]")
            && let Ok(field) = field.dyn_into::<HtmlInputElement>()
            && field.value() != field.default_value()
            && let Ok(event) = Event::new("input")
        {
            let _ = target.dispatch_event(&event);
        }
        // The form lives as long as the page, and so does what listens to it.
        changed.forget();
    }

    async fn filter(form: &HtmlFormElement, current: impl Fn() -> bool) -> Result<(), JsValue> {
        let query = UrlSearchParams::new()?;
        let data = FormData::new_with_form(form)?;
        for entry in data.entries() {
            let pair: js_sys::Array = entry?.unchecked_into();
            if let (Some(name), Some(value)) = (pair.get(0).as_string(), pair.get(1).as_string())
                && !value.is_empty()
            {
                query.append(&name, &value);
            }
        }
        let address = format!("{}?{}", window().location().pathname()?, String::from(query.to_string()));
        if !renew(&address, &RENEWED, Why::Asked, current).await? {
            return Ok(());
        }
        window().history()?.replace_state_with_url(&JsValue::NULL, "", Some(&address))?;
        Ok(())
    }
}
