//! One resource, or a new one.

use domain::{
    ids::ResourceId,
    resources::{
        MOST_UNITS, Resource, ResourceKind,
        service::{self, Detail, Needs},
    },
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::list::status;
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind},
};

/// The form of a resource.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let id: Option<ResourceId> = if cx.param("id") == "new" { None } else { Some(cx.id("id")?) };
    let detail = match id {
        Some(id) => service::one(&mut scope, id).await?,
        None => service::blank(&scope)?,
    };
    let tenant = scope.tenant().clone();
    let title = if id.is_some() { detail.resource.name.clone() } else { "New resource".to_owned() };
    let shown = title.clone();
    let frame = Frame::member(&scope, "resources");
    Ok(Doc::new(title, frame, move || draw(&cx, &tenant, &shown, id, &detail)))
}

fn draw(cx: &Cx, tenant: &Tenant, title: &str, id: Option<ResourceId>, detail: &Detail) -> AnyView {
    let back = ui::link_button(format!("/t/{}/resources", tenant.slug), "All resources", false);
    let hidden = vec![
        ("tenant", tenant.slug.clone()),
        ("resource", id.map_or_else(|| "new".to_owned(), |id| id.to_string())),
    ];
    let form = ui::post_form("resources/save", cx, "", hidden, fields(cx, tenant, &detail.resource));
    view! {
        {ui::page_head(title, None, back)}
        <div class="stack">
            <section class="panel">{form}</section>
            {id.map(|_| used(tenant, detail))}
            {id.map(|id| archive(cx, tenant, id, detail))}
        </div>
    }
    .into_any()
}

fn fields(cx: &Cx, tenant: &Tenant, resource: &Resource) -> AnyView {
    let form = cx.form("resources/save", "");
    let kinds: Vec<(String, String)> =
        ResourceKind::ALL.map(|kind| (kind.as_str().to_owned(), kind.label().to_owned())).into();
    let units = format!(
        "1 to {MOST_UNITS}: how many {}s can use one at the same time. With fewer, what is booked stays.",
        tenant.words().lesson
    );
    view! {
        {Field::text("name", "Name")
            .value(resource.name.clone())
            .required()
            .autocomplete("off")
            .max_length(100)
            .view(&form, "")}
        {Field::select("kind", "Kind", kinds).value(resource.kind.as_str()).required().view(&form, "")}
        {Field::number("units", "Units")
            .value(resource.units.to_string())
            .help(units)
            .min(1)
            .max(MOST_UNITS)
            .required()
            .view(&form, "")}
        {ui::button("Save resource", Kind::Main)}
    }
    .into_any()
}

/// What hangs on it.
fn used(tenant: &Tenant, detail: &Detail) -> AnyView {
    let services = if detail.services.is_empty() {
        let text = "None. Say on the page of a service that it needs this.";
        view! { <span class="quiet">{text}</span> }.into_any()
    } else {
        let rows: Vec<AnyView> = detail.services.iter().map(|needs| needed_by(tenant, needs)).collect();
        view! { <ul class="stack tight">{rows}</ul> }.into_any()
    };
    let upcoming = ui::plural(detail.upcoming, &tenant.words().lesson);
    let facts = ui::facts(vec![
        ("Status".to_owned(), status(detail.resource.archived)),
        ("Needed by".to_owned(), services),
        ("Upcoming".to_owned(), view! { <span>{upcoming}</span> }.into_any()),
    ]);
    view! {
        <section class="panel">
            <h2>"Use"</h2>
            {facts}
        </section>
    }
    .into_any()
}

fn needed_by(tenant: &Tenant, needs: &Needs) -> AnyView {
    let href = format!("/t/{}/services/{}", tenant.slug, needs.id);
    let name = needs.name.clone();
    let units = (needs.units > 1).then(|| format!(": {}", ui::plural(i64::from(needs.units), "unit")));
    view! { <li><a href=href><bdi>{name}</bdi></a>{units}</li> }.into_any()
}

fn archive(cx: &Cx, tenant: &Tenant, id: ResourceId, detail: &Detail) -> AnyView {
    let hidden = vec![("tenant", tenant.slug.clone()), ("resource", id.to_string())];
    if detail.resource.archived {
        let form =
            ui::post_form("resources/restore", cx, "", hidden, ui::button("Restore resource", Kind::Plain));
        return view! {
            <section class="panel">
                <h2>"This resource is archived"</h2>
                <p>"No service can need it. What is booked keeps it."</p>
                {form}
            </section>
        }
        .into_any();
    }
    let form =
        ui::post_form("resources/archive", cx, "", hidden, ui::button("Archive resource", Kind::Danger));
    let lead = if detail.services.is_empty() {
        "No service can need it any more. What is booked keeps it, and you can restore it at any time."
    } else {
        "That is possible once no service needs it."
    };
    view! {
        <section class="panel danger-zone">
            <h2>"Archive this resource"</h2>
            <p>{lead}</p>
            {form}
        </section>
    }
    .into_any()
}
