//! SQL of the waiting list.

use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{OfferedTime, State, Waited, WaitingRow};
use crate::{
    Error, Instant, Result,
    availability::Stretch,
    ids::{HoldId, InstructorId, ServiceId, StudentId, WaitId},
    paging::ListQuery,
};

/// What a student waits for already.
pub(super) struct Open {
    /// Entries.
    pub(super) count: i64,
    /// One of them is for the same day or time of the same service, be it with someone else.
    pub(super) same: bool,
    /// They were offered such a time and let it pass.
    pub(super) passed: bool,
}

pub(super) async fn open(
    conn: &mut PgConnection,
    tenant: Uuid,
    student: StudentId,
    service: ServiceId,
    window: Stretch,
    now: Instant,
) -> Result<Open> {
    // The window of today begins a little later each time it is asked for: its end is what tells.
    let row = sqlx::query!(
        r#"select count(*) filter (where state in ('waiting', 'offered')) as "count!",
                  coalesce(bool_or(service_id = $3 and (from_at = $4 or to_at = $5))
                               filter (where state in ('waiting', 'offered')), false) as "same!",
                  coalesce(bool_or(service_id = $3 and from_at < $5 and to_at > $4)
                               filter (where state in ('left', 'expired')), false) as "passed!"
           from waiting_list
           where tenant_id = $1 and student_id = $2
             and case when state in ('waiting', 'offered') then to_at > $6 or state = 'offered'
                      else hold_id is not null and state <> 'accepted' and to_at > $6 end"#,
        tenant,
        student.0,
        service.0,
        window.starts_at.to_sqlx(),
        window.ends_at.to_sqlx(),
        now.to_sqlx()
    )
    .fetch_one(conn)
    .await?;
    Ok(Open { count: row.count, same: row.same, passed: row.passed })
}

/// An entry to write.
pub(super) struct New<'a> {
    pub(super) waited: &'a Waited,
    pub(super) service: ServiceId,
    pub(super) instructor: Option<InstructorId>,
    pub(super) pickup: &'a str,
    pub(super) note: &'a str,
}

/// Writes an entry that is due; false when the student has one for the same already.
pub(super) async fn insert(
    conn: &mut PgConnection,
    tenant: Uuid,
    new: New<'_>,
    now: Instant,
) -> Result<bool> {
    let done = sqlx::query!(
        "insert into waiting_list (tenant_id, id, service_id, instructor_id, student_id, from_at, to_at, pickup, note,
                                   check_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
         on conflict do nothing",
        tenant,
        new.waited.id.0,
        new.service.0,
        new.instructor.map(|id| id.0),
        new.waited.student.0,
        new.waited.from_at.to_sqlx(),
        new.waited.to_at.to_sqlx(),
        new.pickup,
        new.note,
        now.to_sqlx()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Has all looked at who wait for the same service around a time; who is just being looked at comes up again by itself.
pub(super) async fn look_again(
    conn: &mut PgConnection,
    tenant: Uuid,
    service: ServiceId,
    window: Stretch,
    now: Instant,
) -> Result<()> {
    sqlx::query!(
        "update waiting_list set check_at = $5
         where tenant_id = $1 and id in (
             select w.id from waiting_list w
             where w.tenant_id = $1 and w.service_id = $2 and w.state = 'waiting' and w.from_at < $4 and w.to_at > $3
             order by w.id for update skip locked)",
        tenant,
        service.0,
        window.starts_at.to_sqlx(),
        window.ends_at.to_sqlx(),
        now.to_sqlx()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An entry as it stands.
pub(super) struct Found {
    pub(super) waited: Waited,
    pub(super) state: State,
    pub(super) hold: Option<HoldId>,
}

pub(super) async fn find(conn: &mut PgConnection, tenant: Uuid, id: WaitId) -> Result<Option<Found>> {
    let row = sqlx::query!(
        r#"select w.student_id, st.name as student_name, sv.name as service_name, i.name as "instructor_name?",
                  w.from_at, w.to_at, w.state, w.hold_id
           from waiting_list w
           join students st on st.tenant_id = w.tenant_id and st.id = w.student_id
           join services sv on sv.tenant_id = w.tenant_id and sv.id = w.service_id
           left join instructors i on i.tenant_id = w.tenant_id and i.id = w.instructor_id
           where w.tenant_id = $1 and w.id = $2"#,
        tenant,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Found {
            waited: Waited {
                id,
                student: StudentId(row.student_id),
                student_name: row.student_name,
                service_name: row.service_name,
                instructor_name: row.instructor_name,
                from_at: row.from_at.to_jiff(),
                to_at: row.to_at.to_jiff(),
            },
            state: state(&row.state)?,
            hold: row.hold_id.map(HoldId),
        })
    })
    .transpose()
}

fn state(text: &str) -> Result<State> {
    State::parse(text).ok_or_else(|| Error::internal("unknown state of the waiting list"))
}

/// Takes an entry one step further; false when it isn't where it was any more.
pub(super) async fn set_state(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: WaitId,
    from: State,
    to: State,
) -> Result<bool> {
    let done = sqlx::query!(
        "update waiting_list set state = $4, check_at = null where tenant_id = $1 and id = $2 and state = $3",
        tenant,
        id.0,
        from.as_str(),
        to.as_str()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Says what is kept for an entry; false when it isn't waiting any more.
pub(super) async fn set_offered(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: WaitId,
    hold: HoldId,
) -> Result<bool> {
    let done = sqlx::query!(
        "update waiting_list set state = 'offered', hold_id = $3, check_at = null
         where tenant_id = $1 and id = $2 and state = 'waiting'",
        tenant,
        id.0,
        hold.0
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Looks at an entry again then, unless something becomes free before.
pub(in crate::booking) async fn put_off(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: WaitId,
    until: Instant,
) -> Result<()> {
    sqlx::query!(
        "update waiting_list set check_at = $3 where tenant_id = $1 and id = $2 and state = 'waiting'",
        tenant,
        id.0,
        until.to_sqlx()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Entries to look at now: who came first is served first.
pub(in crate::booking) async fn due(
    conn: &mut PgConnection,
    tenant: Uuid,
    now: Instant,
    most: i64,
) -> Result<Vec<WaitId>> {
    let ids = sqlx::query_scalar!(
        "select w.id from waiting_list w
         join students s on s.tenant_id = w.tenant_id and s.id = w.student_id and s.deleted_at is null
         where w.tenant_id = $1 and w.state = 'waiting' and w.check_at <= $2 and w.to_at > $2
           and not exists (select from waiting_list o
                           where o.tenant_id = $1 and o.student_id = w.student_id and o.state = 'offered')
         order by w.created_at, w.id limit $3",
        tenant,
        now.to_sqlx(),
        most
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(WaitId).collect())
}

/// Ends entries that nothing became free for in time, and those whose offer wasn't answered: it passes on.
pub(in crate::booking) async fn lapse(conn: &mut PgConnection, tenant: Uuid, now: Instant) -> Result<u64> {
    let done = sqlx::query!(
        "update waiting_list set state = 'expired', check_at = null
         where tenant_id = $1 and id in (
             select w.id from waiting_list w
             left join holds h on h.tenant_id = w.tenant_id and h.id = w.hold_id
             where w.tenant_id = $1 and w.state in ('waiting', 'offered')
               and ((w.state = 'waiting' and w.to_at <= $2)
                    or (w.state = 'offered' and h.state in ('expired', 'released')))
             order by w.id for update of w)",
        tenant,
        now.to_sqlx()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// What an offer is made from.
pub(super) struct Entry {
    pub(super) service: ServiceId,
    pub(super) instructor: Option<InstructorId>,
    pub(super) student: StudentId,
    pub(super) window: Stretch,
    pub(super) pickup: String,
    /// How long the school keeps an offer.
    pub(super) offer_min: i32,
}

/// An entry that waits and is due.
pub(super) async fn entry(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: WaitId,
    now: Instant,
) -> Result<Option<Entry>> {
    let row = sqlx::query!(
        "select w.service_id, w.instructor_id, w.student_id, w.from_at, w.to_at, w.pickup, t.offer_min
         from waiting_list w join tenants t on t.id = w.tenant_id
         where w.tenant_id = $1 and w.id = $2 and w.state = 'waiting' and w.check_at <= $3 and w.to_at > $3
           -- One offer at a time: who waits for much doesn't keep much from others.
           and not exists (select from waiting_list o
                           where o.tenant_id = $1 and o.student_id = w.student_id and o.state = 'offered')",
        tenant,
        id.0,
        now.to_sqlx()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Entry {
        service: ServiceId(row.service_id),
        instructor: row.instructor_id.map(InstructorId),
        student: StudentId(row.student_id),
        window: Stretch { starts_at: row.from_at.to_jiff(), ends_at: row.to_at.to_jiff() },
        pickup: row.pickup,
        offer_min: row.offer_min,
    }))
}

/// A page of those who wait or have an offer, and how many there are.
pub(super) async fn list(
    conn: &mut PgConnection,
    tenant: Uuid,
    student: Option<StudentId>,
    query: &ListQuery,
    now: Instant,
) -> Result<(Vec<WaitingRow>, i64)> {
    let rows = sqlx::query!(
        r#"with matching as (
               select w.id, w.to_at from waiting_list w
               where w.tenant_id = $1 and w.state in ('waiting', 'offered') and (w.to_at > $4 or w.state = 'offered')
                 and ($2::uuid is null or w.student_id = $2)
                 and ($3::text is null
                      or w.student_id in (select id from students where tenant_id = $1 and name ilike $3)
                      or w.service_id in (select id from services where tenant_id = $1 and name ilike $3))
           ), page as (
               select id from matching order by to_at, id
               limit $5 offset least($6::bigint, greatest(0, (select count(*) - 1 from matching) / $5 * $5))
           )
           select w.id, w.student_id, st.name as student_name, sv.name as service_name, i.name as "instructor_name?",
                  w.from_at, w.to_at, w.state, w.created_at,
                  (select count(*) + 1 from waiting_list o
                   where o.tenant_id = $1 and o.service_id = w.service_id and o.state in ('waiting', 'offered')
                     and o.from_at < w.to_at and o.to_at > w.from_at
                     and coalesce(o.instructor_id = w.instructor_id, true)
                     and (o.created_at, o.id) < (w.created_at, w.id)) as "position!",
                  h.id as "hold_id?", h.starts_at as "starts_at?", h.ends_at as "ends_at?",
                  h.expires_at as "expires_at?", hi.name as "given_by?",
                  (select count(*) from matching) as "total!"
           from waiting_list w
           join page on page.id = w.id
           join students st on st.tenant_id = w.tenant_id and st.id = w.student_id
           join services sv on sv.tenant_id = w.tenant_id and sv.id = w.service_id
           left join instructors i on i.tenant_id = w.tenant_id and i.id = w.instructor_id
           left join holds h on h.tenant_id = w.tenant_id and h.id = w.hold_id and w.state = 'offered'
           left join instructors hi on hi.tenant_id = h.tenant_id and hi.id = h.instructor_id
           where w.tenant_id = $1
           order by w.to_at, w.id"#,
        tenant,
        student.map(|id| id.0),
        query.pattern(),
        now.to_sqlx(),
        query.limit(),
        query.offset()
    )
    .fetch_all(conn)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let items = rows
        .into_iter()
        .map(|row| {
            let offer = match (row.hold_id, row.starts_at, row.ends_at, row.expires_at, row.given_by) {
                (Some(hold), Some(starts_at), Some(ends_at), Some(until), Some(instructor_name)) => {
                    Some(OfferedTime {
                        hold: HoldId(hold),
                        starts_at: starts_at.to_jiff(),
                        ends_at: ends_at.to_jiff(),
                        instructor_name,
                        until: until.to_jiff(),
                    })
                }
                _ => None,
            };
            Ok(WaitingRow {
                waited: Waited {
                    id: WaitId(row.id),
                    student: StudentId(row.student_id),
                    student_name: row.student_name,
                    service_name: row.service_name,
                    instructor_name: row.instructor_name,
                    from_at: row.from_at.to_jiff(),
                    to_at: row.to_at.to_jiff(),
                },
                state: state(&row.state)?,
                since: row.created_at.to_jiff(),
                position: row.position,
                offer,
            })
        })
        .collect::<Result<_>>()?;
    Ok((items, total))
}
