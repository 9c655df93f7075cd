//! SQL of moving.

use jiff_sqlx::ToSqlx;
use serde::Deserialize;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{InSeries, Lesson, Sheet, Teacher, Which};
use crate::{
    Error, Instant, Result,
    availability::Rules,
    booking::{
        Status,
        policy::{Standing, Terms},
        store::Whose,
    },
    ids::{BookingId, HoldId, InstructorId, SeriesId, ServiceId, StudentId},
};

#[derive(Debug, Deserialize)]
struct Row {
    id: BookingId,
    place: Option<i32>,
    instructor: InstructorId,
    instructor_name: String,
    starts_at: Instant,
    ends_at: Instant,
    status: String,
    pickup: String,
    moves: i32,
    cancel_notice_min: i32,
    move_notice_min: i32,
    max_moves: Option<i32>,
    late_fee_percent: i32,
    pack_ends: Option<Instant>,
}

impl Row {
    fn lesson(self, needs_approval: bool) -> Result<Lesson> {
        let terms = Terms {
            cancel_notice_min: self.cancel_notice_min,
            move_notice_min: self.move_notice_min,
            max_moves: self.max_moves,
            late_fee_percent: self.late_fee_percent,
        };
        let standing = Standing {
            status: Status::parse(&self.status).ok_or_else(|| Error::internal("unknown booking status"))?,
            starts_at: self.starts_at,
            terms,
            moves: self.moves,
            needs_approval,
        };
        Ok(Lesson {
            id: self.id,
            place: self.place,
            instructor: self.instructor,
            instructor_name: self.instructor_name,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            standing,
            pickup: self.pickup,
            pack_ends: self.pack_ends,
        })
    }
}

/// All that moving a lesson depends on, but for diaries, as far as the actor reaches it.
pub(super) async fn sheet(
    conn: &mut PgConnection,
    tenant: Uuid,
    named: BookingId,
    which: Which,
    whose: Whose,
    now: Instant,
) -> Result<Option<Sheet>> {
    let row = sqlx::query!(
        r#"select a.service_id, a.also_services, coalesce(a.title, sv.name) as "service_name!", a.student_id,
                  st.name as student_name, a.series_id, r.before as "before!", r.after as "after!",
                  r.notice_min as "notice_min!", r.horizon_days as "horizon_days!", r.capacity as "capacity!",
                  r.needs_pickup as "needs_pickup!", sv.needs_approval,
                  (select coalesce(jsonb_agg(jsonb_build_object(
                       'id', b.id, 'place', b.series_place, 'instructor', b.instructor_id,
                       'instructor_name', i.name, 'starts_at', b.starts_at, 'ends_at', b.ends_at,
                       'status', b.status, 'pickup', b.pickup, 'moves', b.moves,
                       'cancel_notice_min', b.cancel_notice_min, 'move_notice_min', b.move_notice_min,
                       'max_moves', b.max_moves, 'late_fee_percent', b.late_fee_percent,
                       'pack_ends', p.expires_at) order by b.starts_at, b.id), '[]')
                   from bookings b
                   join instructors i on i.tenant_id = b.tenant_id and i.id = b.instructor_id
                   left join packs p on p.tenant_id = b.tenant_id and p.id = b.pack_id
                   where b.tenant_id = $1
                     and (b.id = a.id
                          or ($3::text <> 'this' and b.series_id = a.series_id and b.starts_at >= $4
                              and b.status in ('requested', 'confirmed')
                              and ($3 = 'all' or b.series_place > a.series_place)
                              and ($5::uuid is null or b.instructor_id = $5)
                              and ($6::uuid is null or b.student_id = $6)))) as "lessons!: Json<Vec<Row>>",
                  (select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'name', i.name)
                                             order by lower(i.name), i.id), '[]')
                   from instructors i
                   where i.tenant_id = $1 and i.deleted_at is null
                     and (i.id = a.instructor_id or not exists (
                              select from unnest(a.service_id || a.also_services) as u (id)
                              where not exists (
                                  select from service_instructors t
                                  where t.tenant_id = $1 and t.service_id = u.id and t.instructor_id = i.id)))
                  ) as "teachers!: Json<Vec<Teacher>>",
                  (select h.id from holds h
                   where h.tenant_id = $1 and h.student_id = a.student_id and h.kind = 'checkout'
                     and h.state = 'active' and h.expires_at > $4) as "checkout?"
           from bookings a
           join services sv on sv.tenant_id = a.tenant_id and sv.id = a.service_id
           join students st on st.tenant_id = a.tenant_id and st.id = a.student_id
           cross join lateral (
               select (array_agg(s.buffer_before_min order by u.place))[1] as before,
                      (array_agg(s.buffer_after_min order by u.place desc))[1] as after,
                      max(s.notice_min) as notice_min, min(s.horizon_days) as horizon_days,
                      case when count(*) = 1 then max(s.capacity) else 1 end as capacity,
                      bool_or(s.needs_pickup) as needs_pickup
               from unnest(a.service_id || a.also_services) with ordinality u (id, place)
               join services s on s.tenant_id = $1 and s.id = u.id
           ) r
           where a.tenant_id = $1 and a.id = $2
             and ($5::uuid is null or a.instructor_id = $5) and ($6::uuid is null or a.student_id = $6)"#,
        tenant,
        named.0,
        which.as_str(),
        now.to_sqlx(),
        whose.instructor.map(|id| id.0),
        whose.student.map(|id| id.0)
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let lessons: Vec<Lesson> =
        row.lessons.0.into_iter().map(|lesson| lesson.lesson(row.needs_approval)).collect::<Result<_>>()?;
    let named = lessons.iter().find(|lesson| lesson.id == named).cloned().ok_or(Error::NotFound)?;
    Ok(Some(Sheet {
        service: ServiceId(row.service_id),
        also: row.also_services.into_iter().map(ServiceId).collect(),
        service_name: row.service_name,
        student: StudentId(row.student_id),
        student_name: row.student_name,
        series: row.series_id.map(SeriesId),
        rules: Rules {
            duration_min: named.duration_min(),
            buffer_before_min: row.before,
            buffer_after_min: row.after,
            notice_min: row.notice_min,
            horizon_days: row.horizon_days,
            capacity: row.capacity,
            // It is paid for already.
            needs_credit: false,
        },
        needs_pickup: row.needs_pickup,
        named,
        lessons,
        teachers: row.teachers.0,
        checkout: row.checkout.map(HoldId),
    }))
}

/// Keeps a lesson, and those of its series that go with it, as they are until the transaction ends. Their ids, in the
/// order in which everyone locks them.
pub(in crate::booking) async fn lock(
    conn: &mut PgConnection,
    tenant: Uuid,
    named: BookingId,
    which: Which,
    whose: Whose,
    now: Instant,
) -> Result<Vec<BookingId>> {
    let ids = sqlx::query_scalar!(
        "select b.id
         from bookings a
         join bookings b on b.tenant_id = a.tenant_id
             and (b.id = a.id
                  or ($3::text <> 'this' and b.series_id = a.series_id and b.starts_at >= $4
                      and b.status in ('requested', 'confirmed')
                      and ($3 = 'all' or b.series_place > a.series_place)
                      and ($5::uuid is null or b.instructor_id = $5)
                      and ($6::uuid is null or b.student_id = $6)))
         where a.tenant_id = $1 and a.id = $2
         order by b.id
         for update of b",
        tenant,
        named.0,
        which.as_str(),
        now.to_sqlx(),
        whose.instructor.map(|id| id.0),
        whose.student.map(|id| id.0)
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(BookingId).collect())
}

/// Forgets what students have been reminded of: it is said again for the new time. A move by the student counts.
pub(super) async fn note_moved(
    conn: &mut PgConnection,
    tenant: Uuid,
    ids: &[BookingId],
    by_student: bool,
) -> Result<()> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    sqlx::query!(
        "with told as (
             delete from reminders where tenant_id = $1 and booking_id = any($2)
         )
         update bookings set moves = moves + 1 where tenant_id = $1 and id = any($2) and $3::boolean",
        tenant,
        &ids[..],
        by_student
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The series of a lesson, as far as the lesson shows it.
pub(super) async fn series(
    conn: &mut PgConnection,
    tenant: Uuid,
    series: SeriesId,
    now: Instant,
) -> Result<Option<InSeries>> {
    let row = sqlx::query_as!(
        InSeries,
        r#"select s.every, coalesce(max(b.series_place), 0) as "total!",
                  count(b.id) filter (where b.starts_at >= $3 and b.status in ('requested', 'confirmed')) as "to_come!"
           from series s
           left join bookings b on b.tenant_id = s.tenant_id and b.series_id = s.id
           where s.tenant_id = $1 and s.id = $2
           group by s.every"#,
        tenant,
        series.0,
        now.to_sqlx()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// E-mail addresses of instructors; none of those who were removed.
pub(in crate::booking) async fn emails(
    conn: &mut PgConnection,
    tenant: Uuid,
    instructors: &[InstructorId],
) -> Result<Vec<String>> {
    let ids: Vec<Uuid> = instructors.iter().map(|id| id.0).collect();
    let emails = sqlx::query_scalar!(
        r#"select email as "email!" from instructors
           where tenant_id = $1 and id = any($2) and email is not null and deleted_at is null
           order by email"#,
        tenant,
        &ids[..]
    )
    .fetch_all(conn)
    .await?;
    Ok(emails)
}
