//! Keeping the services of a school.

// A form's fields are arguments.
#![allow(clippy::too_many_arguments)]

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use crate::cx::Cx;
use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use domain::{
    ids::{InstructorId, ResourceId, ServiceId},
    services::{
        Typed, bulk as many,
        combos::{self, TypedCombo},
        service as services,
    },
};

/// A field of which it matters whether it was sent: an empty one says something, one that isn't there says nothing.
/// (`Option<String>` takes both for the same.)
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Sent(Option<String>);

impl From<String> for Sent {
    fn from(text: String) -> Self {
        Self(Some(text))
    }
}

impl From<Sent> for String {
    fn from(sent: Sent) -> Self {
        sent.0.unwrap_or_default()
    }
}

/// Saves a service: `service` is its id, or `new`. Notices are in hours, the horizon in days, the fee in percent, the rest
/// in minutes; `instructors` are the ids of those who teach it, `units` how many it needs of each of `resources`. What
/// isn't sent of the terms and the resources stays.
#[server(endpoint = "services/save", prefix = "/fn")]
pub async fn save(
    tenant: String,
    service: String,
    name: String,
    #[server(default)] description: String,
    duration: String,
    price: String,
    #[server(default)] capacity: Sent,
    #[server(default)] colour: Sent,
    buffer_before: String,
    buffer_after: String,
    notice: String,
    horizon: String,
    cancel_notice: String,
    #[server(default)] move_notice: Sent,
    #[server(default)] max_moves: Sent,
    #[server(default)] late_fee: Sent,
    #[server(default)] needs_pickup: String,
    #[server(default)] needs_approval: String,
    #[server(default)] needs_credit: String,
    #[server(default)] instructors: Vec<String>,
    #[server(default)] resources: Vec<String>,
    #[server(default)] units: Vec<String>,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = id_or_new(&service)?;
    let instructors: Result<Vec<InstructorId>, _> = instructors.iter().map(|id| id.parse()).collect();
    let typed = Typed {
        name,
        description,
        duration,
        price,
        capacity: capacity.0,
        colour: colour.0,
        buffer_before,
        buffer_after,
        notice,
        horizon,
        cancel_notice,
        move_notice: move_notice.0,
        max_moves: max_moves.0,
        late_fee: late_fee.0,
        needs_pickup: !needs_pickup.is_empty(),
        needs_approval: !needs_approval.is_empty(),
        needs_credit: !needs_credit.is_empty(),
        instructors: instructors.map_err(|_| domain::Error::NotFound)?,
        resources: needed(&resources, units)?,
    };
    let saved = services::save(&mut scope, id, &typed).await?;
    scope.commit().await?;
    Ok(Outcome::new(format!("/t/{tenant}/services"), format!("{} is saved.", saved.name)).with_id(saved.id))
}

/// Saves a combo: `service` is its id, or `new`; `parts` are the ids of its services in order, with gaps.
#[server(endpoint = "services/save_combo", prefix = "/fn")]
pub async fn save_combo(
    tenant: String,
    service: String,
    name: String,
    #[server(default)] description: String,
    price: String,
    #[server(default)] parts: Vec<String>,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = id_or_new(&service)?;
    let parts = ids(parts.iter().filter(|part| !part.is_empty()))?;
    let typed = TypedCombo { name, description, price, parts };
    let saved = combos::save(&mut scope, id, &typed).await?;
    scope.commit().await?;
    Ok(Outcome::new(format!("/t/{tenant}/services"), format!("{} is saved.", saved.name)).with_id(saved.id))
}

/// Changes many services at once: `step` says what to do to those with the ids `services`, `value` with what.
#[server(endpoint = "services/bulk", prefix = "/fn")]
pub async fn bulk(
    tenant: String,
    step: String,
    #[server(default)] value: String,
    #[server(default)] services: Vec<String>,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let services = ids(services.iter())?;
    let changed = many::change(&mut scope, &step, &value, &services).await?;
    scope.commit().await?;
    let message =
        if changed == 1 { "1 service changed.".into() } else { format!("{changed} services changed.") };
    Ok(Outcome::new(format!("/t/{tenant}/services"), message))
}

/// Takes a service off the school's page.
#[server(endpoint = "services/archive", prefix = "/fn")]
pub async fn archive(tenant: String, service: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = service.parse().map_err(|_| domain::Error::NotFound)?;
    let archived = services::archive(&mut scope, id).await?;
    scope.commit().await?;
    let message = format!("{} is archived. What is booked stays.", archived.name);
    Ok(Outcome::new(format!("/t/{tenant}/services"), message).with_id(id))
}

/// Offers an archived service again.
#[server(endpoint = "services/restore", prefix = "/fn")]
pub async fn restore(tenant: String, service: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = service.parse().map_err(|_| domain::Error::NotFound)?;
    let restored = services::restore(&mut scope, id).await?;
    scope.commit().await?;
    let message = format!("{} is offered again.", restored.name);
    Ok(Outcome::new(format!("/t/{tenant}/services"), message).with_id(id))
}

/// What a form says of the thing it saves.
#[cfg(feature = "ssr")]
fn id_or_new(text: &str) -> Result<Option<ServiceId>, domain::Error> {
    match text {
        "new" => Ok(None),
        id => id.parse().map(Some).map_err(|_| domain::Error::NotFound),
    }
}

#[cfg(feature = "ssr")]
fn ids<'a>(texts: impl Iterator<Item = &'a String>) -> Result<Vec<ServiceId>, domain::Error> {
    texts.map(|id| id.parse().map_err(|_| domain::Error::NotFound)).collect()
}

/// Two lists side by side; nothing when the form has none.
#[cfg(feature = "ssr")]
fn needed(
    resources: &[String],
    units: Vec<String>,
) -> Result<Option<Vec<(ResourceId, String)>>, domain::Error> {
    if resources.is_empty() {
        return Ok(None);
    }
    if resources.len() != units.len() {
        return Err(domain::Error::field("resources", "Say of each resource how many units it needs."));
    }
    let pair = |(id, units): (&String, String)| match id.parse::<ResourceId>() {
        Ok(id) => Ok((id, units)),
        Err(_) => Err(domain::Error::NotFound),
    };
    resources.iter().zip(units).map(pair).collect::<Result<Vec<_>, _>>().map(Some)
}
