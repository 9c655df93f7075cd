//! The form of a service as it was typed, and what was meant.

use std::collections::BTreeMap;

use super::{Needed, Service, price_text};
use crate::{
    Error, FieldErrors, Result, identity,
    ids::{InstructorId, ResourceId, ServiceId},
    tenancy::parse_accent,
};

/// The form of a service as it was typed. What is `None` wasn't sent, and stays as it is.
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
    /// Seats.
    pub capacity: Option<String>,
    /// `#rrggbb` or empty.
    pub colour: Option<String>,
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
    /// Hours.
    pub move_notice: Option<String>,
    /// A number; empty is as often as they like.
    pub max_moves: Option<String>,
    /// Percent.
    pub late_fee: Option<String>,
    /// Asks for a pickup address.
    pub needs_pickup: bool,
    /// Asks the instructor.
    pub needs_approval: bool,
    /// Asks for a prepaid lesson.
    pub needs_credit: bool,
    /// Who teaches it.
    pub instructors: Vec<InstructorId>,
    /// Resources, and how many units of each; those left out aren't needed.
    pub resources: Option<Vec<(ResourceId, String)>>,
}

/// What the form meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The service.
    pub service: Service,
    /// How many units it needs of which resources, when the form said.
    pub resources: Option<Vec<(ResourceId, i32)>>,
}

impl Typed {
    /// What was meant: the service with `id` and in `currency`, which was `old` before, in a school with `resources`.
    ///
    /// # Errors
    /// All fields to mend at once; [`Error::NotFound`] for a resource the school doesn't have.
    pub fn check(
        &self,
        id: ServiceId,
        currency: &str,
        old: Option<&Service>,
        resources: &[Needed],
    ) -> Result<Checked> {
        let mut errors = FieldErrors::new();
        let name = errors.check("name", identity::thing_name(&self.name));
        let description = errors.check("description", identity::text(&self.description, 10_000));
        let duration = errors.check("duration", parse_whole(&self.duration, 5, 1440, "minutes"));
        let price = errors.check("price", parse_price(&self.price, currency));
        let before = errors.check("buffer_before", parse_buffer(&self.buffer_before));
        let after = errors.check("buffer_after", parse_buffer(&self.buffer_after));
        let notice = errors.check("notice", parse_hours(&self.notice));
        let horizon = errors.check("horizon", parse_horizon(&self.horizon));
        let cancel = errors.check("cancel_notice", parse_hours(&self.cancel_notice));
        // A new service can be moved as long as it can be cancelled.
        let blank = Service { move_notice_min: cancel.unwrap_or_default(), ..Service::blank(currency) };
        let kept = old.unwrap_or(&blank);
        let capacity = errors.check("capacity", given(&self.capacity, kept.capacity, parse_capacity));
        let colour = errors.check("colour", given(&self.colour, kept.colour.clone(), parse_accent));
        let moves = errors.check("move_notice", given(&self.move_notice, kept.move_notice_min, parse_hours));
        let max_moves = errors.check("max_moves", given(&self.max_moves, kept.max_moves, parse_max_moves));
        let fee = errors.check("late_fee", given(&self.late_fee, kept.late_fee_percent, parse_percent));
        let resources = self.units(resources, &mut errors)?;
        errors.finish()?;
        let service = Service {
            id,
            kind: kept.kind,
            name: name.unwrap_or_default(),
            description: description.unwrap_or_default(),
            duration_min: duration.unwrap_or_default(),
            price_minor: price.unwrap_or_default(),
            currency: currency.to_owned(),
            capacity: capacity.unwrap_or_default(),
            colour: colour.unwrap_or_default(),
            buffer_before_min: before.unwrap_or_default(),
            buffer_after_min: after.unwrap_or_default(),
            notice_min: notice.unwrap_or_default(),
            horizon_days: horizon.unwrap_or_default(),
            cancel_notice_min: cancel.unwrap_or_default(),
            move_notice_min: moves.unwrap_or_default(),
            max_moves: max_moves.unwrap_or_default(),
            late_fee_percent: fee.unwrap_or_default(),
            needs_pickup: self.needs_pickup,
            needs_approval: self.needs_approval,
            needs_credit: self.needs_credit,
            archived: kept.archived,
        };
        Ok(Checked { service, resources })
    }

    /// Units by resource, without those of which it needs none.
    fn units(
        &self,
        resources: &[Needed],
        errors: &mut FieldErrors,
    ) -> Result<Option<Vec<(ResourceId, i32)>>> {
        let Some(typed) = &self.resources else { return Ok(None) };
        let mut needed = BTreeMap::new();
        for (id, units) in typed {
            let resource = resources.iter().find(|known| known.id == *id).ok_or(Error::NotFound)?;
            if let Some(units) = errors.check("resources", parse_units(resource, units)) {
                needed.insert(*id, units);
            }
        }
        Ok(Some(needed.into_iter().filter(|(_, units)| *units > 0).collect()))
    }
}

/// What was typed, or what there is when the field wasn't sent.
fn given<T>(
    typed: &Option<String>,
    kept: T,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, String> {
    match typed {
        Some(typed) => parse(typed),
        None => Ok(kept),
    }
}

fn parse_whole(typed: &str, min: i32, max: i32, unit: &str) -> Result<i32, String> {
    let message = || format!("Type a whole number of {unit} from {min} to {max}.");
    let number: i32 = typed.trim().parse().map_err(|_| message())?;
    if (min..=max).contains(&number) { Ok(number) } else { Err(message()) }
}

fn parse_capacity(typed: &str) -> Result<i32, String> {
    parse_whole(typed, 1, 500, "seats")
}

pub(super) fn parse_buffer(typed: &str) -> Result<i32, String> {
    parse_whole(typed, 0, 480, "minutes")
}

pub(super) fn parse_horizon(typed: &str) -> Result<i32, String> {
    parse_whole(typed, 1, 730, "days")
}

/// Part of a price.
pub(super) fn parse_percent(typed: &str) -> Result<i32, String> {
    parse_whole(typed, 0, 100, "percent").map_err(|_| "Type a whole percentage from 0 to 100.".into())
}

fn parse_max_moves(typed: &str) -> Result<Option<i32>, String> {
    if typed.trim().is_empty() {
        return Ok(None);
    }
    parse_whole(typed, 0, 100, "times")
        .map(Some)
        .map_err(|_| "Type a whole number of times from 0 to 100, or leave it empty.".into())
}

/// Units of a resource; nothing is none. More than there are can only stay what it was.
fn parse_units(resource: &Needed, typed: &str) -> Result<i32, String> {
    if typed.trim().is_empty() {
        return Ok(0);
    }
    let most = resource.available.max(resource.units);
    parse_whole(typed, 0, most, "units").map_err(|message| format!("{}: {message}", resource.name))
}

/// A decimal number with at most two places, in hundredths: "350", "350.5", "1 350,00".
pub(super) fn parse_hundredths(typed: &str) -> Option<i64> {
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

/// The highest price, in minor units.
pub(super) const MOST_PRICE: i64 = 100_000_000_000;

/// A price in minor units.
pub(super) fn parse_price(typed: &str, currency: &str) -> Result<i64, String> {
    let minor = match (parse_hundredths(typed), super::is_whole(currency)) {
        (Some(hundredths), true) if hundredths % 100 == 0 => Some(hundredths / 100),
        (_, true) => None,
        (hundredths, false) => hundredths,
    };
    minor.filter(|minor| *minor <= MOST_PRICE).ok_or_else(|| {
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::services::hours_text;

    const ID: ServiceId = ServiceId(Uuid::nil());

    /// All fields that every form sends, right.
    fn good() -> Typed {
        let text = |text: &str| text.to_owned();
        Typed {
            name: text("Theory class"),
            duration: text("60"),
            price: text("150"),
            buffer_before: text("0"),
            buffer_after: text("0"),
            notice: text("2"),
            horizon: text("60"),
            cancel_notice: text("12"),
            ..Typed::default()
        }
    }

    fn room(units: i32) -> Needed {
        let id = ResourceId(Uuid::from_u128(7));
        Needed { id, name: "Room".into(), archived: false, available: 2, units }
    }

    /// What is wrong, by field.
    fn refused(typed: &Typed) -> BTreeMap<String, String> {
        match typed.check(ID, "EUR", None, &[room(0)]) {
            Err(Error::Invalid(errors)) => errors.0,
            other => panic!("it should be refused: {other:?}"),
        }
    }

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
        let typed = Typed {
            duration: "4".into(),
            horizon: "731".into(),
            capacity: Some("0".into()),
            colour: Some("red".into()),
            move_notice: Some("soon".into()),
            max_moves: Some("-1".into()),
            late_fee: Some("101".into()),
            resources: Some(vec![(room(0).id, "3".into())]),
            ..Typed::default()
        };
        let errors = refused(&typed);
        let fields: Vec<&str> = errors.keys().map(String::as_str).collect();
        assert_eq!(
            fields,
            [
                "buffer_after",
                "buffer_before",
                "cancel_notice",
                "capacity",
                "colour",
                "duration",
                "horizon",
                "late_fee",
                "max_moves",
                "move_notice",
                "name",
                "notice",
                "price",
                "resources"
            ]
        );
        assert_eq!(errors["resources"], "Room: Type a whole number of units from 0 to 2.");
        assert_eq!(errors["max_moves"], "Type a whole number of times from 0 to 100, or leave it empty.");
    }

    #[test]
    fn a_length_is_from_five_minutes_to_a_day() {
        for bad in ["0", "4", "1441", "1500", "-60", "45.5", "an hour", ""] {
            let errors = refused(&Typed { duration: bad.into(), ..good() });
            assert_eq!(errors["duration"], "Type a whole number of minutes from 5 to 1440.", "{bad}");
        }
        for length in ["5", " 1440 "] {
            assert!(Typed { duration: length.into(), ..good() }.check(ID, "EUR", None, &[]).is_ok());
        }
    }

    #[test]
    fn what_is_not_sent_stays_and_what_is_empty_goes() {
        let old = Service {
            capacity: 8,
            colour: Some("#0a6b8a".into()),
            move_notice_min: 90,
            max_moves: Some(2),
            late_fee_percent: 50,
            archived: true,
            ..Service::blank("EUR")
        };
        let kept = good().check(ID, "EUR", Some(&old), &[]).expect("a service");
        let terms = |service: &Service| {
            let Service { capacity, move_notice_min, max_moves, late_fee_percent, .. } = *service;
            (capacity, service.colour.clone(), move_notice_min, max_moves, late_fee_percent)
        };
        assert_eq!(terms(&kept.service), (8, Some("#0a6b8a".into()), 90, Some(2), 50));
        assert_eq!((kept.resources, kept.service.archived), (None, true));

        let text = |text: &str| Some(text.to_owned());
        let typed = Typed {
            capacity: text("500"),
            colour: text(""),
            move_notice: text("0"),
            max_moves: text(" "),
            late_fee: text("0"),
            resources: Some(vec![(room(0).id, String::new())]),
            ..good()
        };
        let changed = typed.check(ID, "EUR", Some(&old), &[room(1)]).expect("a service");
        assert_eq!(terms(&changed.service), (500, None, 0, None, 0));
        assert_eq!(changed.resources, Some(Vec::new()));

        let new = good().check(ID, "EUR", None, &[]).expect("a service").service;
        assert_eq!(terms(&new), (1, None, 720, None, 100), "moved as long as it can be cancelled");
    }

    #[test]
    fn units_are_as_many_as_there_are() {
        let of = |units: &str, resource: &Needed| {
            let typed = Typed { resources: Some(vec![(resource.id, units.into())]), ..good() };
            typed.check(ID, "EUR", None, std::slice::from_ref(resource))
        };
        assert_eq!(of("2", &room(0)).expect("units").resources, Some(vec![(room(0).id, 2)]));
        assert!(matches!(of("3", &room(0)), Err(Error::Invalid(_))));
        assert!(of("3", &room(3)).is_ok(), "what it needed before may stay");
        let typed = Typed { resources: Some(vec![(room(0).id, "1".into())]), ..good() };
        assert!(matches!(typed.check(ID, "EUR", None, &[]), Err(Error::NotFound)));
    }
}
