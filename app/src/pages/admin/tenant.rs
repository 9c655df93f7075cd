//! One school: what it is, who owns it, and whether it is open.

use domain::{
    tenancy::{
        TenantStatus,
        list::{self, TenantRow},
        owners::{InvitedOwner, OwnerRow, owners},
    },
    zoned::Zone,
};
use leptos::prelude::*;

use super::{Act, acts, badge_of, day, moment, tenant_badge, tenants::presets, text, utc};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind, Tone, badge, button, link_button, page_head, post_form},
};

/// The page.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.platform().await?;
    let id = cx.id("id")?;
    let row = list::one(&mut scope, id).await?;
    let (owners, invited) = owners(&mut scope, id).await?;
    let frame = Frame::Platform { account: scope.account().clone(), here: "tenants" };
    let zone = utc()?;
    Ok(Doc::new(format!("{}, school", row.name), frame, move || draw(&cx, &zone, row, owners, invited)))
}

fn draw(cx: &Cx, zone: &Zone, row: TenantRow, owners: Vec<OwnerRow>, invited: Vec<InvitedOwner>) -> AnyView {
    let public = if row.status == TenantStatus::Active {
        link_button(format!("/s/{}", row.slug), "Public page", false)
    } else {
        ().into_any()
    };
    let deleted = row.status == TenantStatus::Deleted;
    let head = page_head(&row.name, Some(format!("{}, /s/{}", row.preset.label(), row.slug)), public);
    let edit = (!deleted).then(|| edit(cx, &row));
    let owners = panel(cx, zone, &row, owners, invited);
    let change = state(cx, &row);
    view! {
        {head}
        <div class="stack measure">
            <section class="panel">
                <h2>"Facts"</h2>
                {facts(zone, row)}
            </section>
            {owners}
            {edit}
            {change}
        </div>
    }
    .into_any()
}

fn facts(zone: &Zone, row: TenantRow) -> AnyView {
    let mut rows = vec![("Status".to_owned(), tenant_badge(row.status))];
    rows.extend(row.status_reason.map(|reason| ("Reason".to_owned(), text(reason))));
    rows.extend([
        ("Slug".to_owned(), text(row.slug)),
        ("Time zone".to_owned(), text(row.zone)),
        ("Members".to_owned(), text(ui::plural(row.members, "active member"))),
        ("Seats".to_owned(), text(format!("{} of {} taken", ui::count(row.seats_used), row.max_seats))),
        ("Lessons".to_owned(), text(format!("{} so far and to come", ui::count(row.bookings)))),
        ("Since".to_owned(), day(zone, row.created_at)),
    ]);
    ui::facts(rows)
}

fn edit(cx: &Cx, row: &TenantRow) -> AnyView {
    let key = "edit-";
    let form = cx.form("tenancy/update", key);
    let body = view! {
        {Field::text("name", "Name").value(row.name.clone()).required().max_length(100).view(&form, key)}
        {Field::select("preset", "Preset", presets())
            .value(row.preset.as_str())
            .help("Sets the words of a school that has none of its own.")
            .view(&form, key)}
        {Field::text("zone", "Time zone")
            .value(row.zone.clone())
            .help("Lessons that are booked keep their moment; weekly hours keep their time on the clock.")
            .required()
            .max_length(100)
            .view(&form, key)}
        {Field::number("seats", "Seats")
            .value(row.max_seats.to_string())
            .help("How many people may run it and teach there. Fewer than are taken sends nobody away.")
            .required()
            .min(0)
            .max(10_000)
            .view(&form, key)}
        {button("Save school", Kind::Main)}
    };
    view! {
        <section class="panel">
            <h2>"Edit"</h2>
            {post_form("tenancy/update", cx, key, vec![("tenant", row.id.to_string())], body.into_any())}
        </section>
    }
    .into_any()
}

/// Who owns it, who is invited to, and the form to invite one more.
fn panel(
    cx: &Cx,
    zone: &Zone,
    row: &TenantRow,
    owners: Vec<OwnerRow>,
    invited: Vec<InvitedOwner>,
) -> AnyView {
    let nobody = owners.is_empty().then(|| view! { <p>"Nobody owns this school. Invite an owner."</p> });
    let owners: Vec<AnyView> = owners
        .into_iter()
        .map(|owner| {
            let href = format!("/admin/users/{}", owner.user);
            view! {
                <li>
                    <span><a href=href><bdi>{owner.name}</bdi></a>", "{owner.email}</span>
                    {badge_of("Member", &owner.status)}
                </li>
            }
            .into_any()
        })
        .collect();
    let invited: Vec<AnyView> = invited
        .into_iter()
        .map(|invite| {
            let until = moment(zone, invite.expires_at);
            view! {
                <li>
                    <span>{invite.email}</span>
                    {badge(Tone::Warn, "Invited")}
                    <small>"until " {until}</small>
                </li>
            }
            .into_any()
        })
        .collect();
    let form = (row.status != TenantStatus::Deleted).then(|| invite(cx, row));
    view! {
        <section class="panel">
            <h2>"Owners"</h2>
            {nobody}
            <ul class="memberships">{owners}{invited}</ul>
            {form}
        </section>
    }
    .into_any()
}

fn invite(cx: &Cx, row: &TenantRow) -> AnyView {
    let key = "owner-";
    let form = cx.form("team/invite_owner", key);
    let open = form.was_refused();
    let body = view! {
        {Field::email("email", "E-mail")
            .help("They get a link by mail that works for 72 hours, and take a seat.")
            .required()
            .autocomplete("off")
            .max_length(320)
            .view(&form, key)}
        {button("Invite owner", Kind::Main)}
    };
    let hidden = vec![("tenant", row.id.to_string())];
    view! {
        <details open=open>
            <summary>"Invite an owner"</summary>
            {post_form("team/invite_owner", cx, key, hidden, body.into_any())}
        </details>
    }
    .into_any()
}

const SUSPEND: Act = Act {
    action: "tenancy/suspend",
    label: "Suspend school",
    kind: Kind::Danger,
    effect: "Suspended: its members and its public page are shut out at once. It can be activated again at any time.",
};
const ACTIVATE: Act = Act {
    action: "tenancy/activate",
    label: "Activate school",
    kind: Kind::Main,
    effect: "Activated: its members can log in again and its public page opens, with everything as it was.",
};
const DELETE: Act = Act {
    action: "tenancy/delete",
    label: "Delete school",
    kind: Kind::Danger,
    effect: "Deleted: it is gone from every list, and its members are disabled. Nothing is lost: it can be restored at any time, with exactly those members.",
};
const RESTORE: Act = Act {
    action: "tenancy/restore",
    label: "Restore school",
    kind: Kind::Main,
    effect: "Restored: it is what it was before, with the members that its deletion disabled.",
};

fn state(cx: &Cx, row: &TenantRow) -> AnyView {
    let (verb, possible) = match row.status {
        TenantStatus::Active => ("Suspend or delete ", vec![SUSPEND, DELETE]),
        TenantStatus::Suspended => ("Activate or delete ", vec![ACTIVATE, DELETE]),
        TenantStatus::Deleted => ("Restore ", vec![RESTORE]),
    };
    let name = row.name.clone();
    let title = view! { {verb}<bdi>{name}</bdi> };
    acts(cx, title.into_any(), vec![("tenant", row.id.to_string())], possible)
}
