//! Status in a word. The colour only repeats what the word says.

use leptos::prelude::*;

/// How a status feels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As wished.
    Good,
    /// Waits for someone.
    Warn,
    /// Went wrong, or is shut.
    Bad,
    /// Over, or of no matter.
    Quiet,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "badge good",
            Self::Warn => "badge warn",
            Self::Bad => "badge bad",
            Self::Quiet => "badge quiet",
        }
    }
}

/// A status in a word.
pub fn badge(tone: Tone, text: impl Into<String>) -> AnyView {
    let text: String = text.into();
    view! { <span class=tone.class()>{text}</span> }.into_any()
}

/// The status of a booking.
pub fn status_badge(status: &str) -> AnyView {
    match status {
        "requested" => badge(Tone::Warn, "Requested"),
        "confirmed" => badge(Tone::Good, "Confirmed"),
        "completed" => badge(Tone::Quiet, "Completed"),
        "cancelled" => badge(Tone::Bad, "Cancelled"),
        "no_show" => badge(Tone::Bad, "No-show"),
        other => badge(Tone::Quiet, super::capital(&other.replace('_', " "))),
    }
}
