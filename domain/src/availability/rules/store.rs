//! SQL of an instructor's desk.

use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use serde::Deserialize;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{Desk, Limits};
use crate::{
    Instant, Result,
    availability::{
        Block, WeeklyHour,
        exceptions::{DayException, store::openings},
    },
    ids::{BlockId, InstructorId},
};

/// A blocked time as the query says it.
#[derive(Debug, Deserialize)]
struct Blocked {
    id: BlockId,
    starts_at: Instant,
    ends_at: Instant,
    reason: String,
}

/// An exception as the query says it.
#[derive(Debug, Deserialize)]
struct Day {
    day: Date,
    starts: Vec<i16>,
    ends: Vec<i16>,
    reason: String,
}

/// All that is set of an instructor's time: blocked times that aren't over, exceptions from today on.
pub(crate) async fn desk(
    conn: &mut PgConnection,
    tenant: Uuid,
    instructor: InstructorId,
    now: Instant,
    today: Date,
) -> Result<Option<Desk>> {
    let row = sqlx::query!(
        r#"select i.travel_min, i.max_per_day, i.max_per_week, i.weight,
                  (select coalesce(json_agg(json_build_object(
                       'weekday', h.weekday, 'start_minute', h.start_minute, 'end_minute', h.end_minute)
                       order by h.weekday, h.start_minute), '[]')
                   from weekly_hours h
                   where h.tenant_id = $1 and h.instructor_id = $2) as "hours!: Json<Vec<WeeklyHour>>",
                  (select coalesce(json_agg(json_build_object(
                       'id', b.id, 'starts_at', b.starts_at, 'ends_at', b.ends_at, 'reason', b.reason)
                       order by b.starts_at, b.id), '[]')
                   from blocked_times b
                   where b.tenant_id = $1 and b.instructor_id = $2 and b.ends_at > $3) as "blocks!: Json<Vec<Blocked>>",
                  (select coalesce(json_agg(json_build_object(
                       'day', e.day, 'starts', e.starts, 'ends', e.ends, 'reason', e.reason) order by e.day), '[]')
                   from hour_exceptions e
                   where e.tenant_id = $1 and e.instructor_id = $2 and e.day >= $4) as "days!: Json<Vec<Day>>"
           from instructors i
           where i.tenant_id = $1 and i.id = $2 and i.deleted_at is null"#,
        tenant,
        instructor.0,
        now.to_sqlx(),
        today.to_sqlx() as _
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Desk {
        hours: row.hours.0,
        blocks: row
            .blocks
            .0
            .into_iter()
            .map(|Blocked { id, starts_at, ends_at, reason }| Block { id, starts_at, ends_at, reason })
            .collect(),
        exceptions: row
            .days
            .0
            .into_iter()
            .map(|Day { day, starts, ends, reason }| DayException {
                day,
                openings: openings(starts, ends),
                reason,
            })
            .collect(),
        limits: Limits {
            travel_min: row.travel_min,
            max_per_day: row.max_per_day,
            max_per_week: row.max_per_week,
            weight: row.weight,
        },
    }))
}

pub(crate) async fn limits(
    conn: &mut PgConnection,
    tenant: Uuid,
    instructor: InstructorId,
) -> Result<Option<Limits>> {
    let row = sqlx::query!(
        "select travel_min, max_per_day, max_per_week, weight from instructors
         where tenant_id = $1 and id = $2 and deleted_at is null",
        tenant,
        instructor.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Limits {
        travel_min: row.travel_min,
        max_per_day: row.max_per_day,
        max_per_week: row.max_per_week,
        weight: row.weight,
    }))
}

pub(crate) async fn set_limits(
    conn: &mut PgConnection,
    tenant: Uuid,
    instructor: InstructorId,
    limits: Limits,
) -> Result<()> {
    sqlx::query!(
        "update instructors set travel_min = $3, max_per_day = $4, max_per_week = $5, weight = $6
         where tenant_id = $1 and id = $2",
        tenant,
        instructor.0,
        limits.travel_min,
        limits.max_per_day,
        limits.max_per_week,
        limits.weight
    )
    .execute(conn)
    .await?;
    Ok(())
}
