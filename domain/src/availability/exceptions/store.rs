//! SQL of exceptions, and of the lessons that a change of hours leaves where they are.

use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::DayException;
use crate::{Result, availability::Stretch, ids::InstructorId};

pub(crate) async fn find(
    conn: &mut PgConnection,
    tenant: Uuid,
    instructor: InstructorId,
    day: Date,
) -> Result<Option<DayException>> {
    let row = sqlx::query!(
        "select starts, ends, reason from hour_exceptions
         where tenant_id = $1 and instructor_id = $2 and day = $3",
        tenant,
        instructor.0,
        day.to_sqlx() as _
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| DayException { day, openings: openings(row.starts, row.ends), reason: row.reason }))
}

/// Puts an exception in place of the one its day had.
pub(crate) async fn put(
    conn: &mut PgConnection,
    tenant: Uuid,
    instructor: InstructorId,
    exception: &DayException,
) -> Result<()> {
    let (starts, ends): (Vec<i16>, Vec<i16>) = exception.openings.iter().copied().unzip();
    sqlx::query!(
        "insert into hour_exceptions (tenant_id, instructor_id, day, starts, ends, reason)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, instructor_id, day) do update
         set starts = excluded.starts, ends = excluded.ends, reason = excluded.reason",
        tenant,
        instructor.0,
        exception.day.to_sqlx() as _,
        &starts[..],
        &ends[..],
        exception.reason
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes the exception of a day and returns it.
pub(crate) async fn delete(
    conn: &mut PgConnection,
    tenant: Uuid,
    instructor: InstructorId,
    day: Date,
) -> Result<Option<DayException>> {
    let row = sqlx::query!(
        "delete from hour_exceptions where tenant_id = $1 and instructor_id = $2 and day = $3
         returning starts, ends, reason",
        tenant,
        instructor.0,
        day.to_sqlx() as _
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| DayException { day, openings: openings(row.starts, row.ends), reason: row.reason }))
}

/// The openings of a row, which holds starts and ends beside each other.
pub(crate) fn openings(starts: Vec<i16>, ends: Vec<i16>) -> Vec<(i16, i16)> {
    starts.into_iter().zip(ends).collect()
}

/// Lessons still on that begin in one of `stretches`, with one instructor alone when given. A lesson for several is one.
pub(crate) async fn lessons(
    conn: &mut PgConnection,
    tenant: Uuid,
    instructor: Option<InstructorId>,
    stretches: &[Stretch],
) -> Result<Vec<Stretch>> {
    let starts: Vec<jiff_sqlx::Timestamp> = stretches.iter().map(|day| day.starts_at.to_sqlx()).collect();
    let ends: Vec<jiff_sqlx::Timestamp> = stretches.iter().map(|day| day.ends_at.to_sqlx()).collect();
    let rows = sqlx::query!(
        r#"select l.starts_at as "starts_at!", l.ends_at as "ends_at!"
           from unnest($3::timestamptz[], $4::timestamptz[]) as d (from_at, to_at)
           cross join lateral (
               select b.starts_at, b.ends_at from bookings b
               where b.tenant_id = $1 and b.group_id is null and b.status in ('requested', 'confirmed')
                 and ($2::uuid is null or b.instructor_id = $2)
                 and b.starts_at >= d.from_at and b.starts_at < d.to_at
               union all
               select g.starts_at, g.ends_at from group_lessons g
               where g.tenant_id = $1 and g.cancelled_at is null
                 and ($2::uuid is null or g.instructor_id = $2)
                 and g.starts_at >= d.from_at and g.starts_at < d.to_at
           ) l"#,
        tenant,
        instructor.map(|id| id.0),
        &starts as &[jiff_sqlx::Timestamp],
        &ends as &[jiff_sqlx::Timestamp]
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Stretch { starts_at: row.starts_at.to_jiff(), ends_at: row.ends_at.to_jiff() })
        .collect())
}
