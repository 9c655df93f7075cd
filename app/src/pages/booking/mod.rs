//! Pages of booking: the school's public side, the book page, lessons.

use domain::{
    Instant,
    booking::{Booking, service::Choice, wall_clock},
    tenancy::Tenant,
    zoned::{LocalTime, Zone},
};
use leptos::prelude::*;

use crate::{
    cx::{Cx, Form},
    ui::{self, Field},
};

pub mod attendance;
pub mod book;
pub mod calendar;
pub mod group;
pub mod hours;
pub mod list;
pub mod moves;
pub mod one;
pub mod school;
pub mod series;
pub mod staff;
pub mod waiting;

mod opening;
mod summary;
mod times;

/// Free starts near a taken one, when `form` was refused for that.
fn nearest(cx: &Cx, form: &str) -> Vec<Instant> {
    match &cx.flash {
        Some(flash) if !flash.ok && flash.form == form => {
            flash.nearest.iter().filter_map(|text| text.parse().ok()).collect()
        }
        _ => Vec::new(),
    }
}

/// "Tue 30 Mar, 16:00–17:00" as a time element.
fn when(tenant: &Tenant, booking: &Booking, now: Instant) -> AnyView {
    ui::time(&tenant.zone, booking.starts_at, tenant.zone.span(booking.starts_at, booking.ends_at, now))
}

/// A name, whatever way it is written.
fn name(text: &str) -> AnyView {
    let text = text.to_owned();
    view! { <bdi>{text}</bdi> }.into_any()
}

/// "Tue 30 Mar, 16:00".
fn day_and_clock(tenant: &Tenant, at: Instant) -> String {
    format!("{}, {}", tenant.zone.short_day(at), tenant.zone.clock(at))
}

/// What a select offers: nothing chosen yet, then each of the choices.
fn options(choices: Vec<Choice>) -> Vec<(String, String)> {
    let mut options = vec![(String::new(), "Choose one".to_owned())];
    options.extend(choices.into_iter().map(|choice| (choice.id.to_string(), choice.name)));
    options
}

/// The field for which of the two is meant, when the clock shows what was typed twice. `chosen` stands there before
/// anything else was.
fn which_of_two(form: &Form, field: &str, zone: &Zone, (date, time): (&str, &str), chosen: &str) -> AnyView {
    let Ok(wall) = wall_clock(date, time) else {
        return ().into_any();
    };
    let LocalTime::Twice(first, second) = zone.resolve(wall) else {
        return ().into_any();
    };
    let label = |word: &str, at: Instant| {
        let stamp = zone.rfc3339(at);
        format!("{word} {} ({})", zone.clock(at), times::offset(&stamp))
    };
    let options = vec![
        (String::new(), "Choose one".to_owned()),
        ("first".to_owned(), label("First", first)),
        ("second".to_owned(), label("Second", second)),
    ];
    Field::select(field, "Which of the two", options).value(chosen).required().view(form, "")
}

/// The nearest free times, when the one that the form `action` asked for was taken. Each fills the form again, with what it
/// held in `fields`.
fn nearest_free(cx: &Cx, tenant: &Tenant, action: &str, fields: &[&str]) -> AnyView {
    let near = nearest(cx, action);
    if near.is_empty() {
        return ().into_any();
    }
    let form = cx.form(action, "");
    let kept: Vec<(&str, String)> = fields.iter().map(|field| (*field, form.value(field, ""))).collect();
    let links: Vec<AnyView> = near
        .into_iter()
        .map(|at| {
            let (date, time) = (tenant.zone.date(at).to_string(), tenant.zone.clock(at));
            let mut filled: Vec<(&str, &str)> =
                kept.iter().map(|(field, value)| (*field, value.as_str())).collect();
            filled.extend([("date", date.as_str()), ("time", time.as_str())]);
            let href = cx.link(&filled);
            let text = ui::time(&tenant.zone, at, day_and_clock(tenant, at));
            view! { <li><a class="slot" href=href>{text}</a></li> }.into_any()
        })
        .collect();
    view! {
        <section class="summary">
            <h2>"That time has just been taken"</h2>
            <p>"The nearest free times:"</p>
            <ul class="stack tight">{links}</ul>
        </section>
    }
    .into_any()
}

/// Whom staff book for: chosen from a short list, or typed.
fn student_field(students: Vec<Choice>) -> Field {
    if students.is_empty() {
        Field::text("student", "Student").help("E-mail address or full name.").max_length(320)
    } else {
        Field::select("student", "Student", options(students))
    }
}

/// Whom staff book with: one of those who teach, or any.
fn instructor_field(tenant: &Tenant, instructors: Vec<Choice>) -> Field {
    let mut options = options(instructors);
    options.insert(1, ("any".to_owned(), format!("Any {}", tenant.words().instructor)));
    Field::select("instructor", "Instructor", options)
}

/// "a lesson", "an appointment".
fn a(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {word}")
}
