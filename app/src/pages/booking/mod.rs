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

/// "a lesson", "an appointment".
fn a(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {word}")
}
