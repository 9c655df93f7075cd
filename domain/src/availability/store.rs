//! SQL of hours, blocked times and what takes time.

mod engine;
mod gather;
mod school;

use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

pub use self::school::{Catalogue, Guide, Offer, Prepaid, WaitingLine};
pub(crate) use self::{
    engine::{Asked, Diaries, Ignore, diaries},
    school::catalogue,
};
use super::{Block, WeeklyHour};
use crate::{
    Instant, Result,
    ids::{BlockId, InstructorId},
};

fn weekly_hour(
    weekday: Option<i16>,
    start_minute: Option<i16>,
    end_minute: Option<i16>,
) -> Option<WeeklyHour> {
    Some(WeeklyHour { weekday: weekday?, start_minute: start_minute?, end_minute: end_minute? })
}

/// Weekly hours of one instructor, and blocked times that aren't over at `now`, both in order.
pub(crate) async fn hours_and_blocks(
    conn: &mut PgConnection,
    tenant: Uuid,
    instructor: InstructorId,
    now: Instant,
) -> Result<(Vec<WeeklyHour>, Vec<Block>)> {
    let rows = sqlx::query!(
        r#"select weekday as "weekday?", start_minute as "start_minute?", end_minute as "end_minute?",
                  null::uuid as "id?", null::timestamptz as "starts_at?", null::timestamptz as "ends_at?",
                  '' as "reason!"
           from weekly_hours where tenant_id = $1 and instructor_id = $2
           union all
           select null, null, null, id, starts_at, ends_at, reason
           from blocked_times where tenant_id = $1 and instructor_id = $2 and ends_at > $3"#,
        tenant,
        instructor.0,
        now.to_sqlx()
    )
    .fetch_all(conn)
    .await?;
    let (mut hours, mut blocks) = (Vec::new(), Vec::new());
    for row in rows {
        hours.extend(weekly_hour(row.weekday, row.start_minute, row.end_minute));
        if let (Some(id), Some(from), Some(to)) = (row.id, row.starts_at, row.ends_at) {
            let block = Block {
                id: BlockId(id),
                starts_at: from.to_jiff(),
                ends_at: to.to_jiff(),
                reason: row.reason,
            };
            blocks.push(block);
        }
    }
    hours.sort_unstable();
    blocks.sort_unstable_by_key(|block| (block.starts_at, block.id));
    Ok((hours, blocks))
}

/// The name of an instructor there is now.
pub(crate) async fn instructor_name(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: InstructorId,
) -> Result<Option<String>> {
    let name = sqlx::query_scalar!(
        "select name from instructors where tenant_id = $1 and id = $2 and deleted_at is null",
        tenant,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(name)
}

/// Puts `hours` in place of all there were.
pub(crate) async fn set_hours(
    conn: &mut PgConnection,
    tenant: Uuid,
    instructor: InstructorId,
    hours: &[WeeklyHour],
) -> Result<()> {
    sqlx::query!(
        "delete from weekly_hours where tenant_id = $1 and instructor_id = $2",
        tenant,
        instructor.0
    )
    .execute(&mut *conn)
    .await?;
    let weekdays: Vec<i16> = hours.iter().map(|hour| hour.weekday).collect();
    let starts: Vec<i16> = hours.iter().map(|hour| hour.start_minute).collect();
    let ends: Vec<i16> = hours.iter().map(|hour| hour.end_minute).collect();
    sqlx::query!(
        "insert into weekly_hours (tenant_id, instructor_id, weekday, start_minute, end_minute)
         select $1, $2, h.weekday, h.start_minute, h.end_minute
         from unnest($3::smallint[], $4::smallint[], $5::smallint[]) as h (weekday, start_minute, end_minute)",
        tenant,
        instructor.0,
        &weekdays[..],
        &starts[..],
        &ends[..]
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn insert_block(
    conn: &mut PgConnection,
    tenant: Uuid,
    instructor: InstructorId,
    block: &Block,
) -> Result<()> {
    sqlx::query!(
        "insert into blocked_times (tenant_id, id, instructor_id, starts_at, ends_at, reason)
         values ($1, $2, $3, $4, $5, $6)",
        tenant,
        block.id.0,
        instructor.0,
        block.starts_at.to_sqlx(),
        block.ends_at.to_sqlx(),
        block.reason
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes a block and returns it, if `instructor` has it.
pub(crate) async fn delete_block(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: BlockId,
    instructor: Option<InstructorId>,
) -> Result<Option<(InstructorId, Block)>> {
    let row = sqlx::query!(
        "delete from blocked_times
         where tenant_id = $1 and id = $2 and ($3::uuid is null or instructor_id = $3)
           and instructor_id in (select i.id from instructors i where i.tenant_id = $1 and i.deleted_at is null)
         returning instructor_id, starts_at, ends_at, reason",
        tenant,
        id.0,
        instructor.map(|id| id.0)
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let block = Block {
            id,
            starts_at: row.starts_at.to_jiff(),
            ends_at: row.ends_at.to_jiff(),
            reason: row.reason,
        };
        (InstructorId(row.instructor_id), block)
    }))
}
