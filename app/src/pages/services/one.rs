//! One service, or a new one.

use domain::{
    ids::ServiceId,
    services::{
        Needed, Service, ServiceKind, Teacher, hours_text, price_text,
        service::{self, Sheet},
    },
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::{combo, problem, terms::in_words};
use crate::{
    cx::{Cx, Form},
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind},
};

/// The form of a service, or of a combo.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let id: Option<ServiceId> = if cx.param("id") == "new" { None } else { Some(cx.id("id")?) };
    let asked = if cx.query("kind") == Some("combo") { ServiceKind::Combo } else { ServiceKind::Single };
    let sheet = match id {
        Some(id) => service::one(&mut scope, id).await?,
        None => service::blank(&mut scope, asked).await?,
    };
    let tenant = scope.tenant().clone();
    let title = match (id, sheet.service.kind) {
        (Some(_), _) => sheet.service.name.clone(),
        (None, ServiceKind::Single) => "New service".to_owned(),
        (None, ServiceKind::Combo) => "New combo".to_owned(),
    };
    let shown = title.clone();
    let frame = Frame::member(&scope, "services");
    Ok(Doc::new(title, frame, move || draw(&cx, &tenant, &shown, id, sheet)))
}

fn draw(cx: &Cx, tenant: &Tenant, title: &str, id: Option<ServiceId>, sheet: Sheet) -> AnyView {
    let back = ui::link_button(format!("/t/{}/services", tenant.slug), "All services", false);
    let hidden = vec![
        ("tenant", tenant.slug.clone()),
        ("service", id.map_or_else(|| "new".to_owned(), |id| id.to_string())),
    ];
    let Service { kind, archived, .. } = sheet.service;
    let form = match kind {
        ServiceKind::Single => ui::post_form("services/save", cx, "", hidden, fields(cx, tenant, sheet)),
        ServiceKind::Combo => {
            ui::post_form("services/save_combo", cx, "", hidden, combo::fields(cx, tenant, id, &sheet))
        }
    };
    view! {
        {ui::page_head(title, None, back)}
        <div class="stack">
            <section class="panel">{form}</section>
            {id.map(|id| archive(cx, tenant, id, kind, archived))}
        </div>
    }
    .into_any()
}

fn fields(cx: &Cx, tenant: &Tenant, sheet: Sheet) -> AnyView {
    let form = cx.form("services/save", "");
    let Sheet { service, teachers, resources, combos, .. } = sheet;
    let words = tenant.words();
    let check = |name: &str, label: &str, on: bool, help: &str| {
        Field::checkbox(name, label).value(if on { "on" } else { "" }).help(help).view(&form, "")
    };
    let pickup = format!("Who books says where the {} begins.", words.lesson);
    let approval = format!(
        "The {} approves each {} first; its time is kept until then.",
        words.instructor, words.lesson
    );
    let credit = format!("Who has no {} left in a pack can't book it.", words.lesson);
    let part_of = (!combos.is_empty()).then(|| {
        let text = format!("Part of {}, which changes with it.", combos.join(", "));
        view! { <p class="quiet">{text}</p> }
    });
    view! {
        {part_of}
        {what(&form, &service)}
        {times(&form, &service)}
        {terms(&form, &service)}
        {check("needs_pickup", "Needs pickup address", service.needs_pickup, &pickup)}
        {check("needs_approval", "Needs approval", service.needs_approval, &approval)}
        {check("needs_credit", &format!("Only with prepaid {}s", words.lesson), service.needs_credit, &credit)}
        {needed(&form, resources)}
        {who(&form, teachers)}
        <p class="terms"><strong>"In words: "</strong>{in_words(&service, words)}</p>
        {ui::button("Save service", Kind::Main)}
    }
    .into_any()
}

/// A number that has to be typed.
fn number(form: &Form, name: &str, label: &str, value: String, help: &str) -> AnyView {
    Field::text(name, label)
        .value(value)
        .help(help)
        .required()
        .autocomplete("off")
        .max_length(16)
        .view(form, "")
}

fn what(form: &Form, service: &Service) -> AnyView {
    let price = price_text(service.price_minor, &service.currency);
    let price_help = format!("In {}; 0 when it is free.", service.currency);
    let minutes = service.duration_min.to_string();
    view! {
        {Field::text("name", "Name").value(service.name.clone()).required().max_length(100).view(form, "")}
        {Field::area("description", "Description")
            .value(service.description.clone())
            .help("The first line stands on the card that is chosen.")
            .max_length(10_000)
            .rows(3)
            .view(form, "")}
        {number(form, "duration", "Duration (minutes)", minutes, "5 to 1440.")}
        {number(form, "price", "Price", price, &price_help)}
        {number(form, "capacity", "Seats", service.capacity.to_string(), "More than one makes it a lesson for several.")}
        {Field::text("colour", "Colour")
            .value(service.colour.clone().unwrap_or_default())
            .help("In calendars, like #0a6b8a; empty for none.")
            .autocomplete("off")
            .max_length(7)
            .view(form, "")}
    }
    .into_any()
}

fn times(form: &Form, service: &Service) -> AnyView {
    let (before, after) = (service.buffer_before_min.to_string(), service.buffer_after_min.to_string());
    let (notice, horizon) = (hours_text(service.notice_min), service.horizon_days.to_string());
    view! {
        {number(form, "buffer_before", "Buffer before (minutes)", before, "Time to get there.")}
        {number(form, "buffer_after", "Buffer after (minutes)", after, "Time to wrap up.")}
        {number(form, "notice", "Notice (hours)", notice, "How long before its start it can still be booked.")}
        {number(form, "horizon", "Horizon (days)", horizon, "How many days ahead it can be booked, 1 to 730.")}
    }
    .into_any()
}

fn terms(form: &Form, service: &Service) -> AnyView {
    let (cancel, moving) = (hours_text(service.cancel_notice_min), hours_text(service.move_notice_min));
    let fee = service.late_fee_percent.to_string();
    let moves = service.max_moves.map(|times| times.to_string()).unwrap_or_default();
    view! {
        {number(
            form,
            "cancel_notice",
            "Free cancellation until (hours before)",
            cancel,
            "What is booked already keeps its own terms.",
        )}
        {number(
            form,
            "late_fee",
            "Late fee (percent)",
            fee,
            "Of the price, when it is cancelled later than that. With a prepaid lesson any fee costs the lesson; 0 is free.",
        )}
        {number(form, "move_notice", "Move until (hours before)", moving, "How long before its start it can still be moved.")}
        {Field::text("max_moves", "Moves at most")
            .value(moves)
            .help("0 for never, empty for as often as they like.")
            .autocomplete("off")
            .max_length(3)
            .view(form, "")}
    }
    .into_any()
}

/// One number a resource. Each id goes with its number, by the same place in two lists.
fn needed(form: &Form, resources: Vec<Needed>) -> AnyView {
    if resources.is_empty() {
        return ().into_any();
    }
    let rows: Vec<AnyView> = resources
        .into_iter()
        .enumerate()
        .map(|(n, resource)| {
            let (name, id) = (format!("resources[{n}]"), resource.id.to_string());
            let label =
                if resource.archived { format!("{} (archived)", resource.name) } else { resource.name };
            let field = Field::number(format!("units[{n}]"), label)
                .value(resource.units.to_string())
                .help(format!(
                    "{} in all; 0 when it isn't needed.",
                    ui::plural(resource.available.into(), "unit")
                ))
                .min(0)
                .max(resource.available.max(resource.units))
                .view(form, "");
            view! {
                <input type="hidden" name=name value=id/>
                {field}
            }
            .into_any()
        })
        .collect();
    view! {
        <fieldset id="resources">
            <legend>"Resources needed"</legend>
            {problem(form, "resources")}
            {rows}
        </fieldset>
    }
    .into_any()
}

/// One box a person. Each has a name of its own, so that a refused form keeps all of them.
fn who(form: &Form, teachers: Vec<Teacher>) -> AnyView {
    if teachers.is_empty() {
        return view! { <p>"Nobody can teach it yet: the school has no instructors."</p> }.into_any();
    }
    let boxes: Vec<AnyView> = teachers
        .into_iter()
        .enumerate()
        .map(|(n, teacher)| {
            let name = format!("instructors[{n}]");
            let checked =
                if form.was_refused() { !form.value(&name, "").is_empty() } else { teacher.teaches };
            let (id, value) = (format!("instructor-{n}"), teacher.id.to_string());
            let target = id.clone();
            view! {
                <div class="field check">
                    <input type="checkbox" id=id name=name value=value checked=checked/>
                    <label for=target><bdi>{teacher.name}</bdi></label>
                </div>
            }
            .into_any()
        })
        .collect();
    view! {
        <fieldset>
            <legend>"Who teaches it"</legend>
            {boxes}
        </fieldset>
    }
    .into_any()
}

fn archive(cx: &Cx, tenant: &Tenant, id: ServiceId, kind: ServiceKind, archived: bool) -> AnyView {
    let hidden = vec![("tenant", tenant.slug.clone()), ("service", id.to_string())];
    let word = match kind {
        ServiceKind::Single => "service",
        ServiceKind::Combo => "combo",
    };
    if archived {
        let button = ui::button(&format!("Restore {word}"), Kind::Plain);
        return view! {
            <section class="panel">
                <h2>{format!("This {word} is archived")}</h2>
                <p>"Nobody can book it. What is booked already stays."</p>
                {ui::post_form("services/restore", cx, "", hidden, button)}
            </section>
        }
        .into_any();
    }
    let button = ui::button(&format!("Archive {word}"), Kind::Danger);
    view! {
        <section class="panel danger-zone">
            <h2>{format!("Archive this {word}")}</h2>
            <p>"Nobody can book it any more. What is booked already stays, and you can restore it at any time."</p>
            {ui::post_form("services/archive", cx, "", hidden, button)}
        </section>
    }
    .into_any()
}
