//! What a school calls things: the words of its preset, or its own.

use std::collections::BTreeMap;

use crate::identity;

/// Longest word.
const LONGEST: usize = 30;

/// The kind of school.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Driving school.
    DrivingSchool,
    /// Mentorship programme.
    Mentorship,
    /// Clinic.
    Clinic,
    /// Salon.
    Salon,
    /// Academy.
    Academy,
}

/// What a school calls things: singular, as in the middle of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// What is booked.
    pub lesson: String,
    /// Who books.
    pub student: String,
    /// Who gives it.
    pub instructor: String,
}

impl Words {
    /// With the words a school has set itself: `{"lesson": "ride"}`. What it hasn't set stays.
    #[must_use]
    pub fn with(self, own: &BTreeMap<String, String>) -> Self {
        let pick = |key: &str, word: String| match own.get(key) {
            Some(own) if !own.is_empty() => own.clone(),
            _ => word,
        };
        Self {
            lesson: pick("lesson", self.lesson),
            student: pick("student", self.student),
            instructor: pick("instructor", self.instructor),
        }
    }
}

impl Preset {
    /// All, in the order of the form.
    pub const ALL: [Self; 5] =
        [Self::DrivingSchool, Self::Mentorship, Self::Clinic, Self::Salon, Self::Academy];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DrivingSchool => "driving_school",
            Self::Mentorship => "mentorship",
            Self::Clinic => "clinic",
            Self::Salon => "salon",
            Self::Academy => "academy",
        }
    }

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::DrivingSchool => "Driving school",
            Self::Mentorship => "Mentorship",
            Self::Clinic => "Clinic",
            Self::Salon => "Salon",
            Self::Academy => "Academy",
        }
    }

    /// From the database or a form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == text)
    }

    /// What such a school calls things.
    pub fn words(self) -> Words {
        let (lesson, student, instructor) = match self {
            Self::DrivingSchool => ("lesson", "student", "instructor"),
            Self::Mentorship => ("session", "mentee", "mentor"),
            Self::Clinic => ("appointment", "client", "practitioner"),
            Self::Salon => ("appointment", "client", "stylist"),
            Self::Academy => ("lesson", "student", "teacher"),
        };
        Words { lesson: lesson.into(), student: student.into(), instructor: instructor.into() }
    }
}

/// A word as typed; nothing is the preset's.
///
/// # Errors
/// A message for people.
pub fn parse_word(text: &str) -> Result<String, String> {
    let word = identity::text(text, LONGEST)?;
    if word.chars().any(char::is_control) {
        return Err("A word is one line of text.".into());
    }
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schools_own_words_replace_its_presets() {
        let own = BTreeMap::from([
            ("lesson".to_owned(), "ride".to_owned()),
            ("student".to_owned(), String::new()),
            ("horse".to_owned(), "pony".to_owned()),
        ]);
        let words = Preset::Academy.words().with(&own);
        assert_eq!(
            words,
            Words { lesson: "ride".into(), student: "student".into(), instructor: "teacher".into() }
        );
    }

    #[test]
    fn words_are_short_and_one_line() {
        assert_eq!(parse_word(" Fahrstunde "), Ok("Fahrstunde".into()));
        assert_eq!(parse_word(""), Ok(String::new()));
        assert!(parse_word(&"x".repeat(31)).is_err());
        assert!(parse_word("a\r\nb").is_err());
    }
}
