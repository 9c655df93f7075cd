//! The services of the school.

use domain::{
    authz::{Action, Reach},
    paging::Page,
    services::{
        ServiceKind,
        bulk::Step,
        service::{self, ServiceRow},
    },
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::problem;
use crate::{
    cx::{Cx, Form},
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind, PostForm, Tone},
};

/// The form that the boxes of the rows belong to.
const BULK: &str = "bulk";

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
    let acts = edits.then(|| {
        let combo =
            ui::link_button(format!("/t/{}/services/new?kind=combo", tenant.slug), "New combo", false);
        view! { {new()} {combo} }
    });
    let extra = ui::filter_select(cx, "status", "Status", statuses);
    view! {
        {ui::page_head("Services", None, acts.into_any())}
        {ui::filter_bar(cx, "Search services", extra, ui::plural(rows.total, "service"), None)}
        {body}
        {ui::pager(cx, rows)}
        {(edits && !rows.items.is_empty()).then(|| bulk(cx, tenant))}
    }
    .into_any()
}

fn table(cx: &Cx, tenant: &Tenant, edits: bool, rows: &Page<ServiceRow>) -> AnyView {
    let form = cx.form("services/bulk", "");
    let lines: Vec<AnyView> = rows
        .items
        .iter()
        .enumerate()
        .map(|(n, row)| line(tenant, edits.then_some((&form, n)), row))
        .collect();
    let people = format!("{}s", ui::capital(&tenant.words().instructor));
    let choose = edits.then(|| view! { <th scope="col"><span class="visually-hidden">"Choose"</span></th> });
    let heads = view! {
        {choose}
        {ui::sort_head(cx, "name", "Name", true, "")}
        {ui::sort_head(cx, "duration", "Length", false, "num")}
        {ui::sort_head(cx, "price", "Price", false, "num")}
        <th scope="col" class="num">"Seats"</th>
        <th scope="col" class="num">{people}</th>
        <th scope="col" class="num">"Upcoming"</th>
        <th scope="col">"Status"</th>
    };
    ui::table("", heads, lines)
}

fn line(tenant: &Tenant, bulk: Option<(&Form, usize)>, row: &ServiceRow) -> AnyView {
    let service = &row.service;
    let name = service.name.clone();
    let title = if bulk.is_some() {
        let href = format!("/t/{}/services/{}", tenant.slug, service.id);
        view! { <a href=href><bdi>{name}</bdi></a> }.into_any()
    } else {
        view! { <bdi>{name}</bdi> }.into_any()
    };
    let status = match (service.archived, row.broken) {
        (true, _) => ui::badge(Tone::Quiet, "Archived"),
        (false, true) => ui::badge(Tone::Warn, "Part archived"),
        (false, false) => ui::badge(Tone::Good, "Active"),
    };
    let people = format!("{}s", ui::capital(&tenant.words().instructor));
    let price = ui::capital(&ui::money(service.price_minor, &service.currency));
    let combo = (service.kind == ServiceKind::Combo).then(|| view! { <small>"Combo"</small> });
    view! {
        <tr>
            {bulk.map(|(form, n)| pick(form, n, row))}
            <th scope="row">{ui::swatch(service.colour.as_deref())}{title}{combo}</th>
            <td class="num" data-label="Length">{ui::minutes(service.duration_min)}</td>
            <td class="num" data-label="Price">{price}</td>
            <td class="num" data-label="Seats">{ui::count(service.capacity.into())}</td>
            <td class="num" data-label=people>{ui::count(row.instructors)}</td>
            <td class="num" data-label="Upcoming">{ui::count(row.upcoming)}</td>
            <td data-label="Status">{status}</td>
        </tr>
    }
    .into_any()
}

/// The box of a row, part of the form below the table.
fn pick(form: &Form, n: usize, row: &ServiceRow) -> AnyView {
    let (name, id) = (format!("services[{n}]"), row.service.id.to_string());
    let checked = form.value(&name, "") == id;
    let title = row.service.name.clone();
    view! {
        <td class="pick-cell">
            <label class="pick">
                <input type="checkbox" name=name value=id form=BULK checked=checked/>
                <span class="visually-hidden">"Choose " <bdi>{title}</bdi></span>
            </label>
        </td>
    }
    .into_any()
}

/// What to do with the chosen ones.
fn bulk(cx: &Cx, tenant: &Tenant) -> AnyView {
    let form = cx.form("services/bulk", "");
    let mut steps = vec![(String::new(), "Choose what to do".to_owned())];
    steps.extend(Step::ALL.map(|step| (step.as_str().to_owned(), step.label().to_owned())));
    let body = view! {
        <div id="services">{problem(&form, "services")}</div>
        <div class="inline">
            {Field::select("step", "What to do", steps).required().view(&form, "")}
            {Field::text("value", "Value")
                .help("As what you do asks for it, such as 10 or -5 percent, 24 hours, #0a6b8a. Not for archiving.")
                .autocomplete("off")
                .max_length(16)
                .view(&form, "")}
            {ui::button("Change services", Kind::Plain)}
        </div>
    };
    let hidden = vec![("tenant", tenant.slug.clone())];
    let form = PostForm::new("services/bulk", cx, "", hidden).id(BULK).view(body.into_any());
    view! {
        <section class="panel chosen">
            <h2>"With the chosen ones"</h2>
            {form}
        </section>
    }
    .into_any()
}
