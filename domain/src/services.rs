//! What a school offers, and the rules of the form that edits it.

#[cfg(feature = "server")]
pub mod service;
#[cfg(feature = "server")]
pub(crate) mod store;

use crate::{
    FieldErrors, Result, identity,
    ids::{InstructorId, ServiceId},
};

/// What is taught, how long it takes and on which terms.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Service {
    /// Id.
    pub id: ServiceId,
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
    /// Whoever books says where they are picked up.
    pub needs_pickup: bool,
    /// The instructor approves first.
    pub needs_approval: bool,
    /// No longer offered.
    pub archived: bool,
}

impl Service {
    /// What a new service starts from.
    pub fn blank(currency: &str) -> Self {
        Self {
            id: ServiceId(uuid::Uuid::nil()),
            name: String::new(),
            description: String::new(),
            duration_min: 60,
            price_minor: 0,
            currency: currency.to_owned(),
            buffer_before_min: 0,
            buffer_after_min: 0,
            notice_min: 120,
            horizon_days: 60,
            cancel_notice_min: 1440,
            needs_pickup: false,
            needs_approval: false,
            archived: false,
        }
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

/// The form of a service as it was typed.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Minutes.
    pub duration: String,
    /// "350.00".
    pub price: String,
    /// Minutes.
    pub buffer_before: String,
    /// Minutes.
    pub buffer_after: String,
    /// Hours.
    pub notice: String,
    /// Days.
    pub horizon: String,
    /// Hours.
    pub cancel_notice: String,
    /// Asks for a pickup address.
    pub needs_pickup: bool,
    /// Asks the instructor.
    pub needs_approval: bool,
    /// Who teaches it.
    pub instructors: Vec<InstructorId>,
}

impl Typed {
    /// The service that was meant, with `id` and in `currency`.
    ///
    /// # Errors
    /// All fields to mend at once.
    pub fn check(&self, id: ServiceId, currency: &str) -> Result<Service> {
        let mut errors = FieldErrors::new();
        let name = errors.check("name", parse_name(&self.name));
        let description = errors.check("description", identity::text(&self.description, 10_000));
        let duration = errors.check("duration", parse_whole(&self.duration, 5, 1440, "minutes"));
        let price = errors.check("price", parse_price(&self.price, currency));
        let before = errors.check("buffer_before", parse_whole(&self.buffer_before, 0, 480, "minutes"));
        let after = errors.check("buffer_after", parse_whole(&self.buffer_after, 0, 480, "minutes"));
        let notice = errors.check("notice", parse_hours(&self.notice));
        let horizon = errors.check("horizon", parse_whole(&self.horizon, 1, 730, "days"));
        let cancel = errors.check("cancel_notice", parse_hours(&self.cancel_notice));
        errors.finish()?;
        Ok(Service {
            id,
            name: name.unwrap_or_default(),
            description: description.unwrap_or_default(),
            duration_min: duration.unwrap_or_default(),
            price_minor: price.unwrap_or_default(),
            currency: currency.to_owned(),
            buffer_before_min: before.unwrap_or_default(),
            buffer_after_min: after.unwrap_or_default(),
            notice_min: notice.unwrap_or_default(),
            horizon_days: horizon.unwrap_or_default(),
            cancel_notice_min: cancel.unwrap_or_default(),
            needs_pickup: self.needs_pickup,
            needs_approval: self.needs_approval,
            archived: false,
        })
    }
}

fn parse_name(typed: &str) -> Result<String, String> {
    let name = identity::text(typed, 100)?;
    if name.is_empty() { Err("Give it a name.".into()) } else { Ok(name) }
}

fn parse_whole(typed: &str, min: i32, max: i32, unit: &str) -> Result<i32, String> {
    let message = || format!("Type a whole number of {unit} from {min} to {max}.");
    let number: i32 = typed.trim().parse().map_err(|_| message())?;
    if (min..=max).contains(&number) { Ok(number) } else { Err(message()) }
}

/// A decimal number with at most two places, in hundredths: "350", "350.5", "1 350,00".
fn parse_hundredths(typed: &str) -> Option<i64> {
    let text: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let (whole, part) = text.split_once(['.', ',']).unwrap_or((&text, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || part.len() > 2 || !digits(whole) || !digits(part) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    Some(whole * 100 + part)
}

/// Whether a currency has no smaller unit: a minor unit of it is a whole one.
pub(crate) fn is_whole(currency: &str) -> bool {
    matches!(currency, "JPY" | "KRW" | "VND" | "CLP" | "ISK")
}

/// A price in minor units.
fn parse_price(typed: &str, currency: &str) -> Result<i64, String> {
    let minor = match (parse_hundredths(typed), is_whole(currency)) {
        (Some(hundredths), true) if hundredths % 100 == 0 => Some(hundredths / 100),
        (_, true) => None,
        (hundredths, false) => hundredths,
    };
    minor.filter(|minor| *minor <= 100_000_000_000).ok_or_else(|| {
        format!("Type a price such as {}, or 0 when it is free.", price_text(35_000, currency))
    })
}

/// Hours as minutes.
pub(crate) fn parse_hours(typed: &str) -> Result<i32, String> {
    parse_hundredths(typed)
        .map(|hundredths| (hundredths * 60 + 50) / 100)
        .and_then(|minutes| i32::try_from(minutes).ok())
        .filter(|minutes| *minutes <= 525_600)
        .ok_or_else(|| "Type a number of hours such as 2, 24 or 0.5.".into())
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
    use crate::Error;

    #[test]
    fn prices_are_minor_units() {
        assert_eq!(parse_price("350", "ZAR"), Ok(35_000));
        assert_eq!(parse_price(" 1 350,5 ", "EUR"), Ok(135_050));
        assert_eq!(parse_price("0", "EUR"), Ok(0));
        assert_eq!(parse_price("3500", "JPY"), Ok(3500));
        assert_eq!(price_text(3500, "JPY"), "3500");
        assert_eq!(price_text(3505, "EUR"), "35.05");
        assert!(parse_price("35.50", "JPY").is_err());
        for bad in ["", "-1", "3.505", "1e3", "R 350", "٣", "9999999999999"] {
            assert!(parse_price(bad, "EUR").is_err(), "{bad}");
        }
    }

    #[test]
    fn every_number_of_minutes_survives_the_form() {
        for minutes in (0..10_000).chain([525_600]) {
            assert_eq!(parse_hours(&hours_text(minutes)), Ok(minutes));
        }
        assert_eq!(hours_text(90), "1.5");
        assert!(parse_hours("9000").is_err());
    }

    #[test]
    fn all_fields_to_mend_are_named_at_once() {
        let typed = Typed { duration: "4".into(), horizon: "731".into(), ..Typed::default() };
        let Err(Error::Invalid(errors)) = typed.check(ServiceId(uuid::Uuid::nil()), "EUR") else {
            panic!("it should be refused");
        };
        let fields: Vec<&str> = errors.0.keys().map(String::as_str).collect();
        assert_eq!(
            fields,
            [
                "buffer_after",
                "buffer_before",
                "cancel_notice",
                "duration",
                "horizon",
                "name",
                "notice",
                "price"
            ]
        );
    }
}
