//! Numbers and words as people read them.

use domain::locale::Locale;
use leptos::prelude::use_context;

/// "R 350.00", "€35.00", "35,00 €"; "free" for nothing.
pub fn money(minor: i64, currency: &str) -> String {
    if minor == 0 { "free".into() } else { locale().money(minor, currency) }
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

/// "1,204", "1.204".
pub fn count(n: i64) -> String {
    locale().count(n)
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

/// How the page that is being drawn writes numbers: the shell says so.
fn locale() -> Locale {
    use_context().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use leptos::prelude::{Owner, provide_context};

    use super::*;

    #[test]
    fn numbers_and_money_as_the_page_writes_them() {
        let written = || [money(42_000, "ZAR"), money(3_505, "EUR"), money(0, "EUR"), count(1204)];
        assert_eq!(written(), ["R 420.00", "€35.05", "free", "1,204"]);
        let page = Owner::new();
        let german = page.with(|| {
            provide_context(Locale::DeDe);
            written()
        });
        assert_eq!(german, ["420,00\u{a0}ZAR", "35,05\u{a0}€", "free", "1.204"]);
        assert_eq!(written(), ["R 420.00", "€35.05", "free", "1,204"]);
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
    fn one_and_many() {
        assert_eq!(plural(1, "lesson"), "1 lesson");
        assert_eq!(plural(0, "lesson"), "0 lessons");
        assert_eq!(plural(1204, "lesson"), "1,204 lessons");
        assert_eq!(capital("élève"), "Élève");
        assert_eq!(capital(""), "");
    }
}
