//! A day: hours down, one column for each instructor or for each room, car or chair.

use std::borrow::Cow;

use domain::{
    booking::calendar::{By, Lesson, Person},
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::{
    Board,
    column::{Column, Names, beside},
    grid::{self, Hours},
};
use crate::pages::booking::name;

/// The columns of the day.
pub(super) fn columns(board: &Board) -> AnyView {
    match board.by {
        By::Instructors => people(board),
        By::Resources => units(board),
    }
}

fn people(board: &Board) -> AnyView {
    let zone = &board.tenant.zone;
    let closed = board.found.holidays.get(&board.from).map(String::as_str);
    let people = present(board);
    let openings = people.iter().flat_map(|person| person.openings(board.from, closed.is_some()));
    let hours = Hours::around(openings.chain(taken(board)));
    let columns = people
        .iter()
        .map(|person| Column {
            head: head(&board.tenant, person),
            day: board.from,
            instructor: Some(person.id),
            off: grid::off(zone, person, board.from, closed, hours),
            lessons: grid::on_day(
                zone,
                board.from,
                board.found.lessons.iter().filter(|lesson| lesson.instructor == person.id),
            ),
        })
        .collect();
    beside(board, hours, Names::Student, columns)
}

/// Those shown, and whoever else has lessons: who was removed, or isn't among the first.
fn present(board: &Board) -> Vec<Cow<'_, Person>> {
    let mut people: Vec<Cow<'_, Person>> = board.found.people.iter().map(Cow::Borrowed).collect();
    for lesson in &board.found.lessons {
        if !people.iter().any(|person| person.id == lesson.instructor) {
            people.push(Cow::Owned(Person::gone(lesson.instructor, lesson.instructor_name.clone())));
        }
    }
    people
}

fn head(tenant: &Tenant, person: &Person) -> AnyView {
    let href = format!("/t/{}/instructors/{}", tenant.slug, person.id);
    view! { <a href=href>{name(&person.name)}</a> }.into_any()
}

fn units(board: &Board) -> AnyView {
    let zone = &board.tenant.zone;
    let hours = Hours::around(taken(board));
    let shown = board.found.units.iter().filter(|unit| board.found.one.is_none_or(|one| one == unit.id));
    let columns = shown
        .map(|unit| Column {
            head: name(&unit.label()),
            day: board.from,
            instructor: None,
            off: Vec::new(),
            lessons: grid::on_day(
                zone,
                board.from,
                board.found.lessons.iter().filter(|lesson| lesson.units.contains(&unit.id)),
            ),
        })
        .collect();
    beside(board, hours, Names::Both, columns)
}

/// The minutes of the day that lessons take.
fn taken(board: &Board) -> impl Iterator<Item = (i16, i16)> {
    let minutes = move |lesson: &Lesson| {
        grid::minutes(&board.tenant.zone, board.from, lesson.starts_at, lesson.ends_at)
    };
    board.found.lessons.iter().filter_map(minutes)
}
