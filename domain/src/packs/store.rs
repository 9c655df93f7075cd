//! SQL of packs.

use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{PackAfter, Posting, StudentPack};
use crate::{
    Instant, Result,
    ids::{InstructorId, PackId, StudentId},
};

/// The pack a lesson at `at` is taken from: the one that ends first, then the oldest. Its row stays locked, so that
/// two lessons can't take the same last credit.
pub(crate) async fn usable(
    conn: &mut PgConnection,
    tenant: Uuid,
    student: StudentId,
    instructor: InstructorId,
    at: Instant,
) -> Result<Option<(PackId, i32)>> {
    // All are locked, not the first alone: one that is used up meanwhile drops out of the answer, and the next one counts.
    let rows = sqlx::query!(
        r#"select id, lessons_left as "lessons_left!"
           from packs
           where tenant_id = $1 and student_id = $2 and instructor_id = $3
             and lessons_left > 0 and (expires_at is null or expires_at > $4)
           order by expires_at nulls last, created_at, id
           for update"#,
        tenant,
        student.0,
        instructor.0,
        at.to_sqlx(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.first().map(|row| (PackId(row.id), row.lessons_left)))
}

/// Moves credits and says how many lessons are left then.
pub(crate) async fn post(
    conn: &mut PgConnection,
    tenant: Uuid,
    now: Instant,
    posting: Posting<'_>,
) -> Result<i32> {
    insert(conn, tenant, now, posting, None).await?;
    // The totals are written by a trigger at the end of the statement, which the statement itself can't see.
    let left = sqlx::query_scalar!(
        r#"select lessons_left as "left!" from packs where tenant_id = $1 and id = $2"#,
        tenant,
        posting.pack.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(left)
}

/// Moves credits of a pack, of an instructor's own when `own` is given; `None` when there is no such pack.
pub(crate) async fn post_own(
    conn: &mut PgConnection,
    tenant: Uuid,
    now: Instant,
    posting: Posting<'_>,
    own: Option<InstructorId>,
) -> Result<Option<PackAfter>> {
    let theirs = sqlx::query_scalar!(
        r#"select exists (select from packs p
                          join students s on s.tenant_id = $1 and s.id = p.student_id and s.deleted_at is null
                          where p.tenant_id = $1 and p.id = $2) as "theirs!""#,
        tenant,
        posting.pack.0,
    )
    .fetch_one(&mut *conn)
    .await?;
    if !theirs || insert(&mut *conn, tenant, now, posting, own).await? == 0 {
        return Ok(None);
    }
    let row = sqlx::query!(
        r#"select student_id, instructor_id, lessons_total, lessons_used, lessons_left as "lessons_left!"
           from packs where tenant_id = $1 and id = $2"#,
        tenant,
        posting.pack.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(Some(PackAfter {
        left: row.lessons_left,
        total: row.lessons_total,
        used: row.lessons_used,
        student: StudentId(row.student_id),
        instructor: InstructorId(row.instructor_id),
    }))
}

async fn insert(
    conn: &mut PgConnection,
    tenant: Uuid,
    now: Instant,
    posting: Posting<'_>,
    own: Option<InstructorId>,
) -> Result<u64> {
    let done = sqlx::query!(
        "insert into credit_postings
             (tenant_id, id, pack_id, from_account, to_account, lessons, booking_id, actor_id, reason, created_at)
         select p.tenant_id, $3::uuid, p.id, $4::text, $5::text, $6::int, $7::uuid, $8::uuid, $9::text, $10::timestamptz
         from packs p
         where p.tenant_id = $1 and p.id = $2 and ($11::uuid is null or p.instructor_id = $11)",
        tenant,
        posting.pack.0,
        new_id(now),
        posting.from.as_str(),
        posting.to.as_str(),
        posting.lessons,
        posting.booking.map(|id| id.0),
        posting.actor.map(|id| id.0),
        posting.reason,
        now.to_sqlx(),
        own.map(|id| id.0),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Postings are never addressed, so their ids have no type of their own; any id ordered by time will do.
fn new_id(now: Instant) -> Uuid {
    PackId::new(now).0
}

/// A student's packs: those that end first on top.
pub(crate) async fn of_student(
    conn: &mut PgConnection,
    tenant: Uuid,
    student: StudentId,
) -> Result<Vec<StudentPack>> {
    let packs = sqlx::query_scalar!(
        r#"select coalesce(json_agg(json_build_object(
                      'instructor', i.id, 'instructor_name', i.name, 'gone', i.deleted_at is not null,
                      'pack', json_build_object('id', p.id, 'total', p.lessons_total, 'used', p.lessons_used,
                                                'left', p.lessons_left, 'expires_at', p.expires_at))
                      order by p.expires_at nulls last, p.created_at, p.id), '[]') as "packs!: Json<Vec<StudentPack>>"
           from packs p join instructors i on i.tenant_id = p.tenant_id and i.id = p.instructor_id
           where p.tenant_id = $1 and p.student_id = $2"#,
        tenant,
        student.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(packs.0)
}
