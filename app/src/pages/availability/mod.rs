//! Pages of the days on which nobody can be booked.

use jiff::civil::Date;

use crate::ui::plural;

pub mod holidays;

/// "Tue 30 Mar 2027".
pub(crate) fn long_day(day: Date) -> String {
    day.strftime("%a %-d %b %Y").to_string()
}

/// "2 lessons on them stay booked."; nothing when there is none.
pub(crate) fn stay_booked(lessons: usize, word: &str, on: &str) -> Option<String> {
    match lessons {
        0 => None,
        1 => Some(format!("1 {word} on {on} stays booked.")),
        many => Some(format!("{} on {on} stay booked.", plural(many as i64, word))),
    }
}
