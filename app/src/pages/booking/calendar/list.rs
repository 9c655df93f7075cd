//! The lessons of the calendar as a list: everything in it, for those who read from top to bottom.

use domain::{
    authz::{Action, Reach},
    booking::calendar::{By, Lesson},
};
use leptos::prelude::*;

use super::{Board, href, units, who};
use crate::{pages::booking::name, ui};

/// The list, by start.
pub(super) fn table(board: &Board) -> AnyView {
    let words = board.tenant.words();
    if board.found.lessons.is_empty() {
        let text = "What is booked for these days appears here, by time.";
        let empty = ui::empty(&format!("No {}s", words.lesson), text, ().into_any());
        return view! { <section class="cal-list">{empty}</section> }.into_any();
    }
    let all = board.actor.reach(Action::ViewCalendar) == Reach::All;
    let resources = board.by == By::Resources;
    let (student, instructor) = (ui::capital(&words.student), ui::capital(&words.instructor));
    let names = units(board);
    let rows: Vec<AnyView> = board
        .found
        .lessons
        .iter()
        .map(|lesson| {
            let taken = resources.then(|| {
                let taken: Vec<&str> =
                    lesson.units.iter().filter_map(|unit| names.get(unit).map(String::as_str)).collect();
                cell("Resource", name(&taken.join(", ")))
            });
            row(board, lesson, all, taken)
        })
        .collect();
    view! {
        <section class="cal-list">
            <h2>"As a list"</h2>
            {ui::table("compact", view! {
                <th scope="col">"Time"</th>
                <th scope="col">{student}</th>
                {all.then(|| view! { <th scope="col">{instructor}</th> })}
                <th scope="col">"Service"</th>
                <th scope="col">"Place"</th>
                {resources.then(|| view! { <th scope="col">"Resource"</th> })}
                <th scope="col">"Status"</th>
            }, rows)}
        </section>
    }
    .into_any()
}

fn row(board: &Board, lesson: &Lesson, all: bool, taken: Option<AnyView>) -> AnyView {
    let (zone, words) = (&board.tenant.zone, board.tenant.words());
    let when = ui::time(zone, lesson.starts_at, zone.span(lesson.starts_at, lesson.ends_at, board.now));
    let pickup = if lesson.pickup.is_empty() { ().into_any() } else { name(&lesson.pickup) };
    view! {
        <tr>
            <th scope="row"><a href=href(board, lesson)>{when}</a></th>
            {cell(&words.student, who(lesson))}
            {all.then(|| cell(&words.instructor, name(&lesson.instructor_name)))}
            {cell("Service", name(&lesson.service_name))}
            {cell("Place", pickup)}
            {taken}
            {cell("Status", ui::status_badge(lesson.status.as_str()))}
        </tr>
    }
    .into_any()
}

fn cell(label: &str, content: AnyView) -> AnyView {
    let label = ui::capital(label);
    view! { <td data-label=label>{content}</td> }.into_any()
}
