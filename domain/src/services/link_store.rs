//! SQL of what belongs to a service: who teaches it, the resources it needs, the parts it is made of.

use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{Needed, Part, Teacher};
use crate::{
    Result,
    ids::{InstructorId, ResourceId, ServiceId},
};

/// What stands beside a service in its form.
pub(crate) struct Around {
    pub(crate) teachers: Vec<Teacher>,
    pub(crate) resources: Vec<Needed>,
    pub(crate) parts: Vec<Part>,
    pub(crate) choices: Vec<Part>,
    pub(crate) combos: Vec<String>,
}

/// All instructors there are now, and which of them teach `id`; all resources, and how much of them it needs; the parts
/// it is made of, those it could be made of, and the combos it is a part of.
pub(crate) async fn around(conn: &mut PgConnection, tenant: Uuid, id: Option<ServiceId>) -> Result<Around> {
    let row = sqlx::query!(
        r#"select
               (select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'name', i.name,
                                                             'teaches', t.service_id is not null)
                                          order by lower(i.name), i.id), '[]')
                from instructors i
                left join service_instructors t on t.tenant_id = $1 and t.instructor_id = i.id and t.service_id = $2
                where i.tenant_id = $1 and i.deleted_at is null) as "teachers!: Json<Vec<Teacher>>",
               (select coalesce(jsonb_agg(jsonb_build_object(
                            'id', r.id, 'name', r.name, 'archived', r.status = 'archived',
                            'available', (select count(*) from resource_units u
                                          where u.tenant_id = $1 and u.resource_id = r.id and u.active),
                            'units', coalesce(n.units, 0)) order by lower(r.name), r.id), '[]')
                from resources r
                left join service_resources n on n.tenant_id = $1 and n.resource_id = r.id and n.service_id = $2
                where r.tenant_id = $1
                  and (r.status = 'active' or n.service_id is not null)) as "resources!: Json<Vec<Needed>>",
               (select coalesce(jsonb_agg(jsonb_build_object(
                            'id', p.id, 'name', p.name, 'duration_min', p.duration_min,
                            'price_minor', p.price_minor, 'archived', p.status = 'archived') order by c.place), '[]')
                from combo_parts c join services p on p.tenant_id = $1 and p.id = c.service_id
                where c.tenant_id = $1 and c.combo_id = $2) as "parts!: Json<Vec<Part>>",
               (select coalesce(jsonb_agg(jsonb_build_object(
                            'id', p.id, 'name', p.name, 'duration_min', p.duration_min,
                            'price_minor', p.price_minor, 'archived', false) order by lower(p.name), p.id), '[]')
                from services p
                where p.tenant_id = $1 and p.kind = 'single' and p.capacity = 1
                  and p.status = 'active') as "choices!: Json<Vec<Part>>",
               (select coalesce(array_agg(distinct s.name), '{}')
                from combo_parts c join services s on s.tenant_id = $1 and s.id = c.combo_id
                where c.tenant_id = $1 and c.service_id = $2) as "combos!""#,
        tenant,
        id.map(|id| id.0)
    )
    .fetch_one(conn)
    .await?;
    Ok(Around {
        teachers: row.teachers.0,
        resources: row.resources.0,
        parts: row.parts.0,
        choices: row.choices.0,
        combos: row.combos,
    })
}

/// How many of `instructors` the school has.
pub(crate) async fn count_instructors(
    conn: &mut PgConnection,
    tenant: Uuid,
    instructors: &[Uuid],
) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from instructors
           where tenant_id = $1 and id = any($2) and deleted_at is null"#,
        tenant,
        instructors
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}

/// Makes `instructors` those who teach it, and nobody else.
pub(crate) async fn set_teachers(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: ServiceId,
    instructors: &[InstructorId],
) -> Result<()> {
    let ids: Vec<Uuid> = instructors.iter().map(|id| id.0).collect();
    sqlx::query!(
        "with gone as (
             delete from service_instructors
             where tenant_id = $1 and service_id = $2 and not (instructor_id = any($3))
               -- Who is removed isn't in the form, and teaches it again once restored.
               and instructor_id in (select id from instructors where tenant_id = $1 and deleted_at is null)
         )
         insert into service_instructors (tenant_id, service_id, instructor_id)
         select $1, $2, i.id from instructors i
         where i.tenant_id = $1 and i.id = any($3) and i.deleted_at is null
         on conflict do nothing",
        tenant,
        id.0,
        &ids[..]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes `needed` the units of resources that it needs, and no others.
pub(crate) async fn set_resources(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: ServiceId,
    needed: &[(ResourceId, i32)],
) -> Result<()> {
    let (ids, units): (Vec<Uuid>, Vec<i32>) = needed.iter().map(|(id, units)| (id.0, *units)).unzip();
    sqlx::query!("delete from service_resources where tenant_id = $1 and service_id = $2", tenant, id.0)
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "insert into service_resources (tenant_id, service_id, resource_id, units)
         select $1, $2, r.id, n.units
         from unnest($3::uuid[], $4::int[]) as n (id, units) join resources r on r.tenant_id = $1 and r.id = n.id",
        tenant,
        id.0,
        &ids[..],
        &units[..]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes `parts` what a combo is made of, in this order.
pub(crate) async fn set_parts(
    conn: &mut PgConnection,
    tenant: Uuid,
    combo: ServiceId,
    parts: &[ServiceId],
) -> Result<()> {
    let parts: Vec<Uuid> = parts.iter().map(|id| id.0).collect();
    sqlx::query!("delete from combo_parts where tenant_id = $1 and combo_id = $2", tenant, combo.0)
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "insert into combo_parts (tenant_id, combo_id, place, service_id)
         select $1, $2, p.place, p.id from unnest($3::uuid[]) with ordinality as p (id, place)",
        tenant,
        combo.0,
        &parts[..]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A part of a combo.
pub(crate) struct PartOf {
    pub(crate) combo: ServiceId,
    pub(crate) service: ServiceId,
}

/// The parts of all combos, combo by combo and in order.
pub(crate) async fn parts(conn: &mut PgConnection, tenant: Uuid) -> Result<Vec<PartOf>> {
    let rows = sqlx::query!(
        "select combo_id, service_id from combo_parts where tenant_id = $1 order by combo_id, place",
        tenant
    )
    .fetch_all(conn)
    .await?;
    let part = |combo, service| PartOf { combo: ServiceId(combo), service: ServiceId(service) };
    Ok(rows.into_iter().map(|row| part(row.combo_id, row.service_id)).collect())
}

/// Makes those teach a combo who teach all of its parts, and has it need what its parts need: of each resource as much
/// as the part that needs most.
pub(crate) async fn follow_parts(conn: &mut PgConnection, tenant: Uuid) -> Result<()> {
    sqlx::query!(
        "with able as (
             select c.combo_id, t.instructor_id
             from combo_parts c
             join service_instructors t on t.tenant_id = $1 and t.service_id = c.service_id
             where c.tenant_id = $1
             group by c.combo_id, t.instructor_id
             having count(distinct c.service_id) = (
                 select count(distinct p.service_id) from combo_parts p
                 where p.tenant_id = $1 and p.combo_id = c.combo_id)
         ), gone as (
             delete from service_instructors t
             where t.tenant_id = $1 and t.service_id in (select combo_id from combo_parts where tenant_id = $1)
               and not exists (select from able a
                               where a.combo_id = t.service_id and a.instructor_id = t.instructor_id)
         )
         insert into service_instructors (tenant_id, service_id, instructor_id)
         select $1, combo_id, instructor_id from able
         on conflict do nothing",
        tenant
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from service_resources
         where tenant_id = $1 and service_id in (select combo_id from combo_parts where tenant_id = $1)",
        tenant
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into service_resources (tenant_id, service_id, resource_id, units)
         select $1, c.combo_id, n.resource_id, max(n.units)
         from combo_parts c join service_resources n on n.tenant_id = $1 and n.service_id = c.service_id
         where c.tenant_id = $1
         group by c.combo_id, n.resource_id",
        tenant
    )
    .execute(conn)
    .await?;
    Ok(())
}
