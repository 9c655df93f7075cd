//! One outline set, drawn for a 24-unit square and shown at 20 px beside a word.

use leptos::prelude::*;

/// An icon by name; hidden from assistive technology, because a word stands beside it.
pub fn icon(name: &str) -> AnyView {
    let paths = paths(name);
    view! {
        <svg
            class="icon"
            viewBox="0 0 24 24"
            width="20"
            height="20"
            fill="none"
            stroke="currentColor"
            stroke-width="1.75"
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
            focusable="false"
            inner_html=paths
        ></svg>
    }
    .into_any()
}

fn paths(name: &str) -> &'static str {
    match name {
        "calendar" => r#"<path d="M4 6.5h16v13H4zM4 10.5h16M8.5 3.5v4M15.5 3.5v4"/>"#,
        "person" => r#"<circle cx="12" cy="8" r="3.75"/><path d="M4.5 20c.8-4 3.8-6 7.5-6s6.7 2 7.5 6"/>"#,
        "people" => {
            r#"<circle cx="9" cy="8.5" r="3.25"/><path d="M2.75 19.5c.6-3.6 3-5.5 6.25-5.5s5.65 1.9 6.25 5.5M15.5 5.5a3.25 3.25 0 0 1 0 6M17.75 14.5c2 .7 3.2 2.4 3.5 5"/>"#
        }
        "clock" => r#"<circle cx="12" cy="12" r="8.25"/><path d="M12 7.5V12l3 2"/>"#,
        "check" => r#"<path d="m5 12.5 4.5 4.5L19 7.5"/>"#,
        "x" => r#"<path d="m6.5 6.5 11 11M17.5 6.5l-11 11"/>"#,
        "plus" => r#"<path d="M12 5.5v13M5.5 12h13"/>"#,
        "minus" => r#"<path d="M5.5 12h13"/>"#,
        "search" => r#"<circle cx="11" cy="11" r="6"/><path d="m15.5 15.5 4.5 4.5"/>"#,
        "download" => r#"<path d="M12 4v11M7.5 10.5 12 15l4.5-4.5M4.5 19.5h15"/>"#,
        "upload" => r#"<path d="M12 15.5V4.5M7.5 9 12 4.5 16.5 9M4.5 19.5h15"/>"#,
        "chevron" => r#"<path d="m9.5 6 6 6-6 6"/>"#,
        "arrow-left" => r#"<path d="M19.5 12h-15M10.5 6l-6 6 6 6"/>"#,
        "arrow-right" => r#"<path d="M4.5 12h15M13.5 6l6 6-6 6"/>"#,
        "menu" => r#"<path d="M4 7h16M4 12h16M4 17h16"/>"#,
        "lock" => r#"<path d="M5.5 11h13v8.5h-13zM8.5 11V8a3.5 3.5 0 0 1 7 0v3"/>"#,
        "settings" => {
            r#"<path d="M4 7.5h8M17 7.5h3M4 16.5h3M12 16.5h8"/><circle cx="14.5" cy="7.5" r="2.5"/><circle cx="9.5" cy="16.5" r="2.5"/>"#
        }
        "building" => {
            r#"<path d="M5.5 20V5.5l7-2V20M12.5 9.5h6V20M3.5 20h17M8.5 9h1M8.5 12.5h1M8.5 16h1M15.5 13h.5M15.5 16.5h.5"/>"#
        }
        "list" => r#"<path d="M9 7h11M9 12h11M9 17h11M4.5 7h.01M4.5 12h.01M4.5 17h.01"/>"#,
        "pin" => {
            r#"<path d="M12 20.5s-6.5-5.6-6.5-10.5a6.5 6.5 0 0 1 13 0c0 4.9-6.5 10.5-6.5 10.5z"/><circle cx="12" cy="10" r="2.25"/>"#
        }
        "note" => r#"<path d="M5.5 4.5h13v10.5l-4.5 4.5h-8.5zM18.5 15H14v4.5M9 9h6M9 12.5h3"/>"#,
        "sun" => {
            r#"<circle cx="12" cy="12" r="3.75"/><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.65 5.65l1.4 1.4M16.95 16.95l1.4 1.4M5.65 18.35l1.4-1.4M16.95 7.05l1.4-1.4"/>"#
        }
        "mail" => r#"<path d="M3.5 6h17v12.5h-17zM4 6.5l8 6.5 8-6.5"/>"#,
        "shield" => {
            r#"<path d="M12 3.5 5 6v5.5c0 4.5 3 7.5 7 9 4-1.5 7-4.5 7-9V6zM9 12l2.25 2.25L15.25 10"/>"#
        }
        "home" => r#"<path d="M4 11.5 12 4.5l8 7M6 10v9.5h12V10M10 19.5v-5.5h4v5.5"/>"#,
        "alert" => r#"<path d="M12 4.5 3.5 19.5h17zM12 10.5v4M12 17h.01"/>"#,
        // A dot: seen in review, harmless to people.
        _ => r#"<circle cx="12" cy="12" r="2"/>"#,
    }
}
