//! The services of the school.

use domain::{
    authz::{Action, Reach},
    paging::Page,
    services::service::{self, ServiceRow},
    tenancy::Tenant,
};
use leptos::prelude::*;

use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, Tone},
};

/// The list.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let rows = service::list(&mut scope, &cx.list(), cx.query("status").unwrap_or("")).await?;
    let edits = matches!(scope.require(Action::EditServices), Ok(Reach::All));
    let tenant = scope.tenant().clone();
    Ok(Doc::new("Services", Frame::member(&scope, "services"), move || draw(&cx, &tenant, edits, &rows)))
}

fn draw(cx: &Cx, tenant: &Tenant, edits: bool, rows: &Page<ServiceRow>) -> AnyView {
    let new = || ui::link_button(format!("/t/{}/services/new", tenant.slug), "New service", true);
    let body = if rows.items.is_empty() {
        let act = if edits { new() } else { ().into_any() };
        let text = format!(
            "A service is what a {} books: its length, its price, and who gives it.",
            tenant.words().student
        );
        ui::empty("No services here", &text, act)
    } else {
        table(cx, tenant, edits, rows)
    };
    let statuses = vec![
        (String::new(), "Active".to_owned()),
        ("archived".to_owned(), "Archived".to_owned()),
        ("all".to_owned(), "All".to_owned()),
    ];
    let act = if edits { new() } else { ().into_any() };
    let extra = ui::filter_select(cx, "status", "Status", statuses);
    view! {
        {ui::page_head("Services", None, act)}
        {ui::filter_bar(cx, "Search services", extra, ui::plural(rows.total, "service"), None)}
        {body}
        {ui::pager(cx, rows)}
    }
    .into_any()
}

fn table(cx: &Cx, tenant: &Tenant, edits: bool, rows: &Page<ServiceRow>) -> AnyView {
    let lines: Vec<AnyView> = rows.items.iter().map(|row| line(tenant, edits, row)).collect();
    let people = format!("{}s", ui::capital(&tenant.words().instructor));
    view! {
        <div class="table-wrap">
            <table class="table">
                <thead>
                    <tr>
                        {ui::sort_head(cx, "name", "Name", true, "")}
                        {ui::sort_head(cx, "duration", "Length", false, "num")}
                        {ui::sort_head(cx, "price", "Price", false, "num")}
                        <th scope="col" class="num">{people}</th>
                        <th scope="col" class="num">"Upcoming"</th>
                        <th scope="col">"Status"</th>
                    </tr>
                </thead>
                <tbody>{lines}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn line(tenant: &Tenant, edits: bool, row: &ServiceRow) -> AnyView {
    let service = &row.service;
    let name = service.name.clone();
    let title = if edits {
        let href = format!("/t/{}/services/{}", tenant.slug, service.id);
        view! { <a href=href><bdi>{name}</bdi></a> }.into_any()
    } else {
        view! { <bdi>{name}</bdi> }.into_any()
    };
    let status =
        if service.archived { ui::badge(Tone::Quiet, "Archived") } else { ui::badge(Tone::Good, "Active") };
    let people = format!("{}s", ui::capital(&tenant.words().instructor));
    let price = ui::capital(&ui::money(service.price_minor, &service.currency));
    view! {
        <tr>
            <th scope="row">{title}</th>
            <td class="num" data-label="Length">{ui::minutes(service.duration_min)}</td>
            <td class="num" data-label="Price">{price}</td>
            <td class="num" data-label=people>{ui::count(row.instructors)}</td>
            <td class="num" data-label="Upcoming">{ui::count(row.upcoming)}</td>
            <td data-label="Status">{status}</td>
        </tr>
    }
    .into_any()
}
