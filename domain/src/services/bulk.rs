//! One change to many services at once (SV-01): all of them or none.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{
    Service, ServiceKind, combos,
    form::{
        MOST_PRICE, parse_buffer, parse_horizon, parse_hours, parse_hundredths, parse_percent, parse_price,
    },
    service, store,
};
use crate::{
    Error, FieldErrors, Result,
    authz::{Action, TenantScope},
    ids::ServiceId,
    tenancy::{difference, parse_accent},
};

/// What can be done with many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Takes them off the school's page.
    Archive,
    /// Offers them again.
    Restore,
    /// Dearer or cheaper by a part.
    PricePercent,
    /// One price for all.
    Price,
    /// In hours.
    Notice,
    /// In days.
    Horizon,
    /// In hours.
    CancelNotice,
    /// In hours.
    MoveNotice,
    /// In percent.
    LateFee,
    /// In minutes.
    BufferBefore,
    /// In minutes.
    BufferAfter,
    /// `#rrggbb`, or none.
    Colour,
}

impl Step {
    /// All of them, in the order of the form.
    pub const ALL: [Self; 12] = [
        Self::Archive,
        Self::Restore,
        Self::PricePercent,
        Self::Price,
        Self::Notice,
        Self::Horizon,
        Self::CancelNotice,
        Self::MoveNotice,
        Self::LateFee,
        Self::BufferBefore,
        Self::BufferAfter,
        Self::Colour,
    ];

    /// As sent by the form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Restore => "restore",
            Self::PricePercent => "price_percent",
            Self::Price => "price",
            Self::Notice => "notice",
            Self::Horizon => "horizon",
            Self::CancelNotice => "cancel_notice",
            Self::MoveNotice => "move_notice",
            Self::LateFee => "late_fee",
            Self::BufferBefore => "buffer_before",
            Self::BufferAfter => "buffer_after",
            Self::Colour => "colour",
        }
    }

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Archive => "Archive",
            Self::Restore => "Restore",
            Self::PricePercent => "Change price (percent)",
            Self::Price => "Set price",
            Self::Notice => "Set notice (hours)",
            Self::Horizon => "Set horizon (days)",
            Self::CancelNotice => "Set free cancellation (hours before)",
            Self::MoveNotice => "Set moving (hours before)",
            Self::LateFee => "Set late fee (percent)",
            Self::BufferBefore => "Set buffer before (minutes)",
            Self::BufferAfter => "Set buffer after (minutes)",
            Self::Colour => "Set colour",
        }
    }

    /// From the form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == text)
    }

    /// What a combo has from its parts can't be changed in the combo.
    fn follows_parts(self) -> bool {
        !matches!(self, Self::Archive | Self::Restore | Self::PricePercent | Self::Price | Self::Colour)
    }

    /// The service with this done to it, or what is wrong with the value.
    fn change(self, value: &str, service: &Service) -> Result<Service, String> {
        let mut new = service.clone();
        match self {
            Self::Archive => new.archived = true,
            Self::Restore => new.archived = false,
            Self::PricePercent => new.price_minor = changed_price(service, value)?,
            Self::Price => new.price_minor = parse_price(value, &service.currency)?,
            Self::Notice => new.notice_min = parse_hours(value)?,
            Self::Horizon => new.horizon_days = parse_horizon(value)?,
            Self::CancelNotice => new.cancel_notice_min = parse_hours(value)?,
            Self::MoveNotice => new.move_notice_min = parse_hours(value)?,
            Self::LateFee => new.late_fee_percent = parse_percent(value)?,
            Self::BufferBefore => new.buffer_before_min = parse_buffer(value)?,
            Self::BufferAfter => new.buffer_after_min = parse_buffer(value)?,
            Self::Colour => new.colour = parse_accent(value)?,
        }
        Ok(new)
    }
}

/// The price with a part of it added or taken: "10", "-5", "2.5 %".
fn changed_price(service: &Service, typed: &str) -> Result<i64, String> {
    let typed = typed.trim().trim_end_matches('%');
    let (digits, sign) = match typed.strip_prefix(['-', '\u{2212}']) {
        Some(digits) => (digits, -1),
        None => (typed.strip_prefix('+').unwrap_or(typed), 1),
    };
    let hundredths = parse_hundredths(digits)
        .map(|hundredths| hundredths * sign)
        .filter(|hundredths| (-10_000..=100_000).contains(hundredths))
        .ok_or("Type a percentage such as 10 or -5.")?;
    let price = (service.price_minor * (10_000 + hundredths) + 5_000) / 10_000;
    if price > MOST_PRICE { Err(format!("{} would cost too much.", service.name)) } else { Ok(price) }
}

/// Does `step` to the services of `ids`; how many were changed by it. Those that were so already aren't counted.
///
/// # Errors
/// Beside `step`, `value` and `services`; [`Error::NotFound`] for services that the school doesn't have.
pub async fn change(scope: &mut TenantScope, step: &str, value: &str, ids: &[ServiceId]) -> Result<usize> {
    scope.require(Action::EditServices)?;
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect::<BTreeSet<_>>().into_iter().collect();
    let mut errors = FieldErrors::new();
    let step = errors.check("step", Step::parse(step).ok_or("Choose what to do with them."));
    if let Some(step) = step {
        errors.check("value", step.change(value, &Service::blank(&scope.tenant().currency)));
    }
    if ids.is_empty() {
        errors.add("services", "Choose at least one service.");
    }
    errors.finish()?;
    let step = step.ok_or(Error::NotFound)?;
    let (tenant, conn) = scope.conn();
    store::lock(conn, tenant).await?;
    let services = store::find_all(conn, tenant, &ids, false).await?;
    if services.len() != ids.len() {
        return Err(Error::NotFound);
    }
    let combos: Vec<&str> = services
        .iter()
        .filter(|service| step.follows_parts() && service.kind == ServiceKind::Combo)
        .map(|combo| combo.name.as_str())
        .collect();
    if !combos.is_empty() {
        let message = format!("A combo has this from its parts; change those: {}.", combos.join(", "));
        return Err(Error::field("services", message));
    }
    let mut changed = Vec::new();
    for old in services {
        let new = step.change(value, &old).map_err(|message| Error::field("value", message))?;
        if new != old {
            store::update(conn, tenant, &new).await.map_err(|error| naming(error, &new.name))?;
            changed.push((old, new));
        }
    }
    if step.follows_parts() {
        combos::refresh(conn, tenant).await?;
    }
    for (old, new) in &changed {
        let before = serde_json::to_value(old).map_err(Error::internal)?;
        let after = serde_json::to_value(new).map_err(Error::internal)?;
        if let Some((before, after)) = difference(before, after) {
            service::record(scope, new.id, Some(before), after).await?;
        }
    }
    Ok(changed.len())
}

/// The only field that can clash is the name, of a service that is restored.
fn naming(error: Error, name: &str) -> Error {
    match error {
        Error::Invalid(_) => {
            let message = format!("Another active service is called {name} too. Rename one of them first.");
            Error::field("services", message)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn priced(price_minor: i64) -> Service {
        Service { name: "Lesson".into(), price_minor, ..Service::blank("EUR") }
    }

    #[test]
    fn prices_change_by_a_part_of_themselves() {
        for (percent, before, after) in [
            ("10", 42_000, 46_200),
            ("+10 %", 42_000, 46_200),
            ("-5", 42_000, 39_900),
            ("\u{2212}5", 42_000, 39_900),
            ("2.5", 9_999, 10_249),
            ("-100", 42_000, 0),
            ("0", 1, 1),
            ("50", 1, 2),
            ("1000", 100, 1_100),
        ] {
            let new = Step::PricePercent.change(percent, &priced(before)).map(|new| new.price_minor);
            assert_eq!(new, Ok(after), "{percent} of {before}");
        }
        for bad in ["", "-", "-101", "1001", "ten", "--5", "5%5", "1e9", "%"] {
            assert!(Step::PricePercent.change(bad, &priced(100)).is_err(), "{bad}");
        }
        assert!(Step::PricePercent.change("1", &priced(MOST_PRICE)).is_err());
    }

    #[test]
    fn each_step_changes_one_thing() {
        let old = Service { archived: true, ..priced(1) };
        for (step, value) in [
            (Step::Restore, ""),
            (Step::PricePercent, "100"),
            (Step::Price, "35"),
            (Step::Notice, "3"),
            (Step::Horizon, "7"),
            (Step::CancelNotice, "48"),
            (Step::MoveNotice, "0.5"),
            (Step::LateFee, "50"),
            (Step::BufferBefore, "5"),
            (Step::BufferAfter, "15"),
            (Step::Colour, "#0A6B8A"),
        ] {
            let new = step.change(value, &old).unwrap();
            let (before, after) = difference(serde_json::json!(old), serde_json::json!(new)).unwrap();
            assert_eq!(before.as_object().map(|fields| fields.len()), Some(1), "{step:?}: {before} {after}");
        }
        assert_eq!(Step::Archive.change("nonsense", &old), Ok(old.clone()));
        assert_eq!(Step::Colour.change("", &old).unwrap().colour, None);
        for (step, value) in
            [(Step::Price, "-1"), (Step::LateFee, "101"), (Step::BufferAfter, ""), (Step::Colour, "red")]
        {
            assert!(step.change(value, &old).is_err(), "{step:?}");
        }
    }

    #[test]
    fn steps_are_what_the_form_sends() {
        assert!(Step::ALL.iter().all(|step| Step::parse(step.as_str()) == Some(*step)));
        assert_eq!(Step::parse("delete"), None);
        assert!(Step::Notice.follows_parts() && !Step::Price.follows_parts());
    }
}
