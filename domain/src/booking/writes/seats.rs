//! SQL of claims, and of the seats that group lessons have.

use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Instant, Result,
    availability::Stretch,
    ids::{BookingId, GroupId, HoldId, InstructorId, ServiceId, StudentId},
};

/// Whose claims they are.
pub(crate) enum Owner {
    /// A lesson's.
    Booking(BookingId),
    /// A group lesson's: its instructor and its resources.
    Group(GroupId),
    /// A hold's, up to a moment.
    Hold(HoldId, Instant),
}

/// What a lesson takes of whom.
pub(crate) struct Claims<'a> {
    pub(crate) owner: Owner,
    pub(crate) instructor: Option<InstructorId>,
    pub(crate) student: Option<StudentId>,
    pub(crate) units: &'a [Uuid],
    /// The lesson: what it takes of the student.
    pub(crate) lesson: Stretch,
    /// With buffers: what it takes of the instructor and of resources.
    pub(crate) claim: Stretch,
    pub(crate) place: &'a str,
}

/// Writes claims. `false` when another one is in the way: then not all are there, which the caller must not commit.
pub(crate) async fn claim(
    conn: &mut PgConnection,
    tenant: Uuid,
    new: Claims<'_>,
    now: Instant,
) -> Result<bool> {
    let subjects = new
        .instructor
        .map(|id| ("instructor", id.0))
        .into_iter()
        .chain(new.student.map(|id| ("student", id.0)))
        .chain(new.units.iter().map(|id| ("resource", *id)));
    let (kinds, subjects): (Vec<String>, Vec<Uuid>) =
        subjects.map(|(kind, id)| (kind.to_owned(), id)).unzip();
    // Claims have ids like all rows, but nobody names one.
    let ids: Vec<Uuid> = subjects.iter().map(|_| BookingId::new(now).0).collect();
    let (booking, group, hold) = match new.owner {
        Owner::Booking(id) => (Some(id.0), None, None),
        Owner::Group(id) => (None, Some(id.0), None),
        Owner::Hold(id, until) => (None, None, Some((id.0, until.to_sqlx()))),
    };
    let done = sqlx::query!(
        "insert into claims (tenant_id, id, subject_kind, subject_id, starts_at, ends_at, booking_id, group_id, hold_id,
                             held_until, lesson_at, place)
         select $1, c.id, c.kind, c.subject,
                case when c.kind = 'student' then $5::timestamptz else $7::timestamptz end,
                case when c.kind = 'student' then $6::timestamptz else $8::timestamptz end,
                $9::uuid, $10::uuid, $11::uuid, $12::timestamptz, $5::timestamptz, $13::text
         from unnest($2::uuid[], $3::text[], $4::uuid[]) as c (id, kind, subject)
         on conflict on constraint claims_no_overlap do nothing",
        tenant,
        &ids[..],
        &kinds[..],
        &subjects[..],
        new.lesson.starts_at.to_sqlx(),
        new.lesson.ends_at.to_sqlx(),
        new.claim.starts_at.to_sqlx(),
        new.claim.ends_at.to_sqlx(),
        booking,
        group,
        hold.map(|(id, _)| id),
        hold.map(|(_, until)| until),
        new.place
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == subjects.len() as u64)
}

/// Makes the claims of a hold those of the lesson that it has become. `false` when it has none.
pub(crate) async fn hand_over(
    conn: &mut PgConnection,
    tenant: Uuid,
    hold: HoldId,
    booking: BookingId,
    place: &str,
) -> Result<bool> {
    let done = sqlx::query!(
        "update claims set booking_id = $3, hold_id = null, held_until = null, place = $4
         where tenant_id = $1 and hold_id = $2 and active",
        tenant,
        hold.0,
        booking.0,
        place
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// A seat of a group lesson.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    pub(crate) group: GroupId,
    /// Seats taken before it.
    pub(crate) taken: i32,
    pub(crate) capacity: i32,
}

/// A free seat of a group lesson, which stays free for this transaction; `None` when it is full or called off.
pub(crate) async fn free_seat(conn: &mut PgConnection, tenant: Uuid, group: GroupId) -> Result<Option<Seat>> {
    let row = sqlx::query!(
        "select taken, capacity from group_lessons
         where tenant_id = $1 and id = $2 and cancelled_at is null and taken < capacity
         for update",
        tenant,
        group.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Seat { group, taken: row.taken, capacity: row.capacity }))
}

/// A lesson for several that begins with its first student.
pub(crate) struct NewGroup<'a> {
    pub(crate) service: ServiceId,
    pub(crate) instructor: InstructorId,
    pub(crate) units: &'a [Uuid],
    pub(crate) lesson: Stretch,
    pub(crate) claim: Stretch,
    pub(crate) place: &'a str,
    pub(crate) capacity: i32,
}

/// Opens a group lesson; `None` when something is in the way.
pub(crate) async fn open_group(
    conn: &mut PgConnection,
    tenant: Uuid,
    new: NewGroup<'_>,
    now: Instant,
) -> Result<Option<Seat>> {
    let group = GroupId::new(now);
    let done = sqlx::query!(
        "insert into group_lessons (tenant_id, id, service_id, instructor_id, starts_at, ends_at, capacity, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict do nothing",
        tenant,
        group.0,
        new.service.0,
        new.instructor.0,
        new.lesson.starts_at.to_sqlx(),
        new.lesson.ends_at.to_sqlx(),
        new.capacity,
        now.to_sqlx()
    )
    .execute(&mut *conn)
    .await?;
    let claims = Claims {
        owner: Owner::Group(group),
        instructor: Some(new.instructor),
        student: None,
        units: new.units,
        lesson: new.lesson,
        claim: new.claim,
        place: new.place,
    };
    let opened = done.rows_affected() == 1 && claim(conn, tenant, claims, now).await?;
    Ok(opened.then_some(Seat { group, taken: 0, capacity: new.capacity }))
}

/// Calls off those group lessons that nobody is left in and that the school hasn't planned itself.
pub(crate) async fn free_groups(
    conn: &mut PgConnection,
    tenant: Uuid,
    groups: &[Uuid],
    now: Instant,
) -> Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    // Who takes a seat meanwhile has the row: this waits for them and then finds the group taken.
    sqlx::query!(
        "with empty as (
             update group_lessons set cancelled_at = $3
             where tenant_id = $1 and id = any($2) and taken = 0 and not kept and cancelled_at is null
             returning id
         )
         update claims set active = false
         where tenant_id = $1 and active and group_id in (select id from empty)",
        tenant,
        groups,
        now.to_sqlx()
    )
    .execute(conn)
    .await?;
    Ok(())
}
