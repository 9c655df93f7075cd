//! SQL of the instructors table and of one instructor's page. Each is one query: what hangs on a row (mentees, their
//! packs, lessons) comes with it as JSON.

use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{InstructorDetail, InstructorFilter, InstructorRow, LessonLine, Named};
use crate::{
    Instant, Result,
    ids::{InstructorId, UserId},
};

/// A page of instructors and how many there are in all; of `own` alone when given. Phone numbers come as they are stored.
///
/// Figures to sort by are counted for every row only when the list is sorted by them; those shown, for the page alone.
pub(crate) async fn list(
    conn: &mut PgConnection,
    tenant: Uuid,
    now: Instant,
    own: Option<InstructorId>,
    filter: &InstructorFilter,
) -> Result<(Vec<InstructorRow>, i64)> {
    let row = sqlx::query!(
        r#"with hits as (
               select i.id, lower(i.name) as name,
                      case $7::text when 'city' then lower(i.city)
                                    when 'mentees' then null when 'lessons_left' then null when 'last_lesson' then null
                                    else lower(i.name) end as word,
                      case $7::text
                          when 'mentees' then
                              (select count(*)::numeric from mentees m
                               join students s on s.tenant_id = $1 and s.id = m.student_id and s.deleted_at is null
                               where m.tenant_id = $1 and m.instructor_id = i.id)
                          when 'lessons_left' then
                              (select coalesce(sum(p.lessons_left), 0)::numeric from packs p
                               join students s on s.tenant_id = $1 and s.id = p.student_id and s.deleted_at is null
                               where p.tenant_id = $1 and p.instructor_id = i.id and (p.expires_at is null or p.expires_at > $2))
                          when 'last_lesson' then
                              (select extract(epoch from max(b.starts_at)) from bookings b
                               where b.tenant_id = $1 and b.instructor_id = i.id and b.starts_at <= $2
                                 and b.status in ('confirmed', 'completed'))
                      end as number
               from instructors i
               where i.tenant_id = $1 and i.deleted_at is null
                 and ($3::uuid is null or i.id = $3)
                 and ($4::text is null or i.name ilike $4 or i.email ilike $4 or i.city ilike $4)
                 and ($5::text = '' or lower(i.city) = lower($5))
                 and ($6::text = '' or i.verification = $6)
           ), shown as (
               select h.id, row_number() over (
                          order by case when $8::bool then null else h.word end,
                                   case when $8 then h.word end desc nulls last,
                                   case when $8 then null else h.number end,
                                   case when $8 then h.number end desc nulls last,
                                   h.name, h.id) as place
               from hits h order by place limit $9
               offset least($10::bigint, greatest(0, (select count(*) - 1 from hits) / $9 * $9))
           )
           select (select count(*) from hits) as "total!",
                  coalesce((
                      select json_agg(json_build_object(
                          'id', i.id, 'name', i.name, 'email', i.email, 'phone', i.phone, 'city', i.city,
                          'verification', i.verification, 'seats', i.seats,
                          'seats_used', (select count(*) from mentees m
                                         join students s on s.tenant_id = $1 and s.id = m.student_id and s.deleted_at is null
                                         where m.tenant_id = $1 and m.instructor_id = i.id and m.seat = 'active'),
                          'lessons_left', (select coalesce(sum(p.lessons_left), 0) from packs p
                                           join students s on s.tenant_id = $1 and s.id = p.student_id and s.deleted_at is null
                                           where p.tenant_id = $1 and p.instructor_id = i.id
                                             and (p.expires_at is null or p.expires_at > $2)),
                          'last_lesson', (select max(b.starts_at) from bookings b
                                          where b.tenant_id = $1 and b.instructor_id = i.id and b.starts_at <= $2
                                            and b.status in ('confirmed', 'completed')),
                          'mentees', (
                              select coalesce(json_agg(json_build_object(
                                  'student', s.id, 'name', s.name, 'seat', m.seat,
                                  'last_lesson', (select max(b.starts_at) from bookings b
                                                  where b.tenant_id = $1 and b.student_id = m.student_id
                                                    and b.instructor_id = m.instructor_id and b.starts_at <= $2
                                                    and b.status in ('confirmed', 'completed')),
                                  'packs', (select coalesce(json_agg(json_build_object(
                                                'id', p.id, 'total', p.lessons_total, 'used', p.lessons_used,
                                                'left', p.lessons_left, 'expires_at', p.expires_at)
                                                order by p.expires_at nulls last, p.created_at, p.id), '[]')
                                            from packs p
                                            where p.tenant_id = $1 and p.instructor_id = m.instructor_id
                                              and p.student_id = m.student_id)
                                  ) order by lower(s.name), s.id), '[]')
                              from mentees m
                              join students s on s.tenant_id = m.tenant_id and s.id = m.student_id and s.deleted_at is null
                              where m.tenant_id = $1 and m.instructor_id = i.id)
                          ) order by shown.place)
                      from shown join instructors i on i.tenant_id = $1 and i.id = shown.id
                  ), '[]') as "rows!: Json<Vec<InstructorRow>>""#,
        tenant,
        now.to_sqlx(),
        own.map(|id| id.0),
        filter.list.pattern(),
        text_or_none(&filter.city),
        text_or_none(&filter.verification),
        text_or_none(&filter.list.sort),
        filter.list.desc,
        filter.list.limit(),
        filter.list.offset(),
    )
    .fetch_one(conn)
    .await?;
    Ok((row.rows.0, row.total))
}

/// Addresses can carry NUL, which Postgres can't be asked for; such a filter is none.
fn text_or_none(text: &str) -> &str {
    if text.contains('\0') { "" } else { text }
}

/// The cities that instructors are in, for the filter.
pub(crate) async fn cities(
    conn: &mut PgConnection,
    tenant: Uuid,
    own: Option<InstructorId>,
) -> Result<Vec<String>> {
    let cities = sqlx::query_scalar!(
        r#"select min(city) as "city!" from instructors
           where tenant_id = $1 and deleted_at is null and city <> '' and ($2::uuid is null or id = $2)
           group by lower(city) order by lower(city)"#,
        tenant,
        own.map(|id| id.0),
    )
    .fetch_all(conn)
    .await?;
    Ok(cities)
}

/// One instructor with mentees, lessons to come, requests, and the first `choices` students. The phone number comes as it
/// is stored.
pub(crate) async fn detail(
    conn: &mut PgConnection,
    tenant: Uuid,
    now: Instant,
    id: InstructorId,
    choices: i64,
) -> Result<Option<InstructorDetail>> {
    let row = sqlx::query!(
        r#"select i.bio,
                  (select m.user_id from memberships m
                   where m.tenant_id = $1 and m.person_id = i.id and m.role = 'instructor' and m.status = 'pending'
                   limit 1) as "applicant?",
                  json_build_object(
                      'id', i.id, 'name', i.name, 'email', i.email, 'phone', i.phone, 'city', i.city,
                      'verification', i.verification, 'seats', i.seats,
                      'seats_used', (select count(*) from mentees m
                                     join students s on s.tenant_id = $1 and s.id = m.student_id and s.deleted_at is null
                                     where m.tenant_id = $1 and m.instructor_id = i.id and m.seat = 'active'),
                      'lessons_left', (select coalesce(sum(p.lessons_left), 0) from packs p
                                       join students s on s.tenant_id = $1 and s.id = p.student_id and s.deleted_at is null
                                       where p.tenant_id = $1 and p.instructor_id = i.id
                                         and (p.expires_at is null or p.expires_at > $3)),
                      'last_lesson', (select max(b.starts_at) from bookings b
                                      where b.tenant_id = $1 and b.instructor_id = i.id and b.starts_at <= $3
                                        and b.status in ('confirmed', 'completed')),
                      'mentees', (
                          select coalesce(json_agg(json_build_object(
                              'student', s.id, 'name', s.name, 'seat', m.seat,
                              'last_lesson', (select max(b.starts_at) from bookings b
                                              where b.tenant_id = $1 and b.student_id = m.student_id
                                                and b.instructor_id = m.instructor_id and b.starts_at <= $3
                                                and b.status in ('confirmed', 'completed')),
                              'packs', (select coalesce(json_agg(json_build_object(
                                            'id', p.id, 'total', p.lessons_total, 'used', p.lessons_used,
                                            'left', p.lessons_left, 'expires_at', p.expires_at)
                                            order by p.expires_at nulls last, p.created_at, p.id), '[]')
                                        from packs p
                                        where p.tenant_id = $1 and p.instructor_id = m.instructor_id
                                          and p.student_id = m.student_id)
                              ) order by lower(s.name), s.id), '[]')
                          from mentees m
                          join students s on s.tenant_id = m.tenant_id and s.id = m.student_id and s.deleted_at is null
                          where m.tenant_id = $1 and m.instructor_id = i.id)
                  ) as "row!: Json<InstructorRow>",
                  (select coalesce(json_agg(json_build_object(
                       'id', b.id, 'starts_at', b.starts_at, 'ends_at', b.ends_at, 'status', b.status, 'service', v.name,
                       'instructor', i.id, 'instructor_name', i.name, 'student', s.id, 'student_name', s.name)
                       order by b.starts_at, b.id), '[]')
                   from (select * from bookings
                         where tenant_id = $1 and instructor_id = i.id and starts_at > $3 and status <> 'cancelled'
                         order by starts_at, id limit 10) b
                   join services v on v.tenant_id = $1 and v.id = b.service_id
                   join students s on s.tenant_id = $1 and s.id = b.student_id) as "next!: Json<Vec<LessonLine>>",
                  (select coalesce(json_agg(json_build_object(
                       'id', b.id, 'starts_at', b.starts_at, 'ends_at', b.ends_at, 'status', b.status, 'service', v.name,
                       'instructor', i.id, 'instructor_name', i.name, 'student', s.id, 'student_name', s.name)
                       order by b.starts_at, b.id), '[]')
                   from (select * from bookings
                         where tenant_id = $1 and instructor_id = i.id and starts_at > $3 and status = 'requested'
                         order by starts_at, id limit 100) b
                   join services v on v.tenant_id = $1 and v.id = b.service_id
                   join students s on s.tenant_id = $1 and s.id = b.student_id) as "requests!: Json<Vec<LessonLine>>",
                  (select coalesce(json_agg(json_build_object('id', s.id, 'name', s.name) order by lower(s.name), s.id), '[]')
                   from (select id, name from students where tenant_id = $1 and deleted_at is null
                         order by lower(name), id limit $4) s) as "students!: Json<Vec<Named>>"
           from instructors i
           where i.tenant_id = $1 and i.id = $2 and i.deleted_at is null"#,
        tenant,
        id.0,
        now.to_sqlx(),
        choices,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| InstructorDetail {
        row: row.row.0,
        bio: row.bio,
        applicant: row.applicant.map(UserId),
        next: row.next.0,
        requests: row.requests.0,
        students: row.students.0,
    }))
}
