//! The dashboard of owners and staff: today over all instructors, requests, figures, the week by day.

use domain::{
    authz::TenantScope,
    booking,
    people::{self, Board, LessonLine},
    tenancy::Tenant,
};
use jiff::{ToSpan, civil::Date};
use leptos::prelude::*;

use super::{chart, line, requests, today};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    pages::people::{associate::article, parts::Who},
    ui,
};

pub(super) async fn page(cx: Cx, mut scope: TenantScope) -> PageResult {
    let tenant = scope.tenant().clone();
    let date = tenant.zone.date(cx.now());
    let (from, to) = (tenant.zone.day_start(date), tenant.zone.day_start(date.saturating_add(1.day())));
    let bookings = booking::service::between(&mut scope, from, to).await?;
    let board = people::service::board(&mut scope).await?;
    let lines: Vec<LessonLine> = bookings.into_iter().map(line).collect();
    let days = people::week(&tenant.zone, cx.now());
    let frame = Frame::member(&scope, "");
    Ok(Doc::new("Dashboard", frame, move || draw(&cx, &tenant, days, lines, board)).with_islands())
}

fn draw(cx: &Cx, tenant: &Tenant, days: [Date; 8], lines: Vec<LessonLine>, board: Board) -> AnyView {
    let words = tenant.words();
    let label = format!("Book for {} {}", article(&words.student), words.student);
    let book = ui::link_button(format!("/t/{}/bookings/new", tenant.slug), &label, true);
    let figures = figures(tenant, &board);
    let start = if board.students == 0 {
        let title = format!("No {}s yet", words.student);
        let import = ui::link_button(format!("/t/{}/students/import", tenant.slug), "Import people", false);
        ui::empty(&title, "Bring the people of the school in from a CSV file.", import)
    } else {
        ().into_any()
    };
    let body = view! {
        {start}
        {today(tenant, lines, Who::Both, cx.now())}
        {requests(cx, tenant, board.requests, board.waiting, Who::Both)}
        {figures}
        {chart::week(tenant, &days, &board.per_day)}
    };
    view! {
        {ui::page_head(&tenant.name, Some("The school today and this week.".into()), book)}
        {super::live(tenant, body.into_any())}
    }
    .into_any()
}

fn figures(tenant: &Tenant, board: &Board) -> AnyView {
    let words = tenant.words();
    let slug = &tenant.slug;
    let week: i64 = board.per_day.iter().sum();
    let (lessons, left) = (format!("{}s", words.lesson), format!("{}s left in packs", words.lesson));
    let by_left = format!("/t/{slug}/students?sort=lessons_left&dir=desc");
    view! {
        <div class="figures">
            {figure(week, lessons, "this week", format!("/t/{slug}/bookings"))}
            {figure(board.waiting, "requests".to_owned(), "waiting now", format!("/t/{slug}/bookings?status=requested"))}
            {figure(board.students, format!("{}s", words.student), "now", format!("/t/{slug}/students"))}
            {figure(board.instructors, format!("{}s", words.instructor), "now", format!("/t/{slug}/instructors"))}
            {figure(board.lessons_left, left, "now", by_left)}
        </div>
    }
    .into_any()
}

fn figure(number: i64, unit: String, period: &'static str, href: String) -> AnyView {
    view! {
        <a class="figure" href=href>
            <span class="figure-number">{ui::count(number)}</span>
            <span class="figure-unit">{unit}</span>
            <span class="figure-period">{period}</span>
        </a>
    }
    .into_any()
}
