//! Lessons as a list, as far as one's role reaches.

use domain::{
    Instant,
    authz::{Action, Actor, Reach, Role},
    booking::{Booking, BookingFilter, Status, bulk::Step, service},
    ids::{InstructorId, SeriesId},
    paging::Page,
    people,
    tenancy::Tenant,
};
use jiff::civil::Date;
use leptos::prelude::*;

use super::{a, name, when};
use crate::{
    cx::{Cx, Form},
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind, PostForm},
};

/// What narrows the list.
const NARROWING: [&str; 6] = ["q", "status", "instructor", "from", "to", "series"];
/// Takes several lessons one step further.
const BULK: &str = "booking/bulk";
/// The form of that, which the boxes in the rows belong to.
const BULK_FORM: &str = "bulk";

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
    Ok(Doc::new(title, Frame::member(&scope, "bookings"), move || draw(&cx, &list)).with_islands())
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
    let body = if list.bookings.items.is_empty() {
        let title = format!("No {}s here", words.lesson);
        ui::empty(&title, "Other days or filters may have some.", ().into_any())
    } else {
        view! {
            {table(cx, list)}
            {bulk(cx, list)}
        }
        .into_any()
    };
    let shown = view! {
        {body}
        {ui::pager(cx, &list.bookings)}
    };
    view! {
        {ui::page_head(&format!("{}s", ui::capital(&words.lesson)), None, acts(list))}
        {spans(cx, list.today)}
        {filters(cx, list)}
        {only_series(cx)}
        {ui::live(format!("/t/{}/live", list.tenant.slug), "stack", shown.into_any())}
    }
    .into_any()
}

/// What can be done from here, by role.
fn acts(list: &List) -> AnyView {
    let (slug, words) = (&list.tenant.slug, list.tenant.words());
    let may = |action: Action| list.actor.reach(action) != Reach::None;
    let calendar =
        may(Action::ViewCalendar).then(|| ui::link_button(format!("/t/{slug}/calendar"), "Calendar", false));
    let attendance = may(Action::CompleteBooking)
        .then(|| ui::link_button(format!("/t/{slug}/attendance"), "Attendance", false));
    let main = match list.actor.role {
        Role::Staff | Role::Owner => {
            let label = format!("Book for {}", a(&words.student));
            ui::link_button(format!("/t/{slug}/bookings/new"), &label, true)
        }
        Role::Student => {
            ui::link_button(format!("/s/{slug}/book"), &format!("Book {}", a(&words.lesson)), true)
        }
        _ => ().into_any(),
    };
    view! {
        {calendar}
        {attendance}
        {main}
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
    let series = series(cx).map(|id| {
        let value = id.to_string();
        view! { <input type="hidden" name="series" value=value/> }
    });
    let extra = view! {
        {series}
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

/// The one series whose lessons are listed.
fn series(cx: &Cx) -> Option<SeriesId> {
    cx.query("series").and_then(|text| text.parse().ok())
}

/// Says that only one series is listed, with the way back to all.
fn only_series(cx: &Cx) -> AnyView {
    if series(cx).is_none() {
        return ().into_any();
    }
    let clear = cx.link(&[("series", "")]);
    view! { <p class="row"><span class="chip">"Only this series"</span><a href=clear>"Clear"</a></p> }
        .into_any()
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
    let choose = may_bulk(list).then(
        || view! { <th scope="col" class="pick-cell"><span class="visually-hidden">"Choose"</span></th> },
    );
    let heads = view! {
        {choose}
        {ui::sort_head(cx, "start", "Time", true, "")}
        {student.then(|| head(&words.student))}
        {instructor.then(|| head(&words.instructor))}
        <th scope="col">"Service"</th>
        <th scope="col">"Status"</th>
        <th scope="col"><span class="visually-hidden">"Next step"</span></th>
    };
    let form = cx.form(BULK, "");
    let rows: Vec<AnyView> = list
        .bookings
        .items
        .iter()
        .enumerate()
        .map(|(at, booking)| row(cx, list, booking, may_bulk(list).then(|| pick(list, &form, at, booking))))
        .collect();
    ui::table("", heads, rows)
}

/// Whether students and instructors are named: nobody needs to read their own name in each row.
fn columns(role: Role) -> (bool, bool) {
    (role != Role::Student, role != Role::Instructor)
}

fn head(word: &str) -> AnyView {
    let word = ui::capital(word);
    view! { <th scope="col">{word}</th> }.into_any()
}

fn row(cx: &Cx, list: &List, booking: &Booking, pick: Option<AnyView>) -> AnyView {
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
            {pick}
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

/// Whether several lessons can be taken further at once.
fn may_bulk(list: &List) -> bool {
    list.actor.reach(Action::BulkStatus) != Reach::None
}

/// The box that chooses a lesson. Each has a name of its own, so that a refused form keeps all of them.
fn pick(list: &List, form: &Form, at: usize, booking: &Booking) -> AnyView {
    let (name, value) = (format!("bookings[{at}]"), booking.id.to_string());
    // The list may have changed since: a box is for its lesson, not for its row.
    let checked = form.value(&name, "") == value;
    let zone = &list.tenant.zone;
    let clock = zone.clock(booking.starts_at);
    let label = format!("Choose {}, {clock}, {}", zone.short_day(booking.starts_at), booking.student_name);
    view! {
        <td class="pick-cell">
            <label class="pick">
                <input type="checkbox" form=BULK_FORM name=name value=value checked=checked/>
                <span class="visually-hidden">{label}</span>
            </label>
        </td>
    }
    .into_any()
}

/// What to do with the chosen ones.
fn bulk(cx: &Cx, list: &List) -> AnyView {
    if !may_bulk(list) {
        return ().into_any();
    }
    let words = list.tenant.words();
    let form = cx.form(BULK, "");
    let mut steps = vec![(String::new(), "Choose one".to_owned())];
    steps.extend(Step::CHOICES.map(|(code, label)| (code.to_owned(), label.to_owned())));
    let error = form.error("bookings").map(str::to_owned);
    let error = error.map(|text| view! { <div class="field invalid"><p class="error">{text}</p></div> });
    let body = view! {
        <div id="bookings">{error}</div>
        <div class="inline">
            {Field::select("step", "Step", steps).required().view(&form, "")}
            {Field::text("reason", "Reason").autocomplete("off").max_length(1000).view(&form, "")}
            {ui::button(&format!("Change {}s", words.lesson), Kind::Plain)}
        </div>
    };
    let back = cx.link(&[("page", cx.query("page").unwrap_or(""))]);
    let hidden = vec![("tenant", list.tenant.slug.clone()), ("back", back)];
    view! {
        <section class="panel chosen">
            <h2>"With the chosen ones"</h2>
            <p class="quiet">"Cancelling needs a reason. Everyone concerned reads it."</p>
            {PostForm::new(BULK, cx, "", hidden).id(BULK_FORM).view(body.into_any())}
        </section>
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
