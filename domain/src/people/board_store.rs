//! SQL of the school's dashboard: its figures, and what waits for an answer, in one query.

use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{Board, LessonLine};
use crate::{Instant, Result};

/// The board of the week whose days begin at `days`; the last one is the end of the week.
pub(crate) async fn board(
    conn: &mut PgConnection,
    tenant: Uuid,
    now: Instant,
    days: &[Instant; 8],
) -> Result<Board> {
    // As seconds: a day begins on a whole one.
    let from: Vec<i64> = days[..7].iter().map(|at| at.as_second()).collect();
    let to: Vec<i64> = days[1..].iter().map(|at| at.as_second()).collect();
    let row = sqlx::query!(
        r#"select (select count(*) from students s where s.tenant_id = $1 and s.deleted_at is null) as "students!",
                  (select count(*) from instructors i where i.tenant_id = $1 and i.deleted_at is null) as "instructors!",
                  (select coalesce(sum(p.lessons_left), 0) from packs p
                   join students s on s.tenant_id = $1 and s.id = p.student_id and s.deleted_at is null
                   join instructors i on i.tenant_id = $1 and i.id = p.instructor_id and i.deleted_at is null
                   where p.tenant_id = $1 and (p.expires_at is null or p.expires_at > $2)) as "lessons_left!",
                  (select count(*) from bookings b
                   where b.tenant_id = $1 and b.status = 'requested' and b.starts_at > $2) as "waiting!",
                  (select coalesce(json_agg(json_build_object(
                       'id', b.id, 'starts_at', b.starts_at, 'ends_at', b.ends_at, 'status', b.status, 'service', v.name,
                       'instructor', i.id, 'instructor_name', i.name, 'student', s.id, 'student_name', s.name)
                       order by b.starts_at, b.id), '[]')
                   from (select * from bookings
                         where tenant_id = $1 and status = 'requested' and starts_at > $2
                         order by starts_at, id limit 20) b
                   join services v on v.tenant_id = $1 and v.id = b.service_id
                   join instructors i on i.tenant_id = $1 and i.id = b.instructor_id
                   join students s on s.tenant_id = $1 and s.id = b.student_id) as "requests!: Json<Vec<LessonLine>>",
                  (select coalesce(json_agg((
                       select count(*) from bookings b
                       where b.tenant_id = $1 and b.status <> 'cancelled'
                         and b.starts_at >= to_timestamp(d.begins) and b.starts_at < to_timestamp(d.ends)) order by d.place), '[]')
                   from unnest($3::int8[], $4::int8[]) with ordinality as d (begins, ends, place)
                  ) as "per_day!: Json<Vec<i64>>""#,
        tenant,
        now.to_sqlx(),
        &from[..],
        &to[..],
    )
    .fetch_one(conn)
    .await?;
    Ok(Board {
        students: row.students,
        instructors: row.instructors,
        lessons_left: row.lessons_left,
        waiting: row.waiting,
        requests: row.requests.0,
        per_day: row.per_day.0,
    })
}
