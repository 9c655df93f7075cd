//! The part of an instructor's page that keeps their hours and blocked times.

use domain::{
    availability::{
        Block, WeeklyHour,
        hours::{DAYS, day_text},
    },
    ids::InstructorId,
    zoned::Zone,
};
use leptos::prelude::*;

use crate::{
    cx::Cx,
    ui::{self, Field, Kind},
};

/// Weekly hours, blocked times, and the forms to change them.
pub fn panel(
    cx: &Cx,
    tenant: &str,
    instructor: InstructorId,
    hours: Vec<WeeklyHour>,
    blocks: Vec<Block>,
    zone: &Zone,
) -> AnyView {
    let city = zone.city();
    let hours_note = format!(
        "{city} time. Several openings a day stand with commas between them; an empty day is closed."
    );
    let hidden = || vec![("tenant", tenant.to_owned()), ("instructor", instructor.to_string())];
    view! {
        <div class="grid-2">
            <section class="panel">
                <h2>"Weekly hours"</h2>
                <p class="quiet">{hours_note}</p>
                {ui::post_form("availability/set_hours", cx, "hours-", hidden(), week(cx, &hours))}
            </section>
            <section class="panel">
                <h2>"Blocked times"</h2>
                {blocked(cx, tenant, blocks, zone)}
                <h3>"Block a time"</h3>
                {ui::post_form("availability/block", cx, "block-", hidden(), block_form(cx))}
            </section>
        </div>
    }
    .into_any()
}

fn week(cx: &Cx, hours: &[WeeklyHour]) -> AnyView {
    let form = cx.form("availability/set_hours", "hours-");
    let fields: Vec<AnyView> = (1i16..)
        .zip(DAYS)
        .map(|(weekday, (field, label))| {
            Field::text(field, label)
                .value(day_text(hours, weekday))
                .autocomplete("off")
                .max_length(200)
                .view(&form, "hours-")
        })
        .collect();
    view! {
        <p class="quiet">"For example 09:00-12:00, 13:00-17:00"</p>
        {fields}
        {ui::button("Save hours", Kind::Main)}
    }
    .into_any()
}

fn blocked(cx: &Cx, tenant: &str, blocks: Vec<Block>, zone: &Zone) -> AnyView {
    if blocks.is_empty() {
        return view! { <p>"Nothing is blocked from now on."</p> }.into_any();
    }
    let rows: Vec<AnyView> = blocks
        .into_iter()
        .map(|block| {
            let hidden = vec![("tenant", tenant.to_owned()), ("block", block.id.to_string())];
            let free = ui::post_form(
                "availability/unblock",
                cx,
                &block.id.to_string(),
                hidden,
                ui::button("Free again", Kind::Plain),
            );
            let when = ui::time(zone, block.starts_at, span(zone, &block, cx));
            let reason = block.reason;
            view! { <li class="row"><span>{when} " " <bdi>{reason}</bdi></span>{free}</li> }.into_any()
        })
        .collect();
    view! { <ul class="stack tight">{rows}</ul> }.into_any()
}

/// "Tue 30 Mar, 09:00–17:00", or the day alone when all of it is blocked.
fn span(zone: &Zone, block: &Block, cx: &Cx) -> String {
    let day = zone.date(block.starts_at);
    let tomorrow = day.tomorrow().unwrap_or(day);
    if block.starts_at == zone.day_start(day) && block.ends_at == zone.day_start(tomorrow) {
        format!("{}, all day", zone.short_day(block.starts_at))
    } else {
        zone.span(block.starts_at, block.ends_at, cx.now())
    }
}

fn block_form(cx: &Cx) -> AnyView {
    let form = cx.form("availability/block", "block-");
    view! {
        {Field::date("date", "Date").required().view(&form, "block-")}
        {Field::time_of_day("from", "From").help("Leave both times empty for the whole day.").view(&form, "block-")}
        {Field::time_of_day("to", "To").view(&form, "block-")}
        {Field::text("reason", "Reason").max_length(200).view(&form, "block-")}
        {ui::button("Block time", Kind::Main)}
    }
    .into_any()
}
