//! SQL of services.

use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Service, ServiceKind};
use crate::{Error, Instant, Result, ids::ServiceId, paging::ListQuery};

/// A service with what the list says about it, and the length of the whole list.
pub(crate) struct Listed {
    pub(crate) service: Service,
    pub(crate) instructors: i64,
    pub(crate) upcoming: i64,
    pub(crate) broken: bool,
    pub(crate) total: i64,
}

struct Row {
    id: Uuid,
    kind: String,
    name: String,
    description: String,
    duration_min: i32,
    price_minor: i64,
    currency: String,
    capacity: i32,
    colour: Option<String>,
    buffer_before_min: i32,
    buffer_after_min: i32,
    notice_min: i32,
    horizon_days: i32,
    cancel_notice_min: i32,
    move_notice_min: i32,
    max_moves: Option<i32>,
    late_fee_percent: i32,
    needs_pickup: bool,
    needs_approval: bool,
    needs_credit: bool,
    status: String,
    instructors: i64,
    upcoming: i64,
    broken: bool,
    total: i64,
}

impl TryFrom<Row> for Listed {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let service = Service {
            id: ServiceId(row.id),
            kind: ServiceKind::parse(&row.kind).ok_or_else(|| Error::internal("unknown kind of service"))?,
            name: row.name,
            description: row.description,
            duration_min: row.duration_min,
            price_minor: row.price_minor,
            currency: row.currency,
            capacity: row.capacity,
            colour: row.colour,
            buffer_before_min: row.buffer_before_min,
            buffer_after_min: row.buffer_after_min,
            notice_min: row.notice_min,
            horizon_days: row.horizon_days,
            cancel_notice_min: row.cancel_notice_min,
            move_notice_min: row.move_notice_min,
            max_moves: row.max_moves,
            late_fee_percent: row.late_fee_percent,
            needs_pickup: row.needs_pickup,
            needs_approval: row.needs_approval,
            needs_credit: row.needs_credit,
            archived: row.status == "archived",
        };
        Ok(Self {
            service,
            instructors: row.instructors,
            upcoming: row.upcoming,
            broken: row.broken,
            total: row.total,
        })
    }
}

/// Services: one list of columns for every query, each adding its own beginning, figures and end.
macro_rules! services {
    ($before:tt, $figures:tt, $after:tt, $($arg:expr),+ $(,)?) => {
        sqlx::query_as!(
            Row,
            $before
                + "select s.id, s.kind, s.name, s.description, s.duration_min, s.price_minor, s.currency, s.capacity,
                          s.colour, s.buffer_before_min, s.buffer_after_min, s.notice_min, s.horizon_days,
                          s.cancel_notice_min, s.move_notice_min, s.max_moves, s.late_fee_percent, s.needs_pickup,
                          s.needs_approval, s.needs_credit, s.status, "
                + $figures
                + " from services s "
                + $after,
            $($arg),+
        )
    };
}

pub(crate) async fn list(
    conn: &mut PgConnection,
    tenant: Uuid,
    query: &ListQuery,
    status: Option<&str>,
    now: Instant,
) -> Result<Vec<Listed>> {
    services!(
        "with matching as (
             select id from services
             where tenant_id = $1 and ($2::text is null or status = $2)
               and ($3::text is null or name ilike $3 or description ilike $3)
         ) ",
        r#"(select count(*) from service_instructors t
            join instructors i on i.tenant_id = t.tenant_id and i.id = t.instructor_id and i.deleted_at is null
            where t.tenant_id = $1 and t.service_id = s.id) as "instructors!",
           (select count(*) from bookings b
            where b.tenant_id = $1 and b.service_id = s.id and b.starts_at >= $8
              and b.status in ('requested', 'confirmed')) as "upcoming!",
           exists (select from combo_parts c
                   join services p on p.tenant_id = c.tenant_id and p.id = c.service_id
                   where c.tenant_id = $1 and c.combo_id = s.id and p.status = 'archived') as "broken!",
           (select count(*) from matching) as "total!""#,
        "join matching m on m.id = s.id
         where s.tenant_id = $1
         order by case when $4 = 'price' and not $5 then s.price_minor end,
                  case when $4 = 'price' and $5 then s.price_minor end desc,
                  case when $4 = 'duration' and not $5 then s.duration_min end,
                  case when $4 = 'duration' and $5 then s.duration_min end desc,
                  case when not $5 or $4 in ('price', 'duration') then lower(s.name) end,
                  lower(s.name) desc, s.id
         limit $6
         offset least($7::bigint, greatest(0, (select count(*) - 1 from matching) / $6 * $6))",
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
    .await?
    .into_iter()
    .map(Listed::try_from)
    .collect()
}

/// Those of `ids` that the school has, in no order; with `and_combos` all of its combos and their parts too.
pub(crate) async fn find_all(
    conn: &mut PgConnection,
    tenant: Uuid,
    ids: &[Uuid],
    and_combos: bool,
) -> Result<Vec<Service>> {
    services!(
        "",
        r#"0::bigint as "instructors!", 0::bigint as "upcoming!", false as "broken!", 0::bigint as "total!""#,
        "where s.tenant_id = $1
           and (s.id = any($2) or $3 and (s.kind = 'combo'
                or exists (select from combo_parts c where c.tenant_id = $1 and c.service_id = s.id)))",
        tenant,
        ids,
        and_combos
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(|row| Ok(Listed::try_from(row)?.service))
    .collect()
}

pub(crate) async fn find(conn: &mut PgConnection, tenant: Uuid, id: ServiceId) -> Result<Option<Service>> {
    Ok(find_all(conn, tenant, &[id.0], false).await?.pop())
}

/// Makes all who change services of the school queue until the transaction ends: a combo follows from its parts, which
/// two at once would each read before the other has written.
pub(crate) async fn lock(conn: &mut PgConnection, tenant: Uuid) -> Result<()> {
    sqlx::query!(
        r#"select count(pg_advisory_xact_lock(hashtextextended('services/' || $1::uuid::text, 0))) as "n!""#,
        tenant
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    tenant: Uuid,
    service: &Service,
    now: Instant,
) -> Result<()> {
    sqlx::query!(
        "insert into services (tenant_id, id, kind, name, description, duration_min, price_minor, currency, capacity,
                               colour, buffer_before_min, buffer_after_min, notice_min, horizon_days, cancel_notice_min,
                               move_notice_min, max_moves, late_fee_percent, needs_pickup, needs_approval, needs_credit,
                               created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)",
        tenant,
        service.id.0,
        service.kind.as_str(),
        service.name,
        service.description,
        service.duration_min,
        service.price_minor,
        service.currency,
        service.capacity,
        service.colour,
        service.buffer_before_min,
        service.buffer_after_min,
        service.notice_min,
        service.horizon_days,
        service.cancel_notice_min,
        service.move_notice_min,
        service.max_moves,
        service.late_fee_percent,
        service.needs_pickup,
        service.needs_approval,
        service.needs_credit,
        now.to_sqlx()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes all of a service but its kind.
pub(crate) async fn update(conn: &mut PgConnection, tenant: Uuid, service: &Service) -> Result<()> {
    sqlx::query!(
        "update services set name = $3, description = $4, duration_min = $5, price_minor = $6, currency = $7,
                capacity = $8, colour = $9, buffer_before_min = $10, buffer_after_min = $11, notice_min = $12,
                horizon_days = $13, cancel_notice_min = $14, move_notice_min = $15, max_moves = $16,
                late_fee_percent = $17, needs_pickup = $18, needs_approval = $19, needs_credit = $20,
                status = case when $21 then 'archived' else 'active' end
         where tenant_id = $1 and id = $2",
        tenant,
        service.id.0,
        service.name,
        service.description,
        service.duration_min,
        service.price_minor,
        service.currency,
        service.capacity,
        service.colour,
        service.buffer_before_min,
        service.buffer_after_min,
        service.notice_min,
        service.horizon_days,
        service.cancel_notice_min,
        service.move_notice_min,
        service.max_moves,
        service.late_fee_percent,
        service.needs_pickup,
        service.needs_approval,
        service.needs_credit,
        service.archived
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
