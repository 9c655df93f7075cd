//! The platform in figures.

use domain::tenancy::service::{self, Overview};
use leptos::prelude::*;

use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, link_button, page_head},
};

/// The page.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.platform().await?;
    let figures = service::overview(&mut scope).await?;
    let frame = Frame::Platform { account: scope.account().clone(), here: "" };
    Ok(Doc::new("Platform", frame, move || draw(figures)))
}

fn draw(figures: Overview) -> AnyView {
    let new = link_button("/admin/tenants/new".into(), "New school", true);
    view! {
        {page_head("Platform", Some("All schools together, as of now (UTC).".into()), new)}
        <div class="figures">
            {figure(figures.tenants_active, "schools open", "now", Some("/admin/tenants?status=active"))}
            {figure(figures.tenants_suspended, "schools suspended", "now", Some("/admin/tenants?status=suspended"))}
            {figure(figures.users, "users", "now", Some("/admin/users?status=active"))}
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
