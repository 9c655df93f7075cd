//! The list of accounts.

use domain::{
    identity::users::{self, MembershipRow, UserRow},
    paging::Page,
    zoned::Zone,
};
use leptos::prelude::*;

use super::{badge_of, choices, day, tone, utc};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, badge, capital, page_head, plural, sort_head},
};

/// The list.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.platform().await?;
    let page = users::list(&mut scope, &cx.list(), cx.query("status").unwrap_or("")).await?;
    let frame = Frame::Platform { account: scope.account().clone(), here: "users" };
    let zone = utc()?;
    Ok(Doc::new("Users", frame, move || draw(&cx, &zone, page)))
}

fn draw(cx: &Cx, zone: &Zone, page: Page<UserRow>) -> AnyView {
    let statuses = choices(&[
        ("", "All but deleted"),
        ("active", "Active"),
        ("disabled", "Disabled"),
        ("deleted", "Deleted"),
    ]);
    let extra = ui::filter_select(cx, "status", "Status", statuses);
    let total = plural(page.total, "user");
    let bar =
        ui::filter_bar(cx, "Search name or e-mail", extra, total, Some(cx.download("/admin/users.csv")));
    let pager = ui::pager(cx, &page);
    view! {
        {page_head("Users", None, ().into_any())}
        {bar}
        {table(cx, zone, page.items)}
        {pager}
    }
    .into_any()
}

fn table(cx: &Cx, zone: &Zone, rows: Vec<UserRow>) -> AnyView {
    if rows.is_empty() {
        return ui::empty(
            "No user here",
            "Every account of the platform stands in this list. Change the search or the status.",
            ().into_any(),
        );
    }
    let rows: Vec<AnyView> = rows.into_iter().map(|row| row_view(zone, row)).collect();
    let heads = view! {
        {sort_head(cx, "name", "Name", true, "")}
        {sort_head(cx, "email", "E-mail", false, "")}
        <th scope="col">"Status"</th>
        <th scope="col">"Schools"</th>
        {sort_head(cx, "created", "Since", false, "")}
    };
    ui::table("", heads, rows)
}

fn row_view(zone: &Zone, row: UserRow) -> AnyView {
    let href = format!("/admin/users/{}", row.id);
    let platform = row.super_admin.then(|| view! { <small>"Runs the platform"</small> });
    let status = row.status.as_str();
    let memberships: Vec<AnyView> = row.memberships.into_iter().map(membership).collect();
    view! {
        <tr>
            <th scope="row"><a href=href><bdi>{row.name}</bdi></a>{platform}</th>
            <td data-label="E-mail" class="break">{row.email}</td>
            <td data-label="Status">{badge(tone(status), capital(status))}</td>
            <td data-label="Schools"><ul class="memberships">{memberships}</ul></td>
            <td data-label="Since">{day(zone, row.created_at)}</td>
        </tr>
    }
    .into_any()
}

/// "Cape Drive, owner: member active, school suspended".
fn membership(row: MembershipRow) -> AnyView {
    view! {
        <li>
            <span><bdi>{row.tenant_name}</bdi>{format!(", {}", row.role)}</span>
            {badge_of("Member", &row.status)}
            {badge_of("School", &row.tenant_status)}
        </li>
    }
    .into_any()
}
