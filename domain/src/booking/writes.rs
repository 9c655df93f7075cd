//! SQL that writes lessons, claims and idempotency keys.

use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Booking, Status};
use crate::{
    Instant, Result,
    availability::Stretch,
    ids::{BookingId, UserId},
};

/// How long a key answers for its request (BK-15).
const KEY_LIFE: SignedDuration = SignedDuration::from_hours(24);

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

/// A lesson to write, and what it takes of the instructor's time.
pub(super) struct NewBooking<'a> {
    pub(super) booking: &'a Booking,
    pub(super) claim: Stretch,
    pub(super) created_by: Option<UserId>,
    pub(super) now: Instant,
}

/// Writes a lesson and its two claims. `false` when another claim is in the way: then there is a lesson without its
/// time, which the caller must not commit.
pub(super) async fn insert(conn: &mut PgConnection, tenant: Uuid, new: NewBooking<'_>) -> Result<bool> {
    let NewBooking { booking, claim, created_by, now } = new;
    let done = sqlx::query!(
        "with lesson as (
             insert into bookings (tenant_id, id, service_id, instructor_id, student_id, starts_at, ends_at, status,
                                   note, pickup, price_minor, currency, cancel_notice_min, pack_id, created_by,
                                   created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         )
         insert into claims (tenant_id, id, subject_kind, subject_id, starts_at, ends_at, booking_id)
         values ($1, $17, 'instructor', $4, $18, $19, $2), ($1, $20, 'student', $5, $6, $7, $2)
         on conflict on constraint claims_no_overlap do nothing",
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
        now.to_sqlx(),
        claim_id(now),
        claim.starts_at.to_sqlx(),
        claim.ends_at.to_sqlx(),
        claim_id(now)
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 2)
}

/// Claims have ids like all rows, but nobody names one.
fn claim_id(now: Instant) -> Uuid {
    BookingId::new(now).0
}

/// Frees the time of a lesson.
pub(super) async fn release(conn: &mut PgConnection, tenant: Uuid, id: BookingId) -> Result<()> {
    sqlx::query!(
        "update claims set active = false where tenant_id = $1 and booking_id = $2 and active",
        tenant,
        id.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a lesson one step further; the trigger refuses illegal ones.
pub(super) async fn set_status(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: BookingId,
    status: Status,
) -> Result<()> {
    sqlx::query!(
        "update bookings set status = $3 where tenant_id = $1 and id = $2",
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
    now: Instant,
) -> Result<()> {
    sqlx::query!(
        "update bookings set status = 'cancelled', cancelled_by = $3, cancel_reason = $4, cancelled_at = $5
         where tenant_id = $1 and id = $2",
        tenant,
        id.0,
        by.map(|id| id.0),
        reason,
        now.to_sqlx()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a key was used for.
pub(super) struct Keyed {
    pub(super) request_hash: Vec<u8>,
    pub(super) booking: BookingId,
}

/// Takes a key for the rest of the transaction. `None` when another request holds it.
pub(super) async fn take_key(
    conn: &mut PgConnection,
    tenant: Uuid,
    key: &str,
    now: Instant,
) -> Result<Option<Option<Keyed>>> {
    let taken = sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock(hashtextextended('key/' || $1::uuid::text || '/' || $2::text, 0)) as "taken!""#,
        tenant,
        key
    )
    .fetch_one(&mut *conn)
    .await?;
    if !taken {
        return Ok(None);
    }
    // A statement of its own: it must see what the one who held the key before has committed.
    let row = sqlx::query!(
        "select request_hash, booking_id from idempotency_keys where tenant_id = $1 and key = $2 and created_at > $3",
        tenant,
        key,
        (now - KEY_LIFE).to_sqlx()
    )
    .fetch_optional(conn)
    .await?;
    Ok(Some(row.map(|row| Keyed { request_hash: row.request_hash, booking: BookingId(row.booking_id) })))
}

/// Keeps what a key was used for, and forgets keys that are too old.
pub(super) async fn keep_key(
    conn: &mut PgConnection,
    tenant: Uuid,
    key: &str,
    request_hash: &[u8],
    booking: BookingId,
    now: Instant,
) -> Result<()> {
    sqlx::query!(
        "delete from idempotency_keys where tenant_id = $1 and created_at <= $2",
        tenant,
        (now - KEY_LIFE).to_sqlx()
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into idempotency_keys (tenant_id, key, request_hash, booking_id, created_at)
         values ($1, $2, $3, $4, $5)",
        tenant,
        key,
        request_hash,
        booking.0,
        now.to_sqlx()
    )
    .execute(conn)
    .await?;
    Ok(())
}
