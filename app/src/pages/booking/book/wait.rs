//! The way onto the waiting list, in place of a time that isn't free (BK-09).

use domain::{
    Instant,
    availability::{WhyNot, service::WaitingLine},
};
use jiff::civil::Date;
use leptos::prelude::*;

use super::Book;
use crate::{
    cx::Cx,
    ui::{self, Kind},
};

/// What someone would wait for.
#[derive(Clone, Copy)]
pub(in crate::pages::booking) enum Wish {
    /// Any time of a day.
    Day(Date),
    /// Just this one.
    Time(Instant),
}

impl Wish {
    /// Whether waiting may help against a cause: someone may cancel, but nobody moves the hours or the past.
    pub(super) fn may_come_true(cause: &WhyNot) -> bool {
        matches!(
            cause,
            WhyNot::Taken
                | WhyNot::Busy
                | WhyNot::Held
                | WhyNot::Buffer
                | WhyNot::Travel(_)
                | WhyNot::GroupFull
                | WhyNot::Resource(_)
                | WhyNot::InstructorDay(_)
                | WhyNot::InstructorWeek(_)
        )
    }
}

/// A button for students, a link for those who aren't signed in, and word of it for who waits already. Nothing for
/// several services at once: nobody can wait for those. `key` tells the forms on the page apart.
pub(in crate::pages::booking) fn waiting(cx: &Cx, book: &Book, key: &str, wish: Wish) -> Option<AnyView> {
    if book.parts.len() != 1 || book.lacks_credit() {
        return None;
    }
    if book.actor.user.is_none() {
        let next = serde_urlencoded::to_string([("next", cx.link(&[]))]).unwrap_or_default();
        let label = "Log in to join the waiting list";
        return Some(ui::link_button(format!("/login?{next}"), label, false));
    }
    if !book.is_student() {
        return None;
    }
    if let Some(entry) = entry(book, wish) {
        let slug = &book.tenant.slug;
        let (text, href, label) = match entry.offer {
            Some(hold) => ("It is kept for you now. ", format!("/t/{slug}/offers/{hold}"), "See the offer"),
            None => {
                ("You are on the waiting list for this. ", format!("/t/{slug}/waiting"), "Your waiting list")
            }
        };
        return Some(view! { <p>{text}<a href=href>{label}</a></p> }.into_any());
    }
    let zone = &book.tenant.zone;
    let (date, time) = match wish {
        Wish::Day(day) => (day.to_string(), String::new()),
        Wish::Time(at) => (zone.date(at).to_string(), zone.clock(at)),
    };
    let mut hidden = book.hidden();
    hidden.extend([("date", date), ("time", time), ("pickup", String::new()), ("note", String::new())]);
    let button = ui::button("Join the waiting list", Kind::Plain);
    Some(ui::post_form("waiting/join", cx, key, hidden, button))
}

/// What the student waits with for it already, be it for the whole day.
fn entry(book: &Book, wish: Wish) -> Option<&WaitingLine> {
    let zone = &book.tenant.zone;
    let service = book.parts.first()?.service.id;
    book.catalogue.waiting.iter().filter(|entry| entry.service == service).find(|entry| match wish {
        // The window of today begins later each time: its end is what tells.
        Wish::Day(day) => entry.to_at == zone.day_start(day.tomorrow().unwrap_or(day)),
        Wish::Time(at) => entry.from_at <= at && at < entry.to_at,
    })
}
