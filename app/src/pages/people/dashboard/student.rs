//! A student's dashboard: next lessons and packs (PE-06).

use domain::{
    authz::TenantScope,
    booking,
    packs::{self, StudentPack},
    people::LessonLine,
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::{hours_away, line};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    pages::people::{
        associate::article,
        parts::{self, When, Who},
    },
    ui::{self, capital, plural},
};

/// Lessons shown at most; the list has the rest.
const SHOWN: usize = 5;
/// The furthest a service can be booked ahead, in hours.
const HORIZON: i64 = 731 * 24;

pub(super) async fn page(cx: Cx, mut scope: TenantScope) -> PageResult {
    // From a day ago, for the lesson that is on right now: none is longer.
    let (from, to) = (hours_away(cx.now(), -24), hours_away(cx.now(), HORIZON));
    let bookings = booking::service::between(&mut scope, from, to).await?;
    let packs = packs::service::mine(&mut scope).await?;
    let next: Vec<LessonLine> =
        bookings.into_iter().filter(|booking| booking.ends_at > cx.now()).take(SHOWN).map(line).collect();
    let (tenant, name) = (scope.tenant().clone(), scope.actor().name.clone());
    let frame = Frame::member(&scope, "");
    Ok(Doc::new("Dashboard", frame, move || draw(&cx, &tenant, &name, next, packs)).with_islands())
}

fn draw(cx: &Cx, tenant: &Tenant, name: &str, next: Vec<LessonLine>, packs: Vec<StudentPack>) -> AnyView {
    let words = tenant.words();
    let label = format!("Book {} {}", article(&words.lesson), words.lesson);
    let book = ui::link_button(format!("/s/{}", tenant.slug), &label, true);
    let all =
        ui::link_button(format!("/t/{}/bookings", tenant.slug), &format!("All {}s", words.lesson), false);
    let next = if next.is_empty() {
        let text = format!("{label} and it appears here, with its place and time.");
        ui::empty(&format!("No {}s ahead", words.lesson), &text, ().into_any())
    } else {
        parts::lesson_list(tenant, next, Who::Instructor, When::Day, cx.now())
    };
    let body = view! {
        <section class="panel">
            <h2>{format!("Next {}s", words.lesson)}</h2>
            <div class="stack tight">
                {next}
                <p>{all}</p>
            </div>
        </section>
        <section class="panel">
            <h2>"Packs"</h2>
            {packs_view(cx, tenant, packs)}
        </section>
    };
    view! {
        {ui::page_head(name, Some(tenant.name.clone()), book)}
        {super::live(tenant, body.into_any())}
    }
    .into_any()
}

fn packs_view(cx: &Cx, tenant: &Tenant, packs: Vec<StudentPack>) -> AnyView {
    let words = tenant.words();
    if packs.is_empty() {
        let text = format!("Prepaid {}s appear here, with how many are left.", words.lesson);
        return ui::empty("No pack", &text, ().into_any());
    }
    let packs: Vec<AnyView> = packs
        .into_iter()
        .map(|owned| {
            let count = format!("{} of {} left", owned.pack.left, owned.pack.total);
            let unit = format!("{}s with ", capital(&words.lesson));
            let used = format!(", {} used", plural(i64::from(owned.pack.used), &words.lesson));
            let state = parts::owned_state(tenant, &owned.pack, owned.gone, cx.now());
            view! {
                <li class="stack tight">
                    <p><strong>{count}</strong></p>
                    <p>{unit}<bdi>{owned.instructor_name}</bdi>{used}</p>
                    {state}
                </li>
            }
            .into_any()
        })
        .collect();
    view! { <ul class="plain stack">{packs}</ul> }.into_any()
}
