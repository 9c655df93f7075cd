//! SQL that reads lessons.

use futures::stream::BoxStream;
use jiff_sqlx::ToSqlx;
use serde::Deserialize;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{Booking, BookingFilter, Status};
use crate::{
    Error, Instant, Result,
    ids::{BookingId, InstructorId, PackId, ServiceId, StudentId},
    services::Service,
    zoned::Zone,
};

/// Whose lessons: of an instructor, of a student, of anyone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Whose {
    pub(crate) instructor: Option<InstructorId>,
    pub(crate) student: Option<StudentId>,
}

struct Row {
    id: Uuid,
    service_id: Uuid,
    service_name: String,
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
    pack_id: Option<Uuid>,
    cancel_reason: Option<String>,
    total: i64,
}

impl TryFrom<Row> for Booking {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: BookingId(row.id),
            service: ServiceId(row.service_id),
            service_name: row.service_name,
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
            pack: row.pack_id.map(PackId),
            cancel_reason: row.cancel_reason,
        })
    }
}

/// Lessons with the names of all concerned: one list of columns for every query, each adding its own end.
macro_rules! bookings {
    ($before:tt, $total:tt, $after:tt, $($arg:expr),+ $(,)?) => {
        sqlx::query_as!(
            Row,
            $before
                + "select b.id, b.service_id, sv.name as service_name, b.instructor_id, i.name as instructor_name,
                          b.student_id, st.name as student_name, b.starts_at, b.ends_at, b.status, b.note, b.pickup,
                          b.price_minor, b.currency, b.cancel_notice_min, b.pack_id, b.cancel_reason, "
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
               and ($8::text is null
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
        filter.list.offset()
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
           and ($8::text is null or st.name ilike $8 or i.name ilike $8 or sv.name ilike $8)
         order by case when not $9 then b.starts_at end, case when $9 then b.starts_at end desc, b.id",
        tenant,
        whose.instructor.map(|id| id.0),
        whose.student.map(|id| id.0),
        filter.instructor.map(|id| id.0),
        filter.status.map(Status::as_str),
        from.map(|at| at.to_sqlx()),
        to.map(|at| at.to_sqlx()),
        filter.list.pattern(),
        filter.list.desc
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

/// An instructor who could give a lesson.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Candidate {
    pub(crate) id: InstructorId,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    /// Verified, and with an account that can be used if there is one.
    pub(crate) public: bool,
    pub(crate) teaches: bool,
}

/// The student a lesson is for.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Learner {
    pub(crate) name: String,
    pub(crate) email: Option<String>,
}

/// All that a request to book names.
pub(crate) struct Offer {
    pub(crate) service: Service,
    /// Those who teach the service, and the one asked for even if they don't.
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) student: Option<Learner>,
}

pub(crate) async fn offer(
    conn: &mut PgConnection,
    tenant: Uuid,
    service: ServiceId,
    instructor: Option<InstructorId>,
    student: StudentId,
) -> Result<Option<Offer>> {
    let row = sqlx::query!(
        r#"select s.name, s.description, s.duration_min, s.price_minor, s.currency, s.buffer_before_min,
                  s.buffer_after_min, s.notice_min, s.horizon_days, s.cancel_notice_min, s.needs_pickup,
                  s.needs_approval, s.status,
                  (select coalesce(jsonb_agg(jsonb_build_object(
                       'id', i.id, 'name', i.name, 'email', i.email,
                       'public', i.verification = 'verified' and not exists (
                           select from absent_instructors a where a.tenant_id = $1 and a.person_id = i.id),
                       'teaches', t.service_id is not null) order by i.id), '[]')
                   from instructors i
                   left join service_instructors t
                       on t.tenant_id = $1 and t.service_id = s.id and t.instructor_id = i.id
                   where i.tenant_id = $1 and i.deleted_at is null
                     and (t.service_id is not null or i.id = $3)) as "candidates!: Json<Vec<Candidate>>",
                  (select jsonb_build_object('name', st.name, 'email', st.email)
                   from students st
                   where st.tenant_id = $1 and st.id = $4 and st.deleted_at is null) as "student?: Json<Learner>"
           from services s where s.tenant_id = $1 and s.id = $2"#,
        tenant,
        service.0,
        instructor.map(|id| id.0),
        student.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Offer {
        service: Service {
            id: service,
            name: row.name,
            description: row.description,
            duration_min: row.duration_min,
            price_minor: row.price_minor,
            currency: row.currency,
            buffer_before_min: row.buffer_before_min,
            buffer_after_min: row.buffer_after_min,
            notice_min: row.notice_min,
            horizon_days: row.horizon_days,
            cancel_notice_min: row.cancel_notice_min,
            needs_pickup: row.needs_pickup,
            needs_approval: row.needs_approval,
            archived: row.status == "archived",
        },
        candidates: row.candidates.0,
        student: row.student.map(|student| student.0),
    }))
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
