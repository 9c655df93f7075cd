//! The members, each in a row that opens to change role and permissions or to remove them.

use domain::{
    team::{ROLES, members::MemberRow},
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::{invited::day_text, role_name, roles};
use crate::{
    cx::Cx,
    ui::{self, Field, Kind, Tone, badge, sort_head},
};

/// The table.
pub(super) fn table(cx: &Cx, tenant: &Tenant, rows: Vec<MemberRow>) -> AnyView {
    if rows.is_empty() {
        return ui::empty("No member here", "Change the search, or invite someone.", ().into_any());
    }
    let rows: Vec<AnyView> = rows.into_iter().map(|row| row_view(cx, tenant, row)).collect();
    let heads = view! {
        {sort_head(cx, "name", "Name", false, "")}
        {sort_head(cx, "email", "E-mail", false, "")}
        {sort_head(cx, "role", "Role", true, "")}
        {sort_head(cx, "since", "Since", false, "")}
        <th scope="col">"Second step"</th>
    };
    ui::table("", heads, rows)
}

fn row_view(cx: &Cx, tenant: &Tenant, row: MemberRow) -> AnyView {
    let since = ui::time(&tenant.zone, row.since, day_text(tenant, row.since, cx.now()));
    let code = if row.has_code { badge(Tone::Good, "On") } else { badge(Tone::Quiet, "Off") };
    let more = if cx.user() == Some(row.user) { own_row() } else { more(cx, tenant, &row) };
    view! {
        <tr>
            <th scope="row"><bdi>{row.name}</bdi></th>
            <td data-label="E-mail" class="break">{row.email}</td>
            <td data-label="Role">{role_name(tenant, row.role)}</td>
            <td data-label="Since">{since}</td>
            <td data-label="Second step">{code}</td>
        </tr>
        <tr class="row-more">
            <td colspan="5">{more}</td>
        </tr>
    }
    .into_any()
}

fn own_row() -> AnyView {
    view! { <p class="quiet">"This is you. Another owner can change your role or remove you."</p> }.into_any()
}

/// What opens: closed unless one of its forms was refused.
fn more(cx: &Cx, tenant: &Tenant, row: &MemberRow) -> AnyView {
    let id = row.user.to_string();
    let hidden = || vec![("tenant", tenant.slug.clone()), ("user", id.clone())];
    let (role, may, out) = (format!("role-{id}-"), format!("may-{id}-"), format!("out-{id}-"));
    let open = [("team/set_role", &role), ("team/set_permissions", &may), ("team/remove", &out)]
        .into_iter()
        .any(|(action, key)| cx.form(action, key).was_refused());
    let permissions = permissions(cx, &may, row).map(|body| {
        let form = ui::post_form("team/set_permissions", cx, &may, hidden(), body);
        view! {
            <section>
                <h3>"Permissions"</h3>
                {form}
            </section>
        }
    });
    let name = row.name.clone();
    let shown = name.clone();
    view! {
        <details class="row-open" open=open>
            <summary>"Change or remove"<span class="visually-hidden">" " <bdi>{name}</bdi></span></summary>
            <div class="member-acts">
                <section>
                    <h3>"Role"</h3>
                    {ui::post_form("team/set_role", cx, &role, hidden(), role_body(cx, tenant, &role, row))}
                </section>
                {permissions}
                <section>
                    <h3>"Remove " <bdi>{shown}</bdi></h3>
                    <p>"They are shut out at once. What they did and booked stays; invite them again to bring them back."</p>
                    {ui::post_form("team/remove", cx, &out, hidden(), remove_body(cx, &out))}
                </section>
            </div>
        </details>
    }
    .into_any()
}

fn role_body(cx: &Cx, tenant: &Tenant, key: &str, row: &MemberRow) -> AnyView {
    let form = cx.form("team/set_role", key);
    let choices = roles(tenant, &ROLES);
    view! {
        {Field::select("role", "Role", choices).value(row.role.as_str()).required().view(&form, key)}
        {reason().view(&form, key)}
        {ui::button("Change role", Kind::Plain)}
    }
    .into_any()
}

fn remove_body(cx: &Cx, key: &str) -> AnyView {
    let form = cx.form("team/remove", key);
    view! {
        {reason().view(&form, key)}
        {ui::button("Remove member", Kind::Danger)}
    }
    .into_any()
}

fn reason() -> Field {
    Field::text("reason", "Reason").required().autocomplete("off").max_length(1000)
}

/// One box a permission, for roles that have any to give. `offered` says which boxes there were: an unchecked one
/// sends nothing.
fn permissions(cx: &Cx, key: &str, row: &MemberRow) -> Option<AnyView> {
    let form = cx.form("team/set_permissions", key);
    let boxes: Vec<AnyView> = row
        .grants()
        .enumerate()
        .map(|(n, (grant, has))| {
            let action = grant.action.as_str();
            let (offered, granted) = (format!("offered[{n}]"), format!("granted[{n}]"));
            let checked = if form.was_refused() { !form.value(&granted, "").is_empty() } else { has };
            let id = format!("{key}{n}");
            let target = id.clone();
            view! {
                <div class="field check">
                    <input type="hidden" name=offered value=action/>
                    <input type="checkbox" id=id name=granted value=action checked=checked/>
                    <label for=target>{ui::capital(grant.label)}</label>
                </div>
            }
            .into_any()
        })
        .collect();
    if boxes.is_empty() {
        return None;
    }
    let body = view! {
        <fieldset id=format!("{key}permissions")>
            <legend class="visually-hidden">"May"</legend>
            {boxes}
        </fieldset>
        {ui::button("Save permissions", Kind::Plain)}
    };
    Some(body.into_any())
}
