//! Hours as people type them: "09:00-12:00, 13:00-17:00".

use super::WeeklyHour;

/// Field names and names of the days, from Monday.
pub const DAYS: [(&str, &str); 7] = [
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
    ("sun", "Sunday"),
];

/// More openings a day than anyone needs; an exception's are stored as one row with as many.
const MOST: usize = 12;

/// Minutes of half a day: hours that would be longer behind midnight are a slip, not a night.
const NIGHT: i16 = 720;

/// "09:30" as minutes from midnight; "24:00" is the end of the day.
///
/// # Errors
/// A message for people.
pub fn parse_clock(typed: &str) -> Result<i16, String> {
    let message = || format!("“{}” is no time. Type it like 09:30.", echo(typed.trim()));
    let (hour, minute) = typed.trim().split_once(':').ok_or_else(message)?;
    let number = |text: &str, longest: usize| -> Option<i16> {
        let digits = !text.is_empty() && text.len() <= longest && text.bytes().all(|b| b.is_ascii_digit());
        if digits { text.parse().ok() } else { None }
    };
    let hour = number(hour, 2).ok_or_else(message)?;
    let minute = number(minute, 2).filter(|minute| *minute < 60).ok_or_else(message)?;
    let total = hour * 60 + minute;
    if total <= 1440 { Ok(total) } else { Err(message()) }
}

/// What was typed, short enough for a message.
fn echo(typed: &str) -> String {
    match typed.char_indices().nth(20) {
        Some((end, _)) => format!("{}…", &typed[..end]),
        None => typed.to_owned(),
    }
}

/// Minutes from midnight as "09:30".
pub fn clock_text(minute: i16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// The openings of one day, in order; none for an empty text.
///
/// # Errors
/// A message for people.
pub fn parse_day(weekday: i16, typed: &str) -> Result<Vec<WeeklyHour>, String> {
    let mut found = Vec::new();
    for part in typed.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()) {
        let (from, to) = part
            .split_once(['-', '–', '—'])
            .ok_or_else(|| "Type each opening like 09:00-17:00, with commas between them.".to_owned())?;
        let (start_minute, end_minute) = (parse_clock(from)?, parse_clock(to)?);
        in_order(start_minute, end_minute)?;
        found.push(WeeklyHour { weekday, start_minute, end_minute });
    }
    if found.len() > MOST {
        return Err(format!("At most {MOST} openings a day."));
    }
    found.sort_unstable();
    if let Some(pair) = found.windows(2).find(|pair| pair[1].start_minute < pair[0].end_minute) {
        return Err(format!("{} and {} overlap.", text(&pair[0]), text(&pair[1])));
    }
    Ok(found)
}

/// Openings end on the day they begin. Who works through a night types it as two, and is told how.
fn in_order(start: i16, end: i16) -> Result<(), String> {
    let (from, to) = (clock_text(start), clock_text(end));
    if start < end {
        Ok(())
    } else if end == 0 {
        Err(format!("{from}-{to}: type 24:00 for the end of the day."))
    } else if start < 1440 && start - end >= NIGHT {
        Err(format!("{from}-{to} runs over midnight: type {from}-24:00 here and 00:00-{to} on the next day."))
    } else {
        Err(format!("{from}-{to}: the end must come after the start."))
    }
}

/// The openings of one day as typed in the form.
pub fn day_text(hours: &[WeeklyHour], weekday: i16) -> String {
    let mut day: Vec<WeeklyHour> = hours.iter().filter(|hour| hour.weekday == weekday).copied().collect();
    day.sort_unstable();
    day.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// Openings as typed: "09:00-12:00, 13:00-17:00"; empty for none.
pub fn openings_text(openings: &[(i16, i16)]) -> String {
    openings.iter().map(|(from, to)| span(*from, *to)).collect::<Vec<_>>().join(", ")
}

fn text(hour: &WeeklyHour) -> String {
    span(hour.start_minute, hour.end_minute)
}

fn span(start: i16, end: i16) -> String {
    format!("{}-{}", clock_text(start), clock_text(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_survives_the_form() {
        let hours = parse_day(3, " 13:00–17:00; 9:00-12:00,").expect("two openings");
        assert_eq!(day_text(&hours, 3), "09:00-12:00, 13:00-17:00");
        assert_eq!(day_text(&hours, 4), "");
        assert_eq!(parse_day(1, "  "), Ok(Vec::new()));
        assert_eq!(parse_day(1, "00:00-24:00").expect("a whole day")[0].end_minute, 1440);
    }

    #[test]
    fn bad_hours_say_what_is_wrong() {
        for bad in [
            "9-17",
            "09:00",
            "25:00-26:00",
            "10:00-09:00",
            "09:00-09:00",
            "09:60-10:00",
            "+9:00-10:00",
            "٠٩:٠٠-١٠:٠٠",
        ] {
            assert!(parse_day(1, bad).is_err(), "{bad}");
        }
        assert_eq!(
            parse_day(1, "09:00-12:00, 11:00-13:00"),
            Err("09:00-12:00 and 11:00-13:00 overlap.".to_owned())
        );
    }

    #[test]
    fn hours_of_a_night_are_told_how_to_be_typed() {
        assert_eq!(
            parse_day(5, "22:00-02:00"),
            Err("22:00-02:00 runs over midnight: type 22:00-24:00 here and 00:00-02:00 on the next day."
                .to_owned())
        );
        assert_eq!(
            parse_day(5, "09:00-12:00, 20:00-00:00"),
            Err("20:00-00:00: type 24:00 for the end of the day.".to_owned())
        );
        // What would be longer than half a day is a slip.
        for slip in ["10:00-09:00", "17:00-09:00", "24:00-02:00", "09:00-09:00"] {
            let message = parse_day(5, slip).expect_err(slip);
            assert_eq!(message, format!("{slip}: the end must come after the start."));
        }
        // And typed as told, they are taken.
        assert!(parse_day(5, "22:00-24:00").is_ok() && parse_day(6, "00:00-02:00").is_ok());
    }

    #[test]
    fn what_was_typed_is_said_again_in_short() {
        let message = parse_day(1, &format!("{}-10:00", "é".repeat(60_000))).expect_err("no time");
        assert_eq!(message, format!("“{}…” is no time. Type it like 09:30.", "é".repeat(20)));
    }

    #[test]
    fn openings_are_written_as_they_are_typed() {
        assert_eq!(openings_text(&[(540, 720), (780, 1440)]), "09:00-12:00, 13:00-24:00");
        assert_eq!(openings_text(&[]), "");
    }
}
