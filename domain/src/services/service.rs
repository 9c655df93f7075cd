//! Operations on services.

use std::collections::BTreeSet;

use super::{Service, Teacher, Typed, store};
use crate::{
    Error, Result, audit,
    authz::{Action, TenantScope},
    ids::{InstructorId, ServiceId},
    paging::{ListQuery, Page},
};

/// A row of the services table.
#[derive(Clone, Debug)]
pub struct ServiceRow {
    /// The service.
    pub service: Service,
    /// How many teach it.
    pub instructors: i64,
    /// Lessons of it still to come.
    pub upcoming: i64,
}

/// The services of the school: those offered, unless `status` is `archived` or `all`. Sorted by `name`, `price` or
/// `duration`.
pub async fn list(scope: &mut TenantScope, query: &ListQuery, status: &str) -> Result<Page<ServiceRow>> {
    scope.require(Action::ViewServices)?;
    let now = scope.now();
    let status = match status {
        "all" => None,
        "archived" => Some("archived"),
        _ => Some("active"),
    };
    let (tenant, conn) = scope.conn();
    let rows = store::list(conn, tenant, query, status, now).await?;
    let total = rows.first().map_or(0, |row| row.total);
    let items = rows
        .into_iter()
        .map(|row| ServiceRow { service: row.service, instructors: row.instructors, upcoming: row.upcoming })
        .collect();
    Ok(Page::new(items, total, query))
}

/// What a new service starts from, and who could teach it.
pub async fn blank(scope: &mut TenantScope) -> Result<(Service, Vec<Teacher>)> {
    scope.require(Action::EditServices)?;
    let service = Service::blank(&scope.tenant().currency);
    let (tenant, conn) = scope.conn();
    Ok((service, store::teachers(conn, tenant, None).await?))
}

/// A service to edit, and who teaches it.
pub async fn one(scope: &mut TenantScope, id: ServiceId) -> Result<(Service, Vec<Teacher>)> {
    scope.require(Action::EditServices)?;
    let (tenant, conn) = scope.conn();
    let service = store::find(conn, tenant, id).await?.ok_or(Error::NotFound)?;
    Ok((service, store::teachers(conn, tenant, Some(id)).await?))
}

/// Saves the form of a service; a new one without an `id`.
pub async fn save(scope: &mut TenantScope, id: Option<ServiceId>, typed: &Typed) -> Result<Service> {
    scope.require(Action::EditServices)?;
    let now = scope.now();
    let mut service = typed.check(id.unwrap_or_else(|| ServiceId::new(now)), &scope.tenant().currency)?;
    let teachers: Vec<InstructorId> =
        typed.instructors.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let (tenant, conn) = scope.conn();
    let ids: Vec<uuid::Uuid> = teachers.iter().map(|id| id.0).collect();
    if store::count_instructors(conn, tenant, &ids).await? != ids.len() as i64 {
        return Err(Error::NotFound);
    }
    let before = match id {
        Some(id) => Some(store::find(conn, tenant, id).await?.ok_or(Error::NotFound)?),
        None => None,
    };
    match &before {
        Some(old) => {
            service.archived = old.archived;
            store::update(conn, tenant, &service).await?;
        }
        None => store::insert(conn, tenant, &service, now).await?,
    }
    store::set_teachers(conn, tenant, service.id, &teachers).await?;
    let mut after = serde_json::to_value(&service).map_err(Error::internal)?;
    after["instructors"] = serde_json::to_value(&teachers).map_err(Error::internal)?;
    let before = before.map(|old| serde_json::to_value(old).map_err(Error::internal)).transpose()?;
    record(scope, service.id, before, after).await?;
    Ok(service)
}

/// Takes a service off the school's page. Lessons already booked stay.
pub async fn archive(scope: &mut TenantScope, id: ServiceId) -> Result<Service> {
    set_archived(scope, id, true).await
}

/// Offers an archived service again.
pub async fn restore(scope: &mut TenantScope, id: ServiceId) -> Result<Service> {
    set_archived(scope, id, false).await.map_err(|error| match error {
        // There is no field to mend beside this button.
        Error::Invalid(_) => {
            Error::Conflict("Another active service has this name. Rename one of them first.".into())
        }
        other => other,
    })
}

async fn set_archived(scope: &mut TenantScope, id: ServiceId, archived: bool) -> Result<Service> {
    scope.require(Action::EditServices)?;
    let (tenant, conn) = scope.conn();
    let mut service = store::find(conn, tenant, id).await?.ok_or(Error::NotFound)?;
    if !store::set_archived(conn, tenant, id, archived).await? {
        let state = if archived { "archived" } else { "offered" };
        return Err(Error::Conflict(format!("This service is {state} already.")));
    }
    service.archived = archived;
    let before = serde_json::json!({ "archived": !archived });
    record(scope, id, Some(before), serde_json::json!({ "archived": archived })).await?;
    Ok(service)
}

async fn record(
    scope: &mut TenantScope,
    id: ServiceId,
    before: Option<serde_json::Value>,
    after: serde_json::Value,
) -> Result<()> {
    let entry = audit::Entry {
        action: Action::EditServices.as_str(),
        entity: "service",
        entity_id: Some(id.0),
        before,
        after: Some(after),
        reason: None,
    };
    audit::record(scope, entry).await
}
