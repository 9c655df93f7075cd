//! How numbers and money are written in a country. The words of pages stay English.

use crate::services::is_whole;

/// Between a number and the sign behind it, so that no line ends there.
const NO_BREAK: char = '\u{a0}';

/// A language and a country, as far as numbers and money are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Locale {
    /// English, United Kingdom: what is used where no school says otherwise.
    #[default]
    EnGb,
    /// English, South Africa. By the book it has a decimal comma; what people write there, price lists of driving
    /// schools included, has a point.
    EnZa,
    /// English, United States.
    EnUs,
    /// English, Ireland.
    EnIe,
    /// German, Germany.
    DeDe,
    /// Romanian, Romania.
    RoRo,
}

impl Locale {
    /// All of them, in the order of the form.
    pub const ALL: [Self; 6] = [Self::EnGb, Self::EnZa, Self::EnUs, Self::EnIe, Self::DeDe, Self::RoRo];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EnGb => "en-GB",
            Self::EnZa => "en-ZA",
            Self::EnUs => "en-US",
            Self::EnIe => "en-IE",
            Self::DeDe => "de-DE",
            Self::RoRo => "ro-RO",
        }
    }

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::EnGb => "English (United Kingdom)",
            Self::EnZa => "English (South Africa)",
            Self::EnUs => "English (United States)",
            Self::EnIe => "English (Ireland)",
            Self::DeDe => "German (Germany)",
            Self::RoRo => "Romanian (Romania)",
        }
    }

    /// From the database or a form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|locale| locale.as_str() == text)
    }

    /// What stands between thousands, and before hundredths.
    fn separators(self) -> (char, char) {
        match self {
            Self::EnGb | Self::EnZa | Self::EnUs | Self::EnIe => (',', '.'),
            Self::DeDe | Self::RoRo => ('.', ','),
        }
    }

    /// "1,204"; "1.204".
    pub fn count(self, n: i64) -> String {
        format!("{}{}", minus(n), self.thousands(n.unsigned_abs()))
    }

    /// Money in minor units: "R 350.00", "€1,234.50", "CHF 35.00"; "1.234,50 €"; "1.234,50 RON".
    pub fn money(self, minor: i64, currency: &str) -> String {
        let (all, minus) = (minor.unsigned_abs(), minus(minor));
        let amount = if is_whole(currency) {
            self.thousands(all)
        } else {
            let (_, point) = self.separators();
            format!("{}{point}{:02}", self.thousands(all / 100), all % 100)
        };
        match (self, sign(currency)) {
            (Self::DeDe, Some(sign)) => format!("{minus}{amount}{NO_BREAK}{sign}"),
            // The rand's sign is a letter, which behind a number says nothing to who doesn't know it.
            (Self::DeDe | Self::RoRo, _) => format!("{minus}{amount}{NO_BREAK}{currency}"),
            (_, Some(sign)) => format!("{minus}{sign}{amount}"),
            (_, None) if currency == "ZAR" => format!("{minus}R {amount}"),
            (_, None) => format!("{minus}{currency} {amount}"),
        }
    }

    fn thousands(self, n: u64) -> String {
        let (between, _) = self.separators();
        let digits = n.to_string();
        let mut out = String::with_capacity(digits.len() + digits.len() / 3);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                out.push(between);
            }
            out.push(digit);
        }
        out
    }
}

fn minus(n: i64) -> &'static str {
    if n < 0 { "−" } else { "" }
}

/// The sign of a currency that is known by one everywhere.
fn sign(currency: &str) -> Option<char> {
    match currency {
        "EUR" => Some('€'),
        "GBP" => Some('£'),
        "USD" => Some('$'),
        "JPY" => Some('¥'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_locale_is_read_as_it_is_stored() {
        for locale in Locale::ALL {
            assert_eq!(Locale::parse(locale.as_str()), Some(locale));
        }
        for bad in ["", "de", "EN-GB", "de-DE "] {
            assert_eq!(Locale::parse(bad), None, "{bad}");
        }
        assert_eq!(Locale::default().as_str(), "en-GB");
    }

    #[test]
    fn money_as_each_locale_writes_it() {
        let amounts = [
            (42_000, "ZAR"),
            (123_456_789, "EUR"),
            (3_505, "CHF"),
            (123_450, "RON"),
            (3_500, "JPY"),
            (-5, "GBP"),
        ];
        let english = ["R 420.00", "€1,234,567.89", "CHF 35.05", "RON 1,234.50", "¥3,500", "−£0.05"];
        let german = [
            "420,00\u{a0}ZAR",
            "1.234.567,89\u{a0}€",
            "35,05\u{a0}CHF",
            "1.234,50\u{a0}RON",
            "3.500\u{a0}¥",
            "−0,05\u{a0}£",
        ];
        let romanian = [
            "420,00\u{a0}ZAR",
            "1.234.567,89\u{a0}EUR",
            "35,05\u{a0}CHF",
            "1.234,50\u{a0}RON",
            "3.500\u{a0}JPY",
            "−0,05\u{a0}GBP",
        ];
        for (locale, expected) in [
            (Locale::EnGb, english),
            (Locale::EnZa, english),
            (Locale::EnUs, english),
            (Locale::EnIe, english),
            (Locale::DeDe, german),
            (Locale::RoRo, romanian),
        ] {
            let written = amounts.map(|(minor, currency)| locale.money(minor, currency));
            assert_eq!(written, expected, "{}", locale.as_str());
        }
    }

    #[test]
    fn counts_as_each_locale_writes_them() {
        for locale in Locale::ALL {
            let million =
                if matches!(locale, Locale::DeDe | Locale::RoRo) { "−1.000.000" } else { "−1,000,000" };
            assert_eq!(locale.count(-1_000_000), million, "{}", locale.as_str());
            assert_eq!(locale.count(999), "999");
            assert_eq!(locale.count(0), "0");
        }
        assert_eq!(Locale::default().count(1204), "1,204");
    }
}
