//! SQL of persons: looking them up, choosing them, associating them.

use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{Choices, Named, Person, Verification};
use crate::{
    Instant, Result,
    ids::{InstructorId, PackId, StudentId, UserId},
};

/// Students with this id, this e-mail or exactly this name, whatever its case; three at most, which is enough to see
/// that a name isn't unique.
pub(crate) async fn find_student(conn: &mut PgConnection, tenant: Uuid, text: &str) -> Result<Vec<Person>> {
    let text = text.trim();
    // Postgres can't be asked for text with NUL in it.
    if text.is_empty() || text.contains('\0') {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        r#"select s.id, s.name, s.email,
                  (select m.user_id from memberships m
                   where m.tenant_id = s.tenant_id and m.person_id = s.id and m.role = 'student' and m.status = 'active'
                   limit 1) as "user_id?"
           from students s
           where s.tenant_id = $1 and s.deleted_at is null
             and (s.id = $2::uuid or s.email = lower($3::text) or lower(s.name) = lower($3::text))
           order by s.id = $2::uuid desc nulls last, s.email = lower($3::text) desc nulls last, s.id
           limit 3"#,
        tenant,
        text.parse::<Uuid>().ok(),
        text,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Person { id: row.id, name: row.name, email: row.email, user: row.user_id.map(UserId) })
        .collect())
}

/// All instructors by name.
pub(crate) async fn pick_instructors(
    conn: &mut PgConnection,
    tenant: Uuid,
) -> Result<Vec<(InstructorId, String)>> {
    let rows = sqlx::query!(
        "select id, name from instructors where tenant_id = $1 and deleted_at is null order by lower(name), id",
        tenant,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (InstructorId(row.id), row.name)).collect())
}

/// Instructors and the first `limit` students in one query, for a form that needs both.
pub(crate) async fn choices(conn: &mut PgConnection, tenant: Uuid, limit: i64) -> Result<Choices> {
    let row = sqlx::query!(
        r#"select (select coalesce(json_agg(json_build_object('id', i.id, 'name', i.name) order by lower(i.name), i.id), '[]')
                   from instructors i where i.tenant_id = $1 and i.deleted_at is null) as "instructors!: Json<Vec<Named>>",
                  (select coalesce(json_agg(json_build_object('id', s.id, 'name', s.name) order by lower(s.name), s.id), '[]')
                   from (select id, name from students where tenant_id = $1 and deleted_at is null
                         order by lower(name), id limit $2) s) as "students!: Json<Vec<Named>>""#,
        tenant,
        limit,
    )
    .fetch_one(conn)
    .await?;
    Ok(Choices { instructors: row.instructors.0, students: row.students.0 })
}

/// An instructor's name; the row stays locked, so that seats are counted by one at a time.
pub(crate) async fn lock_instructor(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: InstructorId,
) -> Result<Option<(String, i32)>> {
    let row = sqlx::query!(
        "select name, seats from instructors where tenant_id = $1 and id = $2 and deleted_at is null for no key update",
        tenant,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.name, row.seats)))
}

/// A student given an instructor.
#[derive(Debug)]
pub(crate) struct NewPack<'a> {
    /// Whose it is.
    pub(crate) student: StudentId,
    /// With whom.
    pub(crate) instructor: InstructorId,
    /// How many lessons.
    pub(crate) lessons: i32,
    /// Its end.
    pub(crate) expires_at: Option<Instant>,
    /// Who does it.
    pub(crate) actor: Option<UserId>,
    /// Why.
    pub(crate) reason: &'a str,
}

/// Makes the student a mentee, with a pack and its first posting, in one statement; false when no seat is free.
pub(crate) async fn associate(
    conn: &mut PgConnection,
    tenant: Uuid,
    now: Instant,
    pack: PackId,
    new: NewPack<'_>,
) -> Result<bool> {
    let done = sqlx::query!(
        "with mentee as (
             insert into mentees (tenant_id, instructor_id, student_id, created_at)
             select i.tenant_id, i.id, $3::uuid, $5::timestamptz
             from instructors i
             where i.tenant_id = $1 and i.id = $2
               and i.seats > (select count(*) from mentees m
                              join students s on s.tenant_id = $1 and s.id = m.student_id and s.deleted_at is null
                              where m.tenant_id = $1 and m.instructor_id = $2 and m.seat = 'active' and m.student_id <> $3)
             on conflict (tenant_id, instructor_id, student_id) do update set seat = 'active'
             returning tenant_id, instructor_id, student_id
         ), pack as (
             insert into packs (tenant_id, id, student_id, instructor_id, expires_at, created_at)
             select tenant_id, $4::uuid, student_id, instructor_id, $6::timestamptz, $5::timestamptz from mentee
             returning tenant_id, id
         )
         insert into credit_postings (tenant_id, id, pack_id, from_account, to_account, lessons, actor_id, reason, created_at)
         select tenant_id, id, id, 'issued', 'pack', $7::int, $8::uuid, $9::text, $5::timestamptz from pack",
        tenant,
        new.instructor.0,
        new.student.0,
        pack.0,
        now.to_sqlx(),
        new.expires_at.map(|at| at.to_sqlx()),
        new.lessons,
        new.actor.map(|id| id.0),
        new.reason,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Sets an instructor's verification; says their name and what it was, or `None` when there is no such instructor.
pub(crate) async fn verify(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: InstructorId,
    state: Verification,
) -> Result<Option<(String, String)>> {
    let row = sqlx::query!(
        r#"update instructors i set verification = $3
           from (select id, verification from instructors
                 where tenant_id = $1 and id = $2 and deleted_at is null for no key update) old
           where i.tenant_id = $1 and i.id = old.id
           returning i.name, old.verification as "before!""#,
        tenant,
        id.0,
        state.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.name, row.before)))
}

/// An instructor's name and verification, and whether an account has applied to be them; the row stays locked.
pub(crate) async fn waiting(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: InstructorId,
) -> Result<Option<(String, String, bool)>> {
    let row = sqlx::query!(
        r#"select i.name, i.verification,
                  exists (select from memberships m
                          where m.tenant_id = $1 and m.person_id = i.id and m.role = 'instructor'
                            and m.status = 'pending') as "applied!"
           from instructors i
           where i.tenant_id = $1 and i.id = $2 and i.deleted_at is null
           for no key update"#,
        tenant,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.name, row.verification, row.applied)))
}

/// The account behind an instructor.
#[derive(Debug)]
pub(crate) struct Behind {
    pub(crate) user: Uuid,
    /// Where it is written to, while it can be used.
    pub(crate) email: Option<String>,
    /// Whether it had applied.
    pub(crate) applied: bool,
}

/// Answers the application of the account behind an instructor, if it made one: `membership` is what it becomes.
pub(crate) async fn answer_applicant(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: InstructorId,
    membership: &str,
    now: Instant,
) -> Result<Option<Behind>> {
    // The second part sees memberships as they were before the first.
    let row = sqlx::query!(
        r#"with answered as (
               update memberships set status = $3::text, turned_down = $3 = 'revoked', updated_at = $4
               where tenant_id = $1 and person_id = $2 and role = 'instructor' and status = 'pending'
                 and $3 <> 'pending'
           )
           select m.user_id, m.status = 'pending' as "applied!",
                  case when u.status = 'active' and u.deleted_at is null then u.email end as "email?"
           from memberships m join users u on u.id = m.user_id
           where m.tenant_id = $1 and m.person_id = $2 and m.role = 'instructor' and m.status in ('active', 'pending')"#,
        tenant,
        id.0,
        membership,
        now.to_sqlx(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Behind { user: row.user_id, email: row.email, applied: row.applied }))
}
