//! The frame of every table.

use leptos::prelude::*;

/// A table with its heads and rows, which scrolls or turns into cards where it is too wide. `kind` is "" for a plain one,
/// else more classes: `compact`, `records`, `matrix`.
pub fn table(kind: &'static str, heads: impl IntoAny, rows: Vec<AnyView>) -> AnyView {
    let class = if kind.is_empty() { "table".to_owned() } else { format!("table {kind}") };
    let heads = heads.into_any();
    view! {
        <div class="table-wrap">
            <table class=class>
                <thead><tr>{heads}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
