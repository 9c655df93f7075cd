//! Columns of hours beside each other, with the lessons in them.

use domain::{
    authz::{Action, Reach},
    booking::{
        Status,
        calendar::{Kind, Lesson},
    },
    ids::InstructorId,
};
use jiff::civil::Date;
use leptos::prelude::*;

use super::{
    Board, clocks, colour,
    grid::{self, Hours, Off, Place, Rows},
    href, who,
};
use crate::pages::booking::name;

/// A column.
pub(super) struct Column<'a> {
    /// What stands above it.
    pub(super) head: AnyView,
    /// Its local day.
    pub(super) day: Date,
    /// Who gives what is put here; none for whoever gives it already.
    pub(super) instructor: Option<InstructorId>,
    /// When nothing is to be had.
    pub(super) off: Vec<Off>,
    /// Its lessons and their minutes, in order of start.
    pub(super) lessons: Vec<((i16, i16), &'a Lesson)>,
}

/// Whom a lesson names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// The student: the column says who gives it.
    Student,
    /// Student and instructor.
    Both,
}

/// The columns beside their hours, in a box of their own that scrolls.
pub(super) fn beside(board: &Board, hours: Hours, names: Names, columns: Vec<Column<'_>>) -> AnyView {
    let clocks: Vec<AnyView> = hours
        .each()
        .map(|hour| {
            let clock = format!("{hour:02}:00");
            view! { <span>{clock}</span> }.into_any()
        })
        .collect();
    let columns: Vec<AnyView> = columns.into_iter().map(|column| draw(board, hours, names, column)).collect();
    let (label, first) = (super::title(board.span, board.from, board.to), hours.from.to_string());
    // On paper all hours share one sheet.
    let class = match hours.each().count() {
        ..=11 => "cal",
        12..=16 => "cal long",
        _ => "cal longest",
    };
    view! {
        <div class=class id="calendar" role="region" aria-label=label tabindex="0" data-hour=first>
            <div class="cal-grid">
                <div class="cal-column cal-times" aria-hidden="true">
                    <div class="cal-head"></div>
                    <div class="cal-hours">{clocks}</div>
                </div>
                {columns}
            </div>
        </div>
    }
    .into_any()
}

fn draw(board: &Board, hours: Hours, names: Names, column: Column<'_>) -> AnyView {
    let Column { head, day, instructor, off, lessons } = column;
    let minutes: Vec<(i16, i16)> = lessons.iter().map(|(minutes, _)| *minutes).collect();
    let blocks: Vec<AnyView> = grid::lay(&minutes, hours)
        .into_iter()
        .zip(lessons)
        .map(|(place, (_, lesson))| block(board, day, place, names, lesson))
        .collect();
    let off: Vec<AnyView> = off.into_iter().map(hatched).collect();
    let line = grid::now(&board.tenant.zone, day, board.now, hours).map(now_line);
    let (date, instructor) = (day.to_string(), instructor.map(|id| id.to_string()));
    view! {
        <section class="cal-column">
            <h2 class="cal-head">{head}</h2>
            <div class="cal-body" data-date=date data-instructor=instructor>
                {off}
                {blocks}
                {line}
            </div>
        </section>
    }
    .into_any()
}

/// A stretch in which nothing is to be had: hatched, with the reason where there is one to give.
fn hatched(off: Off) -> AnyView {
    let class = format!("cal-off {}", off.rows.class());
    if off.why.is_empty() {
        return view! { <div class=class aria-hidden="true"></div> }.into_any();
    }
    let (why, title) = (off.why.clone(), off.why);
    view! { <p class=class title=title><bdi>{why}</bdi></p> }.into_any()
}

fn now_line(rows: Rows) -> AnyView {
    let class = format!("cal-now {}", rows.class());
    view! { <div class=class aria-hidden="true"></div> }.into_any()
}

/// A lesson: who, when, what, where; the whole of it is the link. What begins on this day and may be moved says what
/// islands/calendar_drag.rs needs for that.
fn block(board: &Board, day: Date, place: Place, names: Names, lesson: &Lesson) -> AnyView {
    let class = match lesson.status {
        Status::Requested => format!("cal-lesson requested {}", place.class()),
        _ => format!("cal-lesson {}", place.class()),
    };
    let zone = &board.tenant.zone;
    let booking = movable(board, lesson).filter(|_| zone.date(lesson.starts_at) == day);
    let instructor = booking.is_some().then(|| lesson.instructor.to_string());
    let time = booking.is_some().then(|| zone.clock(lesson.starts_at));
    let rows = place.rows.len.to_string();
    view! {
        <a
            class=class
            href=href(board, lesson)
            title=said(board, lesson)
            data-booking=booking
            data-instructor=instructor
            data-time=time
            data-rows=rows
        >
            {colour(lesson)}
            {content(board, names, lesson)}
        </a>
    }
    .into_any()
}

/// What a lesson says of itself.
pub(super) fn content(board: &Board, names: Names, lesson: &Lesson) -> AnyView {
    let state = (lesson.status != Status::Confirmed)
        .then(|| view! { <span class="cal-state">{lesson.status.label()}</span> });
    let instructor = (names == Names::Both)
        .then(|| view! { <span class="cal-line">{name(&lesson.instructor_name)}</span> });
    let place =
        (!lesson.pickup.is_empty()).then(|| view! { <span class="cal-line">{name(&lesson.pickup)}</span> });
    let when = clocks(board, lesson);
    // The service stands for those who come to a lesson for several.
    let (first, second) = match lesson.kind {
        Kind::Single(_) => (who(lesson), name(&lesson.service_name)),
        Kind::Group { .. } => (name(&lesson.service_name), who(lesson)),
    };
    view! {
        <span class="cal-text">
            <span class="cal-line"><strong>{first}</strong>" " {state}</span>
            <span class="cal-line num">{when}</span>
            <span class="cal-line">{second}</span>
            {instructor}
            {place}
        </span>
    }
    .into_any()
}

/// All of it in a line, for where the block is too small.
fn said(board: &Board, lesson: &Lesson) -> String {
    let mut parts = vec![clocks(board, lesson)];
    parts.push(match lesson.kind {
        Kind::Single(_) => lesson.student_name.clone(),
        Kind::Group { taken, capacity, .. } => format!("{taken} of {capacity}"),
    });
    parts.push(lesson.service_name.clone());
    parts.push(lesson.instructor_name.clone());
    if !lesson.pickup.is_empty() {
        parts.push(lesson.pickup.clone());
    }
    if lesson.status != Status::Confirmed {
        parts.push(lesson.status.label().to_owned());
    }
    parts.join(", ")
}

/// The id of a lesson that the one who looks may give another time.
fn movable(board: &Board, lesson: &Lesson) -> Option<String> {
    let Kind::Single(id) = lesson.kind else { return None };
    let open = matches!(lesson.status, Status::Requested | Status::Confirmed) && board.now < lesson.starts_at;
    let may = match board.actor.reach(Action::MoveBooking) {
        Reach::All => true,
        Reach::Own => board.actor.instructor() == Some(lesson.instructor),
        Reach::None => false,
    };
    (open && may).then(|| id.to_string())
}
