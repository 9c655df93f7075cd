//! SQL that reads lessons.

mod offer;

use std::collections::HashMap;

use futures::stream::BoxStream;
use jiff_sqlx::ToSqlx;
use serde::Deserialize;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

pub(crate) use self::offer::{Candidate, Offer, offer};
use super::{Attendance, Booking, BookingFilter, Status, Terms};
use crate::{
    Error, Instant, Result,
    ids::{BookingId, GroupId, InstructorId, PackId, SeriesId, ServiceId, StudentId},
    zoned::Zone,
};

/// Whose lessons: of an instructor, of a student, of anyone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Whose {
    pub(crate) instructor: Option<InstructorId>,
    pub(crate) student: Option<StudentId>,
}

impl Whose {
    /// Whether a lesson is among them.
    pub(crate) fn holds(self, booking: &Booking) -> bool {
        self.instructor.is_none_or(|id| id == booking.instructor)
            && self.student.is_none_or(|id| id == booking.student)
    }
}

struct Row {
    id: Uuid,
    service_id: Uuid,
    also_services: Vec<Uuid>,
    service_name: String,
    colour: Option<String>,
    needs_approval: bool,
    instructor_id: Uuid,
    instructor_name: String,
    student_id: Uuid,
    student_name: String,
    starts_at: jiff_sqlx::Timestamp,
    ends_at: jiff_sqlx::Timestamp,
    status: String,
    note: String,
    pickup: String,
    price_minor: i64,
    currency: String,
    cancel_notice_min: i32,
    move_notice_min: i32,
    max_moves: Option<i32>,
    late_fee_percent: i32,
    pack_id: Option<Uuid>,
    cancel_reason: Option<String>,
    fee_minor: Option<i64>,
    group_id: Option<Uuid>,
    taken: Option<i32>,
    capacity: Option<i32>,
    series_id: Option<Uuid>,
    series_place: Option<i32>,
    moves: i32,
    moved_at: Option<jiff_sqlx::Timestamp>,
    created_at: jiff_sqlx::Timestamp,
    attendance: Option<String>,
    total: i64,
}

impl TryFrom<Row> for Booking {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let attendance = row
            .attendance
            .map(|text| Attendance::parse(&text).ok_or_else(|| Error::internal("unknown attendance")))
            .transpose()?;
        Ok(Self {
            id: BookingId(row.id),
            service: ServiceId(row.service_id),
            also: row.also_services.into_iter().map(ServiceId).collect(),
            service_name: row.service_name,
            colour: row.colour,
            needs_approval: row.needs_approval,
            instructor: InstructorId(row.instructor_id),
            instructor_name: row.instructor_name,
            student: StudentId(row.student_id),
            student_name: row.student_name,
            starts_at: row.starts_at.to_jiff(),
            ends_at: row.ends_at.to_jiff(),
            status: Status::parse(&row.status).ok_or_else(|| Error::internal("unknown booking status"))?,
            note: row.note,
            pickup: row.pickup,
            price_minor: row.price_minor,
            currency: row.currency,
            cancel_notice_min: row.cancel_notice_min,
            terms: Terms {
                cancel_notice_min: row.cancel_notice_min,
                move_notice_min: row.move_notice_min,
                max_moves: row.max_moves,
                late_fee_percent: row.late_fee_percent,
            },
            pack: row.pack_id.map(PackId),
            cancel_reason: row.cancel_reason,
            fee_minor: row.fee_minor,
            group: row.group_id.map(GroupId),
            seats: row.taken.zip(row.capacity),
            series: row.series_id.map(SeriesId).zip(row.series_place),
            moves: row.moves,
            moved_at: row.moved_at.map(|at| at.to_jiff()),
            created_at: row.created_at.to_jiff(),
            attendance,
        })
    }
}

/// Lessons with the names of all concerned: one list of columns for every query, each adding its own end.
macro_rules! bookings {
    ($before:tt, $total:tt, $after:tt, $($arg:expr),+ $(,)?) => {
        sqlx::query_as!(
            Row,
            $before
                + r#"select b.id, b.service_id, b.also_services, coalesce(b.title, sv.name) as "service_name!",
                          sv.colour, sv.needs_approval, b.instructor_id, i.name as instructor_name, b.student_id,
                          st.name as student_name, b.starts_at, b.ends_at, b.status, b.note, b.pickup, b.price_minor,
                          b.currency, b.cancel_notice_min, b.move_notice_min, b.max_moves, b.late_fee_percent,
                          b.pack_id, b.cancel_reason, b.fee_minor, b.group_id, g.taken as "taken?",
                          g.capacity as "capacity?", b.series_id, b.series_place, b.moves, b.moved_at, b.created_at,
                          b.attendance, "#
                + $total
                + r#" as "total!"
                   from bookings b
                   join services sv on sv.tenant_id = b.tenant_id and sv.id = b.service_id
                   join instructors i on i.tenant_id = b.tenant_id and i.id = b.instructor_id
                   join students st on st.tenant_id = b.tenant_id and st.id = b.student_id
                   left join group_lessons g on g.tenant_id = b.tenant_id and g.id = b.group_id "#
                + $after,
            $($arg),+
        )
    };
}

/// One lesson; with `lock` it can't change until the transaction ends.
pub(crate) async fn find(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: BookingId,
    lock: bool,
) -> Result<Option<Booking>> {
    if lock {
        sqlx::query!("select id from bookings where tenant_id = $1 and id = $2 for update", tenant, id.0)
            .fetch_optional(&mut *conn)
            .await?;
    }
    bookings!("", "0::bigint", "where b.tenant_id = $1 and b.id = $2", tenant, id.0)
        .fetch_optional(conn)
        .await?
        .map(Booking::try_from)
        .transpose()
}

/// The lessons with these ids, in the same order.
///
/// # Errors
/// [`Error::NotFound`] when one of them isn't there.
pub(crate) async fn each(conn: &mut PgConnection, tenant: Uuid, ids: &[BookingId]) -> Result<Vec<Booking>> {
    let wanted: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = bookings!("", "0::bigint", "where b.tenant_id = $1 and b.id = any($2)", tenant, &wanted[..])
        .fetch_all(conn)
        .await?;
    let mut found = rows
        .into_iter()
        .map(|row| Ok((row.id, Booking::try_from(row)?)))
        .collect::<Result<HashMap<Uuid, Booking>>>()?;
    wanted.iter().map(|id| found.remove(id).ok_or(Error::NotFound)).collect()
}

/// Lessons that aren't cancelled and start from one moment up to another, by start.
pub(crate) async fn between(
    conn: &mut PgConnection,
    tenant: Uuid,
    whose: Whose,
    from: Instant,
    to: Option<Instant>,
    limit: i64,
) -> Result<Vec<Booking>> {
    bookings!(
        "",
        "0::bigint",
        "where b.tenant_id = $1 and b.status <> 'cancelled'
           and ($2::uuid is null or b.instructor_id = $2) and ($3::uuid is null or b.student_id = $3)
           and b.starts_at >= $4 and ($5::timestamptz is null or b.starts_at < $5)
         order by b.starts_at, b.id limit $6",
        tenant,
        whose.instructor.map(|id| id.0),
        whose.student.map(|id| id.0),
        from.to_sqlx(),
        to.map(|at| at.to_sqlx()),
        limit
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Booking::try_from)
    .collect()
}

/// A page of a list and the length of the whole. A page beyond the end is the last one.
pub(crate) async fn list(
    conn: &mut PgConnection,
    tenant: Uuid,
    whose: Whose,
    filter: &BookingFilter,
    zone: &Zone,
) -> Result<(Vec<Booking>, i64)> {
    let (from, to) = moments(filter, zone);
    // Names are looked up where there are few of them, and only the rows of the page are joined.
    let rows = bookings!(
        "with matching as (
             select b.id, b.starts_at from bookings b
             where b.tenant_id = $1
               and ($2::uuid is null or b.instructor_id = $2) and ($3::uuid is null or b.student_id = $3)
               and ($4::uuid is null or b.instructor_id = $4) and ($5::text is null or b.status = $5)
               and ($6::timestamptz is null or b.starts_at >= $6) and ($7::timestamptz is null or b.starts_at < $7)
               and ($12::uuid is null or b.series_id = $12)
               and ($8::text is null
                    or b.title ilike $8
                    or b.student_id in (select id from students where tenant_id = $1 and name ilike $8)
                    or b.instructor_id in (select id from instructors where tenant_id = $1 and name ilike $8)
                    or b.service_id in (select id from services where tenant_id = $1 and name ilike $8))
         ), page as (
             select id from matching
             order by case when not $9 then starts_at end, case when $9 then starts_at end desc, id
             limit $10
             offset least($11::bigint, greatest(0, (select count(*) - 1 from matching) / $10 * $10))
         ) ",
        "(select count(*) from matching)",
        "join page on page.id = b.id
         where b.tenant_id = $1
         order by case when not $9 then b.starts_at end, case when $9 then b.starts_at end desc, b.id",
        tenant,
        whose.instructor.map(|id| id.0),
        whose.student.map(|id| id.0),
        filter.instructor.map(|id| id.0),
        filter.status.map(Status::as_str),
        from.map(|at| at.to_sqlx()),
        to.map(|at| at.to_sqlx()),
        filter.list.pattern(),
        filter.list.desc,
        filter.list.limit(),
        filter.list.offset(),
        filter.series.map(|id| id.0)
    )
    .fetch_all(conn)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let items = rows.into_iter().map(Booking::try_from).collect::<Result<_>>()?;
    Ok((items, total))
}

/// All lessons of a filter, one after the other, by start.
pub(crate) fn stream<'a>(
    conn: &'a mut PgConnection,
    tenant: Uuid,
    whose: Whose,
    filter: &BookingFilter,
    zone: &Zone,
) -> BoxStream<'a, Result<Booking>> {
    use futures::StreamExt;
    let (from, to) = moments(filter, zone);
    bookings!(
        "",
        "0::bigint",
        "where b.tenant_id = $1
           and ($2::uuid is null or b.instructor_id = $2) and ($3::uuid is null or b.student_id = $3)
           and ($4::uuid is null or b.instructor_id = $4) and ($5::text is null or b.status = $5)
           and ($6::timestamptz is null or b.starts_at >= $6) and ($7::timestamptz is null or b.starts_at < $7)
           and ($10::uuid is null or b.series_id = $10)
           and ($8::text is null or st.name ilike $8 or i.name ilike $8 or sv.name ilike $8 or b.title ilike $8)
         order by case when not $9 then b.starts_at end, case when $9 then b.starts_at end desc, b.id",
        tenant,
        whose.instructor.map(|id| id.0),
        whose.student.map(|id| id.0),
        filter.instructor.map(|id| id.0),
        filter.status.map(Status::as_str),
        from.map(|at| at.to_sqlx()),
        to.map(|at| at.to_sqlx()),
        filter.list.pattern(),
        filter.list.desc,
        filter.series.map(|id| id.0)
    )
    .fetch(conn)
    .map(|row| Booking::try_from(row?))
    .boxed()
}

/// The days of a filter as moments; the last day counts as a whole.
fn moments(filter: &BookingFilter, zone: &Zone) -> (Option<Instant>, Option<Instant>) {
    let after = |day: jiff::civil::Date| zone.day_start(day.tomorrow().unwrap_or(day));
    (filter.from.map(|day| zone.day_start(day)), filter.to.map(after))
}

/// Whether the school has this student, as of now.
pub(crate) async fn has_student(conn: &mut PgConnection, tenant: Uuid, id: StudentId) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from students
                          where tenant_id = $1 and id = $2 and deleted_at is null) as "found!""#,
        tenant,
        id.0
    )
    .fetch_one(conn)
    .await?;
    Ok(found)
}

/// E-mail addresses of those concerned by a lesson, student and instructor; none of someone who was removed.
pub(crate) async fn addresses(
    conn: &mut PgConnection,
    tenant: Uuid,
    student: StudentId,
    instructor: InstructorId,
) -> Result<(Option<String>, Option<String>)> {
    let row = sqlx::query!(
        r#"select (select email from students where tenant_id = $1 and id = $2 and deleted_at is null) as "student?",
                  (select email from instructors
                   where tenant_id = $1 and id = $3 and deleted_at is null) as "instructor?""#,
        tenant,
        student.0,
        instructor.0
    )
    .fetch_one(conn)
    .await?;
    Ok((row.student, row.instructor))
}

/// Something to choose in a form.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Choice {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
}

/// What the staff's form offers.
#[derive(Clone, Debug)]
pub struct Choices {
    /// By name; none when there are too many to choose from.
    pub students: Vec<Choice>,
    /// By name.
    pub instructors: Vec<Choice>,
    /// Active ones, by name.
    pub services: Vec<Choice>,
    /// Services that ask for a pickup address exist.
    pub pickup: bool,
}

pub(crate) async fn choices(conn: &mut PgConnection, tenant: Uuid, most_students: i64) -> Result<Choices> {
    let row = sqlx::query!(
        r#"with pupils as (
               select id, name from students where tenant_id = $1 and deleted_at is null
               order by lower(name), id limit $2::bigint + 1
           )
           select (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name) order by lower(name), id), '[]')
                   from pupils where (select count(*) from pupils) <= $2) as "students!: Json<Vec<Choice>>",
                  (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name) order by lower(name), id), '[]')
                   from instructors
                   where tenant_id = $1 and deleted_at is null) as "instructors!: Json<Vec<Choice>>",
                  (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name) order by lower(name), id), '[]')
                   from services where tenant_id = $1 and status = 'active') as "services!: Json<Vec<Choice>>",
                  exists (select from services
                          where tenant_id = $1 and status = 'active' and needs_pickup) as "pickup!""#,
        tenant,
        most_students
    )
    .fetch_one(conn)
    .await?;
    Ok(Choices {
        students: row.students.0,
        instructors: row.instructors.0,
        services: row.services.0,
        pickup: row.pickup,
    })
}
