//! Removing what nobody needs any more.

use jiff::ToSpan;
use jiff_sqlx::ToSqlx;

use super::sessions;
use crate::{
    Error, Instant, Result,
    db::{ActAs, Db},
};

/// Removes ended sessions, one-time links that ended 30 days ago, logins of 180 days ago and counts of failures that have
/// rested for a day; how many rows they were.
///
/// # Errors
/// Of the database.
pub async fn sweep(db: &Db, now: Instant) -> Result<u64> {
    let ago = |days: i64| now.checked_sub((days * 24).hours()).map_err(Error::internal);
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
    Ok(sessions + links.rows_affected() + attempts.rows_affected() + throttles.rows_affected())
}
