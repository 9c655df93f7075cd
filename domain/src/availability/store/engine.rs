//! What the engine has to know of everyone's time: one question to the database, however many instructors there are.

use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::gather::{Gathering, Row};
use crate::{
    Instant, Result,
    availability::{Diary, Learner, Need, Place, Rules, School, Stretch, Window},
    ids::{BookingId, HoldId, InstructorId, ServiceId, StudentId},
    zoned::Zone,
};

/// Whose time is asked for, and what for.
pub(crate) struct Asked<'a> {
    /// The service, or the first of several.
    pub(crate) service: ServiceId,
    /// The other ones.
    pub(crate) also: &'a [ServiceId],
    /// Those who could give it.
    pub(crate) instructors: &'a [InstructorId],
    /// Who would take it, when that is known.
    pub(crate) student: Option<StudentId>,
    /// From when to when. Limits count right for the weeks that lie in it as a whole.
    pub(crate) within: Stretch,
    /// Holds that are over by now count for nothing.
    pub(crate) now: Instant,
    /// What is taken, but in no one's way.
    pub(crate) ignore: &'a Ignore,
}

/// Lessons that move, and a hold of one's own: their time, seats and prepaid lessons are free for what is asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ignore {
    /// Lessons.
    pub(crate) bookings: Vec<BookingId>,
    /// A hold.
    pub(crate) hold: Option<HoldId>,
}

/// What is known of the time of all concerned.
#[derive(Clone, Debug)]
pub(crate) struct Diaries {
    /// One each, in the order in which they were asked for. Who is removed has neither hours nor groups.
    pub(crate) instructors: Vec<Diary>,
    /// The student, when one was named.
    pub(crate) student: Option<Learner>,
    /// What the services need, by name.
    pub(crate) needs: Vec<Need>,
    /// The school's days.
    pub(crate) school: School,
}

impl Diaries {
    /// One of the instructors over some days.
    pub(crate) fn window<'a>(
        &'a self,
        zone: &'a Zone,
        rules: Rules,
        place: &'a Place,
        diary: &'a Diary,
        from: Date,
        to: Date,
    ) -> Window<'a> {
        Window {
            zone,
            rules,
            from,
            to,
            diary,
            student: self.student.as_ref(),
            needs: &self.needs,
            school: &self.school,
            place,
        }
    }
}

/// The time of all concerned. A booked lesson, a group lesson and a hold that isn't over take time; what is to be
/// ignored doesn't.
pub(crate) async fn diaries(conn: &mut PgConnection, tenant: Uuid, asked: Asked<'_>) -> Result<Diaries> {
    let instructors: Vec<Uuid> = asked.instructors.iter().map(|id| id.0).collect();
    let services: Vec<Uuid> = [asked.service].iter().chain(asked.also).map(|id| id.0).collect();
    let ignored: Vec<Uuid> = asked.ignore.bookings.iter().map(|id| id.0).collect();
    // One answer of many kinds of rows: a round trip, and no JSON to read for thousands of claims.
    //
    // `seats` are those that are ignored and `lapsed` those of holds that are over; both can be had. `gone` are group
    // lessons that end when those leave them. Needs are the most that any of the services takes, for units are claimed
    // for the whole time; a resource that is archived has none to give. That no claim is longer than a month lets the
    // index find both ends. The end of a lesson without its buffer is in its booking; it is looked up only where there
    // are buffers at all.
    let rows = sqlx::query_as!(
        Row,
        r#"with here as (
               select i.id, i.travel_min, i.max_per_day, i.max_per_week, i.weight
               from instructors i where i.tenant_id = $1 and i.id = any($2::uuid[]) and i.deleted_at is null
           ), asked as (
               select s.id from unnest($3::uuid[]) as s (id)
               union
               select p.service_id from combo_parts p where p.tenant_id = $1 and p.combo_id = any($3)
           ), needs as (
               select r.id, r.name, r.status, max(n.units) as units
               from service_resources n
               join resources r on r.tenant_id = $1 and r.id = n.resource_id
               where n.tenant_id = $1 and n.service_id in (select id from asked)
               group by r.id, r.name, r.status
           ), units as (
               select u.id, u.resource_id, u.place
               from resource_units u
               where u.tenant_id = $1 and u.active
                 and u.resource_id in (select id from needs where status = 'active')
           ), ignored as (
               select b.group_id, b.pack_id from bookings b
               where b.tenant_id = $1 and b.id = any($8::uuid[]) and b.status <> 'cancelled'
           ), seats as (
               select s.group_id, count(*)::int as seats
               from (select group_id from ignored
                     union all
                     select h.group_id from holds h
                     where h.tenant_id = $1 and h.id = $9::uuid and h.state = 'active') s
               where s.group_id is not null group by s.group_id
           ), lapsed as (
               select h.group_id, count(*)::int as seats from holds h
               where h.tenant_id = $1 and h.state = 'active' and h.expires_at <= $7::timestamptz
                 and h.group_id is not null and ($9 is null or h.id <> $9)
               group by h.group_id
           ), gone as (
               select g.id
               from (select group_id, sum(seats) as seats
                     from (select group_id, seats from seats union all select group_id, seats from lapsed) b
                     group by group_id) e
               join group_lessons g on g.tenant_id = $1 and g.id = e.group_id
               where not g.kept and g.taken <= e.seats
           )
           select 0 as "kind!", h.id as "subject?", null::uuid as "item?",
                  null::timestamptz as "starts_at?", null::timestamptz as "ends_at?",
                  null::timestamptz as "lesson_at?", '' as "text!", false as "held!", false as "grouped!",
                  h.travel_min as "a?", h.max_per_day as "b?", h.max_per_week as "c?", h.weight as "d?"
           from here h
           union all
           select 1, w.instructor_id, null, null, null, null, '', false, false,
                  w.weekday, w.start_minute, w.end_minute, null
           from weekly_hours w where w.tenant_id = $1 and w.instructor_id in (select id from here)
           union all
           select 2, e.instructor_id, null, null, null, null, '', false, false,
                  e.day - date '1970-01-01', o.start_minute, o.end_minute, null
           from hour_exceptions e
           left join lateral unnest(e.starts, e.ends) as o (start_minute, end_minute) on true
           where e.tenant_id = $1 and e.instructor_id in (select id from here)
             and e.day between ($5::timestamptz at time zone 'UTC')::date - 1
                           and ($6::timestamptz at time zone 'UTC')::date + 1
           union all
           select 3, b.instructor_id, null, b.starts_at, b.ends_at, null, '', false, false, null, null, null, null
           from blocked_times b
           where b.tenant_id = $1 and b.instructor_id = any($2) and b.ends_at > $5 and b.starts_at < $6
           union all
           select 4, c.subject_id, null, c.starts_at, c.ends_at, c.lesson_at, c.place,
                  c.hold_id is not null, c.group_id is not null, null, null, null, null
           from claims c
           where c.tenant_id = $1 and c.active
             and c.subject_id = any($2 || $4::uuid || array(select u.id from units u))
             and c.ends_at > $5 and c.starts_at < $6 and c.ends_at < $6 + interval '1 month'
             and (c.held_until is null or c.held_until > $7)
             and (c.booking_id is null or c.booking_id <> all($8))
             and (c.hold_id is null or $9 is null or c.hold_id <> $9)
             and (c.group_id is null or c.group_id not in (select id from gone))
           union all
           select 5, g.instructor_id, g.id, g.starts_at, g.ends_at, null, '', false, false,
                  least(g.capacity, g.capacity - g.taken + coalesce(s.seats, 0) + coalesce(l.seats, 0)),
                  g.capacity, null, null
           from group_lessons g
           left join seats s on s.group_id = g.id
           left join lapsed l on l.group_id = g.id
           where g.tenant_id = $1 and g.service_id = $10 and g.instructor_id in (select id from here)
             and g.cancelled_at is null and g.starts_at >= $5 and g.starts_at < $6
           union all
           select 6, p.instructor_id, null, null, p.expires_at, null, '', false, false,
                  p.lessons_left + i.lessons::int, null, null, null
           from packs p
           cross join lateral (select count(*) as lessons from ignored where ignored.pack_id = p.id) i
           where p.tenant_id = $1 and p.student_id = $4 and p.lessons_left + i.lessons > 0
           union all
           select 7, null, b.group_id, null, null, null, '', false, false, null, null, null, null
           from bookings b
           where b.tenant_id = $1 and b.student_id = $4 and b.group_id is not null and b.status <> 'cancelled'
             and b.starts_at >= $5 and b.starts_at < $6 and b.id <> all($8)
           union all
           select 7, null, h.group_id, null, null, null, '', false, false, null, null, null, null
           from holds h
           where h.tenant_id = $1 and h.student_id = $4 and h.group_id is not null and h.state = 'active'
             and h.expires_at > $7 and ($9 is null or h.id <> $9)
           union all
           select 8, null, null, null, null, null, '', false, false,
                  t.student_max_per_day, t.student_max_per_week, null, null
           from tenants t where t.id = $1
           union all
           select 9, null, n.id, null, null, null, n.name, false, false, n.units, null, null, null from needs n
           union all
           select 10, u.resource_id, u.id, null, null, null, '', false, false, u.place, null, null, null
           from units u
           union all
           select 11, null, null, null, null, null, d.name, false, false,
                  d.day - date '1970-01-01', null, null, null
           from holidays d
           where d.tenant_id = $1 and d.day between ($5 at time zone 'UTC')::date - 1
                                                and ($6 at time zone 'UTC')::date + 1
           union all
           select 12, b.instructor_id, null, b.starts_at, b.ends_at, null, '', false, false, null, null, null, null
           from bookings b
           where b.tenant_id = $1 and b.instructor_id = any($2) and b.status <> 'cancelled'
             and b.starts_at > $5 - interval '1 day' and b.starts_at < $6
             and (select exists (select from services where tenant_id = $1 and buffer_after_min > 0))"#,
        tenant,
        &instructors[..],
        &services[..],
        asked.student.map(|id| id.0),
        asked.within.starts_at.to_sqlx(),
        asked.within.ends_at.to_sqlx(),
        asked.now.to_sqlx(),
        &ignored[..],
        asked.ignore.hold.map(|id| id.0),
        asked.service.0
    )
    .fetch_all(conn)
    .await?;
    Ok(Gathering::new(&asked).gather(rows))
}
