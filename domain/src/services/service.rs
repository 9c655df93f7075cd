//! Operations on services.

use std::collections::BTreeSet;

use super::{
    Checked, Needed, Part, Service, ServiceKind, Teacher, Typed, combos,
    link_store::{self, Around},
    store,
};
use crate::{
    Error, Result, audit,
    authz::{Action, TenantScope},
    ids::{InstructorId, ServiceId},
    paging::{ListQuery, Page},
    tenancy::settings,
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
    /// A combo with a part that is archived: nobody can book it.
    pub broken: bool,
}

/// A service in its form, and what stands beside it there.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The service.
    pub service: Service,
    /// All instructors, and who of them teaches it.
    pub teachers: Vec<Teacher>,
    /// All resources, and how much of them it needs.
    pub resources: Vec<Needed>,
    /// What it is made of, for a combo.
    pub parts: Vec<Part>,
    /// What a combo can be made of.
    pub choices: Vec<Part>,
    /// Names of the combos it is a part of.
    pub combos: Vec<String>,
}

impl Sheet {
    fn new(service: Service, around: Around) -> Self {
        let Around { teachers, resources, parts, choices, combos } = around;
        Self { service, teachers, resources, parts, choices, combos }
    }
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
        .map(|row| ServiceRow {
            service: row.service,
            instructors: row.instructors,
            upcoming: row.upcoming,
            broken: row.broken,
        })
        .collect();
    Ok(Page::new(items, total, query))
}

/// What a new service starts from: the school's own terms.
pub async fn blank(scope: &mut TenantScope, kind: ServiceKind) -> Result<Sheet> {
    scope.require(Action::EditServices)?;
    let terms = settings::terms(scope).await?;
    let service = Service {
        kind,
        notice_min: terms.notice_min,
        cancel_notice_min: terms.cancel_notice_min,
        move_notice_min: terms.cancel_notice_min,
        ..Service::blank(&scope.tenant().currency)
    };
    let (tenant, conn) = scope.conn();
    Ok(Sheet::new(service, link_store::around(conn, tenant, None).await?))
}

/// A service to edit, and all that belongs to it.
pub async fn one(scope: &mut TenantScope, id: ServiceId) -> Result<Sheet> {
    scope.require(Action::EditServices)?;
    let (tenant, conn) = scope.conn();
    let service = store::find(conn, tenant, id).await?.ok_or(Error::NotFound)?;
    Ok(Sheet::new(service, link_store::around(conn, tenant, Some(id)).await?))
}

/// Saves the form of a service; a new one without an `id`. Combos it is a part of follow.
pub async fn save(scope: &mut TenantScope, id: Option<ServiceId>, typed: &Typed) -> Result<Service> {
    scope.require(Action::EditServices)?;
    let (now, currency) = (scope.now(), scope.tenant().currency.clone());
    let teachers: Vec<InstructorId> =
        typed.instructors.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let (tenant, conn) = scope.conn();
    store::lock(conn, tenant).await?;
    let before = match id {
        Some(id) => Some(store::find(conn, tenant, id).await?.ok_or(Error::NotFound)?),
        None => None,
    };
    if before.as_ref().is_some_and(|old| old.kind == ServiceKind::Combo) {
        return Err(Error::Conflict("This is a combo: change it on its own page.".into()));
    }
    let around = link_store::around(conn, tenant, id).await?;
    let id = id.unwrap_or_else(|| ServiceId::new(now));
    let Checked { service, resources } = typed.check(id, &currency, before.as_ref(), &around.resources)?;
    if service.capacity > 1
        && let Some(combo) = around.combos.first()
    {
        let message = format!("It is part of {combo}, which is for one. Take it out there first.");
        return Err(Error::field("capacity", message));
    }
    let ids: Vec<uuid::Uuid> = teachers.iter().map(|id| id.0).collect();
    if link_store::count_instructors(conn, tenant, &ids).await? != ids.len() as i64 {
        return Err(Error::NotFound);
    }
    match &before {
        Some(_) => store::update(conn, tenant, &service).await?,
        None => store::insert(conn, tenant, &service, now).await?,
    }
    link_store::set_teachers(conn, tenant, service.id, &teachers).await?;
    if let Some(needed) = &resources {
        link_store::set_resources(conn, tenant, service.id, needed).await?;
    }
    if !around.combos.is_empty() {
        combos::refresh(conn, tenant).await?;
    }
    let mut after = serde_json::to_value(&service).map_err(Error::internal)?;
    after["instructors"] = serde_json::to_value(&teachers).map_err(Error::internal)?;
    if let Some(needed) = resources {
        after["resources"] = serde_json::to_value(needed).map_err(Error::internal)?;
    }
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

pub(super) async fn record(
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
