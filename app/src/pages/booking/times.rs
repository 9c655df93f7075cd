//! The step of day and time: a strip of seven days, and the free times of one of them.

use domain::{Instant, availability::Slot, tenancy::Tenant};
use jiff::{ToSpan, civil::Date};
use leptos::prelude::*;

use super::book::{Choice, Week, step};
use crate::{cx::Cx, ui};

/// Days and times.
pub(super) fn view(cx: &Cx, tenant: &Tenant, week: &Week, choice: &Choice) -> AnyView {
    let strip: Vec<AnyView> =
        (0i64..7).map(|n| day(cx, tenant, week, week.from.saturating_add(n.days()))).collect();
    let chosen = match choice {
        Choice::Free(slot) => Some(slot.starts_at),
        _ => None,
    };
    let times = match week.day {
        Some(day) => times(cx, tenant, week, day, chosen),
        None => nothing(cx, week, "No free time in these seven days"),
    };
    let body = view! {
        {week_links(cx, week)}
        <nav class="week-strip" aria-label="Day">{strip}</nav>
        {times}
    };
    step("Day and time", None, body.into_any())
}

/// The slots of one local day.
fn of_day<'a>(tenant: &Tenant, week: &'a Week, day: Date) -> Vec<&'a Slot> {
    let (from, to) = (tenant.zone.day_start(day), tenant.zone.day_start(day.tomorrow().unwrap_or(day)));
    week.slots.iter().filter(|slot| from <= slot.starts_at && slot.starts_at < to).collect()
}

fn day(cx: &Cx, tenant: &Tenant, week: &Week, day: Date) -> AnyView {
    let free = of_day(tenant, week, day).len();
    let current = (week.day == Some(day)).then_some("date");
    let href = cx.link(&[("date", &day.to_string()), ("at", "")]);
    let (name, number) = (day.strftime("%a").to_string(), day.day().to_string());
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
fn week_links(cx: &Cx, week: &Week) -> AnyView {
    let last = week.from.saturating_add(6.days());
    let span = format!("{} – {}", week.from.strftime("%-d %b"), last.strftime("%-d %b %Y"));
    let link = |to: Option<Date>, rel: &'static str, label: &'static str, picture: &'static str| {
        to.map(|day| {
            let href = cx.link(&[("date", &day.to_string()), ("at", "")]);
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

fn nothing(cx: &Cx, week: &Week, title: &str) -> AnyView {
    let later = match week.next {
        Some(day) => {
            ui::link_button(cx.link(&[("date", &day.to_string()), ("at", "")]), "Look a week later", false)
        }
        None => ().into_any(),
    };
    ui::empty(title, "Choose another day, or someone else.", later)
}

fn times(cx: &Cx, tenant: &Tenant, week: &Week, day: Date, chosen: Option<Instant>) -> AnyView {
    let slots = of_day(tenant, week, day);
    if slots.is_empty() {
        return nothing(cx, week, "No free time on this day");
    }
    let hour = |slot: &&&Slot| slot.starts_at.to_zoned(tenant.zone.tz().clone()).hour();
    let parts: Vec<AnyView> = [("Morning", 0..12), ("Afternoon", 12..17), ("Evening", 17..24)]
        .into_iter()
        .filter_map(|(title, hours)| {
            let part: Vec<&Slot> = slots.iter().filter(|slot| hours.contains(&hour(slot))).copied().collect();
            if part.is_empty() {
                return None;
            }
            let links: Vec<AnyView> =
                part.iter().map(|slot| link(cx, tenant, &slots, slot, day, chosen)).collect();
            Some(view! { <h3>{title}</h3><div class="time-grid">{links}</div> }.into_any())
        })
        .collect();
    view! { <div class="times">{parts}</div> }.into_any()
}

fn link(
    cx: &Cx,
    tenant: &Tenant,
    slots: &[&Slot],
    slot: &Slot,
    day: Date,
    chosen: Option<Instant>,
) -> AnyView {
    let (zone, at) = (&tenant.zone, slot.starts_at);
    let (clock, stamp) = (zone.clock(at), zone.rfc3339(at));
    // On the day when the clock shows an hour twice, the offset tells the two apart.
    let twice = slots.iter().any(|other| other.starts_at != at && zone.clock(other.starts_at) == clock);
    let text = if twice { format!("{clock} ({})", offset(&stamp)) } else { clock };
    let href = cx.link(&[("date", &day.to_string()), ("at", &stamp)]);
    let current = (chosen == Some(at)).then_some("true");
    view! { <a class="slot" href=href aria-current=current>{ui::time(zone, at, text)}</a> }.into_any()
}

/// "+02:00" of "2026-10-25T02:30:00+02:00".
pub(super) fn offset(stamp: &str) -> &str {
    stamp.get(stamp.len().saturating_sub(6)..).unwrap_or("")
}
