//! Heads, facts and other furniture.

use domain::{Instant, zoned::Zone};
use leptos::prelude::*;

/// The title, a line under it, and buttons at the right (`().into_any()` for none).
pub fn page_head(title: &str, lead: Option<String>, actions: AnyView) -> AnyView {
    let title = title.to_owned();
    view! {
        <div class="page-head" id="page-head">
            <div class="page-title">
                <h1>{title}</h1>
                {lead.map(|lead| view! { <p class="lead">{lead}</p> })}
            </div>
            <div class="page-actions">{actions}</div>
        </div>
    }
    .into_any()
}

/// What this place is for when nothing is in it, and the one next step.
pub fn empty(title: &str, text: &str, action: AnyView) -> AnyView {
    let (title, text) = (title.to_owned(), text.to_owned());
    view! {
        <div class="empty">
            <p class="empty-title">{title}</p>
            <p>{text}</p>
            {action}
        </div>
    }
    .into_any()
}

/// A link that looks like a button; `main` for the one that matters most on the page.
pub fn link_button(href: String, label: &str, main: bool) -> AnyView {
    let label = label.to_owned();
    let class = if main { "button main" } else { "button" };
    view! { <a class=class href=href>{label}</a> }.into_any()
}

/// Names and values, as a description list.
pub fn facts(rows: Vec<(String, AnyView)>) -> AnyView {
    let rows: Vec<AnyView> = rows
        .into_iter()
        .map(|(name, value)| view! { <div class="fact"><dt>{name}</dt><dd>{value}</dd></div> }.into_any())
        .collect();
    view! { <dl class="facts">{rows}</dl> }.into_any()
}

/// A moment, for people by `text` and for programs by its offset.
pub fn time(zone: &Zone, at: Instant, text: String) -> AnyView {
    let datetime = zone.rfc3339(at);
    view! { <time datetime=datetime>{text}</time> }.into_any()
}

/// The initials of a name, round, where there is no picture.
pub fn initials(name: &str) -> AnyView {
    let letters = letters(name);
    view! { <span class="initials" aria-hidden="true">{letters}</span> }.into_any()
}

fn letters(name: &str) -> String {
    let first = |word: &str| word.chars().find(|letter| letter.is_alphanumeric());
    let mut words = name.split_whitespace().filter_map(first);
    let (start, end) = (words.next(), words.next_back());
    start.into_iter().chain(end).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn initials_of_names() {
        assert_eq!(letters("Thandi Mokoena"), "TM");
        assert_eq!(letters("Ana de la Cruz"), "AC");
        assert_eq!(letters("sipho"), "S");
        assert_eq!(letters("  \"Łukasz\" (Wójcik) "), "ŁW");
        assert_eq!(letters(""), "");
    }
}
