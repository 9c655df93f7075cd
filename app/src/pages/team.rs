//! The team of a school: who runs it, teaches and learns there, what each may do, and who is invited (TN-07, AC-20).

use domain::{
    authz::Role,
    paging::Page,
    team::{
        INVITED_BY_OWNER, Seats,
        invites::{self, InviteRow},
        members::{self, MemberRow},
    },
    tenancy::Tenant,
};
use leptos::prelude::*;

use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind, capital, plural},
};

mod invited;
mod member;

/// The page, for owners.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let page = members::list(&mut scope, &cx.list()).await?;
    let (seats, invites) = invites::open(&mut scope).await?;
    let tenant = scope.tenant().clone();
    let frame = Frame::member(&scope, "team");
    Ok(Doc::new("Team", frame, move || draw(&cx, &tenant, page, seats, invites)))
}

/// What a role is called here.
fn role_name(tenant: &Tenant, role: Role) -> String {
    match role {
        Role::Owner => "Owner".into(),
        Role::Staff => "Staff".into(),
        Role::Instructor => capital(&tenant.words().instructor),
        Role::Student => capital(&tenant.words().student),
        Role::SuperAdmin | Role::Visitor => capital(role.as_str()),
    }
}

/// Roles, to choose from.
fn roles(tenant: &Tenant, roles: &[Role]) -> Vec<(String, String)> {
    roles.iter().map(|role| (role.as_str().to_owned(), role_name(tenant, *role))).collect()
}

fn draw(cx: &Cx, tenant: &Tenant, page: Page<MemberRow>, seats: Seats, invites: Vec<InviteRow>) -> AnyView {
    let pager = ui::pager(cx, &page);
    let total = plural(page.total, "member");
    let download = cx.download(&format!("/t/{}/team.csv", tenant.slug));
    let bar = ui::filter_bar(cx, "Search name or e-mail", ().into_any(), total, Some(download));
    view! {
        {ui::page_head("Team", Some(usage(seats)), ().into_any())}
        <div class="stack">
            {invite(cx, tenant, seats)}
            {invited::panel(cx, tenant, invites)}
            <section>
                <h2 class="section-title">"Members"</h2>
                {bar}
                {member::table(cx, tenant, page.items)}
                {pager}
            </section>
        </div>
    }
    .into_any()
}

/// "7 of 10 seats, 1 invited".
fn usage(seats: Seats) -> String {
    let invited = match seats.invited {
        0 => String::new(),
        n => format!(", {} invited", ui::count(n)),
    };
    let taken = format!("{} of {} seats", ui::count(seats.used), ui::count(seats.max));
    format!("{taken}{invited}")
}

/// Folded away until it is wanted, or was refused.
fn invite(cx: &Cx, tenant: &Tenant, seats: Seats) -> AnyView {
    let form = cx.form("team/invite", "");
    let open = form.was_refused();
    let students = format!("{}s", tenant.words().student);
    let lead = if seats.left() > 0 {
        let free = plural(seats.left(), "seat");
        format!("They get a link by mail that works for 72 hours. Free: {free}; {students} take none.")
    } else {
        format!(
            "No seat is free: remove a member or revoke an invite first. {} take none.",
            capital(&students)
        )
    };
    let choices = roles(tenant, &INVITED_BY_OWNER);
    let body = view! {
        {Field::email("email", "E-mail").required().autocomplete("off").max_length(320).view(&form, "")}
        {Field::select("role", "Role", choices).required().view(&form, "")}
        {ui::button("Invite", Kind::Main)}
    };
    let hidden = vec![("tenant", tenant.slug.clone())];
    view! {
        <details class="panel" open=open>
            <summary>"Invite someone"</summary>
            <div class="measure stack tight">
                <p>{lead}</p>
                {ui::post_form("team/invite", cx, "", hidden, body.into_any())}
            </div>
        </details>
    }
    .into_any()
}
