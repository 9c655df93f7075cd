//! SQL of the calendar.

use std::collections::BTreeMap;

use jiff::{SignedDuration, civil::Date};
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{Asked, By, Kind, Lesson, MOST, MOST_COLUMNS, Named, Person, Unit};
use crate::{
    Error, Instant, Result,
    booking::Status,
    ids::{BookingId, GroupId, InstructorId},
};

/// Instructors, or units of resources, to choose from at most.
const MOST_NAMES: i64 = 1000;
/// No lesson is longer, so none that began earlier still goes on.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// What stands across, before the lessons are known.
pub(super) struct Columns {
    pub(super) names: Vec<Named>,
    pub(super) people: Vec<Person>,
    /// The instructor who alone is shown.
    pub(super) one: Option<Uuid>,
    pub(super) units: Vec<Unit>,
    pub(super) holidays: BTreeMap<Date, String>,
}

/// What stands across on the days from `begins` to `ends`, and what there is to choose from. `own` is the one
/// instructor that the actor reaches.
pub(super) async fn columns(
    conn: &mut PgConnection,
    tenant: Uuid,
    own: Option<InstructorId>,
    asked: Asked,
    begins: Instant,
    ends: Instant,
) -> Result<Columns> {
    let row = sqlx::query!(
        r#"with names as (
               select id, name, row_number() over (order by lower(name), id) as place
               from instructors
               where tenant_id = $1 and deleted_at is null and ($2::uuid is null or id = $2)
               order by lower(name), id limit $3
           ), chosen as (
               select coalesce((select id from names where id = $4::uuid),
                               case when $5::boolean then (select id from names where place = 1) end) as id
           ), units as (
               select u.id, r.name, u.place, count(*) over (partition by r.id) as units,
                      row_number() over (order by lower(r.name), r.id, u.place) as n
               from resources r
               join resource_units u on u.tenant_id = r.tenant_id and u.resource_id = r.id and u.active
               where $6::boolean and r.tenant_id = $1 and r.status = 'active'
           )
           select
               (select coalesce(jsonb_agg(jsonb_build_object('id', n.id, 'name', n.name) order by n.place), '[]')
                from names n) as "names!: Json<Vec<Named>>",
               (select id from chosen where not $6) as "one?",
               (select coalesce(jsonb_agg(jsonb_build_object(
                    'id', n.id, 'name', n.name,
                    'hours', (select coalesce(jsonb_agg(jsonb_build_object(
                                  'weekday', h.weekday, 'start_minute', h.start_minute,
                                  'end_minute', h.end_minute)), '[]')
                              from weekly_hours h where h.tenant_id = $1 and h.instructor_id = n.id),
                    'exceptions', (select coalesce(jsonb_agg(jsonb_build_object(
                                       'day', e.day, 'starts', e.starts, 'ends', e.ends,
                                       'reason', e.reason)), '[]')
                                   from hour_exceptions e
                                   where e.tenant_id = $1 and e.instructor_id = n.id
                                     and e.day >= $7::text::date and e.day < $8::text::date),
                    'blocks', (select coalesce(jsonb_agg(jsonb_build_object(
                                   'starts_at', t.starts_at, 'ends_at', t.ends_at, 'reason', t.reason)
                                   order by t.starts_at), '[]')
                               from blocked_times t
                               where t.tenant_id = $1 and t.instructor_id = n.id
                                 and t.ends_at > $9 and t.starts_at < $10)
                ) order by n.place), '[]')
                from names n cross join chosen c
                where not $6 and case when c.id is null then n.place <= $11 else n.id = c.id end
               ) as "people!: Json<Vec<Person>>",
               (select coalesce(jsonb_agg(jsonb_build_object(
                    'id', u.id, 'name', u.name, 'place', u.place, 'units', u.units) order by u.n), '[]')
                from units u where u.n <= $3) as "units!: Json<Vec<Unit>>",
               (select coalesce(jsonb_object_agg(h.day, h.name), '{}')
                from holidays h
                where h.tenant_id = $1 and h.day >= $7::text::date
                  and h.day < $8::text::date) as "holidays!: Json<BTreeMap<Date, String>>""#,
        tenant,
        own.map(|id| id.0),
        MOST_NAMES,
        asked.chosen.id(),
        asked.chosen.or_first(),
        asked.by == By::Resources,
        asked.from.to_string(),
        asked.to.to_string(),
        begins.to_sqlx(),
        ends.to_sqlx(),
        MOST_COLUMNS
    )
    .fetch_one(conn)
    .await?;
    Ok(Columns {
        names: row.names.0,
        people: row.people.0,
        one: row.one,
        units: row.units.0,
        holidays: row.holidays.0,
    })
}

struct Row {
    booking: Option<Uuid>,
    group: Option<Uuid>,
    instructor_id: Uuid,
    instructor_name: String,
    student_name: Option<String>,
    service_name: String,
    colour: Option<String>,
    status: String,
    pickup: String,
    starts_at: jiff_sqlx::Timestamp,
    ends_at: jiff_sqlx::Timestamp,
    taken: Option<i32>,
    capacity: Option<i32>,
    units: Vec<Uuid>,
}

impl TryFrom<Row> for Lesson {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let kind = match (row.booking, row.group) {
            (Some(id), _) => Kind::Single(BookingId(id)),
            (None, Some(id)) => Kind::Group {
                id: GroupId(id),
                taken: row.taken.unwrap_or_default(),
                capacity: row.capacity.unwrap_or_default(),
            },
            (None, None) => return Err(Error::internal("a lesson of the calendar without an id")),
        };
        Ok(Self {
            kind,
            instructor: InstructorId(row.instructor_id),
            instructor_name: row.instructor_name,
            student_name: row.student_name.unwrap_or_default(),
            service_name: row.service_name,
            colour: row.colour,
            status: Status::parse(&row.status).ok_or_else(|| Error::internal("unknown booking status"))?,
            pickup: row.pickup,
            starts_at: row.starts_at.to_jiff(),
            ends_at: row.ends_at.to_jiff(),
            units: row.units,
        })
    }
}

/// Lessons of one student and lessons for several that overlap the days, each narrowed by an end of its own: only the
/// rows that are shown are joined. The seats of a lesson for several aren't lessons of their own here.
macro_rules! lessons {
    ($booked:tt, $groups:tt, $($arg:expr),+ $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"with booked as (
                   select b.id, b.service_id, b.title, b.instructor_id, b.student_id, b.starts_at, b.ends_at, b.status,
                          b.pickup
                   from bookings b
                   where b.tenant_id = $1 and b.starts_at >= $2 and b.starts_at < $3 and b.ends_at > $4
                     and b.group_id is null and b.status <> 'cancelled' "#
                + $booked
                + r#" order by b.starts_at, b.id limit $5
               ), groups as (
                   select g.id, g.service_id, g.instructor_id, g.starts_at, g.ends_at, g.taken, g.capacity
                   from group_lessons g
                   where g.tenant_id = $1 and g.starts_at >= $2 and g.starts_at < $3 and g.ends_at > $4
                     and g.cancelled_at is null "#
                + $groups
                + r#" order by g.starts_at, g.id limit $5
               )
               select b.id as "booking?", null::uuid as "group?", b.instructor_id as "instructor_id!",
                      i.name as "instructor_name!", st.name as "student_name?",
                      coalesce(b.title, sv.name) as "service_name!", sv.colour as "colour?", b.status as "status!",
                      b.pickup as "pickup!", b.starts_at as "starts_at!", b.ends_at as "ends_at!",
                      null::int as "taken?", null::int as "capacity?",
                      case when $6::boolean
                           then array(select c.subject_id from claims c
                                      where c.tenant_id = $1 and c.booking_id = b.id and c.active
                                        and c.subject_kind = 'resource')
                           else '{}' end as "units!"
               from booked b
               join services sv on sv.tenant_id = $1 and sv.id = b.service_id
               join instructors i on i.tenant_id = $1 and i.id = b.instructor_id
               join students st on st.tenant_id = $1 and st.id = b.student_id
               union all
               select null, g.id, g.instructor_id, i.name, null, sv.name, sv.colour,
                      case when exists (select from bookings r
                                        where r.tenant_id = $1 and r.group_id = g.id and r.status = 'requested')
                           then 'requested' else 'confirmed' end,
                      '', g.starts_at, g.ends_at, g.taken, g.capacity,
                      case when $6::boolean
                           then array(select c.subject_id from claims c
                                      where c.tenant_id = $1 and c.group_id = g.id and c.active
                                        and c.subject_kind = 'resource')
                           else '{}' end
               from groups g
               join services sv on sv.tenant_id = $1 and sv.id = g.service_id
               join instructors i on i.tenant_id = $1 and i.id = g.instructor_id"#,
            $($arg),+
        )
    };
}

/// The lessons, and whether there were more of them than are read.
pub(super) async fn lessons(
    conn: &mut PgConnection,
    tenant: Uuid,
    by: By,
    one: Option<Uuid>,
    begins: Instant,
    ends: Instant,
) -> Result<(Vec<Lesson>, bool)> {
    let earliest = begins.checked_sub(LONGEST).unwrap_or(begins);
    let (earliest, begins, ends) = (earliest.to_sqlx(), begins.to_sqlx(), ends.to_sqlx());
    let limit = MOST as i64 + 1;
    // Three statements, so that each goes by the index that is made for it.
    let rows = match (by, one) {
        (_, None) => {
            let units = by == By::Resources;
            lessons!("", "", tenant, earliest, ends, begins, limit, units).fetch_all(conn).await?
        }
        (By::Instructors, Some(id)) => {
            lessons!(
                "and b.instructor_id = $7",
                "and g.instructor_id = $7",
                tenant,
                earliest,
                ends,
                begins,
                limit,
                false,
                id
            )
            .fetch_all(conn)
            .await?
        }
        (By::Resources, Some(id)) => {
            lessons!(
                "and b.id in (select t.booking_id from claims t
                              where t.tenant_id = $1 and t.subject_id = $7 and t.active and t.ends_at > $4
                                and t.starts_at < $3)",
                "and g.id in (select t.group_id from claims t
                              where t.tenant_id = $1 and t.subject_id = $7 and t.active and t.ends_at > $4
                                and t.starts_at < $3)",
                tenant,
                earliest,
                ends,
                begins,
                limit,
                true,
                id
            )
            .fetch_all(conn)
            .await?
        }
    };
    let many = |alone: bool| rows.iter().filter(|row| row.booking.is_some() == alone).count() > MOST;
    let limited = many(true) || many(false);
    let lessons = rows.into_iter().map(Lesson::try_from).collect::<Result<_>>()?;
    Ok((lessons, limited))
}
