//! The resources of the school.

use domain::{
    paging::Page,
    resources::service::{self, ResourceRow},
    tenancy::Tenant,
};
use leptos::prelude::*;

use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, Tone},
};

/// Services named in a cell at most.
const NAMED: usize = 2;

/// The list.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let rows = service::list(&mut scope, &cx.list(), cx.query("status").unwrap_or("")).await?;
    let tenant = scope.tenant().clone();
    Ok(Doc::new("Resources", Frame::member(&scope, "resources"), move || draw(&cx, &tenant, &rows)))
}

fn draw(cx: &Cx, tenant: &Tenant, rows: &Page<ResourceRow>) -> AnyView {
    let new = || ui::link_button(format!("/t/{}/resources/new", tenant.slug), "New resource", true);
    let body = if rows.items.is_empty() {
        let text = format!(
            "A resource is what {}s need beside people: a room, a car, a chair. It is booked with them.",
            tenant.words().lesson
        );
        ui::empty("No resources here", &text, new())
    } else {
        table(cx, tenant, rows)
    };
    let statuses = vec![
        (String::new(), "In use".to_owned()),
        ("archived".to_owned(), "Archived".to_owned()),
        ("all".to_owned(), "All".to_owned()),
    ];
    let extra = ui::filter_select(cx, "status", "Status", statuses);
    view! {
        {ui::page_head("Resources", None, new())}
        {ui::filter_bar(cx, "Search resources", extra, ui::plural(rows.total, "resource"), None)}
        {body}
        {ui::pager(cx, rows)}
    }
    .into_any()
}

fn table(cx: &Cx, tenant: &Tenant, rows: &Page<ResourceRow>) -> AnyView {
    let lines: Vec<AnyView> = rows.items.iter().map(|row| line(tenant, row)).collect();
    let heads = view! {
        {ui::sort_head(cx, "name", "Name", true, "")}
        <th scope="col">"Kind"</th>
        <th scope="col" class="num">"Units"</th>
        <th scope="col">"Needed by"</th>
        <th scope="col" class="num">"Upcoming"</th>
        <th scope="col">"Status"</th>
    };
    ui::table("", heads, lines)
}

fn line(tenant: &Tenant, row: &ResourceRow) -> AnyView {
    let resource = &row.resource;
    let href = format!("/t/{}/resources/{}", tenant.slug, resource.id);
    let name = resource.name.clone();
    view! {
        <tr>
            <th scope="row"><a href=href><bdi>{name}</bdi></a></th>
            <td data-label="Kind">{resource.kind.label()}</td>
            <td class="num" data-label="Units">{ui::count(i64::from(resource.units))}</td>
            <td data-label="Needed by" class="break">{services(&row.services)}</td>
            <td class="num" data-label="Upcoming">{ui::count(row.upcoming)}</td>
            <td data-label="Status">{status(resource.archived)}</td>
        </tr>
    }
    .into_any()
}

/// "Theory class, First aid and 2 more".
fn services(names: &[String]) -> AnyView {
    if names.is_empty() {
        return view! { <span class="quiet">"None"</span> }.into_any();
    }
    let shown = names[..names.len().min(NAMED)].join(", ");
    let more = names.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| format!(" and {} more", ui::count(more as i64)));
    view! { <span><bdi>{shown}</bdi>{more}</span> }.into_any()
}

pub(super) fn status(archived: bool) -> AnyView {
    if archived { ui::badge(Tone::Quiet, "Archived") } else { ui::badge(Tone::Good, "In use") }
}
