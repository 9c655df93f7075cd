//! Removing a person, the list of those who were, and bringing them back (PR-01).

use domain::{
    Instant,
    authz::TenantScope,
    paging::Page,
    people::remove::{self, Kind, RemovedRow},
    tenancy::Tenant,
};
use leptos::prelude::*;
use uuid::Uuid;

use super::parts;
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    islands::live_filter::LiveFilter,
    ui::{self, Field, plural, sort_head},
};

/// Whether the list of removed people was asked for, by someone who may see it.
pub(super) fn wanted(cx: &Cx, scope: &TenantScope) -> bool {
    cx.query("status") == Some("removed") && remove::may_remove(scope)
}

/// The filter that leads there, for those who may.
pub(super) fn filter(cx: &Cx) -> AnyView {
    let states = [("", "Current"), ("removed", "Removed")];
    let states = states.into_iter().map(|(value, label)| (value.to_owned(), label.to_owned())).collect();
    ui::filter_select(cx, "status", "Status", states)
}

/// What the school calls someone of this kind, and the list they stand in.
fn names(tenant: &Tenant, kind: Kind) -> (&str, &'static str) {
    match kind {
        Kind::Instructor => (tenant.words().instructor.as_str(), "instructors"),
        Kind::Student => (tenant.words().student.as_str(), "students"),
    }
}

/// The list of those who were removed, in place of the list of a kind.
pub(super) async fn page(cx: Cx, mut scope: TenantScope, kind: Kind) -> PageResult {
    let page = remove::removed(&mut scope, kind, &cx.list()).await?;
    let tenant = scope.tenant().clone();
    let (word, here) = names(&tenant, kind);
    let title = format!("Removed {word}s");
    Ok(Doc::new(title, Frame::member(&scope, here), move || draw(&cx, &tenant, kind, page)).with_islands())
}

fn draw(cx: &Cx, tenant: &Tenant, kind: Kind, page: Page<RemovedRow>) -> AnyView {
    let (word, _) = names(tenant, kind);
    let total = plural(page.total, &format!("removed {word}"));
    let lead =
        format!("They are in no list and no count, and can't be booked. Restore a {word} to undo that.");
    let bar = ui::filter_bar(cx, "Search name or e-mail", filter(cx), total, None);
    let pager = ui::pager(cx, &page);
    view! {
        {ui::page_head(&format!("Removed {word}s"), Some(lead), ().into_any())}
        {bar}
        <LiveFilter/>
        <div id="list">
            {table(cx, tenant, kind, page.items)}
            {pager}
        </div>
    }
    .into_any()
}

fn table(cx: &Cx, tenant: &Tenant, kind: Kind, rows: Vec<RemovedRow>) -> AnyView {
    if rows.is_empty() {
        let (word, _) = names(tenant, kind);
        let text = format!("A {word} who is removed waits here to be restored.");
        return ui::empty("Nobody is removed", &text, ().into_any());
    }
    let rows: Vec<AnyView> = rows.into_iter().map(|row| row_view(cx, tenant, kind, row, cx.now())).collect();
    let heads = view! {
        {sort_head(cx, "name", "Name", false, "")}
        <th scope="col">"E-mail"</th>
        <th scope="col">"Removed"</th>
        <th scope="col"><span class="visually-hidden">"Restore"</span></th>
    };
    ui::table("", heads, rows)
}

fn row_view(cx: &Cx, tenant: &Tenant, kind: Kind, row: RemovedRow, now: Instant) -> AnyView {
    let restore = restore(cx, tenant, kind, &row);
    let since = parts::day(tenant, Some(row.removed_at), now);
    view! {
        <tr>
            <th scope="row">{parts::name(row.name)}</th>
            <td data-label="E-mail" class="break">{row.email}</td>
            <td data-label="Removed">{since}</td>
            <td>{restore}</td>
        </tr>
    }
    .into_any()
}

fn restore(cx: &Cx, tenant: &Tenant, kind: Kind, row: &RemovedRow) -> AnyView {
    let key = row.id.to_string();
    let form = cx.form("people/restore", &key);
    let open = form.was_refused();
    let body = view! {
        {Field::text("reason", "Reason").required().autocomplete("off").max_length(1000).view(&form, &key)}
        {ui::button("Restore", ui::Kind::Main)}
    };
    let name = row.name.clone();
    let form = ui::post_form("people/restore", cx, &key, hidden(tenant, kind, row.id), body.into_any());
    view! {
        <details class="row-open" open=open>
            <summary>"Restore"<span class="visually-hidden">" " <bdi>{name}</bdi></span></summary>
            {form}
        </details>
    }
    .into_any()
}

/// The form that removes someone, apart from all else on their page.
pub(super) fn panel(cx: &Cx, tenant: &Tenant, kind: Kind, id: Uuid, name: &str) -> AnyView {
    let (word, _) = names(tenant, kind);
    let lesson = &tenant.words().lesson;
    let form = cx.form("people/remove", "remove-");
    let packs = match kind {
        Kind::Instructor => " Packs with them can't be used until then.",
        Kind::Student => "",
    };
    let effect = format!(
        "They leave every list and lose access to the school. Past {lesson}s keep their name, and you can restore them at any time.{packs}"
    );
    let body = view! {
        {Field::text("reason", "Reason").required().autocomplete("off").max_length(1000).view(&form, "remove-")}
        {ui::button(&format!("Remove {word}"), ui::Kind::Danger)}
    };
    let name = name.to_owned();
    view! {
        <section class="panel danger-zone">
            <h2>"Remove " <bdi>{name}</bdi></h2>
            <p>{effect}</p>
            {ui::post_form("people/remove", cx, "remove-", hidden(tenant, kind, id), body.into_any())}
        </section>
    }
    .into_any()
}

fn hidden(tenant: &Tenant, kind: Kind, id: Uuid) -> Vec<(&'static str, String)> {
    vec![("tenant", tenant.slug.clone()), ("kind", kind.as_str().to_owned()), ("id", id.to_string())]
}
