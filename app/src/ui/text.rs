//! Numbers and words as people read them.

/// "R 350.00", "€35.00", "CHF 35.00"; "free" for nothing.
pub fn money(minor: i64, currency: &str) -> String {
    if minor == 0 {
        return "free".into();
    }
    let sign = if minor < 0 { "−" } else { "" };
    let symbol = match currency {
        "EUR" => "€".to_owned(),
        "GBP" => "£".to_owned(),
        "USD" => "$".to_owned(),
        "JPY" => "¥".to_owned(),
        "ZAR" => "R ".to_owned(),
        other => format!("{other} "),
    };
    let amount = minor.unsigned_abs();
    match currency {
        // No smaller unit.
        "JPY" | "KRW" | "VND" | "CLP" | "ISK" => format!("{sign}{symbol}{}", thousands(amount)),
        _ => format!("{sign}{symbol}{}.{:02}", thousands(amount / 100), amount % 100),
    }
}

/// "45 min", "60 min", "1 h 30 min", "2 h", "3 days".
pub fn minutes(min: i32) -> String {
    match min {
        ..=60 => format!("{min} min"),
        _ if min >= 2880 && min % 1440 == 0 => format!("{} days", min / 1440),
        _ if min % 60 == 0 => format!("{} h", min / 60),
        _ => format!("{} h {} min", min / 60, min % 60),
    }
}

/// "1,204".
pub fn count(n: i64) -> String {
    let sign = if n < 0 { "−" } else { "" };
    format!("{sign}{}", thousands(n.unsigned_abs()))
}

/// "1 lesson", "4 lessons".
pub fn plural(n: i64, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{} {word}s", count(n)) }
}

/// "mentor" at the start of a sentence.
pub fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_as_the_locale_writes_it() {
        assert_eq!(money(35_000, "ZAR"), "R 350.00");
        assert_eq!(money(3_500, "EUR"), "€35.00");
        assert_eq!(money(123_456_789, "EUR"), "€1,234,567.89");
        assert_eq!(money(3_505, "CHF"), "CHF 35.05");
        assert_eq!(money(3_500, "JPY"), "¥3,500");
        assert_eq!(money(-5, "EUR"), "−€0.05");
        assert_eq!(money(0, "EUR"), "free");
    }

    #[test]
    fn lengths() {
        assert_eq!(minutes(0), "0 min");
        assert_eq!(minutes(60), "60 min");
        assert_eq!(minutes(90), "1 h 30 min");
        assert_eq!(minutes(120), "2 h");
        assert_eq!(minutes(1440), "24 h");
        assert_eq!(minutes(4320), "3 days");
    }

    #[test]
    fn counts() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1204), "1,204");
        assert_eq!(count(-1_000_000), "−1,000,000");
        assert_eq!(plural(1, "lesson"), "1 lesson");
        assert_eq!(plural(0, "lesson"), "0 lessons");
        assert_eq!(capital("élève"), "Élève");
        assert_eq!(capital(""), "");
    }
}
