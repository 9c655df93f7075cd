//! SQL of holds.

use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Hold, HoldRequest, Kind};
use crate::{
    Error, Instant, Result,
    availability::{Slot, Stretch},
    booking::{
        create,
        plan::Plan,
        writes::{self, Claims, Owner, Seat},
    },
    ids::{GroupId, HoldId, InstructorId, ServiceId, StudentId},
};

/// A hold, and what only the program needs to know of it.
pub(in crate::booking) struct Kept {
    pub(in crate::booking) hold: Hold,
    pub(in crate::booking) group: Option<GroupId>,
    pub(in crate::booking) active: bool,
}

impl Kept {
    /// Whether it is for just this, and not over. With any instructor, the one it is with will do.
    pub(in crate::booking) fn is_for(&self, wanted: &HoldRequest, now: Instant) -> bool {
        let Hold { service, also, instructor, starts_at, expires_at, .. } = &self.hold;
        self.active
            && *expires_at > now
            && *starts_at >= now
            && *starts_at == wanted.starts_at
            && *service == wanted.service
            && *also == wanted.also
            && wanted.instructor.is_none_or(|id| id == *instructor)
    }

    /// The time it keeps.
    pub(in crate::booking) fn slot(&self) -> Slot {
        let Hold { starts_at, ends_at, instructor, .. } = self.hold;
        Slot { starts_at, ends_at, instructor, group: self.group, left: 1 }
    }
}

struct Row {
    id: Uuid,
    kind: String,
    service_id: Uuid,
    also_services: Vec<Uuid>,
    instructor_id: Uuid,
    instructor_name: String,
    starts_at: jiff_sqlx::Timestamp,
    ends_at: jiff_sqlx::Timestamp,
    expires_at: jiff_sqlx::Timestamp,
    group_id: Option<Uuid>,
    state: String,
}

impl TryFrom<Row> for Kept {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let hold = Hold {
            id: HoldId(row.id),
            service: ServiceId(row.service_id),
            also: row.also_services.into_iter().map(ServiceId).collect(),
            instructor: InstructorId(row.instructor_id),
            instructor_name: row.instructor_name,
            starts_at: row.starts_at.to_jiff(),
            ends_at: row.ends_at.to_jiff(),
            expires_at: row.expires_at.to_jiff(),
            kind: Kind::parse(&row.kind).ok_or_else(|| Error::internal("unknown kind of hold"))?,
        };
        Ok(Self { hold, group: row.group_id.map(GroupId), active: row.state == "active" })
    }
}

/// Holds with the names of instructors: one list of columns for every query, each adding its own end.
macro_rules! holds {
    ($after:tt, $($arg:expr),+ $(,)?) => {
        sqlx::query_as!(
            Row,
            "select h.id, h.kind, h.service_id, h.also_services, h.instructor_id, i.name as instructor_name,
                    h.starts_at, h.ends_at, h.expires_at, h.group_id, h.state
             from holds h join instructors i on i.tenant_id = h.tenant_id and i.id = h.instructor_id "
                + $after,
            $($arg),+
        )
    };
}

/// One hold of a student.
pub(super) async fn find(
    conn: &mut PgConnection,
    tenant: Uuid,
    student: StudentId,
    id: HoldId,
) -> Result<Option<Kept>> {
    holds!("where h.tenant_id = $1 and h.student_id = $2 and h.id = $3", tenant, student.0, id.0)
        .fetch_optional(conn)
        .await?
        .map(Kept::try_from)
        .transpose()
}

/// What a student keeps during checkout. The one that is `named` must be theirs, even if it is over.
pub(in crate::booking) async fn checkout(
    conn: &mut PgConnection,
    tenant: Uuid,
    student: StudentId,
    named: Option<HoldId>,
) -> Result<Option<Kept>> {
    let rows = holds!(
        "where h.tenant_id = $1 and h.student_id = $2
           and (h.id = $3 or (h.kind = 'checkout' and h.state = 'active'))",
        tenant,
        student.0,
        named.map(|id| id.0)
    )
    .fetch_all(conn)
    .await?;
    let found = rows.into_iter().map(Kept::try_from).collect::<Result<Vec<_>>>()?;
    if named.is_some_and(|id| found.iter().all(|kept| kept.hold.id != id)) {
        return Err(Error::NotFound);
    }
    Ok(found.into_iter().find(|kept| kept.active && kept.hold.kind == Kind::Checkout))
}

/// Ends what a student keeps during checkout.
pub(in crate::booking) async fn end_checkout(
    conn: &mut PgConnection,
    tenant: Uuid,
    student: StudentId,
    now: Instant,
) -> Result<()> {
    let ids = sqlx::query_scalar!(
        "select id from holds
         where tenant_id = $1 and student_id = $2 and kind = 'checkout' and state = 'active' for update",
        tenant,
        student.0
    )
    .fetch_all(&mut *conn)
    .await?;
    writes::stop_holds(conn, tenant, &ids, "released", now).await
}

/// Uses up a hold for the lesson that it keeps the time of: with the seat that was its, or none. `None` when it is over,
/// or for something else, or when its instructor has been removed or its group lesson called off; then it stays as it
/// is. Its claims wait to be handed over.
pub(in crate::booking) async fn spend(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: HoldId,
    plan: &Plan,
    slot: &Slot,
    now: Instant,
) -> Result<Option<Option<Seat>>> {
    let also: Vec<Uuid> = plan.also.iter().map(|id| id.0).collect();
    let kept = sqlx::query!(
        "select h.group_id from holds h
         where h.tenant_id = $1 and h.id = $2 and h.student_id = $3 and h.state = 'active' and h.expires_at > $4
           and h.instructor_id = $5 and h.starts_at = $6 and h.service_id = $7 and h.also_services = $8
           and exists (select from instructors i
                       where i.tenant_id = $1 and i.id = h.instructor_id and i.deleted_at is null)
         for update of h",
        tenant,
        id.0,
        plan.student.0,
        now.to_sqlx(),
        slot.instructor.0,
        slot.starts_at.to_sqlx(),
        plan.offer.service.id.0,
        &also[..]
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(kept) = kept else { return Ok(None) };
    let seat = match kept.group_id {
        None => None,
        Some(group) => {
            let row = sqlx::query!(
                "select taken, capacity from group_lessons
                 where tenant_id = $1 and id = $2 and cancelled_at is null for update",
                tenant,
                group
            )
            .fetch_optional(&mut *conn)
            .await?;
            let Some(row) = row else { return Ok(None) };
            // Its own seat is free in a moment.
            Some(Seat { group: GroupId(group), taken: row.taken - 1, capacity: row.capacity })
        }
    };
    sqlx::query!("update holds set state = 'used' where tenant_id = $1 and id = $2", tenant, id.0)
        .execute(conn)
        .await?;
    Ok(Some(seat))
}

/// Writes a hold with its seat and its claims. `false` when something is in the way: then it must not be committed.
pub(super) async fn insert(
    conn: &mut PgConnection,
    tenant: Uuid,
    plan: &Plan,
    hold: &Hold,
    slot: Slot,
    units: &[Uuid],
    now: Instant,
) -> Result<bool> {
    let place = plan.place_of(hold.id.0);
    let seat = if plan.rules.capacity > 1 {
        match create::seat(conn, tenant, plan, slot, units, &place, now).await? {
            Some(seat) => Some(seat),
            None => return Ok(false),
        }
    } else {
        None
    };
    let also: Vec<Uuid> = hold.also.iter().map(|id| id.0).collect();
    sqlx::query!(
        "insert into holds (tenant_id, id, kind, service_id, also_services, instructor_id, student_id, starts_at, ends_at,
                            group_id, expires_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        tenant,
        hold.id.0,
        hold.kind.as_str(),
        hold.service.0,
        &also[..],
        hold.instructor.0,
        plan.student.0,
        hold.starts_at.to_sqlx(),
        hold.ends_at.to_sqlx(),
        seat.map(|seat| seat.group.0),
        hold.expires_at.to_sqlx(),
        now.to_sqlx()
    )
    .execute(&mut *conn)
    .await?;
    let claims = Claims {
        owner: Owner::Hold(hold.id, hold.expires_at),
        instructor: seat.is_none().then_some(hold.instructor),
        student: Some(plan.student),
        units: if seat.is_none() { units } else { &[] },
        // A group lesson that stands is as long as it was when it was opened.
        lesson: Stretch { starts_at: slot.starts_at, ends_at: slot.ends_at },
        claim: plan.rules.claim(slot.starts_at),
        place: &place,
    };
    writes::claim(conn, tenant, claims, now).await
}

/// Holds that are over, and stay so until the transaction ends.
pub(super) async fn due(conn: &mut PgConnection, tenant: Uuid, now: Instant) -> Result<Vec<Uuid>> {
    let ids = sqlx::query_scalar!(
        "select id from holds where tenant_id = $1 and state = 'active' and expires_at <= $2 order by id for update",
        tenant,
        now.to_sqlx()
    )
    .fetch_all(conn)
    .await?;
    Ok(ids)
}

/// Those of `over` that have expired, and others that the waiting list still has for offered.
pub(super) async fn expired(conn: &mut PgConnection, tenant: Uuid, over: &[Uuid]) -> Result<Vec<Hold>> {
    let rows = holds!(
        "where h.tenant_id = $1 and h.state = 'expired'
           and h.id in (select unnest($2::uuid[])
                        union all
                        select w.hold_id from waiting_list w
                        where w.tenant_id = $1 and w.hold_id is not null and w.state = 'offered')
         order by h.expires_at, h.id",
        tenant,
        over
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Kept::try_from(row).map(|kept| kept.hold)).collect()
}

/// Group lessons to come that nobody is in and that the school hasn't planned.
pub(super) async fn empty_groups(conn: &mut PgConnection, tenant: Uuid, now: Instant) -> Result<Vec<Uuid>> {
    let ids = sqlx::query_scalar!(
        "select id from group_lessons
         where tenant_id = $1 and taken = 0 and not kept and cancelled_at is null and starts_at > $2
         order by id for update skip locked",
        tenant,
        now.to_sqlx()
    )
    .fetch_all(conn)
    .await?;
    Ok(ids)
}
