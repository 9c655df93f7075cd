//! "Why is this time not free?" (BK-05): a time typed by hand, and what is against it.

use domain::{
    Instant,
    availability::WhyNot,
    booking::{local_time, wall_clock},
    zoned::{LocalTime, Zone},
};
use leptos::prelude::*;

use super::{Book, Week, Wish, waiting};
use crate::{
    cx::{Cx, Form},
    pages::booking::{day_and_clock, times},
    ui::{self, Field, Kind},
};

/// The question under the times, and its answer.
pub(in crate::pages::booking) fn why(cx: &Cx, book: &Book, week: &Week) -> AnyView {
    let typed = cx.query("time").unwrap_or("").to_owned();
    let answer = (!typed.is_empty()).then(|| answer(cx, book, week, &typed));
    let open = answer.is_some();
    let hidden: Vec<AnyView> = book
        .hidden()
        .into_iter()
        .filter(|(name, _)| *name != "tenant")
        .chain([("date", week.shown().to_string())])
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> }.into_any())
        .collect();
    let action = cx.path.clone();
    let help = format!("On {}.", week.shown().strftime("%a %-d %b"));
    let field = Field::time_of_day("time", "Time").value(typed).help(help).required();
    view! {
        <details open=open>
            <summary>"A time you wanted isn't here?"</summary>
            <div class="stack tight">
                <form class="inline" method="get" action=action>
                    {hidden}
                    {field.view(&Form::default(), "")}
                    {ui::button("Ask why", Kind::Plain)}
                </form>
                <div role="status">{answer}</div>
            </div>
        </details>
    }
    .into_any()
}

fn answer(cx: &Cx, book: &Book, week: &Week, typed: &str) -> AnyView {
    let zone = &book.tenant.zone;
    match moments(zone, &week.shown().to_string(), typed) {
        Ok(moments) => {
            let twice = moments.len() > 1;
            let answers: Vec<AnyView> = moments
                .into_iter()
                .enumerate()
                .map(|(place, at)| {
                    let clock = times::clock(zone, at, twice);
                    let key = format!("ask{place}-");
                    match week.why(at, cx.now()) {
                        None => free(cx, book, &key, (at, clock)),
                        Some(cause) => taken(cx, book, week, &key, (at, clock), &cause),
                    }
                })
                .collect();
            view! { <div class="stack tight">{answers}</div> }.into_any()
        }
        Err(message) => view! { <p>{message}</p> }.into_any(),
    }
}

/// The moments that a typed time stands for: two when the clock shows it twice.
fn moments(zone: &Zone, date: &str, time: &str) -> Result<Vec<Instant>, String> {
    let wall = wall_clock(date, time).map_err(said)?;
    match zone.resolve(wall) {
        LocalTime::Once(at) => Ok(vec![at]),
        LocalTime::Twice(first, second) => Ok(vec![first, second]),
        LocalTime::Never => local_time(zone, date, time, "").map(|at| vec![at]).map_err(said),
    }
}

/// What is wrong with what was typed.
fn said(error: domain::Error) -> String {
    match error {
        domain::Error::Invalid(found) => found.0.into_values().next(),
        _ => None,
    }
    .unwrap_or_else(|| "Type a time such as 09:30.".into())
}

fn free(cx: &Cx, book: &Book, key: &str, (at, clock): (Instant, String)) -> AnyView {
    let text = format!("{clock} is free.");
    let body = view! { <div class="time-grid">{times::pick(cx, book, at, clock, None, false)}</div> };
    view! {
        <p>{text}</p>
        {times::form(cx, book, key, body.into_any())}
    }
    .into_any()
}

fn taken(
    cx: &Cx,
    book: &Book,
    week: &Week,
    key: &str,
    (at, clock): (Instant, String),
    cause: &WhyNot,
) -> AnyView {
    let text = format!("{clock} isn't free. {}", cause.message(book.tenant.words()));
    let near: Vec<AnyView> = week
        .near(at)
        .into_iter()
        .map(|near| times::pick(cx, book, near, day_and_clock(&book.tenant, near), None, false))
        .collect();
    let near = (!near.is_empty()).then(|| {
        let body = view! { <div class="time-grid wide">{near}</div> };
        view! {
            <p>"The nearest free times:"</p>
            {times::form(cx, book, key, body.into_any())}
        }
    });
    let wait = Wish::may_come_true(cause).then(|| waiting(cx, book, &format!("{key}wait-"), Wish::Time(at)));
    view! {
        <p>{text}</p>
        {near}
        {wait.flatten()}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_time_is_one_moment_or_two_or_none() {
        let zone = Zone::parse("Europe/Berlin").unwrap();
        assert_eq!(moments(&zone, "2027-01-15", "10:15").unwrap().len(), 1);
        assert_eq!(moments(&zone, "2027-10-31", "02:30").unwrap().len(), 2);
        assert!(moments(&zone, "2027-03-28", "02:30").unwrap_err().contains("skips 02:30"));
        assert_eq!(moments(&zone, "2027-01-15", "soon").unwrap_err(), "Type a time such as 09:30.");
    }
}
