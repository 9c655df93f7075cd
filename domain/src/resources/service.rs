//! Operations on resources.

use serde_json::Value;

pub use super::store::{Needs, ResourceRow};
use super::{Resource, Typed, store};
use crate::{
    Error, Result, audit,
    authz::{Action, TenantScope},
    availability::exceptions::all_ahead,
    booking::writes::freed,
    ids::ResourceId,
    paging::{ListQuery, Page},
};

/// Services named in a sentence at most.
const NAMED: usize = 3;

/// A resource with what hangs on it.
#[derive(Clone, Debug)]
pub struct Detail {
    /// The resource.
    pub resource: Resource,
    /// The active services that need it, by name.
    pub services: Vec<Needs>,
    /// Lessons still to come that use it.
    pub upcoming: i64,
}

/// What was saved.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The resource.
    pub resource: Resource,
    /// Upcoming lessons with a unit that is gone now. They keep it.
    pub kept: i64,
}

/// The resources of the school: those in use, unless `status` is `archived` or `all`. Sorted by name.
///
/// # Errors
/// [`Error::Forbidden`].
pub async fn list(scope: &mut TenantScope, query: &ListQuery, status: &str) -> Result<Page<ResourceRow>> {
    scope.require(Action::EditResources)?;
    let now = scope.now();
    let status = match status {
        "all" => None,
        "archived" => Some("archived"),
        _ => Some("active"),
    };
    let (tenant, conn) = scope.conn();
    let (items, total) = store::list(conn, tenant, query, status, now).await?;
    Ok(Page::new(items, total, query))
}

/// What a new resource starts from.
///
/// # Errors
/// [`Error::Forbidden`].
pub fn blank(scope: &TenantScope) -> Result<Detail> {
    scope.require(Action::EditResources)?;
    Ok(Detail { resource: Resource::blank(), services: Vec::new(), upcoming: 0 })
}

/// A resource to edit.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn one(scope: &mut TenantScope, id: ResourceId) -> Result<Detail> {
    scope.require(Action::EditResources)?;
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    store::detail(conn, tenant, id, now).await?.ok_or(Error::NotFound)
}

/// Saves the form of a resource; a new one without an `id`. Lessons keep the units they have, also when there are fewer
/// from now on.
///
/// # Errors
/// All fields to mend at once; a number of units that a service couldn't do with is one.
pub async fn save(scope: &mut TenantScope, id: Option<ResourceId>, typed: &Typed) -> Result<Saved> {
    scope.require(Action::EditResources)?;
    let now = scope.now();
    let mut resource = typed.check(id.unwrap_or_else(|| ResourceId::new(now)))?;
    let ahead = all_ahead(&scope.tenant().zone, now);
    let (tenant, conn) = scope.conn();
    let before = match id {
        Some(id) => Some(store::lock(conn, tenant, id).await?.ok_or(Error::NotFound)?),
        None => None,
    };
    match &before {
        Some(old) => {
            resource.archived = old.archived;
            if resource.units < old.units {
                let services = store::services(conn, tenant, resource.id).await?;
                enough(&resource, &services)?;
            }
            store::update(conn, tenant, &resource).await?;
        }
        None => store::insert(conn, tenant, &resource, now).await?,
    }
    store::set_units(conn, tenant, &resource, now).await?;
    freed(conn, tenant, ahead, now).await?;
    let fewer = before.as_ref().is_some_and(|old| resource.units < old.units);
    let kept = if fewer { store::kept(conn, tenant, resource.id, now).await? } else { 0 };
    let before = before.map(|old| as_json(&old)).transpose()?;
    record(scope, resource.id, before, as_json(&resource)?).await?;
    Ok(Saved { resource, kept })
}

/// Whether each service still finds as many units as it needs.
fn enough(resource: &Resource, services: &[Needs]) -> Result<()> {
    match services.iter().find(|service| service.units > resource.units) {
        Some(service) => {
            let message = format!("{} needs {}. Change the service first.", service.name, service.units);
            Err(Error::field("units", message))
        }
        None => Ok(()),
    }
}

/// Takes a resource out of use. Lessons that have it keep it.
///
/// # Errors
/// [`Error::Conflict`] while active services need it.
pub async fn archive(scope: &mut TenantScope, id: ResourceId) -> Result<Resource> {
    scope.require(Action::EditResources)?;
    let (tenant, conn) = scope.conn();
    let mut resource = store::lock(conn, tenant, id).await?.ok_or(Error::NotFound)?;
    if resource.archived {
        return Err(Error::Conflict("This resource is archived already.".into()));
    }
    let services = store::services(conn, tenant, id).await?;
    if !services.is_empty() {
        return Err(Error::Conflict(needed_by(&services)));
    }
    resource.archived = true;
    store::set_archived(conn, tenant, id, true).await?;
    record_archived(scope, id, true).await?;
    Ok(resource)
}

/// Puts an archived resource to use again.
///
/// # Errors
/// [`Error::Conflict`] when it is in use, or its name is another one's by now.
pub async fn restore(scope: &mut TenantScope, id: ResourceId) -> Result<Resource> {
    scope.require(Action::EditResources)?;
    let (tenant, conn) = scope.conn();
    let mut resource = store::lock(conn, tenant, id).await?.ok_or(Error::NotFound)?;
    if !resource.archived {
        return Err(Error::Conflict("This resource is in use already.".into()));
    }
    resource.archived = false;
    store::set_archived(conn, tenant, id, false).await.map_err(|error| match error {
        // There is no field to mend beside this button.
        Error::Invalid(_) => {
            Error::Conflict("Another active resource has this name. Rename one of them first.".into())
        }
        other => other,
    })?;
    record_archived(scope, id, false).await?;
    Ok(resource)
}

/// "Theory class needs it. Change the service first."
fn needed_by(services: &[Needs]) -> String {
    let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    match names.as_slice() {
        [one] => format!("{one} needs it. Change the service first."),
        [others @ .., last] if names.len() <= NAMED => {
            format!("{} and {last} need it. Change the services first.", others.join(", "))
        }
        _ => {
            let shown: Vec<&str> = names.iter().copied().take(NAMED).collect();
            let more = names.len().saturating_sub(NAMED);
            format!("{} and {more} more need it. Change the services first.", shown.join(", "))
        }
    }
}

async fn record_archived(scope: &mut TenantScope, id: ResourceId, archived: bool) -> Result<()> {
    let before = serde_json::json!({ "archived": !archived });
    record(scope, id, Some(before), serde_json::json!({ "archived": archived })).await
}

fn as_json(resource: &Resource) -> Result<Value> {
    serde_json::to_value(resource).map_err(Error::internal)
}

async fn record(scope: &mut TenantScope, id: ResourceId, before: Option<Value>, after: Value) -> Result<()> {
    let entry = audit::Entry {
        action: Action::EditResources.as_str(),
        entity: "resource",
        entity_id: Some(id.0),
        before,
        after: Some(after),
        reason: None,
    };
    audit::record(scope, entry).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ServiceId;

    fn needs(names: &[&str]) -> Vec<Needs> {
        let id = ServiceId(uuid::Uuid::nil());
        names.iter().map(|name| Needs { id, name: (*name).to_owned(), units: 2 }).collect()
    }

    #[test]
    fn services_in_the_way_are_named() {
        let said = |names: &[&str]| needed_by(&needs(names));
        assert_eq!(said(&["Theory class"]), "Theory class needs it. Change the service first.");
        assert_eq!(said(&["A", "B"]), "A and B need it. Change the services first.");
        assert_eq!(said(&["A", "B", "C"]), "A, B and C need it. Change the services first.");
        assert_eq!(said(&["A", "B", "C", "D"]), "A, B, C and 1 more need it. Change the services first.");
    }

    #[test]
    fn units_stay_as_many_as_a_service_needs() {
        let of = |units: i32| Resource { units, ..Resource::blank() };
        assert!(enough(&of(2), &needs(&["A"])).is_ok());
        let Err(Error::Invalid(errors)) = enough(&of(1), &needs(&["A"])) else { panic!("it is too few") };
        assert_eq!(errors.0["units"], "A needs 2. Change the service first.");
    }
}
