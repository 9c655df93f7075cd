//! The platform: figures, schools, users.

use domain::{
    Instant,
    paging::Page,
    tenancy::{
        Preset, TenantStatus,
        service::{self, MembershipRow, Overview, TenantRow, UserRow},
    },
    zoned::Zone,
};
use leptos::prelude::*;

use crate::{
    AppError,
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{
        self, Field, Kind, Tone, badge, button, capital, link_button, page_head, plural, post_form, sort_head,
    },
};

/// The platform in figures.
pub async fn overview(cx: Cx) -> PageResult {
    let mut scope = cx.platform().await?;
    let figures = service::overview(&mut scope).await?;
    let frame = Frame::Platform { account: scope.account().clone(), here: "" };
    Ok(Doc::new("Platform", frame, move || overview_page(figures)))
}

/// The list of schools.
pub async fn tenants(cx: Cx) -> PageResult {
    let mut scope = cx.platform().await?;
    let page = service::list(&mut scope, &cx.list(), cx.query("status").unwrap_or("")).await?;
    let frame = Frame::Platform { account: scope.account().clone(), here: "tenants" };
    let zone = utc()?;
    Ok(Doc::new("Schools", frame, move || tenants_page(&cx, &zone, page)))
}

/// A new school.
pub async fn new_tenant(cx: Cx) -> PageResult {
    let scope = cx.platform().await?;
    let frame = Frame::Platform { account: scope.account().clone(), here: "tenants" };
    Ok(Doc::new("New school", frame, move || new_tenant_page(&cx)))
}

/// One school.
pub async fn tenant(cx: Cx) -> PageResult {
    let mut scope = cx.platform().await?;
    let row = service::one(&mut scope, cx.id("id")?).await?;
    let frame = Frame::Platform { account: scope.account().clone(), here: "tenants" };
    let zone = utc()?;
    Ok(Doc::new(format!("{}, school", row.name), frame, move || tenant_page(&cx, &zone, row)))
}

/// The list of users.
pub async fn users(cx: Cx) -> PageResult {
    let mut scope = cx.platform().await?;
    let page = service::users(&mut scope, &cx.list()).await?;
    let frame = Frame::Platform { account: scope.account().clone(), here: "users" };
    let zone = utc()?;
    Ok(Doc::new("Users", frame, move || users_page(&cx, &zone, page)))
}

/// The platform has no clock of its own.
fn utc() -> Result<Zone, AppError> {
    Ok(Zone::parse("UTC").map_err(domain::Error::internal)?)
}

/// "30 Mar 2026".
fn day(zone: &Zone, at: Instant) -> AnyView {
    ui::time(zone, at, zone.date(at).strftime("%-d %b %Y").to_string())
}

fn tenant_badge(status: &str) -> AnyView {
    let tone = if status == TenantStatus::Active.as_str() { Tone::Good } else { Tone::Bad };
    badge(tone, capital(status))
}

fn overview_page(figures: Overview) -> AnyView {
    let new = link_button("/admin/tenants/new".into(), "New school", true);
    view! {
        {page_head("Platform", Some("All schools together, as of now (UTC).".into()), new)}
        <div class="figures">
            {figure(figures.tenants_active, "schools open", "now", Some("/admin/tenants?status=active"))}
            {figure(figures.tenants_suspended, "schools suspended", "now", Some("/admin/tenants?status=suspended"))}
            {figure(figures.users, "users", "now", Some("/admin/users"))}
            {figure(figures.bookings_7d, "lessons", "last 7 days", None)}
            {figure(figures.bookings_next_7d, "lessons", "next 7 days", None)}
        </div>
    }
    .into_any()
}

fn figure(number: i64, unit: &'static str, period: &'static str, href: Option<&'static str>) -> AnyView {
    let body = view! {
        <span class="figure-number">{ui::count(number)}</span>
        <span class="figure-unit">{unit}</span>
        <span class="figure-period">{period}</span>
    };
    match href {
        Some(href) => view! { <a class="figure" href=href>{body}</a> }.into_any(),
        None => view! { <div class="figure">{body}</div> }.into_any(),
    }
}

fn tenants_page(cx: &Cx, zone: &Zone, page: Page<TenantRow>) -> AnyView {
    let new = link_button("/admin/tenants/new".into(), "New school", true);
    let statuses = [("", "All"), ("active", "Active"), ("suspended", "Suspended"), ("deleted", "Deleted")];
    let statuses: Vec<(String, String)> =
        statuses.into_iter().map(|(value, label)| (value.to_owned(), label.to_owned())).collect();
    let extra = ui::filter_select(cx, "status", "Status", statuses);
    let total = plural(page.total, "school");
    let bar =
        ui::filter_bar(cx, "Search name or slug", extra, total, Some(cx.download("/admin/tenants.csv")));
    let pager = ui::pager(cx, &page);
    view! {
        {page_head("Schools", None, new)}
        {bar}
        {tenants_table(cx, zone, page.items)}
        {pager}
    }
    .into_any()
}

fn tenants_table(cx: &Cx, zone: &Zone, rows: Vec<TenantRow>) -> AnyView {
    if rows.is_empty() {
        let action = link_button("/admin/tenants/new".into(), "New school", false);
        return ui::empty(
            "No school here",
            "A school has its own address, people, services and lessons.",
            action,
        );
    }
    let rows: Vec<AnyView> = rows.into_iter().map(|row| tenant_row(zone, row)).collect();
    view! {
        <div class="table-wrap">
            <table class="table">
                <thead>
                    <tr>
                        {sort_head(cx, "name", "School", true, "")}
                        <th scope="col">"Kind"</th>
                        <th scope="col">"Status"</th>
                        {sort_head(cx, "members", "Members", false, "num")}
                        {sort_head(cx, "bookings", "Lessons", false, "num")}
                        {sort_head(cx, "created", "Since", false, "")}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn tenant_row(zone: &Zone, row: TenantRow) -> AnyView {
    let href = format!("/admin/tenants/{}", row.id);
    view! {
        <tr>
            <th scope="row">
                <a href=href><bdi>{row.name}</bdi></a>
                <small>{row.slug}</small>
            </th>
            <td data-label="Kind">{row.preset.label()}</td>
            <td data-label="Status">{tenant_badge(row.status.as_str())}</td>
            <td data-label="Members" class="num">{format!("{} of {}", ui::count(row.members), row.max_seats)}</td>
            <td data-label="Lessons" class="num">{ui::count(row.bookings)}</td>
            <td data-label="Since">{day(zone, row.created_at)}</td>
        </tr>
    }
    .into_any()
}

fn new_tenant_page(cx: &Cx) -> AnyView {
    let form = cx.form("tenancy/create", "");
    let presets: Vec<(String, String)> = Preset::ALL
        .into_iter()
        .map(|preset| (preset.as_str().to_owned(), preset.label().to_owned()))
        .collect();
    let body = view! {
        {Field::text("name", "Name").required().max_length(100).view(&form, "")}
        {Field::text("slug", "Slug")
            .help("The school's address: /s/slug. Lower-case letters, digits and single hyphens; it stays.")
            .required()
            .max_length(40)
            .view(&form, "")}
        {Field::select("preset", "Preset", presets)
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
            .help("How many members the school may have.")
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

fn tenant_page(cx: &Cx, zone: &Zone, row: TenantRow) -> AnyView {
    let open = row.status == TenantStatus::Active;
    let public =
        if open { link_button(format!("/s/{}", row.slug), "Public page", false) } else { ().into_any() };
    let change = if open { suspend_form(cx, &row) } else { activate_form(cx, &row) };
    let head = page_head(&row.name, Some(format!("{}, /s/{}", row.preset.label(), row.slug)), public);
    view! {
        {head}
        <div class="stack measure">
            <section class="panel">
                <h2>"Facts"</h2>
                {tenant_facts(zone, row)}
            </section>
            {change}
        </div>
    }
    .into_any()
}

fn tenant_facts(zone: &Zone, row: TenantRow) -> AnyView {
    let text = |text: String| view! { <span>{text}</span> }.into_any();
    let mut rows = vec![("Status".to_owned(), tenant_badge(row.status.as_str()))];
    rows.extend(row.status_reason.map(|reason| ("Reason".to_owned(), text(reason))));
    rows.extend([
        ("Time zone".to_owned(), text(row.zone)),
        ("Members".to_owned(), text(format!("{} of {} seats", ui::count(row.members), row.max_seats))),
        ("Lessons".to_owned(), text(format!("{} so far and to come", ui::count(row.bookings)))),
        ("Since".to_owned(), day(zone, row.created_at)),
    ]);
    ui::facts(rows)
}

fn suspend_form(cx: &Cx, row: &TenantRow) -> AnyView {
    let form = cx.form("tenancy/suspend", "");
    let body = view! {
        {Field::text("reason", "Reason").required().max_length(1000).view(&form, "")}
        {button("Suspend school", Kind::Danger)}
    };
    let id = row.id.to_string();
    let name = row.name.clone();
    view! {
        <section class="panel danger-zone">
            <h2>"Suspend " <bdi>{name}</bdi></h2>
            <p>"Its members and its public page are shut out at once. Nothing is deleted, and it can be opened again at any time."</p>
            {post_form("tenancy/suspend", cx, "", vec![("tenant", id)], body.into_any())}
        </section>
    }
    .into_any()
}

fn activate_form(cx: &Cx, row: &TenantRow) -> AnyView {
    let form = cx.form("tenancy/activate", "");
    let body = view! {
        {Field::text("reason", "Reason").required().max_length(1000).view(&form, "")}
        {button("Activate school", Kind::Main)}
    };
    let id = row.id.to_string();
    let name = row.name.clone();
    view! {
        <section class="panel">
            <h2>"Activate " <bdi>{name}</bdi></h2>
            <p>"Its members can log in again and its public page opens, with everything as it was."</p>
            {post_form("tenancy/activate", cx, "", vec![("tenant", id)], body.into_any())}
        </section>
    }
    .into_any()
}

fn users_page(cx: &Cx, zone: &Zone, page: Page<UserRow>) -> AnyView {
    let total = plural(page.total, "user");
    let none = ().into_any();
    let bar = ui::filter_bar(cx, "Search name or e-mail", none, total, Some(cx.download("/admin/users.csv")));
    let pager = ui::pager(cx, &page);
    view! {
        {page_head("Users", None, ().into_any())}
        {bar}
        {users_table(cx, zone, page.items)}
        {pager}
    }
    .into_any()
}

fn users_table(cx: &Cx, zone: &Zone, rows: Vec<UserRow>) -> AnyView {
    if rows.is_empty() {
        return ui::empty(
            "No user here",
            "Every account of the platform stands in this list.",
            ().into_any(),
        );
    }
    let rows: Vec<AnyView> = rows.into_iter().map(|row| user_row(zone, row)).collect();
    view! {
        <div class="table-wrap">
            <table class="table">
                <thead>
                    <tr>
                        {sort_head(cx, "name", "Name", true, "")}
                        {sort_head(cx, "email", "E-mail", false, "")}
                        <th scope="col">"Status"</th>
                        <th scope="col">"Schools"</th>
                        {sort_head(cx, "created", "Since", false, "")}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn user_row(zone: &Zone, row: UserRow) -> AnyView {
    let tone = if row.status == "active" { Tone::Good } else { Tone::Bad };
    let platform = row.super_admin.then(|| view! { <small>"Runs the platform"</small> });
    let memberships: Vec<AnyView> = row.memberships.into_iter().map(membership).collect();
    view! {
        <tr>
            <th scope="row"><bdi>{row.name}</bdi>{platform}</th>
            <td data-label="E-mail" class="break">{row.email}</td>
            <td data-label="Status">{badge(tone, capital(&row.status))}</td>
            <td data-label="Schools"><ul class="memberships">{memberships}</ul></td>
            <td data-label="Since">{day(zone, row.created_at)}</td>
        </tr>
    }
    .into_any()
}

/// "Cape Drive, owner: member active, school suspended".
fn membership(row: MembershipRow) -> AnyView {
    let tone = if row.status == "active" { Tone::Good } else { Tone::Bad };
    let school_tone = if row.tenant_status == "active" { Tone::Good } else { Tone::Bad };
    view! {
        <li>
            <span><bdi>{row.tenant_name}</bdi>{format!(", {}", row.role)}</span>
            {badge(tone, format!("Member {}", row.status))}
            {badge(school_tone, format!("School {}", row.tenant_status))}
        </li>
    }
    .into_any()
}
