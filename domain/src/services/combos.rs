//! Combos: several services sold and booked as one, at one price. All but name, description, price and colour follows
//! from the parts.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{MOST_SERVICES, Service, ServiceKind, form::parse_price, link_store, service, store};
use crate::{
    Error, FieldErrors, Result,
    authz::{Action, TenantScope},
    identity,
    ids::ServiceId,
};

/// A service takes no longer, in minutes.
const LONGEST: i32 = 1440;

/// The form of a combo as it was typed.
#[derive(Clone, Debug, Default)]
pub struct TypedCombo {
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// "350.00".
    pub price: String,
    /// What it is made of, in order.
    pub parts: Vec<ServiceId>,
}

impl TypedCombo {
    /// The combo that was meant: `kept` with what was typed, made of those of `known` that were chosen.
    fn check(&self, kept: Service, currency: &str, known: &[Service]) -> Result<Service> {
        let mut errors = FieldErrors::new();
        let name = errors.check("name", identity::thing_name(&self.name));
        let description = errors.check("description", identity::text(&self.description, 10_000));
        let price = errors.check("price", parse_price(&self.price, currency));
        let find = |id: &ServiceId| known.iter().find(|service| service.id == *id).cloned();
        let parts: Option<Vec<Service>> = self.parts.iter().map(find).collect();
        let parts = parts.ok_or(Error::NotFound)?;
        errors.check("parts", check_parts(&parts));
        errors.finish()?;
        let combo = Service {
            name: name.unwrap_or_default(),
            description: description.unwrap_or_default(),
            price_minor: price.unwrap_or_default(),
            currency: currency.to_owned(),
            ..kept
        };
        Ok(made_of(combo, &parts))
    }
}

/// Whether these can be sold as one.
fn check_parts(parts: &[Service]) -> Result<(), String> {
    if parts.len() < 2 {
        return Err("Choose at least two services.".into());
    }
    if parts.len() > MOST_SERVICES {
        return Err(format!("Choose {MOST_SERVICES} services at most."));
    }
    for part in parts {
        let name = &part.name;
        if part.archived {
            return Err(format!("{name} is archived. Choose another, or restore it first."));
        }
        if part.kind == ServiceKind::Combo {
            return Err(format!("{name} is a combo. Choose its parts instead."));
        }
        if part.capacity > 1 {
            return Err(format!("{name} is for several. Choose services for one."));
        }
    }
    if parts.iter().map(|part| part.duration_min).sum::<i32>() > LONGEST {
        return Err("Together they take longer than a day. Choose fewer or shorter ones.".into());
    }
    Ok(())
}

/// The combo with all that follows from its parts.
fn made_of(combo: Service, parts: &[Service]) -> Service {
    Service {
        id: combo.id,
        kind: ServiceKind::Combo,
        name: combo.name,
        description: combo.description,
        price_minor: combo.price_minor,
        currency: combo.currency,
        colour: combo.colour,
        archived: combo.archived,
        ..Service::together(parts)
    }
}

/// Saves the form of a combo; a new one without an `id`.
///
/// # Errors
/// Field errors; [`Error::NotFound`] for parts that the school doesn't have.
pub async fn save(scope: &mut TenantScope, id: Option<ServiceId>, typed: &TypedCombo) -> Result<Service> {
    scope.require(Action::EditServices)?;
    let (now, currency) = (scope.now(), scope.tenant().currency.clone());
    let (tenant, conn) = scope.conn();
    store::lock(conn, tenant).await?;
    let before = match id {
        Some(id) => Some(store::find(conn, tenant, id).await?.ok_or(Error::NotFound)?),
        None => None,
    };
    if before.as_ref().is_some_and(|old| old.kind == ServiceKind::Single) {
        return Err(Error::Conflict("This is a single service: change it on its own page.".into()));
    }
    let ids: Vec<Uuid> = typed.parts.iter().map(|id| id.0).collect();
    let known = store::find_all(conn, tenant, &ids, false).await?;
    let kept =
        before.clone().unwrap_or_else(|| Service { id: ServiceId::new(now), ..Service::blank(&currency) });
    let combo = typed.check(kept, &currency, &known)?;
    match &before {
        Some(_) => store::update(conn, tenant, &combo).await?,
        None => store::insert(conn, tenant, &combo, now).await?,
    }
    link_store::set_parts(conn, tenant, combo.id, &typed.parts).await?;
    link_store::follow_parts(conn, tenant).await?;
    let mut after = serde_json::to_value(&combo).map_err(Error::internal)?;
    after["parts"] = serde_json::to_value(&typed.parts).map_err(Error::internal)?;
    let before = before.map(|old| serde_json::to_value(old).map_err(Error::internal)).transpose()?;
    service::record(scope, combo.id, before, after).await?;
    Ok(combo)
}

/// Makes all combos of the school what their parts are now: length, terms, teachers, resources. The caller holds
/// [`store::lock`].
///
/// # Errors
/// Beside `duration`, when a combo would take longer than any service may.
pub(super) async fn refresh(conn: &mut PgConnection, tenant: Uuid) -> Result<()> {
    let services: BTreeMap<ServiceId, Service> = store::find_all(conn, tenant, &[], true)
        .await?
        .into_iter()
        .map(|service| (service.id, service))
        .collect();
    let mut parts: BTreeMap<ServiceId, Vec<Service>> = BTreeMap::new();
    for part in link_store::parts(conn, tenant).await? {
        parts.entry(part.combo).or_default().extend(services.get(&part.service).cloned());
    }
    for (id, parts) in parts {
        let Some(old) = services.get(&id) else { continue };
        let new = made_of(old.clone(), &parts);
        if new.duration_min > LONGEST {
            let message = format!("With it, {} would take longer than a day.", new.name);
            return Err(Error::field("duration", message));
        }
        if new != *old {
            store::update(conn, tenant, &new).await?;
        }
    }
    link_store::follow_parts(conn, tenant).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(n: u128, duration_min: i32) -> Service {
        let (id, name) = (ServiceId(Uuid::from_u128(n)), format!("Part {n}"));
        Service { id, name, duration_min, price_minor: 10_000, ..Service::blank("ZAR") }
    }

    fn typed(parts: &[u128]) -> TypedCombo {
        TypedCombo {
            name: "Lesson and test".into(),
            description: "Both".into(),
            price: "150".into(),
            parts: parts.iter().map(|n| ServiceId(Uuid::from_u128(*n))).collect(),
        }
    }

    fn check(typed: &TypedCombo, known: &[Service]) -> Result<Service> {
        typed.check(Service { id: ServiceId(Uuid::max()), ..Service::blank("ZAR") }, "ZAR", known)
    }

    fn refused(typed: &TypedCombo, known: &[Service]) -> BTreeMap<String, String> {
        match check(typed, known) {
            Err(Error::Invalid(errors)) => errors.0,
            other => panic!("it should be refused: {other:?}"),
        }
    }

    #[test]
    fn a_combo_is_the_sum_of_its_parts_at_one_price() {
        let lesson = Service { buffer_before_min: 5, notice_min: 60, ..part(1, 60) };
        let test = Service {
            buffer_after_min: 15,
            horizon_days: 14,
            cancel_notice_min: 2880,
            needs_pickup: true,
            ..part(2, 90)
        };
        let combo = check(&typed(&[1, 2, 1]), &[test, lesson]).expect("a combo");
        assert_eq!((combo.id, combo.kind), (ServiceId(Uuid::max()), ServiceKind::Combo));
        assert_eq!((combo.name.as_str(), combo.description.as_str()), ("Lesson and test", "Both"));
        assert_eq!((combo.duration_min, combo.price_minor), (210, 15_000));
        assert_eq!((combo.buffer_before_min, combo.buffer_after_min), (5, 0));
        assert_eq!((combo.notice_min, combo.horizon_days, combo.cancel_notice_min), (120, 14, 2880));
        assert_eq!((combo.capacity, combo.needs_pickup, combo.archived), (1, true, false));
    }

    #[test]
    fn parts_change_and_the_rest_stays() {
        let old = Service { colour: Some("#0a6b8a".into()), archived: true, ..part(9, 60) };
        let new = made_of(Service { kind: ServiceKind::Combo, ..old.clone() }, &[part(1, 60), part(2, 45)]);
        assert_eq!((new.duration_min, new.price_minor), (105, old.price_minor));
        assert_eq!((new.name, new.colour, new.archived), (old.name, old.colour, true));
    }

    #[test]
    fn parts_are_active_single_services_for_one() {
        let known = [
            part(1, 60),
            Service { archived: true, ..part(2, 60) },
            Service { kind: ServiceKind::Combo, ..part(3, 60) },
            Service { capacity: 8, ..part(4, 60) },
            part(5, 1400),
        ];
        for (parts, said) in [
            (vec![], "at least two"),
            (vec![1], "at least two"),
            (vec![1; 21], "20 services at most"),
            (vec![1, 2], "Part 2 is archived"),
            (vec![1, 3], "Part 3 is a combo"),
            (vec![4, 1], "Part 4 is for several"),
            (vec![1, 5], "longer than a day"),
        ] {
            assert!(refused(&typed(&parts), &known)["parts"].contains(said), "{parts:?}");
        }
        assert!(check(&typed(&[1; 20]), &known).is_ok());
        assert!(matches!(check(&typed(&[1, 6]), &known), Err(Error::NotFound)));
        let errors = refused(&TypedCombo::default(), &known);
        let fields: Vec<&str> = errors.keys().map(String::as_str).collect();
        assert_eq!(fields, ["name", "parts", "price"]);
    }
}
