//! Rows of people for downloads (DA-01), in the order of an index, so that the first comes at once.

use futures::TryStreamExt;
use jiff_sqlx::ToSqlx;

use super::{InstructorFilter, phones, service::own_instructor};
use crate::{
    Error, Instant, Result,
    authz::{Action, Reach, TenantScope},
    ids::InstructorId,
    packs::last_day,
    paging::ListQuery,
    rows::{Out, Rows, put, settle, spawn, words},
    zoned::Zone,
};

/// Instructors, one row each.
pub fn instructors(mut scope: TenantScope, filter: InstructorFilter) -> Result<Rows> {
    let own = own_of_export(&scope, Action::ViewInstructors)?;
    Ok(spawn(async move |out| send_instructors(&mut scope, own, &filter, &out).await))
}

/// Mentees of the instructors that the filter finds, one row a pack, or one without a pack.
pub fn mentees(mut scope: TenantScope, filter: InstructorFilter) -> Result<Rows> {
    let own = own_of_export(&scope, Action::ViewInstructors)?;
    Ok(spawn(async move |out| send_mentees(&mut scope, own, &filter, &out).await))
}

/// Students, one row each; an instructor's own mentees for an instructor.
pub fn students(mut scope: TenantScope, query: ListQuery) -> Result<Rows> {
    let own = own_of_export(&scope, Action::ViewStudents)?;
    Ok(spawn(async move |out| send_students(&mut scope, own, &query, &out).await))
}

/// Whom a download is held to. It takes two permissions, and goes as far as the narrower one.
fn own_of_export(scope: &TenantScope, view: Action) -> Result<Option<InstructorId>> {
    let (view, export) = (scope.require(view)?, scope.require(Action::ExportData)?);
    own_instructor(scope, if view == Reach::All { export } else { view })
}

fn time(zone: &Zone, at: Option<jiff_sqlx::Timestamp>) -> String {
    at.map(|at| zone.rfc3339(at.to_jiff())).unwrap_or_default()
}

/// Filters from an address can carry NUL, which Postgres can't be asked for; such a filter is none.
fn clean(text: &str) -> &str {
    if text.contains('\0') { "" } else { text }
}

async fn send_instructors(
    scope: &mut TenantScope,
    own: Option<InstructorId>,
    filter: &InstructorFilter,
    out: &Out,
) -> Result<()> {
    let (now, zone) = (scope.now(), scope.tenant().zone.clone());
    let header = words(&[
        "id",
        "name",
        "email",
        "phone",
        "city",
        "verification",
        "seats",
        "seats_used",
        "mentees",
        "lessons_left",
        "last_lesson",
        "created_at",
    ]);
    if !put(out, header).await? {
        return Ok(());
    }
    let vault = scope.vault().clone();
    let (tenant, conn) = scope.conn();
    settle(&mut *conn).await?;
    let mut rows = sqlx::query!(
        r#"select i.id, i.name, i.email, i.phone, i.city, i.verification, i.seats, i.created_at,
                  (select count(*) from mentees m
                   join students s on s.tenant_id = $1 and s.id = m.student_id and s.deleted_at is null
                   where m.tenant_id = $1 and m.instructor_id = i.id and m.seat = 'active') as "seats_used!",
                  (select count(*) from mentees m
                   join students s on s.tenant_id = $1 and s.id = m.student_id and s.deleted_at is null
                   where m.tenant_id = $1 and m.instructor_id = i.id) as "mentees!",
                  (select coalesce(sum(p.lessons_left), 0) from packs p
                   join students s on s.tenant_id = $1 and s.id = p.student_id and s.deleted_at is null
                   where p.tenant_id = $1 and p.instructor_id = i.id
                     and (p.expires_at is null or p.expires_at > $2)) as "lessons_left!",
                  (select max(b.starts_at) from bookings b
                   where b.tenant_id = $1 and b.instructor_id = i.id and b.starts_at <= $2
                     and b.status in ('confirmed', 'completed')) as "last_lesson?"
           from instructors i
           where i.tenant_id = $1 and i.deleted_at is null
             and ($3::uuid is null or i.id = $3)
             and ($4::text is null or i.name ilike $4 or i.email ilike $4 or i.city ilike $4)
             and ($5::text = '' or lower(i.city) = lower($5))
             and ($6::text = '' or i.verification = $6)
           order by lower(i.name), i.id"#,
        tenant,
        now.to_sqlx(),
        own.map(|id| id.0),
        filter.list.pattern(),
        clean(&filter.city),
        clean(&filter.verification),
    )
    .fetch(conn);
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let phone = vault.open_some(phones::INSTRUCTORS, row.id, row.phone)?;
        let cells = vec![
            row.id.to_string(),
            row.name,
            row.email.unwrap_or_default(),
            phone.unwrap_or_default(),
            row.city,
            row.verification,
            row.seats.to_string(),
            row.seats_used.to_string(),
            row.mentees.to_string(),
            row.lessons_left.to_string(),
            time(&zone, row.last_lesson),
            time(&zone, Some(row.created_at)),
        ];
        if !put(out, cells).await? {
            break;
        }
    }
    Ok(())
}

async fn send_mentees(
    scope: &mut TenantScope,
    own: Option<InstructorId>,
    filter: &InstructorFilter,
    out: &Out,
) -> Result<()> {
    let (now, zone) = (scope.now(), scope.tenant().zone.clone());
    let header = words(&[
        "instructor_id",
        "student_id",
        "pack_id",
        "instructor",
        "student",
        "email",
        "seat",
        "lessons_total",
        "lessons_used",
        "lessons_left",
        "pack_status",
        "expires_at",
        "last_day",
        "last_lesson",
    ]);
    if !put(out, header).await? {
        return Ok(());
    }
    let (tenant, conn) = scope.conn();
    settle(&mut *conn).await?;
    let mut rows = sqlx::query!(
        r#"select i.id as "instructor_id!", i.name as "instructor!", s.id as "student_id!", s.name as "student!",
                  s.email as "email?", m.seat as "seat!",
                  p.id as "pack_id?", p.lessons_total as "total?", p.lessons_used as "used?", p.lessons_left as "left?",
                  p.expires_at as "expires_at?",
                  (select max(b.starts_at) from bookings b
                   where b.tenant_id = $1 and b.student_id = m.student_id and b.instructor_id = m.instructor_id
                     and b.starts_at <= $2 and b.status in ('confirmed', 'completed')) as "last_lesson?"
           from instructors i
           join mentees m on m.tenant_id = $1 and m.instructor_id = i.id
           join students s on s.tenant_id = $1 and s.id = m.student_id and s.deleted_at is null
           left join packs p on p.tenant_id = $1 and p.instructor_id = m.instructor_id and p.student_id = m.student_id
           where i.tenant_id = $1 and i.deleted_at is null
             and ($3::uuid is null or i.id = $3)
             and ($4::text is null or i.name ilike $4 or i.email ilike $4 or i.city ilike $4)
             and ($5::text = '' or lower(i.city) = lower($5))
             and ($6::text = '' or i.verification = $6)
           order by lower(i.name), i.id"#,
        tenant,
        now.to_sqlx(),
        own.map(|id| id.0),
        filter.list.pattern(),
        clean(&filter.city),
        clean(&filter.verification),
    )
    .fetch(conn);
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let expires_at = row.expires_at.map(|at| at.to_jiff());
        let number = |lessons: Option<i32>| lessons.map(|lessons| lessons.to_string()).unwrap_or_default();
        let cells = vec![
            row.instructor_id.to_string(),
            row.student_id.to_string(),
            row.pack_id.map(|id| id.to_string()).unwrap_or_default(),
            row.instructor,
            row.student,
            row.email.unwrap_or_default(),
            row.seat,
            number(row.total),
            number(row.used),
            number(row.left),
            pack_status(row.left, expires_at, now).to_owned(),
            time(&zone, row.expires_at),
            expires_at.map(|at| last_day(at, &zone).to_string()).unwrap_or_default(),
            time(&zone, row.last_lesson),
        ];
        if !put(out, cells).await? {
            break;
        }
    }
    Ok(())
}

fn pack_status(left: Option<i32>, expires_at: Option<Instant>, now: Instant) -> &'static str {
    match left {
        None => "none",
        Some(left) => crate::packs::status(left, expires_at, now).as_str(),
    }
}

async fn send_students(
    scope: &mut TenantScope,
    own: Option<InstructorId>,
    query: &ListQuery,
    out: &Out,
) -> Result<()> {
    let (now, zone) = (scope.now(), scope.tenant().zone.clone());
    let header = words(&[
        "id",
        "name",
        "email",
        "phone",
        "city",
        "instructors",
        "lessons_left",
        "last_lesson",
        "next_lesson",
        "created_at",
    ]);
    if !put(out, header).await? {
        return Ok(());
    }
    let vault = scope.vault().clone();
    let phone = phones::sought(&vault, &query.q)?;
    let (tenant, conn) = scope.conn();
    settle(&mut *conn).await?;
    let mut rows = sqlx::query!(
        r#"select s.id, s.name, s.email, s.phone, s.city, s.created_at,
                  (select coalesce(string_agg(i.name, '; '), '')
                   from mentees m
                   join instructors i on i.tenant_id = $1 and i.id = m.instructor_id and i.deleted_at is null
                   where m.tenant_id = $1 and m.student_id = s.id and m.seat = 'active'
                     and ($3::uuid is null or m.instructor_id = $3)) as "instructors!",
                  (select coalesce(sum(p.lessons_left), 0) from packs p
                   join instructors i on i.tenant_id = $1 and i.id = p.instructor_id and i.deleted_at is null
                   where p.tenant_id = $1 and p.student_id = s.id and ($3::uuid is null or p.instructor_id = $3)
                     and (p.expires_at is null or p.expires_at > $2)) as "lessons_left!",
                  (select max(b.starts_at) from bookings b
                   where b.tenant_id = $1 and b.student_id = s.id and ($3::uuid is null or b.instructor_id = $3)
                     and b.starts_at <= $2 and b.status in ('confirmed', 'completed')) as "last_lesson?",
                  (select min(b.starts_at) from bookings b
                   where b.tenant_id = $1 and b.student_id = s.id and ($3::uuid is null or b.instructor_id = $3)
                     and b.starts_at > $2 and b.status in ('requested', 'confirmed')) as "next_lesson?"
           from students s
           where s.tenant_id = $1 and s.deleted_at is null
             and ($3::uuid is null or exists (select from mentees m
                  where m.tenant_id = $1 and m.instructor_id = $3 and m.student_id = s.id))
             and ($4::text is null or s.name ilike $4 or s.email ilike $4 or s.phone_index = $5 or s.phone = $6)
           order by lower(s.name), s.id"#,
        tenant,
        now.to_sqlx(),
        own.map(|id| id.0),
        query.pattern(),
        phone.as_ref().map(|phone| &phone.index[..]),
        phone.as_ref().map(|phone| phone.plain.as_str()),
    )
    .fetch(conn);
    while let Some(row) = rows.try_next().await.map_err(Error::from)? {
        let phone = vault.open_some(phones::STUDENTS, row.id, row.phone)?;
        let cells = vec![
            row.id.to_string(),
            row.name,
            row.email.unwrap_or_default(),
            phone.unwrap_or_default(),
            row.city,
            row.instructors,
            row.lessons_left.to_string(),
            time(&zone, row.last_lesson),
            time(&zone, row.next_lesson),
            time(&zone, Some(row.created_at)),
        ];
        if !put(out, cells).await? {
            break;
        }
    }
    Ok(())
}
