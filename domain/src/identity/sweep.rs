//! Removing what nobody needs any more.

use jiff::ToSpan;
use jiff_sqlx::ToSqlx;

use serde_json::json;

use super::sessions;
use crate::{
    Error, Instant, Result,
    audit::{self, Entry},
    authz::{Caller, Role},
    db::{ActAs, Db},
    ids::PLATFORM,
};

/// How many accounts one sweep deletes: a flood of them is taken in pieces.
const PIECE: i64 = 500;

/// Deletes accounts that were never verified, and removes ended sessions, one-time links that ended 30 days ago, logins of
/// 180 days ago and counts of failures that have rested for a day; how many rows they were.
///
/// # Errors
/// Of the database.
pub async fn sweep(db: &Db, now: Instant) -> Result<u64> {
    let ago = |days: i64| now.checked_sub((days * 24).hours()).map_err(Error::internal);
    let accounts = delete_unverified(db, ago(7)?, now).await?;
    let sessions = sessions::sweep(db.pool(), now).await?;
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let links = sqlx::query!("delete from one_time_links where expires_at < $1", ago(30)?.to_sqlx())
        .execute(&mut *tx)
        .await?;
    let attempts = sqlx::query!("delete from login_attempts where at < $1", ago(180)?.to_sqlx())
        .execute(&mut *tx)
        .await?;
    let throttles =
        sqlx::query!("delete from throttles where last_at < $1", ago(1)?.to_sqlx()).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(accounts + sessions + links.rows_affected() + attempts.rows_affected() + throttles.rows_affected())
}

/// Deletes, softly, the accounts made before `since` that nobody has verified, that belong nowhere, and to which no link is
/// under way: their addresses are free for those who really have them. One that the platform has disabled stays so.
async fn delete_unverified(db: &Db, since: Instant, now: Instant) -> Result<u64> {
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let deleted = sqlx::query_scalar!(
        "update users set deleted_at = $2, updated_at = $2
         where id in (
             select u.id from users u
             where u.email_verified_at is null and u.deleted_at is null and u.status = 'active' and not u.super_admin
               and u.created_at < $1
               and not exists (select from memberships m where m.user_id = u.id)
               and not exists (select from one_time_links l
                               where l.user_id = u.id and l.kind in ('first_password', 'verify', 'reset')
                                 and l.used_at is null and l.expires_at > $2)
             order by u.id limit $3 for update skip locked
         )
         returning id",
        since.to_sqlx(),
        now.to_sqlx(),
        PIECE,
    )
    .fetch_all(&mut *tx)
    .await?;
    for user in &deleted {
        let entry = Entry {
            action: "user.delete",
            entity: "user",
            entity_id: Some(*user),
            before: Some(json!({ "status": "active" })),
            after: Some(json!({ "status": "deleted" })),
            reason: Some("Its address was not verified within a week."),
        };
        audit::record_as(&mut tx, PLATFORM, &Caller::visitor(now), Role::Visitor, entry).await?;
    }
    tx.commit().await?;
    Ok(deleted.len() as u64)
}
