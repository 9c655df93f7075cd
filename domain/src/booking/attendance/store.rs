//! SQL of attendance.

use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Attendance;
use crate::{
    Error, Instant, Result,
    booking::{Status, store::Whose},
    ids::{BookingId, InstructorId},
    paging::ListQuery,
};

/// A lesson of the day, its note still sealed.
pub(super) struct Found {
    pub(super) id: BookingId,
    pub(super) starts_at: Instant,
    pub(super) ends_at: Instant,
    pub(super) student_name: String,
    pub(super) instructor_name: String,
    pub(super) service_name: String,
    pub(super) status: Status,
    pub(super) attendance: Option<Attendance>,
    pub(super) sealed_note: Option<String>,
}

struct Row {
    id: Uuid,
    starts_at: jiff_sqlx::Timestamp,
    ends_at: jiff_sqlx::Timestamp,
    student_name: String,
    instructor_name: String,
    service_name: String,
    status: String,
    attendance: Option<String>,
    lesson_note: Option<String>,
    total: i64,
}

impl TryFrom<Row> for Found {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: BookingId(row.id),
            starts_at: row.starts_at.to_jiff(),
            ends_at: row.ends_at.to_jiff(),
            student_name: row.student_name,
            instructor_name: row.instructor_name,
            service_name: row.service_name,
            status: Status::parse(&row.status).ok_or_else(|| Error::internal("unknown booking status"))?,
            attendance: attendance(row.attendance.as_deref())?,
            sealed_note: row.lesson_note,
        })
    }
}

fn attendance(stored: Option<&str>) -> Result<Option<Attendance>> {
    stored
        .map(|text| Attendance::parse(text).ok_or_else(|| Error::internal("unknown attendance")))
        .transpose()
}

macro_rules! lessons {
    ($before:tt, $total:tt, $after:tt, $($arg:expr),+ $(,)?) => {
        sqlx::query_as!(
            Row,
            $before
                + "select b.id, b.starts_at, b.ends_at, st.name as student_name, i.name as instructor_name, "
                + r#"coalesce(b.title, sv.name) as "service_name!", b.status, b.attendance, b.lesson_note, "#
                + $total
                + r#" as "total!"
                   from bookings b
                   join services sv on sv.tenant_id = b.tenant_id and sv.id = b.service_id
                   join instructors i on i.tenant_id = b.tenant_id and i.id = b.instructor_id
                   join students st on st.tenant_id = b.tenant_id and st.id = b.student_id "#
                + $after,
            $($arg),+
        )
    };
}

/// A page of the lessons that start from one moment up to another and take place or took place, by start; and how many
/// there are in all. A page beyond the end is the last one.
pub(super) async fn between(
    conn: &mut PgConnection,
    tenant: Uuid,
    instructor: Option<InstructorId>,
    from: Instant,
    to: Instant,
    list: &ListQuery,
) -> Result<(Vec<Found>, i64)> {
    let rows = lessons!(
        "with matching as (
             select b.id, b.starts_at, b.instructor_id from bookings b
             where b.tenant_id = $1 and b.starts_at >= $2 and b.starts_at < $3
               and b.status in ('confirmed', 'completed', 'no_show')
               and ($4::uuid is null or b.instructor_id = $4)
         ), page as (
             select id from matching
             order by starts_at, instructor_id, id
             limit $5
             offset least($6::bigint, greatest(0, (select count(*) - 1 from matching) / $5 * $5))
         ) ",
        "(select count(*) from matching)",
        "join page on page.id = b.id
         where b.tenant_id = $1
         order by b.starts_at, b.instructor_id, b.id",
        tenant,
        from.to_sqlx(),
        to.to_sqlx(),
        instructor.map(|id| id.0),
        list.limit(),
        list.offset()
    )
    .fetch_all(conn)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let items = rows.into_iter().map(Found::try_from).collect::<Result<_>>()?;
    Ok((items, total))
}

/// Those of some lessons that the actor reaches; they can't change until the transaction ends.
pub(super) async fn lock(
    conn: &mut PgConnection,
    tenant: Uuid,
    whose: Whose,
    ids: &[Uuid],
) -> Result<Vec<Found>> {
    sqlx::query!(
        "select id from bookings where tenant_id = $1 and id = any($2) order by id for update",
        tenant,
        ids
    )
    .fetch_all(&mut *conn)
    .await?;
    lessons!(
        "",
        "0::bigint",
        "where b.tenant_id = $1 and b.id = any($2) and ($3::uuid is null or b.instructor_id = $3)
         order by b.starts_at, b.id",
        tenant,
        ids,
        whose.instructor.map(|id| id.0)
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Found::try_from)
    .collect()
}

/// What becomes of a lesson.
#[derive(Default)]
pub(super) struct Changes {
    ids: Vec<Uuid>,
    statuses: Vec<String>,
    attendances: Vec<Option<String>>,
    notes: Vec<Option<String>>,
}

impl Changes {
    pub(super) fn add(
        &mut self,
        id: BookingId,
        status: Status,
        attendance: Option<Attendance>,
        sealed_note: Option<String>,
    ) {
        self.ids.push(id.0);
        self.statuses.push(status.as_str().to_owned());
        self.attendances.push(attendance.map(|attendance| attendance.as_str().to_owned()));
        self.notes.push(sealed_note);
    }
}

/// Writes all changes; the trigger refuses illegal steps.
pub(super) async fn write(conn: &mut PgConnection, tenant: Uuid, changes: &Changes) -> Result<()> {
    sqlx::query!(
        "update bookings b set status = x.status, attendance = x.attendance, lesson_note = x.lesson_note
         from unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) as x (id, status, attendance, lesson_note)
         where b.tenant_id = $1 and b.id = x.id",
        tenant,
        &changes.ids[..],
        &changes.statuses[..],
        &changes.attendances as &[Option<String>],
        &changes.notes as &[Option<String>]
    )
    .execute(conn)
    .await?;
    Ok(())
}
