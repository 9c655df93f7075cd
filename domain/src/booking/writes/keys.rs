//! SQL of idempotency keys.

use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Instant, Result, ids::BookingId};

/// How long a key answers for its request (BK-15).
const KEY_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// What a key was used for.
pub(crate) struct Keyed {
    pub(crate) request_hash: Vec<u8>,
    pub(crate) booking: BookingId,
}

/// Takes a key for the rest of the transaction. `None` when another request holds it.
pub(crate) async fn take_key(
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
pub(crate) async fn keep_key(
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
