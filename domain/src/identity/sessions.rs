//! Storage of sessions. Only the SHA-256 of a token is here, and `save` never brings an ended session back.

use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::PgPool;

use crate::{Instant, Result, ids::UserId};

/// What the database knows a session by.
pub type TokenHash = [u8; 32];

/// The SHA-256 of a token.
pub fn hash_token(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

/// A session as it is stored.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The account, once signed in.
    pub user: Option<UserId>,
    /// What the program keeps in it.
    pub data: Value,
    /// When it ends, whatever happens.
    pub expires_at: Instant,
}

/// Adds a session. `false` when the hash is taken already.
///
/// # Errors
/// Of the database.
pub async fn create(
    pool: &PgPool,
    hash: &TokenHash,
    stored: &Stored,
    idle: SignedDuration,
    now: Instant,
) -> Result<bool> {
    let done = sqlx::query!(
        "insert into sessions (token_hash, user_id, data, idle_seconds, created_at, last_seen_at, expires_at)
         values ($1, $2, $3, $4, $5, $5, $6) on conflict do nothing",
        &hash[..],
        stored.user.map(|id| id.0),
        stored.data,
        i32::try_from(idle.as_secs()).unwrap_or(i32::MAX),
        now.to_sqlx(),
        stored.expires_at.to_sqlx(),
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes what a session keeps, if it still lives.
///
/// # Errors
/// Of the database.
pub async fn save(pool: &PgPool, hash: &TokenHash, data: &Value) -> Result<()> {
    sqlx::query!("update sessions set data = $2 where token_hash = $1", &hash[..], data)
        .execute(pool)
        .await?;
    Ok(())
}

/// Finds a living session and, at most once a minute, notes that it was seen: one round trip.
///
/// # Errors
/// Of the database.
pub async fn load(pool: &PgPool, hash: &TokenHash, now: Instant) -> Result<Option<Stored>> {
    let row = sqlx::query!(
        "with alive as (
             select token_hash, user_id, data, expires_at, last_seen_at from sessions
             where token_hash = $1 and expires_at > $2
               and last_seen_at + make_interval(secs => idle_seconds) > $2
         ), seen as (
             update sessions s set last_seen_at = $2 from alive a
             where s.token_hash = a.token_hash and a.last_seen_at < $2 - interval '1 minute'
         )
         select user_id, data, expires_at from alive",
        &hash[..],
        now.to_sqlx(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Stored {
        user: row.user_id.map(UserId),
        data: row.data,
        expires_at: row.expires_at.to_jiff(),
    }))
}

/// Ends a session.
///
/// # Errors
/// Of the database.
pub async fn delete(pool: &PgPool, hash: &TokenHash) -> Result<()> {
    sqlx::query!("delete from sessions where token_hash = $1", &hash[..]).execute(pool).await?;
    Ok(())
}

/// Removes what has ended; how many they were.
///
/// # Errors
/// Of the database.
pub async fn sweep(pool: &PgPool, now: Instant) -> Result<u64> {
    let done = sqlx::query!(
        "delete from sessions where expires_at <= $1 or last_seen_at + make_interval(secs => idle_seconds) <= $1",
        now.to_sqlx(),
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
