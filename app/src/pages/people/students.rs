//! The students table, and associating a student with an instructor (PE-03).

use domain::{
    Instant,
    authz::{Action, Reach},
    paging::Page,
    people::{Choices, StudentRow, remove, service},
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::{associate, parts, removed};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    islands::live_filter::LiveFilter,
    ui::{self, capital, plural, sort_head},
};

/// The page.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    if removed::wanted(&cx, &scope) {
        return removed::page(cx, scope, remove::Kind::Student).await;
    }
    let page = service::students(&mut scope, &cx.list()).await?;
    let choices =
        if service::may_associate(&scope) { Some(service::choices(&mut scope).await?) } else { None };
    let tenant = scope.tenant().clone();
    let may = May {
        import: scope.actor().reach(Action::ImportPeople) == Reach::All,
        export: scope.actor().reach(Action::ExportData) != Reach::None,
        remove: remove::may_remove(&scope),
    };
    let title = format!("{}s", capital(&tenant.words().student));
    let frame = Frame::member(&scope, "students");
    Ok(Doc::new(title, frame, move || draw(&cx, &tenant, may, page, choices)).with_islands())
}

/// What the one who looks may do beside looking.
#[derive(Clone, Copy)]
struct May {
    import: bool,
    export: bool,
    remove: bool,
}

fn draw(cx: &Cx, tenant: &Tenant, may: May, page: Page<StudentRow>, choices: Option<Choices>) -> AnyView {
    let words = tenant.words();
    let staff = choices.is_some();
    let import = if may.import {
        ui::link_button(format!("/t/{}/students/import", tenant.slug), "Import people", false)
    } else {
        ().into_any()
    };
    let associate = choices.map(|choices| associate::form(cx, tenant, choices.instructors, choices.students));
    let download = may.export.then(|| cx.download(&format!("/t/{}/students.csv", tenant.slug)));
    let total = plural(page.total, &words.student);
    let extra = may.remove.then(|| removed::filter(cx)).into_any();
    let bar = ui::filter_bar(cx, "Search name, e-mail or phone", extra, total, download);
    let pager = ui::pager(cx, &page);
    view! {
        {ui::page_head(&format!("{}s", capital(&words.student)), None, import)}
        {associate}
        {bar}
        <LiveFilter/>
        <div id="list">
            {table(cx, tenant, page.items, staff)}
            {pager}
        </div>
    }
    .into_any()
}

fn table(cx: &Cx, tenant: &Tenant, rows: Vec<StudentRow>, staff: bool) -> AnyView {
    let words = tenant.words();
    if rows.is_empty() {
        let title = format!("No {} here", words.student);
        let text = if staff {
            "Change the search, or import people from a file."
        } else {
            "Those who are associated with you appear here."
        };
        return ui::empty(&title, text, ().into_any());
    }
    let rows: Vec<AnyView> = rows.into_iter().map(|row| row_view(tenant, row, cx.now())).collect();
    let heads = view! {
        {sort_head(cx, "name", "Name", true, "")}
        {sort_head(cx, "email", "E-mail", false, "")}
        <th scope="col">"Phone"</th>
        <th scope="col">{format!("{}s", capital(&words.instructor))}</th>
        {sort_head(cx, "lessons_left", &format!("{}s left", capital(&words.lesson)), false, "num")}
        {sort_head(cx, "last_lesson", &format!("Last {}", words.lesson), false, "")}
        {sort_head(cx, "next_lesson", &format!("Next {}", words.lesson), false, "")}
    };
    ui::table("", heads, rows)
}

fn row_view(tenant: &Tenant, row: StudentRow, now: Instant) -> AnyView {
    let words = tenant.words();
    let href = format!("/t/{}/students/{}", tenant.slug, row.id);
    let last = parts::day(tenant, row.last_lesson, now);
    let next = parts::day(tenant, row.next_lesson, now);
    let instructors: Vec<AnyView> = row
        .instructors
        .into_iter()
        .enumerate()
        .map(|(place, instructor)| {
            let href = format!("/t/{}/instructors/{}", tenant.slug, instructor.id);
            let comma = (place > 0).then_some(", ");
            view! { {comma}{parts::name_link(href, instructor.name)} }.into_any()
        })
        .collect();
    let instructors = if instructors.is_empty() { parts::none() } else { instructors.into_any() };
    view! {
        <tr>
            <th scope="row">{parts::name_link(href, row.name)}</th>
            <td data-label="E-mail" class="break">{row.email}</td>
            <td data-label="Phone">{row.phone}</td>
            <td data-label=format!("{}s", capital(&words.instructor))>{instructors}</td>
            <td data-label=format!("{}s left", capital(&words.lesson)) class="num">{ui::count(row.lessons_left)}</td>
            <td data-label=format!("Last {}", words.lesson)>{last}</td>
            <td data-label=format!("Next {}", words.lesson)>{next}</td>
        </tr>
    }
    .into_any()
}
