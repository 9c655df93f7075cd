//! Lessons as a list, as far as one's role reaches.

use domain::{
    Instant,
    authz::{Action, Actor, Reach, Role},
    booking::{Booking, BookingFilter, Status, service},
    ids::InstructorId,
    paging::Page,
    people,
    tenancy::Tenant,
};
use jiff::civil::Date;
use leptos::prelude::*;

use super::{a, name, when};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, Kind},
};

/// What narrows the list.
const NARROWING: [&str; 5] = ["q", "status", "instructor", "from", "to"];

/// The list.
pub async fn page(mut cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let today = scope.tenant().zone.date(cx.now());
    // Unasked, the list begins today. The field shows it, and the download has the same.
    if NARROWING.iter().all(|field| cx.query(field).is_none()) {
        cx.query.insert("from".into(), today.to_string());
    }
    let filter = BookingFilter::parse(|field| cx.query(field));
    let bookings = service::list(&mut scope, &filter).await?;
    let instructors = match scope.require(Action::BookForStudent) {
        Ok(Reach::All) => people::service::pick_instructors(&mut scope).await?,
        _ => Vec::new(),
    };
    let (tenant, actor) = (scope.tenant().clone(), scope.actor().clone());
    let title = format!("{}s", ui::capital(&tenant.words().lesson));
    let list = List { tenant, actor, bookings, instructors, today };
    Ok(Doc::new(title, Frame::member(&scope, "bookings"), move || draw(&cx, &list)))
}

struct List {
    tenant: Tenant,
    actor: Actor,
    bookings: Page<Booking>,
    instructors: Vec<(InstructorId, String)>,
    today: Date,
}

fn draw(cx: &Cx, list: &List) -> AnyView {
    let words = list.tenant.words();
    let act = match list.actor.role {
        Role::Staff | Role::Owner => ui::link_button(
            format!("/t/{}/bookings/new", list.tenant.slug),
            &format!("Book for a {}", words.student),
            true,
        ),
        Role::Student => ui::link_button(
            format!("/s/{}/book", list.tenant.slug),
            &format!("Book {}", a(&words.lesson)),
            true,
        ),
        _ => ().into_any(),
    };
    let body = if list.bookings.items.is_empty() {
        let title = format!("No {}s here", words.lesson);
        ui::empty(&title, "Other days or filters may have some.", ().into_any())
    } else {
        table(cx, list)
    };
    view! {
        {ui::page_head(&format!("{}s", ui::capital(&words.lesson)), None, act)}
        {spans(cx, list.today)}
        {filters(cx, list)}
        {body}
        {ui::pager(cx, &list.bookings)}
    }
    .into_any()
}

/// The three spans of time that are asked for most.
fn spans(cx: &Cx, today: Date) -> AnyView {
    let yesterday = today.yesterday().unwrap_or(today);
    let links: Vec<AnyView> = [
        ("Upcoming", cx.path.clone()),
        ("Past", format!("{}?to={yesterday}&sort=start&dir=desc", cx.path)),
        ("All", format!("{}?from=", cx.path)),
    ]
    .into_iter()
    .map(|(label, href)| view! { <a class="button quiet" href=href>{label}</a> }.into_any())
    .collect();
    view! { <nav class="row" aria-label="Span of time">{links}</nav> }.into_any()
}

fn filters(cx: &Cx, list: &List) -> AnyView {
    let words = list.tenant.words();
    let mut statuses = vec![(String::new(), "Any status".to_owned())];
    statuses.extend(Status::ALL.map(|status| (status.as_str().to_owned(), status.label().to_owned())));
    let instructors = (!list.instructors.is_empty()).then(|| {
        let mut options = vec![(String::new(), format!("Any {}", words.instructor))];
        options.extend(list.instructors.iter().map(|(id, name)| (id.to_string(), name.clone())));
        ui::filter_select(cx, "instructor", &ui::capital(&words.instructor), options)
    });
    let extra = view! {
        {ui::filter_select(cx, "status", "Status", statuses)}
        {instructors}
        {day(cx, "from", "From")}
        {day(cx, "to", "To")}
    };
    let total = ui::plural(list.bookings.total, &words.lesson);
    let may_export = list.actor.reach(Action::ExportData) != Reach::None;
    let download = may_export.then(|| cx.download(&format!("/t/{}/bookings.csv", list.tenant.slug)));
    ui::filter_bar(cx, "Search names and services", extra.into_any(), total, download)
}

fn day(cx: &Cx, field: &'static str, label: &'static str) -> AnyView {
    let value = cx.query(field).unwrap_or("").to_owned();
    view! {
        <label class="filter-select">
            <span>{label}</span>
            <input type="date" name=field value=value/>
        </label>
    }
    .into_any()
}

fn table(cx: &Cx, list: &List) -> AnyView {
    let words = list.tenant.words();
    let (student, instructor) = columns(list.actor.role);
    let heads = view! {
        {ui::sort_head(cx, "start", "Time", true, "")}
        {student.then(|| head(&words.student))}
        {instructor.then(|| head(&words.instructor))}
        <th scope="col">"Service"</th>
        <th scope="col">"Status"</th>
        <th scope="col"><span class="visually-hidden">"Next step"</span></th>
    };
    let rows: Vec<AnyView> = list.bookings.items.iter().map(|booking| row(cx, list, booking)).collect();
    view! {
        <div class="table-wrap">
            <table class="table">
                <thead><tr>{heads}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// Whether students and instructors are named: nobody needs to read their own name in each row.
fn columns(role: Role) -> (bool, bool) {
    (role != Role::Student, role != Role::Instructor)
}

fn head(word: &str) -> AnyView {
    let word = ui::capital(word);
    view! { <th scope="col">{word}</th> }.into_any()
}

fn row(cx: &Cx, list: &List, booking: &Booking) -> AnyView {
    let tenant = &list.tenant;
    let words = tenant.words();
    let (student, instructor) = columns(list.actor.role);
    let href = format!("/t/{}/bookings/{}", tenant.slug, booking.id);
    let cell = |label: &str, text: &str| {
        let label = ui::capital(label);
        view! { <td data-label=label>{name(text)}</td> }.into_any()
    };
    view! {
        <tr>
            <th scope="row"><a href=href>{when(tenant, booking, cx.now())}</a></th>
            {student.then(|| cell(&words.student, &booking.student_name))}
            {instructor.then(|| cell(&words.instructor, &booking.instructor_name))}
            {cell("service", &booking.service_name)}
            <td data-label="Status">{ui::status_badge(booking.status.as_str())}</td>
            <td>{act(cx, tenant, list.actor.role, booking, cx.now())}</td>
        </tr>
    }
    .into_any()
}

/// The one thing to do with a lesson now, if there is one.
fn act(cx: &Cx, tenant: &Tenant, role: Role, booking: &Booking, now: Instant) -> AnyView {
    let teaches = matches!(role, Role::Instructor | Role::Staff | Role::Owner);
    let (action, label) = match booking.status {
        Status::Requested if teaches && booking.starts_at > now => ("booking/confirm", "Approve"),
        Status::Confirmed if teaches && booking.starts_at <= now => ("booking/complete", "Complete"),
        _ => return ().into_any(),
    };
    let hidden = vec![("tenant", tenant.slug.clone()), ("booking", booking.id.to_string())];
    ui::post_form(action, cx, &booking.id.to_string(), hidden, ui::button(label, Kind::Plain))
}
