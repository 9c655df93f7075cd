//! SQL of holidays.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Holiday;
use crate::{Result, paging::ListQuery};

/// A page of the holidays from `today` on, or of those before, latest first, and how many there are in all.
pub(crate) async fn list(
    conn: &mut PgConnection,
    tenant: Uuid,
    query: &ListQuery,
    today: Date,
    past: bool,
) -> Result<(Vec<Holiday>, i64)> {
    let rows = sqlx::query!(
        r#"with matching as (
               select day, name from holidays
               where tenant_id = $1 and (day < $2) = $3 and ($4::text is null or name ilike $4)
           )
           select m.day as "day!: jiff_sqlx::Date", m.name as "name!",
                  (select count(*) from matching) as "total!"
           from matching m
           order by case when not $3 then m.day end, m.day desc
           limit $5
           offset least($6::bigint, greatest(0, (select count(*) - 1 from matching) / $5 * $5))"#,
        tenant,
        today.to_sqlx() as _,
        past,
        query.pattern(),
        query.limit(),
        query.offset()
    )
    .fetch_all(conn)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let items = rows.into_iter().map(|row| Holiday { day: row.day.to_jiff(), name: row.name }).collect();
    Ok((items, total))
}

/// Adds those of `holidays`, which are in order, whose day is none yet, and returns their days.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    tenant: Uuid,
    holidays: &[Holiday],
) -> Result<BTreeSet<Date>> {
    let days: Vec<jiff_sqlx::Date> = holidays.iter().map(|holiday| holiday.day.to_sqlx()).collect();
    let names: Vec<String> = holidays.iter().map(|holiday| holiday.name.clone()).collect();
    let rows = sqlx::query_scalar!(
        r#"insert into holidays (tenant_id, day, name)
           select $1, h.day, h.name from unnest($2::date[], $3::text[]) as h (day, name)
           on conflict (tenant_id, day) do nothing
           returning day as "day!: jiff_sqlx::Date""#,
        tenant,
        &days as &[jiff_sqlx::Date],
        &names[..]
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|day| day.to_jiff()).collect())
}

/// What a day is called, if it is a holiday.
pub(crate) async fn name(conn: &mut PgConnection, tenant: Uuid, day: Date) -> Result<Option<String>> {
    let name = sqlx::query_scalar!(
        "select name from holidays where tenant_id = $1 and day = $2",
        tenant,
        day.to_sqlx() as _
    )
    .fetch_optional(conn)
    .await?;
    Ok(name)
}

/// Removes a holiday and returns what it was called.
pub(crate) async fn delete(conn: &mut PgConnection, tenant: Uuid, day: Date) -> Result<Option<String>> {
    let name = sqlx::query_scalar!(
        "delete from holidays where tenant_id = $1 and day = $2 returning name",
        tenant,
        day.to_sqlx() as _
    )
    .fetch_optional(conn)
    .await?;
    Ok(name)
}
