//! SQL of the students table and of one student's page. With `own`, all of it is what that instructor may know: their
//! mentees, and of those the packs and lessons with them.

use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{LessonLine, PostingLine, StudentDetail, StudentRow, phones::Sought};
use crate::{
    Instant, Result,
    ids::{InstructorId, StudentId},
    packs::StudentPack,
    paging::ListQuery,
};

/// A page of students and how many there are in all. Phone numbers come as they are stored; `phone` is the one that was
/// searched for.
pub(crate) async fn list(
    conn: &mut PgConnection,
    tenant: Uuid,
    now: Instant,
    own: Option<InstructorId>,
    query: &ListQuery,
    phone: Option<&Sought>,
) -> Result<(Vec<StudentRow>, i64)> {
    // The search has lost its NULs; the sort is only ever compared.
    let sort = if query.sort.contains('\0') { "" } else { query.sort.as_str() };
    let row = sqlx::query!(
        r#"with hits as (
               select s.id, lower(s.name) as name,
                      case $5::text when 'email' then s.email
                                    when 'lessons_left' then null when 'last_lesson' then null when 'next_lesson' then null
                                    else lower(s.name) end as word,
                      case $5::text
                          when 'lessons_left' then
                              (select coalesce(sum(p.lessons_left), 0)::numeric from packs p
                               join instructors i on i.tenant_id = $1 and i.id = p.instructor_id and i.deleted_at is null
                               where p.tenant_id = $1 and p.student_id = s.id and ($3::uuid is null or p.instructor_id = $3)
                                 and (p.expires_at is null or p.expires_at > $2))
                          when 'last_lesson' then
                              (select extract(epoch from max(b.starts_at)) from bookings b
                               where b.tenant_id = $1 and b.student_id = s.id and ($3::uuid is null or b.instructor_id = $3)
                                 and b.starts_at <= $2 and b.status in ('confirmed', 'completed'))
                          when 'next_lesson' then
                              (select extract(epoch from min(b.starts_at)) from bookings b
                               where b.tenant_id = $1 and b.student_id = s.id and ($3::uuid is null or b.instructor_id = $3)
                                 and b.starts_at > $2 and b.status in ('requested', 'confirmed'))
                      end as number
               from students s
               where s.tenant_id = $1 and s.deleted_at is null
                 and ($3::uuid is null or exists (select from mentees m
                      where m.tenant_id = $1 and m.instructor_id = $3 and m.student_id = s.id))
                 and ($4::text is null or s.name ilike $4 or s.email ilike $4 or s.phone_index = $9 or s.phone = $10)
           ), shown as (
               select h.id, row_number() over (
                          order by case when $6::bool then null else h.word end,
                                   case when $6 then h.word end desc nulls last,
                                   case when $6 then null else h.number end,
                                   case when $6 then h.number end desc nulls last,
                                   h.name, h.id) as place
               from hits h order by place limit $7
               offset least($8::bigint, greatest(0, (select count(*) - 1 from hits) / $7 * $7))
           )
           select (select count(*) from hits) as "total!",
                  coalesce((
                      select json_agg(json_build_object(
                          'id', s.id, 'name', s.name, 'email', s.email, 'phone', s.phone,
                          'instructors', (select coalesce(json_agg(json_build_object('id', i.id, 'name', i.name)
                                                                   order by lower(i.name), i.id), '[]')
                                          from mentees m
                                          join instructors i on i.tenant_id = $1 and i.id = m.instructor_id and i.deleted_at is null
                                          where m.tenant_id = $1 and m.student_id = s.id and m.seat = 'active'
                                            and ($3::uuid is null or m.instructor_id = $3)),
                          'lessons_left', (select coalesce(sum(p.lessons_left), 0) from packs p
                                           join instructors i on i.tenant_id = $1 and i.id = p.instructor_id and i.deleted_at is null
                                           where p.tenant_id = $1 and p.student_id = s.id
                                             and ($3::uuid is null or p.instructor_id = $3)
                                             and (p.expires_at is null or p.expires_at > $2)),
                          'last_lesson', (select max(b.starts_at) from bookings b
                                          where b.tenant_id = $1 and b.student_id = s.id
                                            and ($3::uuid is null or b.instructor_id = $3)
                                            and b.starts_at <= $2 and b.status in ('confirmed', 'completed')),
                          'next_lesson', (select min(b.starts_at) from bookings b
                                          where b.tenant_id = $1 and b.student_id = s.id
                                            and ($3::uuid is null or b.instructor_id = $3)
                                            and b.starts_at > $2 and b.status in ('requested', 'confirmed'))
                          ) order by shown.place)
                      from shown join students s on s.tenant_id = $1 and s.id = shown.id
                  ), '[]') as "rows!: Json<Vec<StudentRow>>""#,
        tenant,
        now.to_sqlx(),
        own.map(|id| id.0),
        query.pattern(),
        sort,
        query.desc,
        query.limit(),
        query.offset(),
        phone.map(|phone| &phone.index[..]),
        phone.map(|phone| phone.plain.as_str()),
    )
    .fetch_one(conn)
    .await?;
    Ok((row.rows.0, row.total))
}

/// One student with packs, the last 20 postings and the latest 20 lessons. The phone number comes as it is stored.
pub(crate) async fn detail(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: StudentId,
    own: Option<InstructorId>,
) -> Result<Option<StudentDetail>> {
    let row = sqlx::query!(
        r#"select s.id, s.name, s.email, s.phone, s.city, s.created_at,
                  (select coalesce(json_agg(json_build_object(
                       'instructor', i.id, 'instructor_name', i.name, 'gone', i.deleted_at is not null,
                       'pack', json_build_object('id', p.id, 'total', p.lessons_total, 'used', p.lessons_used,
                                                 'left', p.lessons_left, 'expires_at', p.expires_at))
                       order by p.expires_at nulls last, p.created_at, p.id), '[]')
                   from packs p join instructors i on i.tenant_id = $1 and i.id = p.instructor_id
                   where p.tenant_id = $1 and p.student_id = s.id and ($3::uuid is null or p.instructor_id = $3)
                  ) as "packs!: Json<Vec<StudentPack>>",
                  (select coalesce(json_agg(json_build_object(
                       'at', c.created_at, 'instructor_name', c.instructor_name, 'from', c.from_account, 'to', c.to_account,
                       'lessons', c.lessons, 'reason', c.reason, 'actor', c.actor)
                       order by c.created_at desc, c.id desc), '[]')
                   from (select c.*, i.name as instructor_name, u.name as actor
                         from packs p
                         join credit_postings c on c.tenant_id = $1 and c.pack_id = p.id
                         join instructors i on i.tenant_id = $1 and i.id = p.instructor_id
                         left join users u on u.id = c.actor_id
                         where p.tenant_id = $1 and p.student_id = s.id and ($3::uuid is null or p.instructor_id = $3)
                         order by c.created_at desc, c.id desc limit 20) c) as "postings!: Json<Vec<PostingLine>>",
                  (select coalesce(json_agg(json_build_object(
                       'id', b.id, 'starts_at', b.starts_at, 'ends_at', b.ends_at, 'status', b.status, 'service', v.name,
                       'instructor', i.id, 'instructor_name', i.name, 'student', s.id, 'student_name', s.name)
                       order by b.starts_at desc, b.id desc), '[]')
                   from (select * from bookings
                         where tenant_id = $1 and student_id = s.id and ($3::uuid is null or instructor_id = $3)
                         order by starts_at desc, id desc limit 20) b
                   join services v on v.tenant_id = $1 and v.id = b.service_id
                   join instructors i on i.tenant_id = $1 and i.id = b.instructor_id) as "lessons!: Json<Vec<LessonLine>>"
           from students s
           where s.tenant_id = $1 and s.id = $2 and s.deleted_at is null
             and ($3::uuid is null or exists (select from mentees m
                  where m.tenant_id = $1 and m.instructor_id = $3 and m.student_id = s.id))"#,
        tenant,
        id.0,
        own.map(|id| id.0),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| StudentDetail {
        id: StudentId(row.id),
        name: row.name,
        email: row.email,
        phone: row.phone,
        city: row.city,
        created_at: row.created_at.to_jiff(),
        packs: row.packs.0,
        postings: row.postings.0,
        lessons: row.lessons.0,
    }))
}
