//! Calendar feeds: one's lessons in the calendar program one uses anyway.

use domain::{
    authz::Role,
    feeds::{Feed, service},
    tenancy::Tenant,
};
use leptos::prelude::*;

use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, Kind},
};

/// The page.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let feeds = service::list(&mut scope).await?;
    let (tenant, role) = (scope.tenant().clone(), scope.actor().role);
    let frame = Frame::member(&scope, "bookings");
    Ok(Doc::new("Calendar feed", frame, move || draw(&cx, &tenant, role, feeds)))
}

fn draw(cx: &Cx, tenant: &Tenant, role: Role, feeds: Vec<Feed>) -> AnyView {
    let words = tenant.words();
    let what = match role {
        Role::Student | Role::Instructor => format!("Your {}s", words.lesson),
        _ => format!("All {}s of the school", words.lesson),
    };
    let lead =
        format!("{what} in your calendar program. It looks for changes by itself, mostly every few hours.");
    let create = ui::post_form(
        "feeds/create",
        cx,
        "",
        vec![("tenant", tenant.slug.clone())],
        ui::button("Make a feed", Kind::Main),
    );
    let list = if feeds.is_empty() {
        ui::empty(
            "No feed yet",
            "A feed is a secret address that your calendar program reads. Make one for each program.",
            ().into_any(),
        )
    } else {
        let rows: Vec<AnyView> = feeds.iter().map(|feed| row(cx, tenant, feed)).collect();
        view! { <ul class="stack tight">{rows}</ul> }.into_any()
    };
    view! {
        {ui::page_head("Calendar feed", Some(lead), ().into_any())}
        <div class="stack measure">
            <section class="panel">
                <h2>"Your feeds"</h2>
                <div class="stack">
                    {list}
                    {create}
                </div>
            </section>
            <section class="panel">
                <h2>"How to use it"</h2>
                <p>"Copy the address and add it in your calendar program as a calendar by address (“subscribe”, “from URL”)."</p>
                <p>"Who has the address reads the calendar. When it got into other hands, revoke it and make a new one."</p>
            </section>
        </div>
    }
    .into_any()
}

fn row(cx: &Cx, tenant: &Tenant, feed: &Feed) -> AnyView {
    let zone = &tenant.zone;
    let day = |at| format!("{}, {}", zone.short_day(at), zone.clock(at));
    let made = ui::time(zone, feed.created_at, day(feed.created_at));
    let read = match feed.last_read_at {
        Some(at) => {
            view! { <small class="quiet">"Last read "{ui::time(zone, at, day(at))}</small> }.into_any()
        }
        None => view! { <small class="quiet">"Not read yet"</small> }.into_any(),
    };
    let hidden = vec![("tenant", tenant.slug.clone()), ("feed", feed.id.to_string())];
    let revoke =
        ui::post_form("feeds/revoke", cx, &feed.id.to_string(), hidden, ui::button("Revoke", Kind::Danger));
    view! { <li class="row"><span>"Made "{made}" "{read}</span>{revoke}</li> }.into_any()
}
