//! The step of day and time: a strip of seven days, and the free times of one of them.

use domain::{Instant, availability::Slot, tenancy::Tenant, zoned::Zone};
use jiff::{ToSpan, civil::Date};
use leptos::prelude::*;

use super::{
    a,
    book::{Book, Choice, HOLD, Week, Wish, step, waiting, why},
};
use crate::{
    cx::Cx,
    ui::{self, PostForm},
};

/// Days and times. What changes while one looks is drawn anew (BK-17), the question under it isn't.
pub(super) fn view(cx: &Cx, book: &Book, week: &Week) -> AnyView {
    let strip: Vec<AnyView> =
        (0i64..7).map(|n| day(cx, book, week, week.from.saturating_add(n.days()))).collect();
    let chosen = match &book.choice {
        Choice::Free(slot) => Some(slot.starts_at),
        Choice::Open => book.kept().map(|hold| hold.starts_at),
        Choice::Gone(_) => None,
    };
    let times = match week.day {
        Some(day) => times(cx, book, week, day, chosen),
        None => nothing(cx, book, week, None),
    };
    let full = book.offer.as_ref().filter(|offer| offer.service.capacity > 1).map(|_| {
        let lesson = ui::capital(&a(&book.tenant.words().lesson));
        let text =
            format!("{lesson} that is full isn't listed. Ask for its time below to join its waiting list.");
        view! { <p class="quiet">{text}</p> }
    });
    let shown = view! {
        {week_links(cx, book, week)}
        <nav class="week-strip" aria-label="Day">{strip}</nav>
        {times}
    };
    let body = view! {
        {ui::live(format!("/s/{}/live", book.tenant.slug), "live", shown.into_any())}
        {full}
        {why(cx, book, week)}
    };
    step("Day and time", None, body.into_any())
}

/// The slots of one local day.
fn of_day<'a>(tenant: &Tenant, week: &'a Week, day: Date) -> Vec<&'a Slot> {
    let (from, to) = (tenant.zone.day_start(day), tenant.zone.day_start(day.tomorrow().unwrap_or(day)));
    week.slots.iter().filter(|slot| from <= slot.starts_at && slot.starts_at < to).collect()
}

fn day(cx: &Cx, book: &Book, week: &Week, day: Date) -> AnyView {
    let (name, number) = (day.strftime("%a").to_string(), day.day().to_string());
    if day > week.last {
        // Too far ahead to be booked: there is nothing to go to.
        return view! {
            <span class="day" aria-disabled="true">
                <span class="day-name">{name}</span>
                <span class="day-num">{number}</span>
                <span class="day-free">"–"</span>
            </span>
        }
        .into_any();
    }
    let free = of_day(&book.tenant, week, day).len();
    let current = (week.day == Some(day)).then_some("date");
    let href = book.link(cx, &[("date", &day.to_string())]);
    let free_text = format!("{free} free");
    view! {
        <a class="day" href=href data-free=free.to_string() aria-current=current>
            <span class="day-name">{name}</span>
            <span class="day-num">{number}</span>
            <span class="day-free">{free_text}</span>
        </a>
    }
    .into_any()
}

/// "30 Mar – 5 Apr" between the ways to the weeks before and after.
fn week_links(cx: &Cx, book: &Book, week: &Week) -> AnyView {
    let last = week.from.saturating_add(6.days());
    let span = format!("{} – {}", week.from.strftime("%-d %b"), last.strftime("%-d %b %Y"));
    let link = |to: Option<Date>, rel: &'static str, label: &'static str, picture: &'static str| {
        to.map(|day| {
            let href = book.link(cx, &[("date", &day.to_string())]);
            view! { <a class="button" rel=rel href=href>{ui::icon(picture)}<span>{label}</span></a> }
                .into_any()
        })
    };
    view! {
        <div class="row">
            <span>{span}</span>
            <span class="row">
                {link(week.previous, "prev", "Earlier", "arrow-left")}
                {link(week.next, "next", "Later", "arrow-right")}
            </span>
        </div>
    }
    .into_any()
}

/// No free time, and the ways on: what is missing, a later week, the waiting list of the day.
fn nothing(cx: &Cx, book: &Book, week: &Week, day: Option<Date>) -> AnyView {
    if book.lacks_credit() {
        let words = book.tenant.words();
        let title = format!("Only with prepaid {}s", words.lesson);
        let text =
            format!("You have none left here. Ask {} for a pack, then choose a time.", book.tenant.name);
        return ui::empty(&title, &text, ().into_any());
    }
    let title = match day {
        Some(_) => "No free time on this day",
        None => "No free time in these seven days",
    };
    let later = week
        .next
        .map(|day| ui::link_button(book.link(cx, &[("date", &day.to_string())]), "Look a week later", false));
    let wait = day.and_then(|day| waiting(cx, book, "day-", Wish::Day(day)));
    let ways = view! { <div class="row">{later}{wait}</div> };
    ui::empty(title, "Choose another day, or someone else.", ways.into_any())
}

fn times(cx: &Cx, book: &Book, week: &Week, day: Date, chosen: Option<Instant>) -> AnyView {
    let zone = &book.tenant.zone;
    let slots = of_day(&book.tenant, week, day);
    if slots.is_empty() {
        return nothing(cx, book, week, Some(day));
    }
    let hour = |slot: &&&Slot| slot.starts_at.to_zoned(zone.tz().clone()).hour();
    let parts: Vec<AnyView> = [("Morning", 0..12), ("Afternoon", 12..17), ("Evening", 17..24)]
        .into_iter()
        .filter_map(|(title, hours)| {
            let part: Vec<&Slot> = slots.iter().filter(|slot| hours.contains(&hour(slot))).copied().collect();
            if part.is_empty() {
                return None;
            }
            let picks: Vec<AnyView> = part
                .iter()
                .map(|slot| {
                    let at = slot.starts_at;
                    let same = |other: &&Slot| {
                        other.starts_at != at && zone.clock(other.starts_at) == zone.clock(at)
                    };
                    let text = clock(zone, at, slots.iter().any(same));
                    pick(cx, book, at, text, seats(slot), chosen == Some(at))
                })
                .collect();
            Some(view! { <h3>{title}</h3><div class="time-grid">{picks}</div> }.into_any())
        })
        .collect();
    form(cx, book, "", view! { <div class="times">{parts}</div> }.into_any())
}

/// "16:00"; on the day when the clock shows an hour twice, the offset tells the two apart.
pub(super) fn clock(zone: &Zone, at: Instant, twice: bool) -> String {
    let clock = zone.clock(at);
    if twice { format!("{clock} ({})", offset(&zone.rfc3339(at))) } else { clock }
}

/// "5 seats left" of a group lesson that stands already.
fn seats(slot: &Slot) -> Option<String> {
    slot.group.map(|_| format!("{} left", ui::plural(i64::from(slot.left), "seat")))
}

/// What is around times to choose: for a student the form that keeps the one they press. `key` tells several such forms
/// on the page apart.
pub(super) fn form(cx: &Cx, book: &Book, key: &str, body: AnyView) -> AnyView {
    if !book.is_student() {
        return body;
    }
    let refused = cx.form(HOLD, key).error("starts_at").map(str::to_owned);
    let id = format!("{key}starts_at");
    let body = view! {
        {refused.map(|text| view! { <p class="error" id=id>{text}</p> })}
        {body}
    };
    PostForm::new(HOLD, cx, key, book.hidden()).view(body.into_any())
}

/// A time to choose: a button of [`form`] for a student, a link for others.
pub(super) fn pick(
    cx: &Cx,
    book: &Book,
    at: Instant,
    text: String,
    seats: Option<String>,
    chosen: bool,
) -> AnyView {
    let zone = &book.tenant.zone;
    let current = chosen.then_some("true");
    let time = ui::time(zone, at, text);
    let seats = seats.map(|seats| view! { <small>{seats}</small> });
    if book.is_student() {
        let stamp = zone.rfc3339(at);
        return view! {
            <button type="submit" class="slot" name="starts_at" value=stamp aria-current=current>
                {time}
                {seats}
            </button>
        }
        .into_any();
    }
    let href = book.link_to(cx, at);
    view! { <a class="slot" href=href aria-current=current>{time}{seats}</a> }.into_any()
}

/// "+02:00" of "2026-10-25T02:30:00+02:00".
pub(super) fn offset(stamp: &str) -> &str {
    stamp.get(stamp.len().saturating_sub(6)..).unwrap_or("")
}
