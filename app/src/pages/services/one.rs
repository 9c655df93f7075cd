//! One service, or a new one.

use domain::{
    ids::ServiceId,
    services::{Service, Teacher, hours_text, price_text, service},
    tenancy::Tenant,
};
use leptos::prelude::*;

use crate::{
    cx::{Cx, Form},
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind},
};

/// The form of a service.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let id: Option<ServiceId> = if cx.param("id") == "new" { None } else { Some(cx.id("id")?) };
    let (service, teachers) = match id {
        Some(id) => service::one(&mut scope, id).await?,
        None => service::blank(&mut scope).await?,
    };
    let tenant = scope.tenant().clone();
    let title = if id.is_some() { service.name.clone() } else { "New service".to_owned() };
    let shown = title.clone();
    let frame = Frame::member(&scope, "services");
    Ok(Doc::new(title, frame, move || draw(&cx, &tenant, &shown, id, &service, teachers)))
}

fn draw(
    cx: &Cx,
    tenant: &Tenant,
    title: &str,
    id: Option<ServiceId>,
    service: &Service,
    teachers: Vec<Teacher>,
) -> AnyView {
    let back = ui::link_button(format!("/t/{}/services", tenant.slug), "All services", false);
    let hidden = vec![
        ("tenant", tenant.slug.clone()),
        ("service", id.map_or_else(|| "new".to_owned(), |id| id.to_string())),
    ];
    let form = ui::post_form("services/save", cx, "", hidden, fields(cx, tenant, service, teachers));
    view! {
        {ui::page_head(title, None, back)}
        <div class="stack">
            <section class="panel">{form}</section>
            {id.map(|id| archive(cx, tenant, id, service.archived))}
        </div>
    }
    .into_any()
}

fn fields(cx: &Cx, tenant: &Tenant, service: &Service, teachers: Vec<Teacher>) -> AnyView {
    let form = cx.form("services/save", "");
    let words = tenant.words();
    let number = |name: &str, label: &str, value: String, help: &str| {
        Field::text(name, label)
            .value(value)
            .help(help)
            .required()
            .autocomplete("off")
            .max_length(16)
            .view(&form, "")
    };
    let check = |name: &str, label: &str, on: bool, help: &str| {
        Field::checkbox(name, label).value(if on { "on" } else { "" }).help(help).view(&form, "")
    };
    let price = price_text(service.price_minor, &service.currency);
    let price_help = format!("In {}; 0 when it is free.", service.currency);
    let pickup = format!("Who books says where the {} begins.", words.lesson);
    let approval = format!(
        "The {} approves each {} first; its time is kept until then.",
        words.instructor, words.lesson
    );
    view! {
        {Field::text("name", "Name").value(service.name.clone()).required().max_length(100).view(&form, "")}
        {Field::area("description", "Description")
            .value(service.description.clone())
            .help("The first line stands on the card that is chosen.")
            .max_length(10_000)
            .rows(3)
            .view(&form, "")}
        {number("duration", "Duration (minutes)", service.duration_min.to_string(), "5 to 1440.")}
        {number("price", "Price", price, &price_help)}
        {number("buffer_before", "Buffer before (minutes)", service.buffer_before_min.to_string(), "Time to get there.")}
        {number("buffer_after", "Buffer after (minutes)", service.buffer_after_min.to_string(), "Time to wrap up.")}
        {number("notice", "Notice (hours)", hours_text(service.notice_min), "How long before its start it can still be booked.")}
        {number("horizon", "Horizon (days)", service.horizon_days.to_string(), "How many days ahead it can be booked, 1 to 730.")}
        {number(
            "cancel_notice",
            "Free cancellation until (hours before)",
            hours_text(service.cancel_notice_min),
            "What is booked already keeps its own terms.",
        )}
        {check("needs_pickup", "Needs pickup address", service.needs_pickup, &pickup)}
        {check("needs_approval", "Needs approval", service.needs_approval, &approval)}
        {who(&form, teachers)}
        {ui::button("Save service", Kind::Main)}
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

fn archive(cx: &Cx, tenant: &Tenant, id: ServiceId, archived: bool) -> AnyView {
    let hidden = vec![("tenant", tenant.slug.clone()), ("service", id.to_string())];
    if archived {
        let form =
            ui::post_form("services/restore", cx, "", hidden, ui::button("Restore service", Kind::Plain));
        return view! {
            <section class="panel">
                <h2>"This service is archived"</h2>
                <p>"Nobody can book it. What is booked already stays."</p>
                {form}
            </section>
        }
        .into_any();
    }
    let form = ui::post_form("services/archive", cx, "", hidden, ui::button("Archive service", Kind::Danger));
    view! {
        <section class="panel danger-zone">
            <h2>"Archive this service"</h2>
            <p>"Nobody can book it any more. What is booked already stays, and you can restore it at any time."</p>
            {form}
        </section>
    }
    .into_any()
}
