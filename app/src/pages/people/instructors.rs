//! The instructors table: search, sort, filters, pages, and rows that open to show the mentees (PE-01).

use domain::{
    Instant,
    authz::{Action, Reach},
    paging::Page,
    people::{InstructorFilter, InstructorRow, Mentee, Verification, remove, service},
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::{mentees, parts, removed};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    islands::live_filter::LiveFilter,
    ui::{self, capital, plural, sort_head},
};

/// The filters of the address, for the page and for its download.
pub fn filter(cx: &Cx) -> InstructorFilter {
    let get = |name: &str| cx.query(name).unwrap_or("").to_owned();
    InstructorFilter { list: cx.list(), city: get("city"), verification: get("verification") }
}

/// The page.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    if removed::wanted(&cx, &scope) {
        return removed::page(cx, scope, remove::Kind::Instructor).await;
    }
    let page = service::instructors(&mut scope, &filter(&cx)).await?;
    let cities = service::cities(&mut scope).await?;
    let tenant = scope.tenant().clone();
    let may = May {
        export: scope.actor().reach(Action::ExportData) != Reach::None,
        remove: remove::may_remove(&scope),
    };
    let title = format!("{}s", capital(&tenant.words().instructor));
    let frame = Frame::member(&scope, "instructors");
    Ok(Doc::new(title, frame, move || draw(&cx, &tenant, may, page, cities)).with_islands())
}

/// What the one who looks may do beside looking.
#[derive(Clone, Copy)]
struct May {
    export: bool,
    remove: bool,
}

fn draw(cx: &Cx, tenant: &Tenant, may: May, page: Page<InstructorRow>, cities: Vec<String>) -> AnyView {
    let words = tenant.words();
    let pager = ui::pager(cx, &page);
    let mentees = if words.student == "student" { "mentee" } else { words.student.as_str() };
    let download = may.export.then(|| {
        let href = cx.download(&format!("/t/{}/mentees.csv", tenant.slug));
        ui::link_button(href, &format!("Download {mentees}s"), false)
    });
    let bar = bar(cx, tenant, may, page.total, cities);
    view! {
        {ui::page_head(&format!("{}s", capital(&words.instructor)), None, download.into_any())}
        {bar}
        <LiveFilter/>
        <div id="list">
            {table(cx, tenant, page.items)}
            {pager}
        </div>
    }
    .into_any()
}

fn bar(cx: &Cx, tenant: &Tenant, may: May, total: i64, cities: Vec<String>) -> AnyView {
    let all = |label: &str| (String::new(), label.to_owned());
    let cities: Vec<(String, String)> =
        std::iter::once(all("All")).chain(cities.into_iter().map(|city| (city.clone(), city))).collect();
    let states: Vec<(String, String)> = std::iter::once(all("All"))
        .chain(
            Verification::ALL.into_iter().map(|state| (state.as_str().to_owned(), capital(state.as_str()))),
        )
        .collect();
    let extra = view! {
        {ui::filter_select(cx, "city", "City", cities)}
        {ui::filter_select(cx, "verification", "Verification", states)}
        {may.remove.then(|| removed::filter(cx))}
    };
    let download = may.export.then(|| cx.download(&format!("/t/{}/instructors.csv", tenant.slug)));
    let total = plural(total, &tenant.words().instructor);
    ui::filter_bar(cx, "Search name, e-mail or city", extra.into_any(), total, download)
}

fn table(cx: &Cx, tenant: &Tenant, rows: Vec<InstructorRow>) -> AnyView {
    let words = tenant.words();
    if rows.is_empty() {
        let title = format!("No {} here", words.instructor);
        let text = format!(
            "Change the search or the filters, or import {}s on the page of {}s.",
            words.instructor, words.student
        );
        return ui::empty(&title, &text, ().into_any());
    }
    let rows: Vec<AnyView> = rows.into_iter().map(|row| row_view(cx, tenant, row, cx.now())).collect();
    let heads = view! {
        {sort_head(cx, "name", "Name", true, "")}
        {sort_head(cx, "city", "City", false, "")}
        <th scope="col">"Verification"</th>
        {sort_head(cx, "mentees", &format!("{}s", capital(&words.student)), false, "num")}
        <th scope="col" class="num">"Seats"</th>
        {sort_head(cx, "lessons_left", &format!("{}s left", capital(&words.lesson)), false, "num")}
        {sort_head(cx, "last_lesson", &format!("Last {}", words.lesson), false, "")}
    };
    ui::table("", heads, rows)
}

fn row_view(cx: &Cx, tenant: &Tenant, row: InstructorRow, now: Instant) -> AnyView {
    let words = tenant.words();
    let href = format!("/t/{}/instructors/{}", tenant.slug, row.id);
    let count = row.mentees.len() as i64;
    let seats = format!("{} of {}", ui::count(row.seats_used), row.seats);
    let email = row.email.map(|email| view! { <small>{email}</small> });
    let more = more(cx, tenant, &row.name, row.mentees, now);
    let last = parts::day(tenant, row.last_lesson, now);
    view! {
        <tr>
            <th scope="row">{parts::name_link(href, row.name)}{email}</th>
            <td data-label="City"><bdi>{row.city}</bdi></td>
            <td data-label="Verification">{parts::verification_badge(row.verification)}</td>
            <td data-label=format!("{}s", capital(&words.student)) class="num">{ui::count(count)}</td>
            <td data-label="Seats" class="num">{seats}</td>
            <td data-label=format!("{}s left", capital(&words.lesson)) class="num">{ui::count(row.lessons_left)}</td>
            <td data-label=format!("Last {}", words.lesson)>{last}</td>
        </tr>
        {more}
    }
    .into_any()
}

/// The row that opens. It is open when the address names one of its packs, as it does after a count was changed.
fn more(cx: &Cx, tenant: &Tenant, name: &str, mentees: Vec<Mentee>, now: Instant) -> AnyView {
    if mentees.is_empty() {
        return ().into_any();
    }
    let wanted = cx.query("pack").unwrap_or("");
    let open = mentees.iter().any(|mentee| mentee.packs.iter().any(|pack| pack.id.to_string() == wanted));
    let summary = plural(mentees.len() as i64, &tenant.words().student);
    let name = name.to_owned();
    view! {
        <tr class="row-more">
            <td colspan="7">
                <details class="row-open" open=open>
                    <summary>{summary}<span class="visually-hidden">" of " <bdi>{name}</bdi></span></summary>
                    {mentees::table(cx, tenant, mentees, now)}
                </details>
            </td>
        </tr>
    }
    .into_any()
}
