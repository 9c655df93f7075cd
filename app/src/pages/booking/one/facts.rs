//! What is known of a lesson, and its terms in words.

use domain::{
    Instant,
    authz::Role,
    booking::policy::{Canceller, cancel_terms_of, may_move, move_terms},
};
use leptos::prelude::*;

use super::One;
use crate::{
    cx::Cx,
    pages::booking::{day_and_clock, name},
    ui,
};

/// Everything, as a list of names and values.
pub(super) fn view(cx: &Cx, one: &One) -> AnyView {
    let (tenant, booking) = (&one.tenant, &one.booking);
    let words = tenant.words();
    let link = |path: String, text: &str| {
        if one.runs() { view! { <a href=path>{name(text)}</a> }.into_any() } else { name(text) }
    };
    let when = tenant.zone.long_span(booking.starts_at, booking.ends_at, cx.now());
    let mut rows = vec![
        ("Status".to_owned(), ui::status_badge(booking.status.as_str())),
        ("When".to_owned(), ui::time(&tenant.zone, booking.starts_at, when)),
        (
            ui::capital(&words.student),
            link(one.path(&format!("students/{}", booking.student)), &booking.student_name),
        ),
        (
            ui::capital(&words.instructor),
            link(one.path(&format!("instructors/{}", booking.instructor)), &booking.instructor_name),
        ),
    ];
    if let Some(at) = booking.moved_at {
        rows.push(("Moved".to_owned(), moved(one, at)));
    }
    if !booking.pickup.is_empty() {
        rows.push(("Pickup address".to_owned(), name(&booking.pickup)));
    }
    rows.extend(seats(one).map(|seats| ("Seats".to_owned(), seats)));
    rows.extend(series(one).map(|series| ("Series".to_owned(), series)));
    rows.push(("Price".to_owned(), text(price(one))));
    if let Some(fee) = booking.fee_minor {
        rows.push(("Late fee".to_owned(), text(ui::capital(&ui::money(fee, &booking.currency)))));
    }
    if let Some(attendance) = booking.attendance {
        rows.push(("Attendance".to_owned(), text(attendance.label().to_owned())));
    }
    if one.stands() && !one.begun(cx) {
        rows.push(("Cancelling".to_owned(), text(cancelling(one, cx.now()))));
        rows.push(("Moving".to_owned(), text(moving(one, cx.now()))));
    }
    if !booking.note.is_empty() {
        rows.push(("Note".to_owned(), lines(&booking.note)));
    }
    if let Some(reason) = &booking.cancel_reason {
        rows.push(("Reason".to_owned(), lines(reason)));
    }
    ui::facts(rows)
}

fn text(text: String) -> AnyView {
    view! { <span>{text}</span> }.into_any()
}

/// A text with its line breaks.
fn lines(text: &str) -> AnyView {
    let parts: Vec<AnyView> = text
        .lines()
        .map(|line| {
            let line = line.to_owned();
            view! { <bdi>{line}</bdi><br/> }.into_any()
        })
        .collect();
    view! { <span>{parts}</span> }.into_any()
}

/// When it got its time, and how often its student has moved it.
fn moved(one: &One, at: Instant) -> AnyView {
    let word = &one.tenant.words().student;
    let often = match one.booking.moves {
        0 => String::new(),
        1 => format!(", once by the {word}"),
        times => format!(", {times} times by the {word}"),
    };
    let on = ui::time(&one.tenant.zone, at, day_and_clock(&one.tenant, at));
    view! { <span>{on}{often}</span> }.into_any()
}

/// "3 of 8 seats are taken"; whose, is for those who teach.
fn seats(one: &One) -> Option<AnyView> {
    let (taken, capacity) = one.booking.seats?;
    let said = format!("{taken} of {capacity} seats are taken");
    let group = one.booking.group.filter(|_| one.teaches()).map(|group| {
        let href = one.path(&format!("groups/{group}"));
        view! { " "<a href=href>"See who comes"</a> }
    });
    Some(view! { <span>{said}{group}</span> }.into_any())
}

/// "4th of 12, weekly".
fn series(one: &One) -> Option<AnyView> {
    let ((id, place), series) = (one.booking.series?, one.series.as_ref()?);
    let said = format!("{} of {}, {} ", ordinal(place), series.total, series.every);
    // Without a first day the list would begin today.
    let href = one.path(&format!("bookings?series={id}&from="));
    let label = format!("All {}s of the series", one.tenant.words().lesson);
    Some(view! { <span>{said}<a href=href>{label}</a></span> }.into_any())
}

/// "1st", "2nd", "3rd", "11th".
fn ordinal(number: i32) -> String {
    let end = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}

fn price(one: &One) -> String {
    match one.booking.pack {
        Some(_) => format!("1 {} of the pack", one.tenant.words().lesson),
        None => ui::capital(&ui::money(one.booking.price_minor, &one.booking.currency)),
    }
}

/// The rule of cancelling.
pub(super) fn cancelling(one: &One, now: Instant) -> String {
    let money = |minor| ui::money(minor, &one.booking.currency);
    cancel_terms_of(&one.booking, &one.tenant.zone, one.tenant.words(), money, now)
}

/// The rule of moving, or why it can't be moved.
fn moving(one: &One, now: Instant) -> String {
    let booking = &one.booking;
    if one.actor.role == Role::Student
        && let Err(why) = may_move(booking, Canceller::Student, now)
    {
        return why;
    }
    let zone = &one.tenant.zone;
    move_terms(zone, one.tenant.words(), &booking.terms, booking.moves, booking.starts_at, now)
}

#[cfg(test)]
mod tests {
    use super::ordinal;

    #[test]
    fn places_in_a_series() {
        let written = [1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111].map(ordinal);
        let expected = ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "101st", "111th"];
        assert_eq!(written, expected);
    }
}
