//! The terms of a service read back in plain words.

use domain::{services::Service, tenancy::Words};

use crate::ui::minutes;

/// Sentences that say what the fields mean together.
pub(super) fn in_words(service: &Service, words: &Words) -> String {
    let Words { lesson, student, instructor } = words;
    let days = if service.horizon_days == 1 { "day" } else { "days" };
    let mut said = vec![
        format!(
            "It can be booked up to {} {days} ahead, {}.",
            service.horizon_days,
            until(service.notice_min)
        ),
        cancelling(service, lesson),
        moving(service, student),
    ];
    if service.capacity > 1 {
        said.push(format!("Up to {} {student}s take it together.", service.capacity));
    }
    if service.needs_approval {
        said.push(format!("The {instructor} approves each {lesson} first."));
    }
    if service.needs_credit {
        said.push(format!("It is only for those with a prepaid {lesson} left."));
    }
    said.join(" ")
}

/// "until 2 h before it begins".
fn until(notice: i32) -> String {
    if notice == 0 { "until it begins".into() } else { format!("until {} before it begins", minutes(notice)) }
}

fn cancelling(service: &Service, lesson: &str) -> String {
    let free = until(service.cancel_notice_min);
    match (service.late_fee_percent, service.cancel_notice_min) {
        (0, _) | (_, 0) => "Cancelling is free until it begins.".into(),
        (100, _) => {
            format!("Cancelling is free {free}; later it costs the whole price, or the prepaid {lesson}.")
        }
        (fee, _) => {
            format!(
                "Cancelling is free {free}; later it costs {fee} % of the price, or the prepaid {lesson}."
            )
        }
    }
}

fn moving(service: &Service, student: &str) -> String {
    let times = match service.max_moves {
        Some(0) => return format!("The {student} can't move it."),
        Some(1) => "once".to_owned(),
        Some(times) => format!("up to {times} times"),
        None => "as often as they like".to_owned(),
    };
    format!("The {student} can move it {times}, {}.", until(service.move_notice_min))
}

#[cfg(test)]
mod tests {
    use domain::tenancy::Preset;

    use super::*;

    #[test]
    fn terms_read_as_sentences() {
        let words = Preset::DrivingSchool.words();
        assert_eq!(
            in_words(&Service::blank("EUR"), &words),
            "It can be booked up to 60 days ahead, until 2 h before it begins. Cancelling is free until 24 h before it \
             begins; later it costs the whole price, or the prepaid lesson. The student can move it as often as they \
             like, until 24 h before it begins."
        );
        let strict = Service {
            horizon_days: 1,
            notice_min: 0,
            cancel_notice_min: 2880,
            late_fee_percent: 50,
            max_moves: Some(2),
            move_notice_min: 0,
            capacity: 8,
            needs_approval: true,
            needs_credit: true,
            ..Service::blank("EUR")
        };
        assert_eq!(
            in_words(&strict, &words),
            "It can be booked up to 1 day ahead, until it begins. Cancelling is free until 2 days before it begins; later \
             it costs 50 % of the price, or the prepaid lesson. The student can move it up to 2 times, until it begins. \
             Up to 8 students take it together. The instructor approves each lesson first. It is only for those with a \
             prepaid lesson left."
        );
        let free = Service { late_fee_percent: 0, max_moves: Some(0), ..strict.clone() };
        assert!(in_words(&free, &words).contains("free until it begins. The student can't move it."));
        let once = Service { cancel_notice_min: 0, max_moves: Some(1), ..strict };
        assert!(in_words(&once, &words).contains("free until it begins. The student can move it once,"));
    }
}
