//! Accounts: what an e-mail, a phone number, a name and a password are, and signing in.

#[cfg(feature = "server")]
pub mod account;
#[cfg(feature = "server")]
pub mod attempts;
#[cfg(feature = "server")]
mod entry;
#[cfg(feature = "server")]
mod guessable;
#[cfg(feature = "server")]
mod join;
#[cfg(feature = "server")]
pub(crate) mod links;
#[cfg(feature = "server")]
pub mod login;
#[cfg(feature = "server")]
mod pace;
#[cfg(feature = "server")]
mod passwords;
#[cfg(feature = "server")]
pub mod profile;
#[cfg(feature = "server")]
pub mod recovery;
#[cfg(feature = "server")]
pub mod register;
#[cfg(feature = "server")]
pub mod service;
#[cfg(feature = "server")]
pub mod sessions;
#[cfg(feature = "server")]
mod sweep;
#[cfg(feature = "server")]
pub(crate) mod throttle;
#[cfg(feature = "server")]
pub mod totp;
#[cfg(feature = "server")]
pub mod users;
#[cfg(feature = "server")]
mod verify;

#[cfg(feature = "server")]
pub use passwords::Passwords;
#[cfg(feature = "server")]
pub use sweep::sweep;

/// A normalised e-mail address: trimmed, lower case, at most 320 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Email(String);

/// A phone number in E.164: `+` and 10 to 15 digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phone(String);

/// A person's name: 1 to 100 characters, in any script.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonName(String);

macro_rules! as_str {
    ($($name:ident),+) => {$(
        impl $name {
            /// As stored.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )+};
}
as_str!(Email, Phone, PersonName);

impl Email {
    /// Reads what a person typed.
    ///
    /// # Errors
    /// A message for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return Err("Give an e-mail address.".into());
        }
        if text.chars().count() > 320 {
            return Err("An e-mail address has at most 320 characters.".into());
        }
        let options = email_address::Options::default().without_display_text().without_domain_literal();
        // The crate knows letters, but not the vowel signs of many scripts: what is beyond ASCII counts as a letter to it.
        let shape: String = text.chars().map(|c| if c.is_ascii() { c } else { 'x' }).collect();
        match email_address::EmailAddress::parse_with_options(&shape, options) {
            Ok(_) if !text.chars().any(unseen) => Ok(Self(text)),
            _ => Err("Write the e-mail address like name@example.org.".into()),
        }
    }
}

/// Characters that make two addresses look alike, or turn the text around them.
fn unseen(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl Email {
    /// What stands before the `@`, at most 100 characters: a name for someone who hasn't given one.
    pub fn name(&self) -> String {
        self.0.split('@').next().unwrap_or_default().chars().take(100).collect()
    }
}

impl Phone {
    /// Reads what a person typed: spaces, hyphens, dots and brackets are dropped; `00` stands for `+`.
    ///
    /// # Errors
    /// A message for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let compact: String =
            text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '\u{a0}')).collect();
        let digits = compact.strip_prefix('+').or_else(|| compact.strip_prefix("00"));
        match digits {
            Some(digits)
                if (10..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) =>
            {
                Ok(Self(format!("+{digits}")))
            }
            _ => Err("Write the number with its country code, like +27 82 123 4567.".into()),
        }
    }
}

impl PersonName {
    /// Reads what a person typed.
    ///
    /// # Errors
    /// A message for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let name = self::text(text, 100)?;
        if name.is_empty() {
            return Err("Give a name.".into());
        }
        one_line(name).map(Self)
    }
}

/// The name of a thing: 1 to 100 characters, in any script, on one line.
///
/// # Errors
/// A message for people.
pub fn thing_name(typed: &str) -> Result<String, String> {
    let name = text(typed, 100)?;
    if name.is_empty() { Err("Give it a name.".into()) } else { one_line(name) }
}

fn one_line(name: String) -> Result<String, String> {
    if name.chars().any(char::is_control) { Err("A name is one line of text.".into()) } else { Ok(name) }
}

/// Free text: trimmed, at most `max` characters, without NUL (which Postgres can't store).
///
/// # Errors
/// A message for people.
pub fn text(value: &str, max: usize) -> Result<String, String> {
    let value = value.trim();
    if value.contains('\0') {
        return Err("Remove the invisible control character.".into());
    }
    let length = value.chars().count();
    if length > max {
        return Err(format!("At most {max} characters; this has {length}."));
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails_are_normalised() {
        assert_eq!(Email::parse("  Sipho@Cape-Drive.Test ").map(|e| e.0), Ok("sipho@cape-drive.test".into()));
        for bad in [
            "",
            "no-at",
            "a@b\r\nBcc: x@y.z",
            "Name <a@b.test>",
            "a b@c.test",
            "a\u{200b}b@c.test",
            "a\u{202e}b@c.test",
            "a\u{a0}b@c.test",
            &format!("{}@x.test", "a".repeat(320)),
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn emails_may_be_in_any_script() {
        for good in ["संपर्क@डाटामेल.भारत", "почта@пример.рф", "用户@例子.中国", "χρήστης@παράδειγμα.ελ"]
        {
            assert_eq!(Email::parse(good).map(|e| e.0), Ok(good.to_owned()));
        }
    }

    #[test]
    fn phones_become_e164() {
        assert_eq!(Phone::parse("+27 82 123-4567").map(|p| p.0), Ok("+27821234567".into()));
        assert_eq!(Phone::parse("0049 (30) 1234 5678").map(|p| p.0), Ok("+493012345678".into()));
        for bad in ["", "082 123 4567", "+123456789", "+1234567890123456", "+2782123456x"] {
            assert!(Phone::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_keep_their_script() {
        for name in ["Thandi M.", "محمد الأمين", "王小明", "Zoë O’Brien-Łukasz", "😀"] {
            assert_eq!(PersonName::parse(name).map(|n| n.0), Ok(name.to_owned()));
        }
        assert!(PersonName::parse(" ").is_err());
        assert!(PersonName::parse(&"x".repeat(101)).is_err());
        assert!(PersonName::parse("a\nb").is_err());
    }

    #[test]
    fn things_have_names_too() {
        assert_eq!(thing_name(" Blue car "), Ok("Blue car".into()));
        for typed in [" ", &"é".repeat(101), "a\0b", "a\nb"] {
            assert!(thing_name(typed).is_err(), "{typed:?}");
        }
    }
}
