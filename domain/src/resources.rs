//! Rooms, cars and chairs: what a lesson needs beside people. Each unit of one is claimed like a person.

#[cfg(feature = "server")]
pub mod service;
#[cfg(feature = "server")]
mod store;

use crate::{FieldErrors, Result, identity, ids::ResourceId};

/// Units of one resource at most.
pub const MOST_UNITS: i32 = 50;

/// What kind of thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// A room.
    Room,
    /// A car.
    Car,
    /// A chair.
    Chair,
    /// Anything else.
    Other,
}

impl ResourceKind {
    /// All, in the order of the form.
    pub const ALL: [Self; 4] = [Self::Room, Self::Car, Self::Chair, Self::Other];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Room => "room",
            Self::Car => "car",
            Self::Chair => "chair",
            Self::Other => "other",
        }
    }

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Room => "Room",
            Self::Car => "Car",
            Self::Chair => "Chair",
            Self::Other => "Other",
        }
    }

    /// From a form, or the database.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Resource {
    /// Id.
    pub id: ResourceId,
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: ResourceKind,
    /// How many there are of it.
    pub units: i32,
    /// No longer in use.
    pub archived: bool,
}

impl Resource {
    /// What a new one starts from.
    pub fn blank() -> Self {
        Self {
            id: ResourceId(uuid::Uuid::nil()),
            name: String::new(),
            kind: ResourceKind::Room,
            units: 1,
            archived: false,
        }
    }
}

/// The form of a resource as typed.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// Name.
    pub name: String,
    /// `room`, `car`, `chair` or `other`.
    pub kind: String,
    /// A number.
    pub units: String,
}

impl Typed {
    /// The resource that was meant, with `id`.
    ///
    /// # Errors
    /// All fields to mend at once.
    pub fn check(&self, id: ResourceId) -> Result<Resource> {
        let mut errors = FieldErrors::new();
        let name = errors.check("name", identity::thing_name(&self.name));
        let kind = ResourceKind::parse(self.kind.trim()).ok_or("Choose room, car, chair or other.");
        let kind = errors.check("kind", kind);
        let units = errors.check("units", parse_units(&self.units));
        errors.finish()?;
        Ok(Resource {
            id,
            name: name.unwrap_or_default(),
            kind: kind.unwrap_or(ResourceKind::Other),
            units: units.unwrap_or(1),
            archived: false,
        })
    }
}

fn parse_units(typed: &str) -> Result<i32, String> {
    let units: Option<i32> = typed.trim().parse().ok();
    units
        .filter(|units| (1..=MOST_UNITS).contains(units))
        .ok_or_else(|| format!("Type a whole number from 1 to {MOST_UNITS}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    fn check(name: &str, kind: &str, units: &str) -> Result<Resource> {
        let typed = Typed { name: name.into(), kind: kind.into(), units: units.into() };
        typed.check(ResourceId(uuid::Uuid::nil()))
    }

    #[test]
    fn a_resource_has_a_name_a_kind_and_units() {
        let found = check(" Blue car ", "car", " 50 ").expect("a resource");
        let car =
            Resource { name: "Blue car".into(), kind: ResourceKind::Car, units: 50, ..Resource::blank() };
        assert_eq!(found, car);
        for kind in ResourceKind::ALL {
            assert_eq!(ResourceKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).expect("JSON"), kind.as_str());
        }
    }

    #[test]
    fn all_fields_to_mend_are_named_at_once() {
        for units in ["0", "51", "", "1.5", "-1", "x", "99999999999"] {
            let Err(Error::Invalid(errors)) = check("a\nb", "boat", units) else { panic!("{units}") };
            assert_eq!(errors.0.into_keys().collect::<Vec<_>>(), ["kind", "name", "units"], "{units}");
        }
        assert!(check("", "room", "1").is_err() && check(&"é".repeat(101), "room", "1").is_err());
    }
}
