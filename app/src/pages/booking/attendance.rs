//! Who came to the lessons of a day, and what is kept about them (BK-12).

use domain::{
    authz::{Action, Reach},
    booking::{
        Status,
        attendance::{self, Asked, Attendance, AttendanceRow, LONGEST_NOTE, field, fingerprint},
    },
    ids::InstructorId,
    paging::{self, ListQuery, Page},
    people,
    tenancy::Tenant,
};
use jiff::civil::Date;
use leptos::prelude::*;

use super::name;
use crate::{
    cx::{Cx, Form},
    doc::{Doc, Frame, PageResult},
    ui::{self, Kind},
};

const ACTION: &str = "booking/attendance";
/// Rows a page: with their notes they have to fit into one form.
const ROWS: u32 = 30;

/// The page of a day.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let tenant = scope.tenant().clone();
    let today = tenant.zone.date(cx.now());
    let day = cx.query("date").and_then(paging::day).unwrap_or(today);
    let asked = Asked {
        day,
        instructor: cx.query("instructor").and_then(|text| text.parse().ok()),
        list: ListQuery { page_size: ROWS, ..cx.list() },
    };
    let rows = attendance::day(&mut scope, &asked).await?;
    let all = scope.actor().reach(Action::CompleteBooking) == Reach::All;
    let instructors = if all { people::service::pick_instructors(&mut scope).await? } else { Vec::new() };
    let sheet = Sheet { tenant, day, today, rows, instructors, all };
    let title = format!("Attendance, {}", day.strftime("%a %-d %b %Y"));
    Ok(Doc::new(title, Frame::member(&scope, "bookings"), move || draw(&cx, &sheet)))
}

struct Sheet {
    tenant: Tenant,
    day: Date,
    today: Date,
    rows: Page<AttendanceRow>,
    instructors: Vec<(InstructorId, String)>,
    /// Whether lessons of several instructors are shown.
    all: bool,
}

fn draw(cx: &Cx, sheet: &Sheet) -> AnyView {
    let tenant = &sheet.tenant;
    let lead = format!("Attendance at {}", tenant.name);
    let calendar =
        ui::link_button(format!("/t/{}/calendar?date={}", tenant.slug, sheet.day), "Calendar", false);
    let title = sheet.day.strftime("%a %-d %b %Y").to_string();
    let body = if sheet.rows.items.is_empty() { nothing(sheet) } else { form(cx, sheet) };
    view! {
        {ui::page_head(&title, Some(lead), calendar)}
        {steps(cx, sheet)}
        {bar(cx, sheet)}
        <div class="attendance">{body}</div>
        {ui::pager(cx, &sheet.rows)}
    }
    .into_any()
}

fn nothing(sheet: &Sheet) -> AnyView {
    let lesson = &sheet.tenant.words().lesson;
    let (title, text) = if sheet.day > sheet.today {
        (format!("These {lesson}s are still to come"), "On the day itself one says here who came.".to_owned())
    } else {
        (format!("No {lesson}s on this day"), format!("Confirmed {lesson}s appear here, by time."))
    };
    ui::empty(&title, &text, ().into_any())
}

/// The days before and after; nothing can be said of days to come.
fn steps(cx: &Cx, sheet: &Sheet) -> AnyView {
    let day = sheet.day;
    let link = |day: Result<Date, jiff::Error>| {
        day.ok().map(|day| cx.link(&[("date", &day.to_string())])).unwrap_or_default()
    };
    let (before, after, today) = (link(day.yesterday()), link(day.tomorrow()), cx.link(&[("date", "")]));
    let hidden = || view! { <span class="visually-hidden">" day"</span> };
    let next = (day < sheet.today).then(|| {
        view! { <a class="button" rel="next" href=after><span>"Next"{hidden()}</span>{ui::icon("arrow-right")}</a> }
    });
    view! {
        <nav class="row cal-steps" aria-label="Days">
            <a class="button" rel="prev" href=before>{ui::icon("arrow-left")}<span>"Previous"{hidden()}</span></a>
            <a class="button" href=today>"Today"</a>
            {next}
        </nav>
    }
    .into_any()
}

/// The day, and whose lessons.
fn bar(cx: &Cx, sheet: &Sheet) -> AnyView {
    let words = sheet.tenant.words();
    let (action, day) = (cx.path.clone(), sheet.day.to_string());
    let choose = sheet.all.then(|| {
        let mut options = vec![(String::new(), format!("Any {}", words.instructor))];
        options.extend(sheet.instructors.iter().map(|(id, name)| (id.to_string(), name.clone())));
        ui::filter_select(cx, "instructor", &ui::capital(&words.instructor), options)
    });
    view! {
        <form class="filter-bar" method="get" action=action>
            <label class="filter-select">
                <span>"Date"</span>
                <input type="date" name="date" value=day/>
            </label>
            {choose}
            <button type="submit" class="button">"Show"</button>
            <p class="filter-total">{ui::plural(sheet.rows.total, &words.lesson)}</p>
        </form>
    }
    .into_any()
}

fn form(cx: &Cx, sheet: &Sheet) -> AnyView {
    let words = sheet.tenant.words();
    let state = cx.form(ACTION, "");
    let rows: Vec<AnyView> = sheet.rows.items.iter().map(|row| row_view(cx, sheet, &state, row)).collect();
    let (student, instructor) = (ui::capital(&words.student), ui::capital(&words.instructor));
    let instructor = sheet.all.then(|| view! { <th scope="col">{instructor}</th> });
    let kept = |name: &'static str| (name, cx.query(name).unwrap_or("").to_owned());
    let hidden = vec![
        ("tenant", sheet.tenant.slug.clone()),
        ("date", sheet.day.to_string()),
        kept("instructor"),
        kept("page"),
    ];
    let body = view! {
        {ui::table("records", view! {
            <th scope="col">"Time"</th>
            <th scope="col">{student}</th>
            {instructor}
            <th scope="col">"Attendance"</th>
            <th scope="col">"Lesson note"</th>
        }, rows)}
        <p class="quiet">"Notes are kept encrypted. Those who give or run it read them, nobody else."</p>
        {ui::button("Save attendance", Kind::Main)}
    };
    ui::post_form(ACTION, cx, "", hidden, body.into_any())
}

fn row_view(cx: &Cx, sheet: &Sheet, state: &Form, row: &AttendanceRow) -> AnyView {
    let (zone, words) = (&sheet.tenant.zone, sheet.tenant.words());
    let href = format!("/t/{}/bookings/{}", sheet.tenant.slug, row.id);
    let clocks = format!("{}–{}", zone.clock(row.starts_at), zone.clock(row.ends_at));
    let when = ui::time(zone, row.starts_at, clocks);
    let student = ui::capital(&words.student);
    let instructor = sheet.all.then(|| {
        let label = ui::capital(&words.instructor);
        view! { <td data-label=label>{name(&row.instructor_name)}</td> }
    });
    let said = if row.starts_at <= cx.now() {
        radios(state, row)
    } else {
        let begins = format!("Begins at {}", zone.clock(row.starts_at));
        view! { <span class="quiet">{begins}</span> }.into_any()
    };
    view! {
        <tr>
            <th scope="row"><a href=href>{when}</a><small>{name(&row.service_name)}</small></th>
            <td data-label=student>{name(&row.student_name)}</td>
            {instructor}
            <td data-label="Attendance">{said}</td>
            <td data-label="Lesson note">{note(state, row)}</td>
        </tr>
    }
    .into_any()
}

/// What can be said of a lesson. Each button's group is named for its lesson, so that what isn't answered sends nothing.
fn radios(state: &Form, row: &AttendanceRow) -> AnyView {
    let group = field("attendance", row.id);
    let stored = row.attendance.map_or("", Attendance::as_str);
    let chosen = state.value(&group, stored);
    let error = state.error(&group).map(str::to_owned);
    let described = error.is_some().then(|| format!("{group}-error"));
    let ended = match (row.status, row.attendance) {
        // Said elsewhere, without saying how.
        (Status::Completed | Status::NoShow, None) => Some(ui::status_badge(row.status.as_str())),
        _ => None,
    };
    let buttons: Vec<AnyView> = Attendance::ALL
        .into_iter()
        .enumerate()
        .map(|(at, attendance)| {
            let value = attendance.as_str();
            // The summary of what is wrong leads to the first.
            let id = if at == 0 { group.clone() } else { format!("{group}-{value}") };
            let (group, described) = (group.clone(), described.clone());
            let checked = chosen == value;
            view! {
                <label class="say">
                    <input type="radio" id=id name=group value=value checked=checked aria-describedby=described/>
                    <span>{attendance.label()}</span>
                </label>
            }
            .into_any()
        })
        .collect();
    let legend = format!("Attendance of {}", row.student_name);
    let class = if error.is_some() { "sayings field invalid" } else { "sayings" };
    view! {
        <fieldset class=class>
            <legend class="visually-hidden">{legend}</legend>
            {buttons}
            {ended}
            {problem(&group, error)}
        </fieldset>
    }
    .into_any()
}

/// The note; and when someone else has written meanwhile, what stands there now.
fn note(state: &Form, row: &AttendanceRow) -> AnyView {
    let id = field("notes", row.id);
    let text = state.value(&id, &row.note);
    let error = state.error(&id).map(str::to_owned);
    let invalid = error.is_some().then_some("true");
    let described = error.is_some().then(|| format!("{id}-error"));
    let now = (error.is_some() && text != row.note && !row.note.is_empty()).then(|| {
        let kept = row.note.clone();
        view! { <p class="help">"Kept now: " <bdi>{kept}</bdi></p> }
    });
    let class = if error.is_some() { "field invalid note" } else { "field note" };
    let label = format!("Lesson note about {}", row.student_name);
    let (target, seen, shown) = (id.clone(), field("seen", row.id), fingerprint(&row.note));
    let name = id.clone();
    let longest = LONGEST_NOTE.to_string();
    view! {
        <div class=class>
            <label for=target class="visually-hidden">{label}</label>
            <input type="hidden" name=seen value=shown/>
            <textarea
                id=id.clone()
                name=name
                rows="1"
                maxlength=longest
                aria-describedby=described
                aria-invalid=invalid
                inner_html=ui::textarea_text(&text)
            ></textarea>
            {now}
            {problem(&id, error)}
        </div>
    }
    .into_any()
}

fn problem(id: &str, error: Option<String>) -> Option<AnyView> {
    let id = format!("{id}-error");
    error.map(|text| view! { <p class="error" id=id>{text}</p> }.into_any())
}
