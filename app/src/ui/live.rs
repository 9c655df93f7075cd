//! The part of a page that stays true (BK-17).

use leptos::prelude::*;

use crate::islands::live_refresh::LiveRefresh;

/// Draws `body` so that it is renewed, with the page's head, whenever the server says at `source` that something has
/// changed; its page needs islands. Once a page: what is renewed is found by its id.
pub fn live(source: String, class: &'static str, body: AnyView) -> AnyView {
    view! {
        <LiveRefresh source=source/>
        <div id="live" class=class>{body}</div>
    }
    .into_any()
}
