//! A week: the seven days of one instructor or unit by the hour, or the lessons of all in order.

use domain::booking::{
    Status,
    calendar::{By, Lesson, Person},
};
use jiff::civil::Date;
use leptos::prelude::*;

use super::{
    Board, colour,
    column::{Column, Names, beside, content},
    grid::{self, Hours, Off, Rows},
    href,
};

/// The days shown.
fn days(board: &Board) -> Vec<Date> {
    let mut days = Vec::new();
    let mut day = board.from;
    while day < board.to {
        days.push(day);
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    days
}

/// "Mon 30 Mar", marked when it is today, with the holiday it is.
fn head(board: &Board, day: Date) -> AnyView {
    let today = board.tenant.zone.date(board.now) == day;
    let current = today.then_some("date");
    let (text, date) = (day.strftime("%a %-d %b").to_string(), day.to_string());
    let holiday = board.found.holidays.get(&day).cloned();
    let holiday = holiday.map(|holiday| view! { <small><bdi>{holiday}</bdi></small> });
    view! { <time datetime=date aria-current=current>{text}</time> {holiday} }.into_any()
}

/// The week of the one who or which is chosen, by the hour.
pub(super) fn one(board: &Board) -> AnyView {
    let zone = &board.tenant.zone;
    let days = days(board);
    let person = board.found.people.first().filter(|_| board.by == By::Instructors);
    let holiday = |day: &Date| board.found.holidays.get(day).map(String::as_str);
    let opening = |day: &Date, person: &Person| person.openings(*day, holiday(day).is_some());
    let openings = days.iter().flat_map(|day| person.map(|person| opening(day, person)).unwrap_or_default());
    let taken = days.iter().flat_map(|day| {
        let minutes = move |lesson: &Lesson| grid::minutes(zone, *day, lesson.starts_at, lesson.ends_at);
        board.found.lessons.iter().filter_map(minutes)
    });
    let hours = Hours::around(openings.chain(taken));
    let columns = days
        .iter()
        .map(|day| Column {
            head: head(board, *day),
            day: *day,
            instructor: person.map(|person| person.id),
            off: match person {
                Some(person) => grid::off(zone, person, *day, holiday(day), hours),
                None => holiday(day).map(|name| closed(name, hours)).into_iter().collect(),
            },
            lessons: grid::on_day(zone, *day, board.found.lessons.iter()),
        })
        .collect();
    let names = if person.is_some() { Names::Student } else { Names::Both };
    beside(board, hours, names, columns)
}

/// A room, a car or a chair has no hours, but the school is closed all the same.
fn closed(holiday: &str, hours: Hours) -> Off {
    Off { rows: Rows { first: 0, len: hours.each().count() * 4 }, why: holiday.to_owned() }
}

/// The week of all: each day a column that lists its lessons by time.
pub(super) fn listed(board: &Board) -> AnyView {
    let days: Vec<AnyView> = days(board).into_iter().map(|day| listed_day(board, day)).collect();
    let label = super::title(board.span, board.from, board.to);
    view! {
        <div class="cal" role="region" aria-label=label tabindex="0">
            <div class="cal-days">{days}</div>
        </div>
    }
    .into_any()
}

fn listed_day(board: &Board, day: Date) -> AnyView {
    let zone = &board.tenant.zone;
    let lessons: Vec<&Lesson> =
        board.found.lessons.iter().filter(|lesson| zone.date(lesson.starts_at) == day).collect();
    let list = if lessons.is_empty() {
        let text = format!("No {}s", board.tenant.words().lesson);
        view! { <p class="quiet cal-none">{text}</p> }.into_any()
    } else {
        let items: Vec<AnyView> = lessons.into_iter().map(|lesson| item(board, lesson)).collect();
        view! { <ol>{items}</ol> }.into_any()
    };
    view! {
        <section class="cal-day">
            <h2 class="cal-head">{head(board, day)}</h2>
            {list}
        </section>
    }
    .into_any()
}

fn item(board: &Board, lesson: &Lesson) -> AnyView {
    let class = match lesson.status {
        Status::Requested => "cal-lesson requested",
        _ => "cal-lesson",
    };
    view! {
        <li>
            <a class=class href=href(board, lesson)>
                {colour(lesson)}
                {content(board, Names::Both, lesson)}
            </a>
        </li>
    }
    .into_any()
}
