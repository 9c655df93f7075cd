//! SQL of services.

use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{Service, Teacher};
use crate::{
    Instant, Result,
    ids::{InstructorId, ServiceId},
    paging::ListQuery,
};

/// A service with what the list says about it, and the length of the whole list.
pub(crate) struct Listed {
    pub(crate) service: Service,
    pub(crate) instructors: i64,
    pub(crate) upcoming: i64,
    pub(crate) total: i64,
}

pub(crate) async fn list(
    conn: &mut PgConnection,
    tenant: Uuid,
    query: &ListQuery,
    status: Option<&str>,
    now: Instant,
) -> Result<Vec<Listed>> {
    let rows = sqlx::query!(
        r#"with matching as (
               select id from services
               where tenant_id = $1 and ($2::text is null or status = $2)
                 and ($3::text is null or name ilike $3 or description ilike $3)
           )
           select s.id, s.name, s.description, s.duration_min, s.price_minor, s.currency, s.buffer_before_min,
                  s.buffer_after_min, s.notice_min, s.horizon_days, s.cancel_notice_min, s.needs_pickup,
                  s.needs_approval, s.status,
                  (select count(*) from service_instructors t
                   join instructors i on i.tenant_id = t.tenant_id and i.id = t.instructor_id and i.deleted_at is null
                   where t.tenant_id = $1 and t.service_id = s.id) as "instructors!",
                  (select count(*) from bookings b
                   where b.tenant_id = $1 and b.service_id = s.id and b.starts_at >= $8
                     and b.status in ('requested', 'confirmed')) as "upcoming!",
                  (select count(*) from matching) as "total!"
           from services s join matching m on m.id = s.id
           where s.tenant_id = $1
           order by case when $4 = 'price' and not $5 then s.price_minor end,
                    case when $4 = 'price' and $5 then s.price_minor end desc,
                    case when $4 = 'duration' and not $5 then s.duration_min end,
                    case when $4 = 'duration' and $5 then s.duration_min end desc,
                    case when not $5 or $4 in ('price', 'duration') then lower(s.name) end,
                    lower(s.name) desc, s.id
           limit $6
           offset least($7::bigint, greatest(0, (select count(*) - 1 from matching) / $6 * $6))"#,
        tenant,
        status,
        query.pattern(),
        query.sort,
        query.desc,
        query.limit(),
        query.offset(),
        now.to_sqlx()
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Listed {
            service: Service {
                id: ServiceId(row.id),
                name: row.name,
                description: row.description,
                duration_min: row.duration_min,
                price_minor: row.price_minor,
                currency: row.currency,
                buffer_before_min: row.buffer_before_min,
                buffer_after_min: row.buffer_after_min,
                notice_min: row.notice_min,
                horizon_days: row.horizon_days,
                cancel_notice_min: row.cancel_notice_min,
                needs_pickup: row.needs_pickup,
                needs_approval: row.needs_approval,
                archived: row.status == "archived",
            },
            instructors: row.instructors,
            upcoming: row.upcoming,
            total: row.total,
        })
        .collect())
}

pub(crate) async fn find(conn: &mut PgConnection, tenant: Uuid, id: ServiceId) -> Result<Option<Service>> {
    let row = sqlx::query!(
        "select id, name, description, duration_min, price_minor, currency, buffer_before_min, buffer_after_min,
                notice_min, horizon_days, cancel_notice_min, needs_pickup, needs_approval, status
         from services where tenant_id = $1 and id = $2",
        tenant,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Service {
        id: ServiceId(row.id),
        name: row.name,
        description: row.description,
        duration_min: row.duration_min,
        price_minor: row.price_minor,
        currency: row.currency,
        buffer_before_min: row.buffer_before_min,
        buffer_after_min: row.buffer_after_min,
        notice_min: row.notice_min,
        horizon_days: row.horizon_days,
        cancel_notice_min: row.cancel_notice_min,
        needs_pickup: row.needs_pickup,
        needs_approval: row.needs_approval,
        archived: row.status == "archived",
    }))
}

/// All instructors there are now, and which of them teach `id`.
pub(crate) async fn teachers(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: Option<ServiceId>,
) -> Result<Vec<Teacher>> {
    let row = sqlx::query!(
        r#"select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'name', i.name, 'teaches', t.service_id is not null)
                                     order by lower(i.name), i.id), '[]') as "teachers!: Json<Vec<Teacher>>"
           from instructors i
           left join service_instructors t on t.tenant_id = $1 and t.instructor_id = i.id and t.service_id = $2
           where i.tenant_id = $1 and i.deleted_at is null"#,
        tenant,
        id.map(|id| id.0)
    )
    .fetch_one(conn)
    .await?;
    Ok(row.teachers.0)
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

pub(crate) async fn insert(
    conn: &mut PgConnection,
    tenant: Uuid,
    service: &Service,
    now: Instant,
) -> Result<()> {
    sqlx::query!(
        "insert into services (tenant_id, id, name, description, duration_min, price_minor, currency,
                               buffer_before_min, buffer_after_min, notice_min, horizon_days, cancel_notice_min,
                               needs_pickup, needs_approval, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        tenant,
        service.id.0,
        service.name,
        service.description,
        service.duration_min,
        service.price_minor,
        service.currency,
        service.buffer_before_min,
        service.buffer_after_min,
        service.notice_min,
        service.horizon_days,
        service.cancel_notice_min,
        service.needs_pickup,
        service.needs_approval,
        now.to_sqlx()
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn update(conn: &mut PgConnection, tenant: Uuid, service: &Service) -> Result<()> {
    sqlx::query!(
        "update services set name = $3, description = $4, duration_min = $5, price_minor = $6, currency = $7,
                buffer_before_min = $8, buffer_after_min = $9, notice_min = $10, horizon_days = $11,
                cancel_notice_min = $12, needs_pickup = $13, needs_approval = $14
         where tenant_id = $1 and id = $2",
        tenant,
        service.id.0,
        service.name,
        service.description,
        service.duration_min,
        service.price_minor,
        service.currency,
        service.buffer_before_min,
        service.buffer_after_min,
        service.notice_min,
        service.horizon_days,
        service.cancel_notice_min,
        service.needs_pickup,
        service.needs_approval
    )
    .execute(conn)
    .await?;
    Ok(())
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

/// Whether anything changed.
pub(crate) async fn set_archived(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: ServiceId,
    archived: bool,
) -> Result<bool> {
    let done = sqlx::query!(
        "update services set status = case when $3 then 'archived' else 'active' end
         where tenant_id = $1 and id = $2 and (status = 'archived') <> $3",
        tenant,
        id.0,
        archived
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
