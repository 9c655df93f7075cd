//! One account: where it belongs, how it came in, and what the platform can do with it.

use domain::{
    identity::{
        attempts::{self, AttemptRow},
        users::{self, AccountStatus, MembershipRow, UserDetail},
    },
    paging::{ListQuery, Page},
    zoned::Zone,
};
use leptos::prelude::*;

use super::{Act, acts, badge_of, moment, text, tone, utc};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    pages::identity::security::how,
    ui::{self, Field, Kind, Tone, badge, button, capital, page_head, post_form},
};

/// Logins shown.
const LOGINS: u32 = 20;

/// The page.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.platform().await?;
    let user = users::one(&mut scope, cx.id("id")?).await?;
    let latest = ListQuery { page_size: LOGINS, ..ListQuery::default() };
    let logins = attempts::of_user(&mut scope, user.id, &latest).await?;
    let frame = Frame::Platform { account: scope.account().clone(), here: "users" };
    let zone = utc()?;
    Ok(Doc::new(format!("{}, user", user.name), frame, move || draw(&cx, &zone, user, logins)))
}

fn draw(cx: &Cx, zone: &Zone, user: UserDetail, logins: Page<AttemptRow>) -> AnyView {
    let head = page_head(&user.name, Some(user.email.clone()), ().into_any());
    let myself = cx.user() == Some(user.id);
    let usable = user.status == AccountStatus::Active && user.email_verified;
    let edit = (user.status != AccountStatus::Deleted).then(|| edit(cx, &user, myself));
    let act = (usable && !user.super_admin && !myself).then(|| act_as(cx, &user));
    let change = (!myself).then(|| state(cx, &user));
    view! {
        {head}
        <div class="stack">
            <div class="grid-2">
                <section class="panel">
                    <h2>"Facts"</h2>
                    {facts(zone, &user)}
                </section>
                <section class="panel">
                    <h2>"Schools"</h2>
                    {schools(user.memberships)}
                </section>
            </div>
            {edit}
            <section class="panel">
                <h2>"Logins"</h2>
                {login_table(zone, logins)}
            </section>
            {act}
            {change}
        </div>
    }
    .into_any()
}

fn facts(zone: &Zone, user: &UserDetail) -> AnyView {
    let yes_no = |yes: bool, good: &str, bad: &str| {
        if yes { badge(Tone::Good, good) } else { badge(Tone::Warn, bad) }
    };
    let status = user.status.as_str();
    let mut rows = vec![("Status".to_owned(), badge(tone(status), capital(status)))];
    rows.extend(user.deleted_at.map(|at| ("Deleted".to_owned(), moment(zone, at))));
    if user.super_admin {
        rows.push(("Platform".to_owned(), text("Runs the platform")));
    }
    rows.extend([
        ("E-mail".to_owned(), yes_no(user.email_verified, "Verified", "Not verified")),
        ("Second step".to_owned(), yes_no(user.has_code, "On", "Off")),
        ("Sessions".to_owned(), text(ui::plural(user.sessions, "open session"))),
        ("Last login".to_owned(), user.last_login.map_or_else(|| text("Never"), |at| moment(zone, at))),
        ("Since".to_owned(), moment(zone, user.created_at)),
    ]);
    ui::facts(rows)
}

fn schools(memberships: Vec<MembershipRow>) -> AnyView {
    if memberships.is_empty() {
        return view! { <p>"No school. A school's owner invites by e-mail."</p> }.into_any();
    }
    let rows: Vec<AnyView> = memberships
        .into_iter()
        .map(|row| {
            let href = format!("/admin/tenants/{}", row.tenant);
            view! {
                <li>
                    <span><a href=href><bdi>{row.tenant_name}</bdi></a>{format!(", {}", row.role)}</span>
                    {badge_of("Member", &row.status)}
                    {badge_of("School", &row.tenant_status)}
                </li>
            }
            .into_any()
        })
        .collect();
    view! { <ul class="memberships">{rows}</ul> }.into_any()
}

fn edit(cx: &Cx, user: &UserDetail, myself: bool) -> AnyView {
    let key = "edit-";
    let form = cx.form("users/update", key);
    let mut hidden = vec![("user", user.id.to_string())];
    let email = if user.super_admin && !myself {
        hidden.push(("email", user.email.clone()));
        view! { <p>"Only they can change their e-mail, in their own account."</p> }.into_any()
    } else {
        Field::email("email", "E-mail")
            .value(user.email.clone())
            .help("Takes over at once: every session ends, and the old address is told.")
            .required()
            .autocomplete("off")
            .max_length(320)
            .view(&form, key)
    };
    let body = view! {
        {Field::text("name", "Name")
            .value(user.name.clone())
            .required()
            .autocomplete("off")
            .max_length(100)
            .view(&form, key)}
        {email}
        {Field::text("reason", "Why")
            .help("The record keeps it.")
            .required()
            .autocomplete("off")
            .max_length(1000)
            .view(&form, key)}
        <p>"You confirm that it is you first, when that was more than 15 minutes ago."</p>
        {button("Save user", Kind::Main)}
    };
    view! {
        <section class="panel">
            <h2>"Edit"</h2>
            {post_form("users/update", cx, key, hidden, body.into_any())}
        </section>
    }
    .into_any()
}

fn login_table(zone: &Zone, logins: Page<AttemptRow>) -> AnyView {
    if logins.items.is_empty() {
        return view! { <p>"Nobody has tried to log in with this account yet."</p> }.into_any();
    }
    let shown = logins.items.len() as i64;
    let note = (logins.total > shown)
        .then(|| format!("The latest {} of {}.", ui::count(shown), ui::count(logins.total)));
    let rows: Vec<AnyView> = logins
        .items
        .into_iter()
        .map(|login| {
            let (tone, word) = if login.ok { (Tone::Good, "Let in") } else { (Tone::Bad, "Refused") };
            let how = how(login.ok, &login.reason);
            view! {
                <tr>
                    <th scope="row">{moment(zone, login.at)}</th>
                    <td data-label="Outcome">{badge(tone, word)}</td>
                    <td data-label="How">{how}</td>
                    <td data-label="Address" class="break">{login.ip}</td>
                    <td data-label="Device">{login.device}</td>
                </tr>
            }
            .into_any()
        })
        .collect();
    view! {
        {note.map(|note| view! { <p class="quiet">{note}</p> })}
        {ui::table("compact", view! {
            <th scope="col">"When (UTC)"</th>
            <th scope="col">"Outcome"</th>
            <th scope="col">"How"</th>
            <th scope="col">"Address"</th>
            <th scope="col">"Device"</th>
        }, rows)}
    }
    .into_any()
}

fn act_as(cx: &Cx, user: &UserDetail) -> AnyView {
    let key = "act-";
    let form = cx.form("users/impersonate", key);
    let name = user.name.clone();
    let body = view! {
        {Field::text("reason", "What for")
            .help("The record of each of their schools keeps it.")
            .required()
            .autocomplete("off")
            .max_length(1000)
            .view(&form, key)}
        {button("Act as this user", Kind::Plain)}
    };
    view! {
        <section class="panel">
            <h2>"Act as " <bdi>{name}</bdi></h2>
            <p>"You see and do what they can, for an hour at most. Whatever you do is recorded in your name and theirs."</p>
            {post_form("users/impersonate", cx, key, vec![("user", user.id.to_string())], body.into_any())}
        </section>
    }
    .into_any()
}

const DISABLE: Act = Act {
    action: "users/disable",
    label: "Disable user",
    kind: Kind::Danger,
    effect: "Disabled: every session ends, and they can't log in. It can be enabled again at any time.",
};
const ENABLE: Act = Act {
    action: "users/enable",
    label: "Enable user",
    kind: Kind::Main,
    effect: "Enabled: they can log in again, with everything as it was.",
};
const DELETE: Act = Act {
    action: "users/delete",
    label: "Delete user",
    kind: Kind::Danger,
    effect: "Deleted: every session ends, they leave all their schools, and their address is free for another account. It can be restored at any time, with those schools.",
};
const RESTORE: Act = Act {
    action: "users/restore",
    label: "Restore user",
    kind: Kind::Main,
    effect: "Restored: it is what it was before, in the schools that its deletion took it out of.",
};

fn state(cx: &Cx, user: &UserDetail) -> AnyView {
    let (verb, possible) = match user.status {
        AccountStatus::Active => ("Disable or delete ", vec![DISABLE, DELETE]),
        AccountStatus::Disabled => ("Enable or delete ", vec![ENABLE, DELETE]),
        AccountStatus::Deleted => ("Restore ", vec![RESTORE]),
    };
    let name = user.name.clone();
    let title = view! { {verb}<bdi>{name}</bdi> };
    acts(cx, title.into_any(), vec![("user", user.id.to_string())], possible)
}
