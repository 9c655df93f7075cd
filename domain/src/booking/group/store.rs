//! SQL of group lessons.

use jiff_sqlx::ToSqlx;
use serde::Deserialize;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{
    Attendee, GroupLesson,
    service::{GroupChoices, HORIZON_DAYS},
};
use crate::{
    Error, Instant, Result,
    availability::Rules,
    booking::{Attendance, Status, store::Choice},
    ids::{BookingId, GroupId, InstructorId, ServiceId, StudentId},
};

/// What a plan names, as far as it is there.
pub(super) struct Named {
    pub(super) service_name: String,
    pub(super) colour: Option<String>,
    pub(super) archived: bool,
    pub(super) rules: Rules,
    pub(super) instructor_name: Option<String>,
    pub(super) teaches: bool,
}

/// A service and an instructor by their ids; `None` when there is no such service.
pub(super) async fn named(
    conn: &mut PgConnection,
    tenant: Uuid,
    service: ServiceId,
    instructor: InstructorId,
) -> Result<Option<Named>> {
    let row = sqlx::query!(
        r#"select s.name, s.colour, s.status, s.duration_min, s.buffer_before_min, s.buffer_after_min, s.capacity,
                  i.name as "instructor_name?",
                  exists (select from service_instructors t
                          where t.tenant_id = $1 and t.service_id = s.id and t.instructor_id = $3) as "teaches!"
           from services s
           left join instructors i on i.tenant_id = $1 and i.id = $3 and i.deleted_at is null
           where s.tenant_id = $1 and s.id = $2"#,
        tenant,
        service.0,
        instructor.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Named {
        service_name: row.name,
        colour: row.colour,
        archived: row.status == "archived",
        rules: Rules {
            duration_min: row.duration_min,
            buffer_before_min: row.buffer_before_min,
            buffer_after_min: row.buffer_after_min,
            // Who plans for the school knows what can still be arranged.
            notice_min: 0,
            horizon_days: HORIZON_DAYS,
            capacity: row.capacity,
            needs_credit: false,
        },
        instructor_name: row.instructor_name,
        teaches: row.teaches,
    }))
}

/// Writes a group lesson that stays when nobody is in it; its claims are another step. `false` when its instructor has
/// one that begins then.
pub(super) async fn insert(
    conn: &mut PgConnection,
    tenant: Uuid,
    group: &GroupLesson,
    now: Instant,
) -> Result<bool> {
    let done = sqlx::query!(
        "insert into group_lessons (tenant_id, id, service_id, instructor_id, starts_at, ends_at, capacity, kept,
                                    created_at)
         values ($1, $2, $3, $4, $5, $6, $7, true, $8)
         on conflict do nothing",
        tenant,
        group.id.0,
        group.service.0,
        group.instructor.0,
        group.starts_at.to_sqlx(),
        group.ends_at.to_sqlx(),
        group.capacity,
        now.to_sqlx()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Who gives a group lesson.
pub(super) async fn instructor(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: GroupId,
) -> Result<Option<InstructorId>> {
    let found = sqlx::query_scalar!(
        "select instructor_id from group_lessons where tenant_id = $1 and id = $2",
        tenant,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(found.map(InstructorId))
}

/// Makes everyone who would change a group lesson wait until the transaction ends.
pub(super) async fn lock(conn: &mut PgConnection, tenant: Uuid, id: GroupId) -> Result<()> {
    sqlx::query!("select id from group_lessons where tenant_id = $1 and id = $2 for update", tenant, id.0)
        .fetch_optional(conn)
        .await?;
    Ok(())
}

/// Calls a group lesson off and frees its time.
pub(super) async fn set_cancelled(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: GroupId,
    now: Instant,
) -> Result<()> {
    sqlx::query!(
        "with gone as (
             update claims set active = false where tenant_id = $1 and group_id = $2 and active
         )
         update group_lessons set cancelled_at = $3 where tenant_id = $1 and id = $2",
        tenant,
        id.0,
        now.to_sqlx()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An attendee as the query writes them.
#[derive(Debug, Deserialize)]
struct Row {
    booking: BookingId,
    student: StudentId,
    name: String,
    status: String,
    attendance: Option<String>,
}

impl TryFrom<Row> for Attendee {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let attendance = row
            .attendance
            .as_deref()
            .map(|text| Attendance::parse(text).ok_or_else(|| Error::internal("unknown attendance")));
        Ok(Self {
            booking: row.booking,
            student: row.student,
            student_name: row.name,
            status: Status::parse(&row.status).ok_or_else(|| Error::internal("unknown booking status"))?,
            attendance: attendance.transpose()?,
        })
    }
}

/// A group lesson and who comes to it, by name.
pub(super) async fn find(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: GroupId,
) -> Result<Option<(GroupLesson, Vec<Attendee>)>> {
    let row = sqlx::query!(
        r#"select g.service_id, sv.name as service_name, sv.colour, g.instructor_id, i.name as instructor_name,
                  g.starts_at, g.ends_at, g.capacity, g.taken, g.cancelled_at,
                  (select coalesce(jsonb_agg(jsonb_build_object(
                       'booking', b.id, 'student', b.student_id, 'name', st.name, 'status', b.status,
                       'attendance', b.attendance) order by lower(st.name), b.id), '[]')
                   from bookings b
                   join students st on st.tenant_id = b.tenant_id and st.id = b.student_id
                   where b.tenant_id = $1 and b.group_id = g.id and b.status <> 'cancelled') as "attendees!: Json<Vec<Row>>",
                  (select count(*) from waiting_list w
                   where w.tenant_id = $1 and w.service_id = g.service_id and w.state = 'waiting'
                     and (w.instructor_id is null or w.instructor_id = g.instructor_id)
                     and w.from_at <= g.starts_at and w.to_at > g.starts_at) as "waiting!"
           from group_lessons g
           join services sv on sv.tenant_id = g.tenant_id and sv.id = g.service_id
           join instructors i on i.tenant_id = g.tenant_id and i.id = g.instructor_id
           where g.tenant_id = $1 and g.id = $2"#,
        tenant,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let group = GroupLesson {
        id,
        service: ServiceId(row.service_id),
        service_name: row.service_name,
        colour: row.colour,
        instructor: InstructorId(row.instructor_id),
        instructor_name: row.instructor_name,
        starts_at: row.starts_at.to_jiff(),
        ends_at: row.ends_at.to_jiff(),
        capacity: row.capacity,
        taken: row.taken,
        waiting: row.waiting,
        cancelled_at: row.cancelled_at.map(|at| at.to_jiff()),
    };
    let attendees = row.attendees.0.into_iter().map(Attendee::try_from).collect::<Result<_>>()?;
    Ok(Some((group, attendees)))
}

/// Services for several and instructors, all of them or one with what they teach.
pub(super) async fn choices(
    conn: &mut PgConnection,
    tenant: Uuid,
    own: Option<InstructorId>,
) -> Result<GroupChoices> {
    let row = sqlx::query!(
        r#"select (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name)
                                             order by lower(s.name), s.id), '[]')
                   from services s
                   where s.tenant_id = $1 and s.status = 'active' and s.capacity > 1
                     and ($2::uuid is null or exists (
                         select from service_instructors t
                         where t.tenant_id = $1 and t.service_id = s.id
                           and t.instructor_id = $2))) as "services!: Json<Vec<Choice>>",
                  (select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'name', i.name)
                                             order by lower(i.name), i.id), '[]')
                   from instructors i
                   where i.tenant_id = $1 and i.deleted_at is null
                     and ($2::uuid is null or i.id = $2)) as "instructors!: Json<Vec<Choice>>""#,
        tenant,
        own.map(|id| id.0)
    )
    .fetch_one(conn)
    .await?;
    Ok(GroupChoices { services: row.services.0, instructors: row.instructors.0 })
}
