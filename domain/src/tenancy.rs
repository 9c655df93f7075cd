//! Schools: what they are called, their words, and whether they are open.

#[cfg(feature = "server")]
pub mod export;
#[cfg(feature = "server")]
pub mod service;

use crate::{ids::TenantId, zoned::Zone};

/// A school.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Id.
    pub id: TenantId,
    /// Its address: `/s/{slug}`.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its kind, which sets its words.
    pub preset: Preset,
    /// Its wall clock.
    pub zone: Zone,
    /// ISO 4217.
    pub currency: String,
    /// Open or not.
    pub status: TenantStatus,
}

impl Tenant {
    /// What this school calls things.
    pub fn words(&self) -> Words {
        self.preset.words()
    }
}

/// Whether a school is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantStatus {
    /// Open.
    Active,
    /// Closed by the platform; can be opened again.
    Suspended,
    /// Deleted, softly.
    Deleted,
}

impl TenantStatus {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
        }
    }

    /// From the database.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Suspended, Self::Deleted].into_iter().find(|status| status.as_str() == text)
    }
}

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

/// What a school calls things: singular, lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// What is booked.
    pub lesson: &'static str,
    /// Who books.
    pub student: &'static str,
    /// Who gives it.
    pub instructor: &'static str,
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
        Words { lesson, student, instructor }
    }
}

/// A school's address as typed: lower case letters, digits and single hyphens, 2 to 40 characters.
///
/// # Errors
/// A message for people.
pub fn parse_slug(text: &str) -> Result<String, String> {
    let slug = text.trim().to_lowercase();
    let letters = slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let hyphens = slug.starts_with('-') || slug.ends_with('-') || slug.contains("--");
    if letters && !hyphens && (2..=40).contains(&slug.len()) {
        Ok(slug)
    } else {
        Err("Use 2 to 40 lower-case letters, digits and single hyphens.".into())
    }
}
