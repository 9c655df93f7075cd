//! The calendar (BK-14): hours down, people, resources or days across; and the same lessons as a list.

use std::collections::BTreeMap;

use domain::{
    Instant,
    authz::{Action, Actor, Reach},
    booking::calendar::{self, Asked, By, Calendar, Chosen, Kind, Lesson, MOST, MOST_COLUMNS},
    paging,
    tenancy::Tenant,
};
use jiff::{ToSpan, civil::Date};
use leptos::prelude::*;
use uuid::Uuid;

use super::name;
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    islands::calendar_drag::CalendarDrag,
    ui,
};

mod column;
mod day;
mod grid;
mod list;
mod week;

/// How many days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    Day,
    Week,
}

/// The calendar and what it was asked for.
struct Board {
    tenant: Tenant,
    actor: Actor,
    span: Span,
    by: By,
    /// The day asked for.
    day: Date,
    /// First day shown.
    from: Date,
    /// First day after those.
    to: Date,
    found: Calendar,
    now: Instant,
}

/// The page.
pub async fn page(mut cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let (tenant, actor) = (scope.tenant().clone(), scope.actor().clone());
    let day = cx.query("date").and_then(paging::day).unwrap_or_else(|| tenant.zone.date(cx.now()));
    let span = if cx.query("view") == Some("week") { Span::Week } else { Span::Day };
    let by = if cx.query("by") == Some("resources") && actor.reach(Action::ViewCalendar) == Reach::All {
        By::Resources
    } else {
        By::Instructors
    };
    let (from, to) = days(span, day);
    let asked = Asked { from, to, by, chosen: chosen(cx.query(across(by)), span) };
    let found = calendar::calendar(&mut scope, asked).await?;
    // The field shows who is shown.
    if let (Span::Week, Some(one)) = (span, found.one) {
        cx.query.insert(across(by).into(), one.to_string());
    }
    let now = cx.now();
    let board = Board { tenant, actor, span, by, day, from, to, found, now };
    let title = format!("Calendar, {}", title(span, from, to));
    Ok(Doc::new(title, Frame::member(&scope, "calendar"), move || draw(&cx, &board)).with_islands())
}

/// The days shown: the one asked for, or its week from Monday on.
fn days(span: Span, day: Date) -> (Date, Date) {
    match span {
        Span::Day => (day, day.saturating_add(1.day())),
        Span::Week => {
            let monday = day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days());
            (monday, monday.saturating_add(7.days()))
        }
    }
}

/// The parameter that chooses one of what stands across.
fn across(by: By) -> &'static str {
    match by {
        By::Instructors => "instructor",
        By::Resources => "resource",
    }
}

/// A week is that of one, the first unless another is chosen; a day is that of all.
fn chosen(asked: Option<&str>, span: Span) -> Chosen {
    let week = span == Span::Week;
    match asked.unwrap_or("") {
        "all" => Chosen::All,
        text => match text.parse() {
            Ok(id) => Chosen::One { id, or_first: week },
            Err(_) if week => Chosen::First,
            Err(_) => Chosen::All,
        },
    }
}

/// "Tue 30 Mar 2026", "30 Mar – 5 Apr 2026".
fn title(span: Span, from: Date, to: Date) -> String {
    let last = to.yesterday().unwrap_or(to);
    match span {
        Span::Day => from.strftime("%a %-d %b %Y").to_string(),
        Span::Week if from.year() == last.year() => {
            format!("{} – {}", from.strftime("%-d %b"), last.strftime("%-d %b %Y"))
        }
        Span::Week => format!("{} – {}", from.strftime("%-d %b %Y"), last.strftime("%-d %b %Y")),
    }
}

fn draw(cx: &Cx, board: &Board) -> AnyView {
    let tenant = &board.tenant;
    let lessons = format!("{}s", tenant.words().lesson);
    let whose = match whose(board) {
        Some(name) => format!("{name}, {}", tenant.name),
        None => tenant.name.clone(),
    };
    let lead = format!("{} of {whose}", ui::capital(&lessons));
    let actions = view! {
        {ui::link_button(format!("/t/{}/attendance?date={}", tenant.slug, board.day), "Attendance", false)}
        {ui::link_button(format!("/t/{}/bookings", tenant.slug), &format!("All {lessons}"), false)}
    };
    let drawn = match (board.span, board.by, board.found.one) {
        (_, By::Resources, _) if board.found.units.is_empty() => no_resources(board),
        (Span::Week, _, None) => week::listed(board),
        (Span::Week, _, Some(_)) => week::one(board),
        (Span::Day, ..) => day::columns(board),
    };
    let shown = view! {
        {notes(board)}
        {drawn}
        {list::table(board)}
    };
    view! {
        {ui::page_head(&title(board.span, board.from, board.to), Some(lead), actions.into_any())}
        {steps(cx, board)}
        {bar(cx, board)}
        <p id="calendar-said" class="cal-said" role="status"></p>
        {ui::live(format!("/t/{}/live", tenant.slug), "cal-page", shown.into_any())}
        <CalendarDrag tenant=tenant.slug.clone()/>
    }
    .into_any()
}

/// Who or which alone is shown.
fn whose(board: &Board) -> Option<String> {
    let one = board.found.one?;
    match board.by {
        By::Instructors => {
            board.found.names.iter().find(|named| named.id.0 == one).map(|named| named.name.clone())
        }
        By::Resources => board.found.units.iter().find(|unit| unit.id == one).map(|unit| unit.label()),
    }
}

fn no_resources(board: &Board) -> AnyView {
    let act = if board.actor.reach(Action::EditResources) == Reach::All {
        ui::link_button(format!("/t/{}/resources/new", board.tenant.slug), "New resource", true)
    } else {
        ().into_any()
    };
    ui::empty(
        "No resources",
        "Rooms, cars and chairs that services take appear here, each with its own column.",
        act,
    )
}

/// The days before and after, the switches of view and of what stands across.
fn steps(cx: &Cx, board: &Board) -> AnyView {
    let (step, unit) = match board.span {
        Span::Day => (1.day(), " day"),
        Span::Week => (7.days(), " week"),
    };
    let before = board.day.saturating_sub(step).to_string();
    let after = board.day.saturating_add(step).to_string();
    let (earlier, later) = (cx.link(&[("date", &before)]), cx.link(&[("date", &after)]));
    // Three buttons in a line on a phone; whoever hears them hears the whole.
    let hidden = || view! { <span class="visually-hidden">{unit}</span> };
    let today = cx.link(&[("date", "")]);
    // Who is chosen for a week isn't for a day, where all stand side by side.
    let spans = [
        ("Day", cx.link(&[("view", "day"), (across(board.by), "")]), board.span == Span::Day),
        ("Week", cx.link(&[("view", "week")]), board.span == Span::Week),
    ];
    let people = format!("{}s", ui::capital(&board.tenant.words().instructor));
    let to = |by: &str| cx.link(&[("by", by), ("instructor", ""), ("resource", "")]);
    let all = board.actor.reach(Action::ViewCalendar) == Reach::All;
    let bys = all.then(|| {
        let choices = [
            (people.as_str(), to("instructors"), board.by == By::Instructors),
            ("Resources", to("resources"), board.by == By::Resources),
        ];
        switch("Across", choices)
    });
    view! {
        <div class="row cal-steps">
            <nav class="row" aria-label="Days">
                <a class="button" rel="prev" href=earlier>{ui::icon("arrow-left")}<span>"Previous"{hidden()}</span></a>
                <a class="button" href=today>"Today"</a>
                <a class="button" rel="next" href=later><span>"Next"{hidden()}</span>{ui::icon("arrow-right")}</a>
            </nav>
            {switch("View", spans)}
            {bys}
        </div>
    }
    .into_any()
}

/// One of two, as links.
fn switch(label: &'static str, choices: [(&str, String, bool); 2]) -> AnyView {
    let links: Vec<AnyView> = choices
        .into_iter()
        .map(|(label, href, here)| {
            let (label, current) = (label.to_owned(), here.then_some("true"));
            view! { <a href=href aria-current=current>{label}</a> }.into_any()
        })
        .collect();
    view! { <nav class="switch" aria-label=label>{links}</nav> }.into_any()
}

/// The day, and whose.
fn bar(cx: &Cx, board: &Board) -> AnyView {
    let kept: Vec<AnyView> = ["view", "by"]
        .into_iter()
        .filter_map(|field| Some((field, cx.query(field).filter(|value| !value.is_empty())?.to_owned())))
        .map(|(field, value)| view! { <input type="hidden" name=field value=value/> }.into_any())
        .collect();
    let action = cx.path.clone();
    let day = board.day.to_string();
    view! {
        <form class="filter-bar" method="get" action=action>
            {kept}
            <label class="filter-select">
                <span>"Date"</span>
                <input type="date" name="date" value=day/>
            </label>
            {choose(cx, board)}
            <button type="submit" class="button">"Show"</button>
            <p class="filter-total" id="filter-total">{ui::plural(board.found.lessons.len() as i64, &board.tenant.words().lesson)}</p>
        </form>
    }
    .into_any()
}

/// Who or what to choose from; nothing for those who see their own days only.
fn choose(cx: &Cx, board: &Board) -> AnyView {
    if board.actor.reach(Action::ViewCalendar) != Reach::All {
        return ().into_any();
    }
    let all = if board.span == Span::Week { "all" } else { "" };
    let (word, options): (&str, Vec<(String, String)>) = match board.by {
        By::Instructors => {
            let people = board.found.names.iter().map(|one| (one.id.to_string(), one.name.clone())).collect();
            (&board.tenant.words().instructor, people)
        }
        By::Resources => {
            let units = board.found.units.iter().map(|unit| (unit.id.to_string(), unit.label())).collect();
            ("resource", units)
        }
    };
    let mut choices = vec![(all.to_owned(), format!("All {word}s"))];
    choices.extend(options);
    ui::filter_select(cx, across(board.by), &ui::capital(word), choices)
}

/// What to know about what is shown.
fn notes(board: &Board) -> AnyView {
    let mut lines: Vec<String> = board
        .found
        .holidays
        .iter()
        .map(|(day, name)| format!("{}: {name}. The school is closed.", day.strftime("%a %-d %b")))
        .collect();
    if board.found.cut {
        let lesson = &board.tenant.words().lesson;
        let most = ui::count(MOST as i64);
        lines.push(format!(
            "Only the first {most} {lesson}s are shown. Choose a day or someone to see the rest."
        ));
    }
    let people = board.found.names.len() as i64;
    if board.by == By::Instructors && board.found.one.is_none() && people > MOST_COLUMNS {
        let (first, of) = (ui::count(MOST_COLUMNS), ui::count(people));
        let word = &board.tenant.words().instructor;
        lines.push(format!("Side by side are the first {first} of {of} {word}s and all who have lessons."));
    }
    let lines: Vec<AnyView> =
        lines.into_iter().map(|line| view! { <p class="record-note">{line}</p> }.into_any()).collect();
    lines.into_any()
}

/// Where a lesson's own page is.
fn href(board: &Board, lesson: &Lesson) -> String {
    let slug = &board.tenant.slug;
    match lesson.kind {
        Kind::Single(id) => format!("/t/{slug}/bookings/{id}"),
        Kind::Group { id, .. } => format!("/t/{slug}/groups/{id}"),
    }
}

/// "16:00–17:00".
fn clocks(board: &Board, lesson: &Lesson) -> String {
    let zone = &board.tenant.zone;
    format!("{}–{}", zone.clock(lesson.starts_at), zone.clock(lesson.ends_at))
}

/// The student, or how many seats are taken.
fn who(lesson: &Lesson) -> AnyView {
    match lesson.kind {
        Kind::Single(_) => name(&lesson.student_name),
        Kind::Group { taken, capacity, .. } => {
            let text = format!("{taken} of {capacity}");
            view! { <span>{text}</span> }.into_any()
        }
    }
}

/// The colour of its service as a bar. Colours are the school's, so they can't be classes; as an attribute of a shape one
/// needs no style in the page.
fn colour(lesson: &Lesson) -> AnyView {
    let Some(colour) = &lesson.colour else {
        return view! { <span class="cal-bar" aria-hidden="true"></span> }.into_any();
    };
    // Only digits of colours are put in here: the database holds nothing else.
    let inside = format!(r#"<rect width="100%" height="100%" fill="{colour}"/>"#);
    view! { <svg class="cal-bar" aria-hidden="true" focusable="false" inner_html=inside></svg> }.into_any()
}

/// Names of units by their ids.
fn units(board: &Board) -> BTreeMap<Uuid, String> {
    board.found.units.iter().map(|unit| (unit.id, unit.label())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn a_week_begins_on_monday() {
        assert_eq!(days(Span::Week, day("2026-03-29")), (day("2026-03-23"), day("2026-03-30")));
        assert_eq!(days(Span::Week, day("2026-03-30")), (day("2026-03-30"), day("2026-04-06")));
        assert_eq!(days(Span::Day, day("2026-03-30")), (day("2026-03-30"), day("2026-03-31")));
    }

    #[test]
    fn titles_say_the_days() {
        assert_eq!(title(Span::Day, day("2026-03-30"), day("2026-03-31")), "Mon 30 Mar 2026");
        assert_eq!(title(Span::Week, day("2026-03-30"), day("2026-04-06")), "30 Mar – 5 Apr 2026");
        assert_eq!(title(Span::Week, day("2026-12-28"), day("2027-01-04")), "28 Dec 2026 – 3 Jan 2027");
    }

    #[test]
    fn a_week_is_of_one_and_a_day_of_all() {
        assert_eq!(chosen(None, Span::Week), Chosen::First);
        assert_eq!(chosen(Some("all"), Span::Week), Chosen::All);
        assert_eq!(chosen(Some("nonsense"), Span::Day), Chosen::All);
        let id = Uuid::from_u128(7);
        let asked = id.to_string();
        assert_eq!(chosen(Some(&asked), Span::Day), Chosen::One { id, or_first: false });
    }
}
