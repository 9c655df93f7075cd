//! Lessons that come again and again (BK-08), by the wall clock: a weekly 16:00 stays 16:00 when the clocks change.
//!
//! All of them are with one instructor. They are planned first, with every conflict in sight, and then booked in one
//! transaction, all that weren't left out or none.

#[cfg(feature = "server")]
mod create;
mod dates;
#[cfg(feature = "server")]
mod plan;
#[cfg(feature = "server")]
mod sheet;
#[cfg(feature = "server")]
mod typed;

#[cfg(feature = "server")]
pub use create::{SeriesMade, create};
pub use dates::{Every, MOST, Refused, Until, dates, moment};
#[cfg(feature = "server")]
pub use plan::{Occurrence, SeriesPlan, plan};
#[cfg(feature = "server")]
pub use typed::{SeriesTyped, student};

use super::policy::Terms;
use crate::{availability::length, tenancy::Words};

/// The rule of cancelling, for each lesson of a series. `prepaid` of `lessons` are paid by packs.
pub fn cancel_terms(
    words: &Words,
    terms: &Terms,
    price_minor: i64,
    prepaid: usize,
    lessons: usize,
) -> String {
    let lesson = &words.lesson;
    let due = match terms.late_fee_percent {
        100 => "its price is due".to_owned(),
        percent => format!("{percent} % of its price is due"),
    };
    let priced = prepaid < lessons && terms.fee(price_minor) > 0;
    let after = match (terms.late_fee_percent > 0, prepaid > 0, priced) {
        (true, true, true) => format!("it costs one {lesson} of the pack, or {due}"),
        (true, true, false) => format!("it costs one {lesson}"),
        (true, false, true) => due,
        _ => String::new(),
    };
    if terms.cancel_notice_min == 0 || after.is_empty() {
        format!("Each {lesson} is free to cancel until it begins.")
    } else {
        let notice = length(terms.cancel_notice_min);
        format!("Each {lesson} is free to cancel until {notice} before it begins; after that {after}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenancy::Preset;

    #[test]
    fn the_rule_of_cancelling_holds_for_each() {
        let words = Preset::DrivingSchool.words();
        let said = |notice, percent, price, prepaid| {
            let terms = Terms {
                cancel_notice_min: notice,
                move_notice_min: 0,
                max_moves: None,
                late_fee_percent: percent,
            };
            cancel_terms(&words, &terms, price, prepaid, 10)
        };
        assert_eq!(
            said(1440, 100, 35_000, 10),
            "Each lesson is free to cancel until 24 h before it begins; after that it costs one lesson."
        );
        assert_eq!(
            said(90, 50, 35_000, 0),
            "Each lesson is free to cancel until 1 h 30 min before it begins; after that 50 % of its price is due."
        );
        assert_eq!(
            said(4320, 100, 35_000, 4),
            "Each lesson is free to cancel until 3 days before it begins; after that it costs one lesson of the \
             pack, or its price is due."
        );
        for free in [said(0, 100, 35_000, 0), said(1440, 0, 35_000, 4), said(1440, 100, 0, 0)] {
            assert_eq!(free, "Each lesson is free to cancel until it begins.");
        }
    }
}
