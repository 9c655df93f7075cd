//! SQL of hours, blocked times and what takes time.

use jiff_sqlx::ToSqlx;
use serde::Deserialize;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{Block, Diary, Stretch, WeeklyHour};
use crate::{
    Instant, Result,
    ids::{BlockId, InstructorId, StudentId},
    services::Service,
};

/// What is known of some instructors' time, and of a student's.
pub(crate) struct Diaries {
    pub(crate) instructors: Vec<Diary>,
    pub(crate) student: Vec<Stretch>,
}

/// The time of `instructors` from one moment to another, one diary each in the same order, and the student's lessons.
/// Who is removed has no hours.
pub(crate) async fn diaries(
    conn: &mut PgConnection,
    tenant: Uuid,
    instructors: &[InstructorId],
    student: Option<StudentId>,
    within: Stretch,
) -> Result<Diaries> {
    let ids: Vec<Uuid> = instructors.iter().map(|id| id.0).collect();
    let mut subjects = ids.clone();
    subjects.extend(student.map(|id| id.0));
    // One answer of three kinds of rows: a round trip, and no JSON to read for thousands of claims.
    let rows = sqlx::query!(
        r#"select 0::smallint as "kind!", instructor_id as "subject!", weekday as "weekday?",
                  start_minute as "start_minute?", end_minute as "end_minute?",
                  null::timestamptz as "starts_at?", null::timestamptz as "ends_at?"
           from weekly_hours
           where tenant_id = $1
             and instructor_id in (select id from instructors
                                   where tenant_id = $1 and id = any($2) and deleted_at is null)
           union all
           select 1, instructor_id, null, null, null, starts_at, ends_at
           from blocked_times where tenant_id = $1 and instructor_id = any($2) and ends_at > $4 and starts_at < $5
           union all
           select 2, subject_id, null, null, null, starts_at, ends_at
           from claims
           where tenant_id = $1 and active and subject_id = any($3) and ends_at > $4 and starts_at < $5"#,
        tenant,
        &ids[..],
        &subjects[..],
        within.starts_at.to_sqlx(),
        within.ends_at.to_sqlx()
    )
    .fetch_all(conn)
    .await?;
    let mut found = Diaries {
        instructors: instructors
            .iter()
            .map(|id| Diary { instructor: *id, hours: Vec::new(), blocks: Vec::new(), claims: Vec::new() })
            .collect(),
        student: Vec::new(),
    };
    for row in rows {
        let diary = found.instructors.iter_mut().find(|diary| diary.instructor.0 == row.subject);
        let stretch = row
            .starts_at
            .zip(row.ends_at)
            .map(|(from, to)| Stretch { starts_at: from.to_jiff(), ends_at: to.to_jiff() });
        let hour = weekly_hour(row.weekday, row.start_minute, row.end_minute);
        match (row.kind, diary) {
            (0, Some(diary)) => diary.hours.extend(hour),
            (1, Some(diary)) => diary.blocks.extend(stretch),
            (_, Some(diary)) => diary.claims.extend(stretch),
            (_, None) => found.student.extend(stretch),
        }
    }
    Ok(found)
}

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

/// A service on the school's page.
#[derive(Clone, Debug, Deserialize)]
pub struct Offer {
    /// The service.
    #[serde(flatten)]
    pub service: Service,
    /// Verified instructors who teach it and aren't absent.
    pub instructors: Vec<InstructorId>,
}

/// An instructor on the school's page.
#[derive(Clone, Debug, Deserialize)]
pub struct Guide {
    /// Id.
    pub id: InstructorId,
    /// Name.
    pub name: String,
    /// City; may be empty.
    pub city: String,
    /// What they say of themselves; may be empty.
    pub bio: String,
}

/// A pack of the student who looks, with lessons left.
#[derive(Clone, Debug, Deserialize)]
pub struct Prepaid {
    /// With whom.
    pub instructor: InstructorId,
    /// Lessons left.
    pub left: i32,
    /// When it ends, if it does.
    pub expires_at: Option<Instant>,
}

/// What a school shows to those who book.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Active services by name.
    pub services: Vec<Offer>,
    /// Verified instructors by name.
    pub instructors: Vec<Guide>,
    /// The student's packs, in the order they are used up.
    pub packs: Vec<Prepaid>,
}

pub(crate) async fn catalogue(
    conn: &mut PgConnection,
    tenant: Uuid,
    student: Option<StudentId>,
    now: Instant,
) -> Result<Catalogue> {
    let row = sqlx::query!(
        r#"with guides as (
               select id, name, city, bio from instructors
               where tenant_id = $1 and deleted_at is null and verification = 'verified'
                 and id not in (select a.person_id from absent_instructors a where a.tenant_id = $1)
           )
           select
               (select coalesce(jsonb_agg(jsonb_build_object(
                    'id', s.id, 'name', s.name, 'description', s.description, 'duration_min', s.duration_min,
                    'price_minor', s.price_minor, 'currency', s.currency, 'buffer_before_min', s.buffer_before_min,
                    'buffer_after_min', s.buffer_after_min, 'notice_min', s.notice_min,
                    'horizon_days', s.horizon_days, 'cancel_notice_min', s.cancel_notice_min,
                    'needs_pickup', s.needs_pickup, 'needs_approval', s.needs_approval, 'archived', false,
                    'instructors', (select coalesce(jsonb_agg(g.id order by lower(g.name), g.id), '[]')
                                    from service_instructors t join guides g on g.id = t.instructor_id
                                    where t.tenant_id = $1 and t.service_id = s.id)
                ) order by lower(s.name), s.id), '[]')
                from services s where s.tenant_id = $1 and s.status = 'active') as "services!: Json<Vec<Offer>>",
               (select coalesce(jsonb_agg(jsonb_build_object(
                    'id', g.id, 'name', g.name, 'city', g.city, 'bio', g.bio) order by lower(g.name), g.id), '[]')
                from guides g) as "instructors!: Json<Vec<Guide>>",
               (select coalesce(jsonb_agg(jsonb_build_object(
                    'instructor', p.instructor_id, 'left', p.lessons_left, 'expires_at', p.expires_at)
                    order by p.expires_at nulls last, p.created_at, p.id), '[]')
                from packs p
                where p.tenant_id = $1 and p.student_id = $2 and p.lessons_left > 0
                  and (p.expires_at is null or p.expires_at > $3)) as "packs!: Json<Vec<Prepaid>>""#,
        tenant,
        student.map(|id| id.0),
        now.to_sqlx()
    )
    .fetch_one(conn)
    .await?;
    Ok(Catalogue { services: row.services.0, instructors: row.instructors.0, packs: row.packs.0 })
}
