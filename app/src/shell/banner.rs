//! What a super-admin sees on every page while they act as someone else (TN-12).

use leptos::prelude::*;

use crate::{
    cx::Cx,
    ui::{Kind, button, icon, post_form},
};

/// Whose place is taken, and the way out. It stands inside `<main>`, above the outcome of the last form.
pub(crate) fn banner(cx: &Cx, name: &str) -> AnyView {
    let name = name.to_owned();
    view! {
        <section class="acting" aria-label="Acting as someone else">
            {icon("person")}
            <p>"You act as " <bdi>{name}</bdi> ". Everything is recorded."</p>
            {post_form("users/stop", cx, "", vec![], button("Stop", Kind::Plain))}
        </section>
    }
    .into_any()
}
