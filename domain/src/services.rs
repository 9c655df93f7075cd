//! What a school offers, and what several services make together.

#[cfg(feature = "server")]
pub mod bulk;
#[cfg(feature = "server")]
pub mod combos;
mod form;
#[cfg(feature = "server")]
pub(crate) mod link_store;
#[cfg(feature = "server")]
pub mod service;
#[cfg(feature = "server")]
pub(crate) mod store;

#[cfg(feature = "server")]
pub(crate) use form::parse_hours;
pub use form::{Checked, Typed};

use crate::ids::{InstructorId, ResourceId, ServiceId};

/// Services in one appointment at most.
pub const MOST_SERVICES: usize = 20;

/// One service, or several that are sold as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceKind {
    /// One.
    #[default]
    Single,
    /// Several, one after the other, at one price.
    Combo,
}

impl ServiceKind {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Combo => "combo",
        }
    }

    /// From the database.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Single, Self::Combo].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What is taught, how long it takes and on which terms.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Service {
    /// Id.
    pub id: ServiceId,
    /// One, or several as one.
    pub kind: ServiceKind,
    /// Name.
    pub name: String,
    /// What it is, for those who book.
    pub description: String,
    /// Length of the lesson.
    pub duration_min: i32,
    /// Price in minor units.
    pub price_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// Seats: more than one makes it a lesson for several.
    pub capacity: i32,
    /// Its colour in calendars, `#rrggbb`.
    pub colour: Option<String>,
    /// The instructor's time before the lesson.
    pub buffer_before_min: i32,
    /// The instructor's time after the lesson.
    pub buffer_after_min: i32,
    /// How long before its start it can still be booked.
    pub notice_min: i32,
    /// How many days ahead it can be booked.
    pub horizon_days: i32,
    /// How long before its start it can still be cancelled for free.
    pub cancel_notice_min: i32,
    /// How long before its start a student can still move it.
    pub move_notice_min: i32,
    /// How often a student may move it; as often as they like when none.
    pub max_moves: Option<i32>,
    /// What cancelling too late costs, of the price; with a prepaid lesson any fee costs the lesson.
    pub late_fee_percent: i32,
    /// Whoever books says where they are picked up.
    pub needs_pickup: bool,
    /// The instructor approves first.
    pub needs_approval: bool,
    /// Only for students with a prepaid lesson left.
    pub needs_credit: bool,
    /// No longer offered.
    pub archived: bool,
}

impl Service {
    /// What a new service starts from.
    pub fn blank(currency: &str) -> Self {
        Self {
            id: ServiceId(uuid::Uuid::nil()),
            kind: ServiceKind::Single,
            name: String::new(),
            description: String::new(),
            duration_min: 60,
            price_minor: 0,
            currency: currency.to_owned(),
            capacity: 1,
            colour: None,
            buffer_before_min: 0,
            buffer_after_min: 0,
            notice_min: 120,
            horizon_days: 60,
            cancel_notice_min: 1440,
            move_notice_min: 1440,
            max_moves: None,
            late_fee_percent: 100,
            needs_pickup: false,
            needs_approval: false,
            needs_credit: false,
            archived: false,
        }
    }

    /// Several services as one appointment, one after the other, on the strictest of their terms and with the id of the
    /// first. One alone is itself; none is a blank one.
    pub fn together(services: &[Self]) -> Self {
        let Some((first, others)) = services.split_first() else { return Self::blank("") };
        others.iter().fold(first.clone(), |all, next| Self {
            kind: ServiceKind::Single,
            name: format!("{} + {}", all.name, next.name),
            description: String::new(),
            duration_min: all.duration_min + next.duration_min,
            price_minor: all.price_minor + next.price_minor,
            capacity: 1,
            buffer_after_min: next.buffer_after_min,
            notice_min: all.notice_min.max(next.notice_min),
            horizon_days: all.horizon_days.min(next.horizon_days),
            cancel_notice_min: all.cancel_notice_min.max(next.cancel_notice_min),
            move_notice_min: all.move_notice_min.max(next.move_notice_min),
            max_moves: [all.max_moves, next.max_moves].into_iter().flatten().min(),
            late_fee_percent: all.late_fee_percent.max(next.late_fee_percent),
            needs_pickup: all.needs_pickup || next.needs_pickup,
            needs_approval: all.needs_approval || next.needs_approval,
            needs_credit: all.needs_credit || next.needs_credit,
            archived: all.archived || next.archived,
            ..all
        })
    }
}

/// An instructor, and whether they teach the service at hand.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Teacher {
    /// Id.
    pub id: InstructorId,
    /// Name.
    pub name: String,
    /// Whether they teach it.
    pub teaches: bool,
}

/// A resource, and how much of it the service at hand needs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Needed {
    /// Id.
    pub id: ResourceId,
    /// Name.
    pub name: String,
    /// No longer in use.
    pub archived: bool,
    /// Units that there are.
    pub available: i32,
    /// Units that it needs; 0 for none.
    pub units: i32,
}

/// A part of a combo, or a service that could be one.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Part {
    /// Id.
    pub id: ServiceId,
    /// Name.
    pub name: String,
    /// Length.
    pub duration_min: i32,
    /// Price in minor units.
    pub price_minor: i64,
    /// No longer offered.
    pub archived: bool,
}

/// Whether a currency has no smaller unit: a minor unit of it is a whole one.
pub(crate) fn is_whole(currency: &str) -> bool {
    matches!(currency, "JPY" | "KRW" | "VND" | "CLP" | "ISK")
}

/// A price as typed in a form and written in downloads: "350.00".
pub fn price_text(minor: i64, currency: &str) -> String {
    if is_whole(currency) { minor.to_string() } else { format!("{}.{:02}", minor / 100, minor % 100) }
}

/// Minutes as hours typed in a form: "2", "0.5".
pub fn hours_text(minutes: i32) -> String {
    let hundredths = (i64::from(minutes) * 100 + 30) / 60;
    match (hundredths / 100, hundredths % 100) {
        (whole, 0) => whole.to_string(),
        (whole, part) if part % 10 == 0 => format!("{whole}.{}", part / 10),
        (whole, part) => format!("{whole}.{part:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, duration_min: i32) -> Service {
        let id = ServiceId(uuid::Uuid::from_u128(duration_min.unsigned_abs().into()));
        Service { id, name: name.into(), duration_min, price_minor: 1000, ..Service::blank("EUR") }
    }

    #[test]
    fn together_they_take_the_sum_on_the_strictest_terms() {
        let cut = Service {
            buffer_before_min: 5,
            buffer_after_min: 10,
            notice_min: 60,
            horizon_days: 30,
            cancel_notice_min: 720,
            max_moves: Some(3),
            late_fee_percent: 50,
            needs_pickup: true,
            colour: Some("#0a6b8a".into()),
            description: "Hair".into(),
            ..service("Cut", 45)
        };
        let colour = Service {
            buffer_before_min: 20,
            buffer_after_min: 0,
            move_notice_min: 2880,
            max_moves: None,
            late_fee_percent: 20,
            needs_credit: true,
            capacity: 1,
            ..service("Colour", 90)
        };
        let wash = Service { max_moves: Some(1), buffer_after_min: 15, ..service("Wash", 15) };
        let all = Service::together(&[cut.clone(), colour, wash]);
        assert_eq!((all.id, all.name.as_str()), (cut.id, "Cut + Colour + Wash"));
        assert_eq!((all.duration_min, all.price_minor), (150, 3000));
        assert_eq!((all.buffer_before_min, all.buffer_after_min), (5, 15));
        assert_eq!((all.notice_min, all.horizon_days), (120, 30));
        assert_eq!((all.cancel_notice_min, all.move_notice_min), (1440, 2880));
        assert_eq!((all.max_moves, all.late_fee_percent), (Some(1), 100));
        assert_eq!((all.needs_pickup, all.needs_approval, all.needs_credit), (true, false, true));
        assert_eq!((all.capacity, all.description.as_str(), all.archived), (1, "", false));
        assert_eq!(all.colour, cut.colour);
    }

    #[test]
    fn one_alone_is_itself() {
        let group = Service { capacity: 8, description: "Theory".into(), ..service("Class", 60) };
        assert_eq!(Service::together(std::slice::from_ref(&group)), group);
        assert_eq!(Service::together(&[]), Service::blank(""));
    }

    #[test]
    fn the_longest_name_fits_a_booking() {
        let longest = service(&"x".repeat(100), 1440);
        let all = Service::together(&vec![longest; MOST_SERVICES]);
        assert!(all.name.chars().count() <= 2100, "{}", all.name.chars().count());
    }

    #[test]
    fn kinds_are_as_stored() {
        for kind in [ServiceKind::Single, ServiceKind::Combo] {
            assert_eq!(ServiceKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::json!(kind), kind.as_str());
        }
        assert_eq!(ServiceKind::parse("pair"), None);
    }
}
