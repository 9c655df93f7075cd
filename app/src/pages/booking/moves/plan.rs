//! What a move would do, lesson by lesson, and the free times to move to.

use domain::{
    Instant,
    availability::Slot,
    booking::{
        moves::{MovePlan, Moving},
        policy::Canceller,
    },
    tenancy::Tenant,
};
use jiff::{ToSpan, civil::Date};
use leptos::prelude::*;

use super::{link, links};
use crate::{
    cx::Cx,
    pages::booking::{day_and_clock, name},
    ui::{self, Tone},
};

/// Old and new time of every lesson, and what is against it.
pub(super) fn view(cx: &Cx, tenant: &Tenant, by: Canceller, plan: &MovePlan) -> AnyView {
    let lesson = &tenant.words().lesson;
    let against = plan.lessons.iter().filter(|moving| moving.conflict.is_some()).count();
    let total = plan.lessons.len();
    let said = match (against, total) {
        (0, 1) => "This time is free.".to_owned(),
        (0, _) => format!("All {total} {lesson}s can be moved. Nothing is saved yet."),
        (_, 1) => "This time can't be had.".to_owned(),
        (1, _) => format!("1 of {total} {lesson}s can't be moved there, so none would be."),
        _ => format!("{against} of {total} {lesson}s can't be moved there, so none would be."),
    };
    let who = by == Canceller::Staff;
    let rows: Vec<AnyView> = plan.lessons.iter().map(|moving| row(cx, tenant, moving, who)).collect();
    let instructor = who.then(|| {
        let word = ui::capital(&tenant.words().instructor);
        view! { <th scope="col">{word}</th> }
    });
    // One alone has its nearest free times as links; of several each has them in its row.
    let near = match plan.lessons.as_slice() {
        [Moving { conflict: Some(conflict), .. }] if !conflict.nearest.is_empty() => {
            let nearest = conflict.nearest.clone();
            Some(view! { <p>"The nearest free times:"</p>{links(cx, tenant, nearest)} })
        }
        _ => None,
    };
    view! {
        <section class="panel">
            <h2>"What would change"</h2>
            <p>{said}</p>
            {ui::table("", view! {
                <th scope="col">"Now"</th>
                <th scope="col">"Then"</th>
                {instructor}
                <th scope="col">"Free"</th>
            }, rows)}
            {near}
        </section>
    }
    .into_any()
}

fn row(cx: &Cx, tenant: &Tenant, moving: &Moving, who: bool) -> AnyView {
    let (zone, now) = (&tenant.zone, cx.now());
    let lesson = &moving.lesson;
    let old = ui::time(zone, lesson.starts_at, zone.span(lesson.starts_at, lesson.ends_at, now));
    let new = ui::time(zone, moving.starts_at, zone.span(moving.starts_at, moving.ends_at, now));
    let instructor = who.then(|| {
        let label = ui::capital(&tenant.words().instructor);
        view! { <td data-label=label>{name(&moving.instructor_name)}</td> }
    });
    let state = match &moving.conflict {
        None => ui::badge(Tone::Good, "Free"),
        Some(conflict) => {
            let near: Vec<String> = conflict.nearest.iter().map(|at| day_and_clock(tenant, *at)).collect();
            let mut message = conflict.message.clone();
            if !near.is_empty() {
                message.push_str(&format!(" Free: {}.", near.join("; ")));
            }
            view! { <span>{ui::badge(Tone::Bad, conflict.label.clone())}" "{message}</span> }.into_any()
        }
    };
    view! {
        <tr>
            <th scope="row">{old}</th>
            <td data-label="Then">{new}</td>
            {instructor}
            <td data-label="Free">{state}</td>
        </tr>
    }
    .into_any()
}

/// Free times of a day, each a link that fills the form, between the ways to the days before and after.
pub(super) fn free(cx: &Cx, tenant: &Tenant, slots: &[Slot], today: Date, day: Date) -> AnyView {
    let zone = &tenant.zone;
    let next = day.saturating_add(1.day());
    let (from, to) = (zone.day_start(day), zone.day_start(next));
    let (here, later): (Vec<&Slot>, Vec<&Slot>) =
        slots.iter().filter(|slot| slot.starts_at >= from).partition(|slot| slot.starts_at < to);
    let body = if here.is_empty() {
        let first = later.first().map(|slot| {
            let (href, text) = (link(cx, zone, slot.starts_at), day_and_clock(tenant, slot.starts_at));
            view! { <p>"The next one: "<a href=href>{ui::time(zone, slot.starts_at, text)}</a></p> }
        });
        view! { <p>"No free time on this day."</p>{first} }.into_any()
    } else {
        let times: Vec<AnyView> = here.iter().map(|slot| time(cx, tenant, slot.starts_at)).collect();
        view! { <div class="time-grid">{times}</div> }.into_any()
    };
    let way = |day: Date, rel: &'static str, label: &'static str, picture: &'static str| {
        let href = cx.link(&[("date", &day.to_string()), ("time", ""), ("clock", "")]);
        view! { <a class="button" rel=rel href=href>{ui::icon(picture)}<span>{label}</span></a> }.into_any()
    };
    let before = (day > today).then(|| way(day.saturating_sub(1.day()), "prev", "Day before", "arrow-left"));
    let title = format!("Free times on {}", zone.short_day(from));
    view! {
        <section class="panel">
            <h2>{title}</h2>
            <div class="row">{before}{way(next, "next", "Day after", "arrow-right")}</div>
            {body}
        </section>
    }
    .into_any()
}

fn time(cx: &Cx, tenant: &Tenant, at: Instant) -> AnyView {
    let (href, text) = (link(cx, &tenant.zone, at), tenant.zone.clock(at));
    view! { <a class="slot" href=href>{ui::time(&tenant.zone, at, text)}</a> }.into_any()
}
