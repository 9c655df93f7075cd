//! "Add lesson" and "Use lesson": two plain forms that, with scripts, change the count in place.

use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};

use crate::actions::packs::{add_lesson, use_lesson};

/// The count of a pack with its two buttons. `back` is the page they stand on.
#[island]
pub fn CountButtons(tenant: String, pack: String, left: i32, back: String) -> impl IntoView {
    let count = RwSignal::new(left);
    let busy = RwSignal::new(false);
    let said = RwSignal::new(String::new());
    let ids = StoredValue::new((tenant.clone(), pack.clone()));
    let post = move |event: SubmitEvent, add: bool| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let (tenant, pack) = ids.get_value();
        spawn_local(async move {
            let outcome = if add {
                add_lesson(tenant, pack, String::new(), String::new()).await
            } else {
                use_lesson(tenant, pack, String::new(), String::new()).await
            };
            match outcome {
                Ok(outcome) => {
                    if let Some(left) = outcome.lessons_left {
                        count.set(left);
                    }
                    said.set(String::new());
                }
                Err(error) => said.set(error.message),
            }
            busy.set(false);
        });
    };
    let hidden = move || {
        view! {
            <input type="hidden" name="tenant" value=tenant.clone() />
            <input type="hidden" name="pack" value=pack.clone() />
            <input type="hidden" name="back" value=back.clone() />
            <input type="hidden" name="_back" value=back.clone() />
            <input type="hidden" name="_key" value=pack.clone() />
        }
    };
    view! {
        <span class="counter">
            <output class="counter-value">{move || format!("{} left", count.get())}</output>
            <form method="post" action="/fn/packs/use_lesson" on:submit=move |event| post(event, false)>
                {hidden()}
                <button class="button small" type="submit">"Use lesson"</button>
            </form>
            <form method="post" action="/fn/packs/add_lesson" on:submit=move |event| post(event, true)>
                {hidden()}
                <button class="button small" type="submit">"Add lesson"</button>
            </form>
            <span class="counter-said" role="status">{said}</span>
        </span>
    }
}
