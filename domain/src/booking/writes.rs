//! SQL that writes lessons, and what all writes share: locks, and time that is free again.
//!
//! Locks are taken in one order everywhere: rows of lessons that change, then advisory ones on subjects, then rows of
//! holds, group lessons, the waiting list and packs, and the audit's head last. Who keeps to it never waits in a circle.

mod keys;
mod seats;

use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

pub(super) use self::{
    keys::{keep_key, take_key},
    seats::{Claims, NewGroup, Owner, Seat, claim, free_groups, free_seat, hand_over, open_group},
};
use super::{Booking, Status};
use crate::{
    Instant, Result,
    availability::{Slot, Stretch},
    ids::{BookingId, GroupId, UserId},
};

/// Makes all who want time of these subjects queue until the transaction ends. Everyone locks in the same order, so
/// that nobody waits in a circle.
pub(crate) async fn lock_subjects(conn: &mut PgConnection, tenant: Uuid, subjects: &[Uuid]) -> Result<()> {
    sqlx::query!(
        r#"select count(pg_advisory_xact_lock(hashtextextended('claims/' || $1::uuid::text || '/' || s.id::text, 0))) as "n!"
           from (select distinct id from unnest($2::uuid[]) as u (id) order by id) s"#,
        tenant,
        subjects
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

/// Ends holds that are over and have time of these subjects, or a seat of these group lessons or of any that has time of
/// these subjects. Their claims count for
/// nothing, but the database would still refuse others beside them.
pub(crate) async fn end_holds(
    conn: &mut PgConnection,
    tenant: Uuid,
    subjects: &[Uuid],
    groups: &[GroupId],
    now: Instant,
) -> Result<()> {
    let groups: Vec<Uuid> = groups.iter().map(|id| id.0).collect();
    let over = sqlx::query_scalar!(
        "select h.id from holds h
         where h.tenant_id = $1 and h.state = 'active' and h.expires_at <= $4
           and (h.instructor_id = any($2) or h.student_id = any($2) or h.group_id = any($3)
                or exists (select from claims c
                           where c.tenant_id = $1 and c.active and c.subject_id = any($2)
                             and (c.hold_id = h.id or c.group_id = h.group_id)))
         order by h.id for update",
        tenant,
        subjects,
        &groups[..],
        now.to_sqlx()
    )
    .fetch_all(&mut *conn)
    .await?;
    stop_holds(conn, tenant, &over, "expired", now).await
}

/// Ends holds, `released` or `expired`: their time and their seats are free again. Those that have ended stay so.
pub(crate) async fn stop_holds(
    conn: &mut PgConnection,
    tenant: Uuid,
    holds: &[Uuid],
    state: &str,
    now: Instant,
) -> Result<()> {
    if holds.is_empty() {
        return Ok(());
    }
    let ended = sqlx::query!(
        r#"with ended as (
               update holds set state = $3
               where tenant_id = $1 and id = any($2) and state = 'active'
               returning id, group_id, starts_at, ends_at
           ), freed as (
               update claims set active = false
               where tenant_id = $1 and active and hold_id in (select id from ended)
           )
           select group_id as "group_id?", starts_at as "starts_at!", ends_at as "ends_at!" from ended"#,
        tenant,
        holds,
        state
    )
    .fetch_all(&mut *conn)
    .await?;
    let groups: Vec<Uuid> = ended.iter().filter_map(|hold| hold.group_id).collect();
    free_groups(conn, tenant, &groups, now).await?;
    for hold in ended {
        let stretch = Stretch { starts_at: hold.starts_at.to_jiff(), ends_at: hold.ends_at.to_jiff() };
        freed(conn, tenant, stretch, now).await?;
    }
    Ok(())
}

/// Writes a lesson, with its seat when it has one. Its claims are another step.
pub(super) async fn insert(
    conn: &mut PgConnection,
    tenant: Uuid,
    booking: &Booking,
    created_by: Option<UserId>,
) -> Result<()> {
    let also: Vec<Uuid> = booking.also.iter().map(|id| id.0).collect();
    // A lesson of one service is called as that is, whatever its name will be.
    let title = (!also.is_empty()).then_some(booking.service_name.as_str());
    sqlx::query!(
        "insert into bookings (tenant_id, id, service_id, instructor_id, student_id, starts_at, ends_at, status, note,
                               pickup, price_minor, currency, cancel_notice_min, pack_id, created_by, created_at,
                               group_id, series_id, series_place, also_services, title, move_notice_min, max_moves,
                               late_fee_percent)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                 $23, $24)",
        tenant,
        booking.id.0,
        booking.service.0,
        booking.instructor.0,
        booking.student.0,
        booking.starts_at.to_sqlx(),
        booking.ends_at.to_sqlx(),
        booking.status.as_str(),
        booking.note,
        booking.pickup,
        booking.price_minor,
        booking.currency,
        booking.cancel_notice_min,
        booking.pack.map(|id| id.0),
        created_by.map(|id| id.0),
        booking.created_at.to_sqlx(),
        booking.group.map(|id| id.0),
        booking.series.map(|(id, _)| id.0),
        booking.series.map(|(_, place)| place),
        &also[..],
        title,
        booking.terms.move_notice_min,
        booking.terms.max_moves,
        booking.terms.late_fee_percent
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Frees the time of a lesson that won't take place: its claims, the group lesson that nobody is left in, and those who
/// wait for the time are looked after.
pub(crate) async fn release(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: BookingId,
    now: Instant,
) -> Result<()> {
    let lesson = sqlx::query!(
        "with freed as (
             update claims set active = false where tenant_id = $1 and booking_id = $2 and active
         )
         select group_id, starts_at, ends_at from bookings where tenant_id = $1 and id = $2",
        tenant,
        id.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(lesson) = lesson else { return Ok(()) };
    free_groups(conn, tenant, lesson.group_id.as_slice(), now).await?;
    let stretch = Stretch { starts_at: lesson.starts_at.to_jiff(), ends_at: lesson.ends_at.to_jiff() };
    freed(conn, tenant, stretch, now).await
}

/// Takes the time of lessons away from them, and their seats, before they get another one.
pub(crate) async fn unclaim(
    conn: &mut PgConnection,
    tenant: Uuid,
    bookings: &[BookingId],
    now: Instant,
) -> Result<()> {
    let ids: Vec<Uuid> = bookings.iter().map(|id| id.0).collect();
    let groups = sqlx::query_scalar!(
        r#"with freed as (
               update claims set active = false where tenant_id = $1 and booking_id = any($2) and active
           ), seats as (
               select b.id, b.group_id from bookings b
               where b.tenant_id = $1 and b.id = any($2) and b.group_id is not null
               order by b.group_id, b.id
           ), up as (
               update bookings b set group_id = null from seats s where b.tenant_id = $1 and b.id = s.id
           )
           select distinct group_id as "group!" from seats"#,
        tenant,
        &ids[..]
    )
    .fetch_all(&mut *conn)
    .await?;
    free_groups(conn, tenant, &groups, now).await
}

/// Has those looked at who wait for a time near one that is free again. A week on both sides, because limits by day and
/// by week go with the lesson, and a long one may begin well before the gap that it fits into. An entry that someone else
/// holds isn't waited for: it is looked at each quarter of an hour anyway.
pub(crate) async fn freed(
    conn: &mut PgConnection,
    tenant: Uuid,
    stretch: Stretch,
    now: Instant,
) -> Result<()> {
    if stretch.ends_at <= now {
        return Ok(());
    }
    sqlx::query!(
        "update waiting_list set check_at = $4
         where tenant_id = $1 and id in (
             select w.id from waiting_list w
             where w.tenant_id = $1 and w.state = 'waiting' and w.to_at > $2::timestamptz - interval '7 days'
               and w.from_at < $3::timestamptz + interval '7 days'
             order by w.id for update skip locked)",
        tenant,
        stretch.starts_at.to_sqlx(),
        stretch.ends_at.to_sqlx(),
        now.to_sqlx()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a lesson another time and instructor: its old claims go, and the seat it had; new ones come, or a seat of the
/// group lesson there, which is opened when there is none. `place` is where it takes place, as claims keep it. `false`
/// when something is in the way: then there is a lesson without its time, which the caller must not commit.
pub(crate) async fn swap(
    conn: &mut PgConnection,
    tenant: Uuid,
    booking: &Booking,
    slot: Slot,
    units: &[Uuid],
    place: &str,
    now: Instant,
) -> Result<bool> {
    unclaim(conn, tenant, &[booking.id], now).await?;
    let last = booking.also.last().unwrap_or(&booking.service);
    let row = sqlx::query!(
        "select f.buffer_before_min, l.buffer_after_min, f.capacity
         from services f join services l on l.tenant_id = f.tenant_id and l.id = $3
         where f.tenant_id = $1 and f.id = $2",
        tenant,
        booking.service.0,
        last.0
    )
    .fetch_one(&mut *conn)
    .await?;
    let minutes = |number: i32| SignedDuration::from_mins(i64::from(number));
    let lesson = Stretch { starts_at: slot.starts_at, ends_at: slot.ends_at };
    let claimed = Stretch {
        starts_at: slot.starts_at.checked_sub(minutes(row.buffer_before_min)).unwrap_or(Instant::MIN),
        ends_at: slot.ends_at.checked_add(minutes(row.buffer_after_min)).unwrap_or(Instant::MAX),
    };
    let for_several = slot.group.is_some() || (row.capacity > 1 && booking.also.is_empty());
    let seat = match slot.group {
        Some(group) => free_seat(conn, tenant, group).await?,
        None if for_several => {
            let new = NewGroup {
                service: booking.service,
                instructor: slot.instructor,
                units,
                lesson,
                claim: claimed,
                place,
                capacity: row.capacity,
            };
            open_group(conn, tenant, new, now).await?
        }
        None => None,
    };
    if for_several && seat.is_none() {
        return Ok(false);
    }
    sqlx::query!(
        "update bookings set starts_at = $3, ends_at = $4, instructor_id = $5, group_id = $6, moved_at = $7
         where tenant_id = $1 and id = $2",
        tenant,
        booking.id.0,
        slot.starts_at.to_sqlx(),
        slot.ends_at.to_sqlx(),
        slot.instructor.0,
        seat.map(|seat| seat.group.0),
        now.to_sqlx()
    )
    .execute(&mut *conn)
    .await?;
    let claims = Claims {
        owner: Owner::Booking(booking.id),
        instructor: seat.is_none().then_some(slot.instructor),
        student: Some(booking.student),
        units: if seat.is_none() { units } else { &[] },
        lesson,
        claim: claimed,
        place,
    };
    let moved = claim(conn, tenant, claims, now).await?;
    let before = Stretch { starts_at: booking.starts_at, ends_at: booking.ends_at };
    freed(conn, tenant, before, now).await?;
    Ok(moved)
}

/// Takes a lesson one step further; the trigger refuses illegal ones. Who says only that it took place, or that the
/// student didn't come, says that for the attendance too.
pub(super) async fn set_status(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: BookingId,
    status: Status,
) -> Result<()> {
    sqlx::query!(
        "update bookings
         set status = $3::text,
             attendance = coalesce(attendance, case $3::text when 'completed' then 'present' when 'no_show' then 'no_show' end)
         where tenant_id = $1 and id = $2",
        tenant,
        id.0,
        status.as_str()
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn set_cancelled(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: BookingId,
    by: Option<UserId>,
    reason: &str,
    fee_minor: Option<i64>,
    now: Instant,
) -> Result<()> {
    sqlx::query!(
        "update bookings set status = 'cancelled', cancelled_by = $3, cancel_reason = $4, cancelled_at = $5, fee_minor = $6
         where tenant_id = $1 and id = $2",
        tenant,
        id.0,
        by.map(|id| id.0),
        reason,
        now.to_sqlx(),
        fee_minor
    )
    .execute(conn)
    .await?;
    Ok(())
}
