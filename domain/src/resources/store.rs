//! SQL of resources.

use jiff_sqlx::ToSqlx;
use serde::Deserialize;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{Resource, ResourceKind, service::Detail};
use crate::{
    Error, Instant, Result,
    ids::{ResourceId, ServiceId},
    paging::ListQuery,
};

/// A service that needs a resource.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Needs {
    /// Id.
    pub id: ServiceId,
    /// Name.
    pub name: String,
    /// How many units of it.
    pub units: i32,
}

/// A row of the resources table.
#[derive(Clone, Debug)]
pub struct ResourceRow {
    /// The resource.
    pub resource: Resource,
    /// Names of the active services that need it.
    pub services: Vec<String>,
    /// Lessons still to come that use it.
    pub upcoming: i64,
}

fn kind(text: &str) -> Result<ResourceKind> {
    ResourceKind::parse(text).ok_or_else(|| Error::internal("unknown kind of resource"))
}

/// A page of resources by name, and how many there are in all.
pub(crate) async fn list(
    conn: &mut PgConnection,
    tenant: Uuid,
    query: &ListQuery,
    status: Option<&str>,
    now: Instant,
) -> Result<(Vec<ResourceRow>, i64)> {
    let rows = sqlx::query!(
        r#"with matching as (
               select id from resources
               where tenant_id = $1 and ($2::text is null or status = $2) and ($3::text is null or name ilike $3)
           )
           select r.id, r.name, r.kind, r.status,
                  (select count(*)::int from resource_units u
                   where u.tenant_id = $1 and u.resource_id = r.id and u.active) as "units!",
                  (select coalesce(array_agg(s.name order by lower(s.name), s.id), '{}')
                   from service_resources n
                   join services s on s.tenant_id = $1 and s.id = n.service_id and s.status = 'active'
                   where n.tenant_id = $1 and n.resource_id = r.id) as "services!",
                  (select count(distinct coalesce(c.booking_id, c.group_id))
                   from resource_units u
                   join claims c on c.tenant_id = $1 and c.subject_id = u.id and c.active and c.ends_at > $7
                   where u.tenant_id = $1 and u.resource_id = r.id and c.hold_id is null
                     and coalesce(c.lesson_at, c.starts_at) >= $7) as "upcoming!",
                  (select count(*) from matching) as "total!"
           from resources r join matching m on m.id = r.id
           where r.tenant_id = $1
           order by case when not $4 then lower(r.name) end, lower(r.name) desc, r.id
           limit $5
           offset least($6::bigint, greatest(0, (select count(*) - 1 from matching) / $5 * $5))"#,
        tenant,
        status,
        query.pattern(),
        query.desc,
        query.limit(),
        query.offset(),
        now.to_sqlx()
    )
    .fetch_all(conn)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let items: Result<Vec<ResourceRow>> = rows
        .into_iter()
        .map(|row| {
            let resource = Resource {
                id: ResourceId(row.id),
                name: row.name,
                kind: kind(&row.kind)?,
                units: row.units,
                archived: row.status == "archived",
            };
            Ok(ResourceRow { resource, services: row.services, upcoming: row.upcoming })
        })
        .collect();
    Ok((items?, total))
}

/// A resource, the active services that need it, and how many lessons still to come use it.
pub(crate) async fn detail(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: ResourceId,
    now: Instant,
) -> Result<Option<Detail>> {
    let row = sqlx::query!(
        r#"select r.name, r.kind, r.status,
                  (select count(*)::int from resource_units u
                   where u.tenant_id = $1 and u.resource_id = r.id and u.active) as "units!",
                  (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name, 'units', n.units)
                                             order by lower(s.name), s.id), '[]')
                   from service_resources n
                   join services s on s.tenant_id = $1 and s.id = n.service_id and s.status = 'active'
                   where n.tenant_id = $1 and n.resource_id = r.id) as "services!: Json<Vec<Needs>>",
                  (select count(distinct coalesce(c.booking_id, c.group_id))
                   from resource_units u
                   join claims c on c.tenant_id = $1 and c.subject_id = u.id and c.active and c.ends_at > $3
                   where u.tenant_id = $1 and u.resource_id = r.id and c.hold_id is null
                     and coalesce(c.lesson_at, c.starts_at) >= $3) as "upcoming!"
           from resources r where r.tenant_id = $1 and r.id = $2"#,
        tenant,
        id.0,
        now.to_sqlx()
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let resource = Resource {
        id,
        name: row.name,
        kind: kind(&row.kind)?,
        units: row.units,
        archived: row.status == "archived",
    };
    Ok(Some(Detail { resource, services: row.services.0, upcoming: row.upcoming }))
}

/// A resource as it is, until the end of the transaction.
pub(crate) async fn lock(conn: &mut PgConnection, tenant: Uuid, id: ResourceId) -> Result<Option<Resource>> {
    let row = sqlx::query!(
        "select name, kind, status from resources where tenant_id = $1 and id = $2 for no key update",
        tenant,
        id.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    // Counted behind the lock: whoever had it before may have changed them.
    let units = sqlx::query_scalar!(
        r#"select count(*)::int as "units!" from resource_units
           where tenant_id = $1 and resource_id = $2 and active"#,
        tenant,
        id.0
    )
    .fetch_one(conn)
    .await?;
    let archived = row.status == "archived";
    Ok(Some(Resource { id, name: row.name, kind: kind(&row.kind)?, units, archived }))
}

/// The active services that need a resource, by name.
pub(crate) async fn services(conn: &mut PgConnection, tenant: Uuid, id: ResourceId) -> Result<Vec<Needs>> {
    let rows = sqlx::query!(
        "select s.id, s.name, n.units
         from service_resources n
         join services s on s.tenant_id = $1 and s.id = n.service_id and s.status = 'active'
         where n.tenant_id = $1 and n.resource_id = $2
         order by lower(s.name), s.id",
        tenant,
        id.0
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Needs { id: ServiceId(row.id), name: row.name, units: i32::from(row.units) })
        .collect())
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    tenant: Uuid,
    resource: &Resource,
    now: Instant,
) -> Result<()> {
    sqlx::query!(
        "insert into resources (tenant_id, id, name, kind, created_at) values ($1, $2, $3, $4, $5)",
        tenant,
        resource.id.0,
        resource.name,
        resource.kind.as_str(),
        now.to_sqlx()
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn update(conn: &mut PgConnection, tenant: Uuid, resource: &Resource) -> Result<()> {
    sqlx::query!(
        "update resources set name = $3, kind = $4 where tenant_id = $1 and id = $2",
        tenant,
        resource.id.0,
        resource.name,
        resource.kind.as_str()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a resource as many units as it says. A unit that claims know is never removed: it rests, and comes back first.
pub(crate) async fn set_units(
    conn: &mut PgConnection,
    tenant: Uuid,
    resource: &Resource,
    now: Instant,
) -> Result<()> {
    // A unit is a subject of claims like a person, by an id of its own.
    let ids: Vec<Uuid> = (0..resource.units).map(|_| ResourceId::new(now).0).collect();
    sqlx::query!(
        "insert into resource_units (tenant_id, id, resource_id, place)
         select $1, u.id, $2, u.place::smallint from unnest($3::uuid[]) with ordinality as u (id, place)
         on conflict on constraint resource_units_place do update set active = true
         where not resource_units.active",
        tenant,
        resource.id.0,
        &ids[..]
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update resource_units set active = false
         where tenant_id = $1 and resource_id = $2 and active and place > $3::int",
        tenant,
        resource.id.0,
        resource.units
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lessons still to come that have a unit which rests.
pub(crate) async fn kept(conn: &mut PgConnection, tenant: Uuid, id: ResourceId, now: Instant) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(distinct coalesce(c.booking_id, c.group_id)) as "count!"
           from resource_units u
           join claims c on c.tenant_id = $1 and c.subject_id = u.id and c.active and c.ends_at > $3
           where u.tenant_id = $1 and u.resource_id = $2 and not u.active and c.hold_id is null
             and coalesce(c.lesson_at, c.starts_at) >= $3"#,
        tenant,
        id.0,
        now.to_sqlx()
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}

pub(crate) async fn set_archived(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: ResourceId,
    archived: bool,
) -> Result<()> {
    sqlx::query!(
        "update resources set status = case when $3 then 'archived' else 'active' end
         where tenant_id = $1 and id = $2",
        tenant,
        id.0,
        archived
    )
    .execute(conn)
    .await?;
    Ok(())
}
