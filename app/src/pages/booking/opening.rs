//! When a school is open, for its public page.

use domain::availability::{
    WeeklyHour,
    hours::{DAYS, clock_text},
};
use leptos::prelude::*;

use crate::ui;

/// The week, days with the same hours together; nothing when the school hasn't said. Not a promise of free times:
/// those are what the instructors' hours leave.
pub(super) fn opening(hours: &[WeeklyHour]) -> AnyView {
    if hours.is_empty() {
        return ().into_any();
    }
    let rows = week(hours)
        .into_iter()
        .map(|(days, hours)| (days, view! { <span class="num">{hours}</span> }.into_any()))
        .collect();
    view! {
        <section class="step">
            <h2>"Opening hours"</h2>
            <div class="measure">{ui::facts(rows)}</div>
        </section>
    }
    .into_any()
}

/// "Monday to Friday" and "09:00–12:00, 13:00–17:00", from Monday on.
fn week(hours: &[WeeklyHour]) -> Vec<(String, String)> {
    let mut rows: Vec<(usize, usize, String)> = Vec::new();
    for (weekday, at) in (1i16..).zip(0..DAYS.len()) {
        let text = day(hours, weekday);
        match rows.last_mut() {
            Some((_, last, same)) if *same == text => *last = at,
            _ => rows.push((at, at, text)),
        }
    }
    rows.into_iter()
        .map(|(first, last, text)| {
            let (from, to) = (DAYS[first].1, DAYS[last].1);
            let days = match last - first {
                0 => from.to_owned(),
                1 => format!("{from}, {to}"),
                _ => format!("{from} to {to}"),
            };
            (days, text)
        })
        .collect()
}

fn day(hours: &[WeeklyHour], weekday: i16) -> String {
    let mut openings: Vec<WeeklyHour> =
        hours.iter().filter(|hour| hour.weekday == weekday).copied().collect();
    if openings.is_empty() {
        return "Closed".into();
    }
    openings.sort_unstable();
    let texts: Vec<String> = openings
        .iter()
        .map(|hour| format!("{}–{}", clock_text(hour.start_minute), clock_text(hour.end_minute)))
        .collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(weekday: i16, start_minute: i16, end_minute: i16) -> WeeklyHour {
        WeeklyHour { weekday, start_minute, end_minute }
    }

    #[test]
    fn days_with_the_same_hours_stand_together() {
        let mut hours: Vec<WeeklyHour> = (1..=5).map(|day| open(day, 780, 1020)).collect();
        hours.extend((1..=4).map(|day| open(day, 540, 720)));
        let said: Vec<String> =
            week(&hours).into_iter().map(|(days, hours)| format!("{days}: {hours}")).collect();
        assert_eq!(
            said,
            [
                "Monday to Thursday: 09:00–12:00, 13:00–17:00",
                "Friday: 13:00–17:00",
                "Saturday, Sunday: Closed",
            ]
        );
    }

    #[test]
    fn who_has_said_nothing_shows_nothing() {
        assert!(!opening(&[]).to_html().contains("Opening"));
        let html = opening(&[open(7, 0, 1440)]).to_html();
        assert!(html.contains("Monday to Saturday") && html.contains("00:00–24:00"), "{html}");
    }
}
