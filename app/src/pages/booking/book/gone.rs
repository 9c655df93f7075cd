//! In the place of the summary: a time that isn't free, why, and those near it that are.

use domain::{Instant, availability::WhyNot};
use leptos::prelude::*;

use super::{BOOK, Book, Gone, HOLD, Wish, waiting};
use crate::{cx::Cx, pages::booking::day_and_clock, ui};

/// The time, the nearest free ones, and the waiting list.
pub(super) fn view(cx: &Cx, book: &Book, gone: &Gone) -> AnyView {
    let words = book.tenant.words();
    let refused = [BOOK, HOLD].iter().find_map(|form| Some(cx.form(form, "").error("starts_at")?.to_owned()));
    let cause = gone.cause.as_ref().filter(|cause| !is_lost(cause));
    let why = refused.or_else(|| cause.map(|cause| cause.message(words)));
    let title = if why.is_some() { "That time can't be booked" } else { "That time has just been taken" };
    let ended = book.names_hold(cx) && book.kept().is_none();
    let ended = ended.then(|| view! { <p>"The time is no longer kept for you."</p> });
    let text = why.unwrap_or_else(|| "Nothing was booked.".to_owned());
    let links: Vec<AnyView> = gone.near.iter().map(|at| near(cx, book, *at)).collect();
    let near = if links.is_empty() {
        view! { <p>"No other time is free near it. Choose another day."</p> }.into_any()
    } else {
        view! { <p>"The nearest free times:"</p><ul class="stack tight">{links}</ul> }.into_any()
    };
    let wish = gone.at.filter(|_| gone.cause.as_ref().is_none_or(Wish::may_come_true));
    let wait = wish.and_then(|at| waiting(cx, book, "gone-", Wish::Time(at)));
    view! {
        <section class="summary">
            <h2>{title}</h2>
            {ended}
            <p>{text}</p>
            {near}
            {wait}
        </section>
    }
    .into_any()
}

/// Whether someone else was faster, so that no more needs to be said.
fn is_lost(cause: &WhyNot) -> bool {
    matches!(cause, WhyNot::Taken | WhyNot::Held | WhyNot::Busy)
}

/// What was typed comes along, as a link keeps it.
fn near(cx: &Cx, book: &Book, at: Instant) -> AnyView {
    let href = book.link_to(cx, at);
    let time = ui::time(&book.tenant.zone, at, day_and_clock(&book.tenant, at));
    view! { <li><a class="slot" href=href>{time}</a></li> }.into_any()
}
