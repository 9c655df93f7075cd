//! Storage of sessions. Only the SHA-256 of a token is here, and `save` never brings an ended session back.

use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool};
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

/// A session to be added.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The account, once signed in.
    pub user: Option<UserId>,
    /// The super-admin who acts as the account (TN-12).
    pub impersonator: Option<UserId>,
    /// The super-admin's epoch when they began to.
    pub impersonator_epoch: Option<i32>,
    /// The client's address at login.
    pub ip: String,
    /// The client's device at login.
    pub device: String,
    /// The account's epoch when its owner proved who they are.
    pub epoch: Option<i32>,
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

/// What became of a session that was to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is there.
    Yes,
    /// Another one has this hash.
    HashTaken,
    /// The account's sessions have been ended since its owner proved who they are.
    Ended,
}

/// Adds a session, unless the account's sessions were ended meanwhile.
///
/// # Errors
/// Of the database.
pub async fn create(
    pool: &PgPool,
    hash: &TokenHash,
    stored: &Stored,
    idle: SignedDuration,
    now: Instant,
) -> Result<Added> {
    let user = stored.user.map(|id| id.0);
    if let Some(user) = user {
        sqlx::query!("insert into session_epochs (user_id) values ($1) on conflict do nothing", user)
            .execute(pool)
            .await?;
    }
    // The lock makes this and the ending of sessions wait for each other.
    let row = sqlx::query!(
        r#"with open as (
               select from session_epochs where user_id = $2 and epoch = $10
                   and ($3::uuid is null
                        or exists (select from session_epochs a where a.user_id = $3 and a.epoch = $11 for share))
               for share
           ), made as (
               insert into sessions (token_hash, user_id, impersonator_id, ip, device, data, idle_seconds, created_at,
                                     last_seen_at, expires_at, epoch)
               select $1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10
               where $2::uuid is null or exists (select from open)
               on conflict do nothing returning token_hash
           )
           select exists (select from made) as "made!", $2::uuid is null or exists (select from open) as "open!""#,
        &hash[..],
        user,
        stored.impersonator.map(|id| id.0),
        stored.ip,
        stored.device,
        stored.data,
        i32::try_from(idle.as_secs()).unwrap_or(i32::MAX),
        now.to_sqlx(),
        stored.expires_at.to_sqlx(),
        stored.epoch,
        stored.impersonator_epoch,
    )
    .fetch_one(pool)
    .await?;
    Ok(match (row.made, row.open) {
        (true, _) => Added::Yes,
        (false, true) => Added::HashTaken,
        (false, false) => Added::Ended,
    })
}

/// Ends a session that is to go on under another token, and says its epoch; nothing when it has been ended already.
///
/// # Errors
/// Of the database.
pub async fn take(pool: &PgPool, hash: &TokenHash) -> Result<Option<i32>> {
    let epoch = sqlx::query_scalar!(
        "delete from sessions where token_hash = $1 and user_id is not null returning epoch",
        &hash[..]
    )
    .fetch_optional(pool)
    .await?;
    Ok(epoch.flatten())
}

/// Ends the sessions of an account, but for one, and those in which it acts as someone else; whoever is about to begin one
/// comes too late. How many they were.
pub(crate) async fn end(conn: &mut PgConnection, user: Uuid, keep: Option<&TokenHash>) -> Result<u64> {
    let keep = keep.map(|hash| &hash[..]);
    let epoch = sqlx::query_scalar!(
        "insert into session_epochs (user_id, epoch) values ($1, 1)
         on conflict (user_id) do update set epoch = session_epochs.epoch + 1 returning epoch",
        user,
    )
    .fetch_one(&mut *conn)
    .await?;
    let ended = sqlx::query!(
        "delete from sessions where (user_id = $1 or impersonator_id = $1) and token_hash is distinct from $2",
        user,
        keep,
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if keep.is_some() {
        sqlx::query!(
            "update sessions set epoch = $2 where token_hash = $1 and user_id = $3",
            keep,
            epoch,
            user
        )
        .execute(conn)
        .await?;
    }
    Ok(ended)
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

/// Finds what a living session keeps and when it ends, and, at most once a minute, notes that it was seen, unless nobody
/// need sit there (`attended`): one round trip.
///
/// # Errors
/// Of the database.
pub async fn load(
    pool: &PgPool,
    hash: &TokenHash,
    now: Instant,
    attended: bool,
) -> Result<Option<(Value, Instant)>> {
    let row = sqlx::query!(
        "with alive as (
             select token_hash, data, expires_at, last_seen_at from sessions
             where token_hash = $1 and expires_at > $2
               and last_seen_at + make_interval(secs => idle_seconds) > $2
         ), seen as (
             update sessions s set last_seen_at = $2 from alive a
             where $3 and s.token_hash = a.token_hash and a.last_seen_at < $2 - interval '1 minute'
         )
         select data, expires_at from alive",
        &hash[..],
        now.to_sqlx(),
        attended,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| (row.data, row.expires_at.to_jiff())))
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
    let ended = end(conn, user, keep.as_ref()).await?;
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
