//! An instructor's dashboard: today, requests, the week, mentees (PE-05).

use domain::{
    authz::TenantScope,
    booking,
    people::{self, InstructorDetail, LessonLine},
    tenancy::Tenant,
};
use jiff::civil::Date;
use leptos::prelude::*;

use super::{line, requests, today};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    pages::people::{
        mentees,
        parts::{self, When, Who},
    },
    ui::{self, capital},
};

pub(super) async fn page(cx: Cx, mut scope: TenantScope) -> PageResult {
    let tenant = scope.tenant().clone();
    let days = people::week(&tenant.zone, cx.now());
    let (from, to) = (tenant.zone.day_start(days[0]), tenant.zone.day_start(days[7]));
    let bookings = booking::service::between(&mut scope, from, to).await?;
    let detail = people::service::desk(&mut scope).await?;
    let week: Vec<LessonLine> = bookings.into_iter().map(line).collect();
    let frame = Frame::member(&scope, "");
    Ok(Doc::new("Dashboard", frame, move || draw(&cx, &tenant, days, week, detail)).with_islands())
}

fn draw(
    cx: &Cx,
    tenant: &Tenant,
    days: [Date; 8],
    week: Vec<LessonLine>,
    detail: InstructorDetail,
) -> AnyView {
    let words = tenant.words();
    let date = tenant.zone.date(cx.now());
    let lines: Vec<LessonLine> =
        week.iter().filter(|line| tenant.zone.date(line.starts_at) == date).cloned().collect();
    let own = ui::link_button(format!("/t/{}/instructors/{}", tenant.slug, detail.row.id), "My hours", false);
    let waiting = detail.requests.len() as i64;
    let lessons = view! {
        {today(tenant, lines, Who::Student, cx.now())}
        {requests(cx, tenant, detail.requests, waiting, Who::Student)}
        <section class="panel">
            <h2>"This week"</h2>
            {week_view(cx, tenant, days, week)}
        </section>
    };
    view! {
        {ui::page_head(&detail.row.name, Some(tenant.name.clone()), own)}
        <div class="stack">
            {super::live(tenant, lessons.into_any())}
            <section class="panel">
                <h2>{format!("{}s", capital(&words.student))}</h2>
                {mentees::table(cx, tenant, detail.row.mentees, cx.now())}
            </section>
        </div>
    }
    .into_any()
}

fn week_view(cx: &Cx, tenant: &Tenant, days: [Date; 8], week: Vec<LessonLine>) -> AnyView {
    let days: Vec<AnyView> = days[..7]
        .iter()
        .map(|day| {
            let lines: Vec<LessonLine> =
                week.iter().filter(|line| tenant.zone.date(line.starts_at) == *day).cloned().collect();
            day_view(cx, tenant, *day, lines)
        })
        .collect();
    view! { <div class="stack">{days}</div> }.into_any()
}

fn day_view(cx: &Cx, tenant: &Tenant, day: Date, lines: Vec<LessonLine>) -> AnyView {
    let list = if lines.is_empty() {
        view! { <p class="quiet">{format!("No {}s", tenant.words().lesson)}</p> }.into_any()
    } else {
        parts::lesson_list(tenant, lines, Who::Student, When::Time, cx.now())
    };
    view! {
        <div class="stack tight">
            <h3>{day.strftime("%A %-d %b").to_string()}</h3>
            {list}
        </div>
    }
    .into_any()
}
