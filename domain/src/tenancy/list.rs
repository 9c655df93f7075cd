//! Schools as the platform lists them. A deleted one is listed only when it is asked for (PR-01).

use super::{Preset, TenantStatus};
use crate::{
    Error, Instant, Result,
    authz::PlatformScope,
    ids::TenantId,
    paging::{ListQuery, Page},
};

/// A school in the platform's list.
#[derive(Clone, Debug)]
pub struct TenantRow {
    /// Id.
    pub id: TenantId,
    /// Address.
    pub slug: String,
    /// Name.
    pub name: String,
    /// Kind.
    pub preset: Preset,
    /// IANA zone.
    pub zone: String,
    /// Open or not.
    pub status: TenantStatus,
    /// Why it isn't.
    pub status_reason: Option<String>,
    /// Seats.
    pub max_seats: i32,
    /// Since when it is here.
    pub created_at: Instant,
    /// Active members, students too.
    pub members: i64,
    /// Seats taken: active members who aren't students.
    pub seats_used: i64,
    /// Lessons ever, without cancelled ones.
    pub bookings: i64,
}

/// Schools by name, address or nothing, of one status or of all but the deleted (empty). Sorted by `name`, `members`,
/// `bookings` or `created`.
///
/// # Errors
/// Of the database.
pub async fn list(scope: &mut PlatformScope, query: &ListQuery, status: &str) -> Result<Page<TenantRow>> {
    let status = TenantStatus::parse(status).map(TenantStatus::as_str);
    let rows = sqlx::query!(
        r#"with found as (
               select t.*,
                      (select count(*) from memberships m join users u on u.id = m.user_id and u.deleted_at is null
                       where m.tenant_id = t.id and m.status = 'active') as members,
                      (select count(*) from memberships m join users u on u.id = m.user_id and u.deleted_at is null
                       where m.tenant_id = t.id and m.status = 'active' and m.role <> 'student') as seats_used,
                      (select count(*) from bookings b where b.tenant_id = t.id and b.status <> 'cancelled') as bookings
               from tenants t
               where ($1::text is null or t.name ilike $1 or t.slug ilike $1)
                 and case when $2::text is null then t.status <> 'deleted' else t.status = $2 end
           )
           select f.id as "id?", f.slug as "slug?", f.name as "name?", f.preset as "preset?", f.zone as "zone?",
                  f.status as "status?", f.status_reason as "status_reason?", f.max_seats as "max_seats?",
                  f.created_at as "created_at?", f.members as "members?", f.seats_used as "seats_used?",
                  f.bookings as "bookings?", n.total as "total!"
           from (select count(*) as total from found) n
           left join lateral (
               select * from found order by
                   case when $3 = 'members' and not $4 then members when $3 = 'bookings' and not $4 then bookings end,
                   case when $3 = 'members' and $4 then members when $3 = 'bookings' and $4 then bookings end desc,
                   case when $3 = 'created' and not $4 then created_at end,
                   case when $3 = 'created' and $4 then created_at end desc,
                   case when not $4 then lower(name) end,
                   case when $4 then lower(name) end desc,
                   id
               limit $5 offset least($6::bigint, greatest(0, (n.total - 1) / $5 * $5))
           ) f on true"#,
        query.pattern(),
        status,
        query.sort,
        query.desc,
        query.limit(),
        query.offset(),
    )
    .fetch_all(scope.conn())
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        // The one row of an empty page carries the total alone.
        let (Some(id), Some(slug), Some(name)) = (row.id, row.slug, row.name) else {
            continue;
        };
        items.push(TenantRow {
            id: TenantId(id),
            slug,
            name,
            preset: parse_preset(row.preset.as_deref().unwrap_or_default())?,
            zone: row.zone.unwrap_or_default(),
            status: parse_status(row.status.as_deref().unwrap_or_default())?,
            status_reason: row.status_reason,
            max_seats: row.max_seats.unwrap_or_default(),
            created_at: row.created_at.map(|at| at.to_jiff()).unwrap_or_default(),
            members: row.members.unwrap_or_default(),
            seats_used: row.seats_used.unwrap_or_default(),
            bookings: row.bookings.unwrap_or_default(),
        });
    }
    Ok(Page::new(items, total, query))
}

/// One school, deleted or not.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn one(scope: &mut PlatformScope, id: TenantId) -> Result<TenantRow> {
    let row = sqlx::query!(
        r#"select t.id, t.slug, t.name, t.preset, t.zone, t.status, t.status_reason, t.max_seats, t.created_at,
                  (select count(*) from memberships m join users u on u.id = m.user_id and u.deleted_at is null
                   where m.tenant_id = t.id and m.status = 'active') as "members!",
                  (select count(*) from memberships m join users u on u.id = m.user_id and u.deleted_at is null
                   where m.tenant_id = t.id and m.status = 'active' and m.role <> 'student') as "seats_used!",
                  (select count(*) from bookings b where b.tenant_id = t.id and b.status <> 'cancelled') as "bookings!"
           from tenants t where t.id = $1"#,
        id.0
    )
    .fetch_optional(scope.conn())
    .await?
    .ok_or(Error::NotFound)?;
    Ok(TenantRow {
        id: TenantId(row.id),
        slug: row.slug,
        name: row.name,
        preset: parse_preset(&row.preset)?,
        zone: row.zone,
        status: parse_status(&row.status)?,
        status_reason: row.status_reason,
        max_seats: row.max_seats,
        created_at: row.created_at.to_jiff(),
        members: row.members,
        seats_used: row.seats_used,
        bookings: row.bookings,
    })
}

pub(super) fn parse_preset(text: &str) -> Result<Preset> {
    Preset::parse(text).ok_or_else(|| Error::internal("unknown preset"))
}

pub(super) fn parse_status(text: &str) -> Result<TenantStatus> {
    TenantStatus::parse(text).ok_or_else(|| Error::internal("unknown tenant status"))
}
