//! Lessons for several: planning one, and one with those who come.

use domain::{
    authz::{Action, Reach},
    booking::group::{self, Attendee, GroupChoices, GroupLesson, may_close},
    ids::GroupId,
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::{name, nearest_free, options, which_of_two};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind, Tone},
};

const OPEN: &str = "booking/open_group";
const CLOSE: &str = "booking/close_group";

/// The form to plan one.
pub async fn blank(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let all = scope.require(Action::OpenGroup)? == Reach::All;
    let edits = scope.require(Action::EditServices).is_ok();
    let choices = group::choices(&mut scope).await?;
    let tenant = scope.tenant().clone();
    let title = format!("New group {}", tenant.words().lesson);
    let frame = Frame::member(&scope, "bookings");
    Ok(Doc::new(title, frame, move || draw_blank(&cx, &tenant, choices, all, edits)))
}

fn draw_blank(cx: &Cx, tenant: &Tenant, choices: GroupChoices, all: bool, edits: bool) -> AnyView {
    let words = tenant.words();
    let lead = format!(
        "It takes place even when nobody has booked it; its seats are booked one by one. Times are {} time.",
        tenant.zone.city()
    );
    let main = if choices.services.is_empty() {
        let text = if all {
            "A service with more than one seat can be planned here."
        } else {
            "You teach no service with more than one seat."
        };
        let new =
            edits.then(|| ui::link_button(format!("/t/{}/services/new", tenant.slug), "New service", true));
        ui::empty("No service for several", text, new.unwrap_or_else(|| ().into_any()))
    } else {
        form(cx, tenant, choices, all)
    };
    view! {
        {ui::page_head(&format!("New group {}", words.lesson), Some(lead), back(tenant))}
        <div class="stack">
            {nearest_free(cx, tenant, OPEN, &["service", "instructor"])}
            <section class="panel">{main}</section>
        </div>
    }
    .into_any()
}

fn back(tenant: &Tenant) -> AnyView {
    ui::link_button(format!("/t/{}/calendar", tenant.slug), "Calendar", false)
}

/// The address fills the form, so that the calendar can lead here with a time.
fn given(cx: &Cx, field: &str) -> String {
    cx.query(field).unwrap_or("").to_owned()
}

fn form(cx: &Cx, tenant: &Tenant, choices: GroupChoices, all: bool) -> AnyView {
    let form = cx.form(OPEN, "");
    // An instructor plans their own.
    let instructor = all.then(|| {
        Field::select("instructor", "Instructor", options(choices.instructors))
            .value(given(cx, "instructor"))
            .required()
            .view(&form, "")
    });
    let typed = (form.value("date", ""), form.value("time", ""));
    let clock = which_of_two(&form, "clock", &tenant.zone, (&typed.0, &typed.1), "");
    let body = view! {
        {Field::select("service", "Service", options(choices.services))
            .value(given(cx, "service"))
            .required()
            .view(&form, "")}
        {instructor}
        {Field::date("date", "Date").value(given(cx, "date")).required().view(&form, "")}
        {Field::time_of_day("time", "Time").value(given(cx, "time")).required().view(&form, "")}
        {clock}
        {ui::button("Plan group lesson", Kind::Main)}
    };
    ui::post_form(OPEN, cx, "", vec![("tenant", tenant.slug.clone())], body.into_any())
}

/// One of them, and who comes.
pub async fn page(cx: Cx) -> PageResult {
    let id: GroupId = cx.id("id")?;
    let mut scope = cx.member(cx.param("tenant")).await?;
    let (lesson, attendees) = group::one(&mut scope, id).await?;
    let books = scope.require(Action::BookForStudent).is_ok();
    let tenant = scope.tenant().clone();
    let when = tenant.zone.span(lesson.starts_at, lesson.ends_at, cx.now());
    let title = format!("{}, {when}", lesson.service_name);
    let shown = Shown { tenant, lesson, attendees, books };
    Ok(Doc::new(title, Frame::member(&scope, "bookings"), move || draw(&cx, &shown)).with_islands())
}

struct Shown {
    tenant: Tenant,
    lesson: GroupLesson,
    attendees: Vec<Attendee>,
    /// Who looks may book for students.
    books: bool,
}

fn draw(cx: &Cx, shown: &Shown) -> AnyView {
    let (tenant, lesson) = (&shown.tenant, &shown.lesson);
    let span = tenant.zone.span(lesson.starts_at, lesson.ends_at, cx.now());
    let heading = format!("{}s", ui::capital(&tenant.words().student));
    let body = view! {
        <section class="panel">
            <h2>{format!("Group {}", tenant.words().lesson)}</h2>
            {facts(cx, shown)}
        </section>
        <section class="panel">
            <h2>{heading}</h2>
            {attendees(cx, shown)}
        </section>
        {call_off(cx, shown)}
    };
    view! {
        {ui::page_head(&lesson.service_name, Some(span), back(tenant))}
        {ui::live(format!("/t/{}/live", tenant.slug), "stack", body.into_any())}
    }
    .into_any()
}

fn facts(cx: &Cx, shown: &Shown) -> AnyView {
    let (tenant, lesson) = (&shown.tenant, &shown.lesson);
    let words = tenant.words();
    let when = tenant.zone.long_span(lesson.starts_at, lesson.ends_at, cx.now());
    let seats = view! { <span class="num">{seats(lesson, shown.attendees.len())}</span> };
    let mut rows = vec![
        ("When".to_owned(), ui::time(&tenant.zone, lesson.starts_at, when)),
        (ui::capital(&words.instructor), name(&lesson.instructor_name)),
        ("Seats".to_owned(), seats.into_any()),
    ];
    if lesson.cancelled_at.is_some() {
        rows.insert(0, ("Status".to_owned(), ui::badge(Tone::Bad, "Called off")));
    } else if lesson.waiting > 0 {
        let href = format!("/t/{}/waiting", tenant.slug);
        let text = match lesson.waiting {
            1 => format!("1 {} waits for a seat", words.student),
            number => format!("{} {}s wait for a seat", ui::count(number), words.student),
        };
        // The waiting list is the school's; an instructor sees how many there are.
        let waiting = if shown.books {
            view! { <a href=href>{text}</a> }.into_any()
        } else {
            view! { <span>{text}</span> }.into_any()
        };
        rows.push(("Waiting list".to_owned(), waiting));
    }
    ui::facts(rows)
}

/// "3 of 8 taken", and those that are held.
fn seats(lesson: &GroupLesson, booked: usize) -> String {
    let held = i64::from(lesson.taken).saturating_sub(i64::try_from(booked).unwrap_or(0));
    let taken =
        format!("{} of {} taken", ui::count(i64::from(lesson.taken)), ui::count(i64::from(lesson.capacity)));
    if held > 0 { format!("{taken}, {} of them held for someone", ui::count(held)) } else { taken }
}

fn attendees(cx: &Cx, shown: &Shown) -> AnyView {
    let (tenant, lesson) = (&shown.tenant, &shown.lesson);
    let words = tenant.words();
    let open = lesson.cancelled_at.is_none() && lesson.starts_at > cx.now();
    let book = (shown.books && open && lesson.left() > 0).then(|| {
        let query = serde_urlencoded::to_string([
            ("service", lesson.service.to_string()),
            ("instructor", lesson.instructor.to_string()),
            ("date", tenant.zone.date(lesson.starts_at).to_string()),
            ("time", tenant.zone.clock(lesson.starts_at)),
        ])
        .unwrap_or_default();
        let label = format!("Book for a {}", words.student);
        ui::link_button(format!("/t/{}/bookings/new?{query}", tenant.slug), &label, true)
    });
    if shown.attendees.is_empty() {
        let text = if open { "Its seats can be booked until it begins." } else { "No seat was booked." };
        return ui::empty("Nobody has booked yet", text, book.unwrap_or_else(|| ().into_any()));
    }
    let mark = (lesson.starts_at <= cx.now()).then(|| {
        let day = tenant.zone.date(lesson.starts_at);
        ui::link_button(format!("/t/{}/attendance?date={day}", tenant.slug), "Attendance", false)
    });
    let rows: Vec<AnyView> = shown.attendees.iter().map(|attendee| row(tenant, attendee)).collect();
    let student = ui::capital(&words.student);
    view! {
        {ui::table("", view! {
            <th scope="col">{student}</th>
            <th scope="col">"Status"</th>
            <th scope="col">"Attendance"</th>
        }, rows)}
        <p class="row">{book}{mark}</p>
    }
    .into_any()
}

fn row(tenant: &Tenant, attendee: &Attendee) -> AnyView {
    let href = format!("/t/{}/bookings/{}", tenant.slug, attendee.booking);
    let attendance = attendee.attendance.map_or("", |attendance| attendance.label());
    view! {
        <tr>
            <th scope="row"><a href=href>{name(&attendee.student_name)}</a></th>
            <td data-label="Status">{ui::status_badge(attendee.status.as_str())}</td>
            <td data-label="Attendance">{attendance}</td>
        </tr>
    }
    .into_any()
}

/// The form to call it off, apart from the rest; what is in its way, as long as something is.
fn call_off(cx: &Cx, shown: &Shown) -> AnyView {
    let (tenant, lesson) = (&shown.tenant, &shown.lesson);
    if lesson.cancelled_at.is_some() || lesson.starts_at <= cx.now() {
        return ().into_any();
    }
    let body = match may_close(lesson, shown.attendees.len(), &tenant.words().lesson, cx.now()) {
        Err(message) => view! { <p>{message}</p> }.into_any(),
        Ok(()) => {
            let form = cx.form(CLOSE, "");
            let hidden = vec![("tenant", tenant.slug.clone()), ("group", lesson.id.to_string())];
            let fields = view! {
                {Field::area("reason", "Reason").help("The record keeps it.").required().max_length(1000).rows(2).view(&form, "")}
                {ui::button("Call it off", Kind::Danger)}
            };
            view! {
                <p>"This can't be undone: the time is free for others at once."</p>
                {ui::post_form(CLOSE, cx, "", hidden, fields.into_any())}
            }
            .into_any()
        }
    };
    let title = format!("Call off this group {}", tenant.words().lesson);
    view! {
        <section class="panel danger-zone">
            <h2>{title}</h2>
            {body}
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::{
        Instant,
        ids::{InstructorId, ServiceId},
    };

    use super::*;

    #[test]
    fn seats_say_which_are_held() {
        let starts_at: Instant = "2026-03-30T14:00:00Z".parse().expect("a moment");
        let lesson = |taken| GroupLesson {
            id: GroupId(uuid::Uuid::nil()),
            service: ServiceId(uuid::Uuid::nil()),
            service_name: "Theory".into(),
            colour: None,
            instructor: InstructorId(uuid::Uuid::nil()),
            instructor_name: "Thandi".into(),
            starts_at,
            ends_at: starts_at,
            capacity: 8,
            taken,
            waiting: 0,
            cancelled_at: None,
        };
        assert_eq!(seats(&lesson(0), 0), "0 of 8 taken");
        assert_eq!(seats(&lesson(3), 3), "3 of 8 taken");
        assert_eq!(seats(&lesson(3), 2), "3 of 8 taken, 1 of them held for someone");
    }
}
