//! Storage of sessions. Only the SHA-256 of a token is here, and `save` never brings an ended session back.

use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    Error, Instant, Result,
    audit::{self, Entry},
    authz::{Proof, UserScope},
    ids::UserId,
};

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
    /// The super-admin who acts as the account (TN-12).
    pub impersonator: Option<UserId>,
    /// The client's address at login.
    pub ip: String,
    /// The client's device at login.
    pub device: String,
    /// What the program keeps in it.
    pub data: Value,
    /// When it ends, whatever happens.
    pub expires_at: Instant,
}

/// A session in the list of one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// What it is called; useless as a token.
    pub id: Uuid,
    /// "Firefox on Windows".
    pub device: String,
    /// From which address it was begun.
    pub ip: String,
    /// When it was begun.
    pub created_at: Instant,
    /// When it was last used, to the minute.
    pub last_seen_at: Instant,
    /// Whether it is the one that asks.
    pub current: bool,
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
        "insert into sessions (token_hash, user_id, impersonator_id, ip, device, data, idle_seconds, created_at,
                               last_seen_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9) on conflict do nothing",
        &hash[..],
        stored.user.map(|id| id.0),
        stored.impersonator.map(|id| id.0),
        stored.ip,
        stored.device,
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
             select token_hash, user_id, impersonator_id, ip, device, data, expires_at, last_seen_at from sessions
             where token_hash = $1 and expires_at > $2
               and last_seen_at + make_interval(secs => idle_seconds) > $2
         ), seen as (
             update sessions s set last_seen_at = $2 from alive a
             where s.token_hash = a.token_hash and a.last_seen_at < $2 - interval '1 minute'
         )
         select user_id, impersonator_id, ip, device, data, expires_at from alive",
        &hash[..],
        now.to_sqlx(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Stored {
        user: row.user_id.map(UserId),
        impersonator: row.impersonator_id.map(UserId),
        ip: row.ip,
        device: row.device,
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

/// One's own living sessions, the one used last on top. Those of a super-admin who acts as the account are among them.
///
/// # Errors
/// Of the database.
pub async fn list(scope: &mut UserScope) -> Result<Vec<SessionRow>> {
    let (now, current) = (scope.now(), scope.caller().session);
    let (user, conn) = scope.conn();
    let rows = sqlx::query!(
        r#"select id, device, ip, created_at, last_seen_at, coalesce(token_hash = $3, false) as "current!"
           from sessions
           where user_id = $1 and expires_at > $2 and last_seen_at + make_interval(secs => idle_seconds) > $2
           order by token_hash = $3 desc nulls last, last_seen_at desc, id"#,
        user,
        now.to_sqlx(),
        current.as_ref().map(|hash| &hash[..]),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| SessionRow {
            id: row.id,
            device: row.device,
            ip: row.ip,
            created_at: row.created_at.to_jiff(),
            last_seen_at: row.last_seen_at.to_jiff(),
            current: row.current,
        })
        .collect())
}

/// Ends one of one's own sessions.
///
/// # Errors
/// [`Error::NotFound`] for any other, and for one that has ended.
pub async fn revoke(scope: &mut UserScope, _: &Proof, id: Uuid) -> Result<()> {
    let (user, conn) = scope.conn();
    let device =
        sqlx::query_scalar!("delete from sessions where id = $2 and user_id = $1 returning device", user, id)
            .fetch_optional(conn)
            .await?
            .ok_or(Error::NotFound)?;
    record(scope, json!({ "sessions": 1, "device": device })).await
}

/// Ends all of one's own sessions but the one that asks, and those in which one acts as someone else.
///
/// # Errors
/// Of the database.
pub async fn revoke_others(scope: &mut UserScope, _: &Proof) -> Result<()> {
    let keep = scope.caller().session;
    let (user, conn) = scope.conn();
    let ended = sqlx::query!(
        "delete from sessions where (user_id = $1 or impersonator_id = $1) and token_hash is distinct from $2",
        user,
        keep.as_ref().map(|hash| &hash[..]),
    )
    .execute(conn)
    .await?
    .rows_affected();
    record(scope, json!({ "sessions": ended })).await
}

async fn record(scope: &mut UserScope, ended: Value) -> Result<()> {
    let entry = Entry {
        action: "auth.sessions_revoked",
        entity: "user",
        entity_id: Some(scope.account().id.0),
        before: Some(ended),
        after: None,
        reason: None,
    };
    audit::record_account(scope, entry).await
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
