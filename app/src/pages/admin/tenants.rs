//! The list of schools, and a new one.

use domain::{
    paging::Page,
    tenancy::{
        Preset,
        list::{self, TenantRow},
    },
    zoned::Zone,
};
use leptos::prelude::*;

use super::{choices, day, tenant_badge, utc};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind, button, link_button, page_head, plural, post_form, sort_head},
};

/// The list.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.platform().await?;
    let page = list::list(&mut scope, &cx.list(), cx.query("status").unwrap_or("")).await?;
    let frame = Frame::Platform { account: scope.account().clone(), here: "tenants" };
    let zone = utc()?;
    Ok(Doc::new("Schools", frame, move || draw(&cx, &zone, page)))
}

/// A new school.
pub async fn blank(cx: Cx) -> PageResult {
    let scope = cx.platform().await?;
    let frame = Frame::Platform { account: scope.account().clone(), here: "tenants" };
    Ok(Doc::new("New school", frame, move || new_tenant(&cx)))
}

/// The presets, to choose from.
pub(super) fn presets() -> Vec<(String, String)> {
    Preset::ALL.into_iter().map(|preset| (preset.as_str().to_owned(), preset.label().to_owned())).collect()
}

fn draw(cx: &Cx, zone: &Zone, page: Page<TenantRow>) -> AnyView {
    let new = link_button("/admin/tenants/new".into(), "New school", true);
    let statuses = choices(&[
        ("", "All but deleted"),
        ("active", "Active"),
        ("suspended", "Suspended"),
        ("deleted", "Deleted"),
    ]);
    let extra = ui::filter_select(cx, "status", "Status", statuses);
    let total = plural(page.total, "school");
    let bar =
        ui::filter_bar(cx, "Search name or slug", extra, total, Some(cx.download("/admin/tenants.csv")));
    let pager = ui::pager(cx, &page);
    view! {
        {page_head("Schools", None, new)}
        {bar}
        {table(cx, zone, page.items)}
        {pager}
    }
    .into_any()
}

fn table(cx: &Cx, zone: &Zone, rows: Vec<TenantRow>) -> AnyView {
    if rows.is_empty() {
        let action = link_button("/admin/tenants/new".into(), "New school", false);
        return ui::empty(
            "No school here",
            "A school has its own address, people, services and lessons.",
            action,
        );
    }
    let rows: Vec<AnyView> = rows.into_iter().map(|row| row_view(zone, row)).collect();
    let heads = view! {
        {sort_head(cx, "name", "School", true, "")}
        <th scope="col">"Kind"</th>
        <th scope="col">"Status"</th>
        {sort_head(cx, "members", "Members", false, "num")}
        {sort_head(cx, "bookings", "Lessons", false, "num")}
        {sort_head(cx, "created", "Since", false, "")}
    };
    ui::table("", heads, rows)
}

fn row_view(zone: &Zone, row: TenantRow) -> AnyView {
    let href = format!("/admin/tenants/{}", row.id);
    let seats = format!("{} of {} seats", ui::count(row.seats_used), ui::count(row.max_seats.into()));
    view! {
        <tr>
            <th scope="row">
                <a href=href><bdi>{row.name}</bdi></a>
                <small>{row.slug}</small>
            </th>
            <td data-label="Kind">{row.preset.label()}</td>
            <td data-label="Status">{tenant_badge(row.status)}</td>
            <td data-label="Members" class="num">
                <span>{ui::count(row.members)}<small>{seats}</small></span>
            </td>
            <td data-label="Lessons" class="num">{ui::count(row.bookings)}</td>
            <td data-label="Since">{day(zone, row.created_at)}</td>
        </tr>
    }
    .into_any()
}

fn new_tenant(cx: &Cx) -> AnyView {
    let form = cx.form("tenancy/create", "");
    let body = view! {
        {Field::text("name", "Name").required().max_length(100).view(&form, "")}
        {Field::text("slug", "Slug")
            .help("The school's address: /s/slug. Lower-case letters, digits and single hyphens; it stays.")
            .required()
            .max_length(40)
            .view(&form, "")}
        {Field::select("preset", "Preset", presets())
            .help("Sets the words the school uses (lesson, session, appointment) and its first services.")
            .view(&form, "")}
        {Field::text("zone", "Time zone")
            .value("Europe/Berlin")
            .help("By its name, such as Europe/Berlin or Africa/Johannesburg.")
            .required()
            .max_length(100)
            .view(&form, "")}
        {Field::text("owner_name", "Owner name")
            .help("Not needed when the owner has an account already.")
            .max_length(100)
            .view(&form, "")}
        {Field::email("owner_email", "Owner e-mail").required().max_length(320).view(&form, "")}
        {Field::number("seats", "Seats")
            .value("10")
            .help("How many people may run it and teach there. Students take no seat.")
            .required()
            .min(0)
            .max(10_000)
            .view(&form, "")}
        {button("Create school", Kind::Main)}
    };
    let lead = "The owner gets a one-time link to set a password. It is shown once, on the next page.";
    view! {
        {page_head("New school", Some(lead.into()), ().into_any())}
        <div class="measure">{post_form("tenancy/create", cx, "", vec![], body.into_any())}</div>
    }
    .into_any()
}
