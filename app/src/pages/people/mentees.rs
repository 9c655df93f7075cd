//! The mentees of an instructor: a row a pack, so that each count has its own buttons.

use domain::{
    Instant,
    packs::PackLine,
    people::{Mentee, Seat},
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::{count_buttons, parts};
use crate::{
    cx::Cx,
    ui::{self, Tone},
};

/// The table of an instructor's mentees.
pub(super) fn table(cx: &Cx, tenant: &Tenant, mentees: Vec<Mentee>, now: Instant) -> AnyView {
    let words = tenant.words();
    if mentees.is_empty() {
        let title = format!("No {}s yet", words.student);
        let text = format!("Associate a {} to give them a pack of {}s here.", words.student, words.lesson);
        return ui::empty(&title, &text, ().into_any());
    }
    let rows: Vec<AnyView> = mentees.into_iter().flat_map(|mentee| rows(cx, tenant, mentee, now)).collect();
    let heads = view! {
        <th scope="col">{ui::capital(&words.student)}</th>
        <th scope="col">"Seat"</th>
        <th scope="col" class="num">"Total"</th>
        <th scope="col" class="num">"Used"</th>
        <th scope="col">"Left"</th>
        <th scope="col">"Pack"</th>
        <th scope="col">{format!("Last {}", words.lesson)}</th>
    };
    ui::table("compact", heads, rows)
}

fn rows(cx: &Cx, tenant: &Tenant, mentee: Mentee, now: Instant) -> Vec<AnyView> {
    if mentee.packs.is_empty() {
        return vec![row(cx, tenant, &mentee, None, now)];
    }
    mentee.packs.iter().map(|pack| row(cx, tenant, &mentee, Some(pack), now)).collect()
}

fn row(cx: &Cx, tenant: &Tenant, mentee: &Mentee, pack: Option<&PackLine>, now: Instant) -> AnyView {
    let href = format!("/t/{}/students/{}", tenant.slug, mentee.student);
    let seat = match mentee.seat {
        Seat::Active => ui::badge(Tone::Good, "Active"),
        Seat::Released => ui::badge(Tone::Quiet, "Released"),
    };
    let (total, used) = pack.map_or((0, 0), |pack| (pack.total, pack.used));
    let left = match pack {
        Some(pack) => count_buttons(cx, &tenant.slug, pack.id, pack.left),
        None => parts::text("0 left".to_owned()),
    };
    let state = match pack {
        Some(pack) => parts::pack_state(tenant, pack, now),
        None => ui::badge(Tone::Quiet, "No pack"),
    };
    view! {
        <tr>
            <th scope="row">{parts::name_link(href, mentee.name.clone())}</th>
            <td data-label="Seat">{seat}</td>
            <td data-label="Total" class="num">{total.to_string()}</td>
            <td data-label="Used" class="num">{used.to_string()}</td>
            <td data-label="Left">{left}</td>
            <td data-label="Pack">{state}</td>
            <td data-label=format!("Last {}", tenant.words().lesson)>{parts::day(tenant, mentee.last_lesson, now)}</td>
        </tr>
    }
    .into_any()
}
