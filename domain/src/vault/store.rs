//! SQL of the keys, wrapped.

use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;

use crate::{Instant, Result};

/// Encrypts fields.
pub(super) const DATA: &str = "data";
/// Makes blind indexes.
pub(super) const INDEX: &str = "index";

/// A key as it is stored.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) purpose: String,
    pub(super) wrapped: String,
    pub(super) active_from: Instant,
}

/// All keys, in the order in which they are written with.
pub(super) async fn all(conn: &mut PgConnection) -> Result<Vec<Stored>> {
    let rows = sqlx::query!(
        "select id, purpose, wrapped, active_from from encryption_keys order by active_from, created_at, id"
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Stored {
            id: row.id,
            purpose: row.purpose,
            wrapped: row.wrapped,
            active_from: row.active_from.to_jiff(),
        })
        .collect())
}

/// Lets one writer of keys at a time go on, until the end of the transaction.
pub(super) async fn lock(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!(r#"select count(pg_advisory_xact_lock(hashtextextended('encryption_keys', 0))) as "n!""#)
        .fetch_one(conn)
        .await?;
    Ok(())
}

/// Adds a key.
pub(super) async fn insert(
    conn: &mut PgConnection,
    id: &str,
    purpose: &str,
    wrapped: &str,
    active_from: Instant,
) -> Result<()> {
    sqlx::query!(
        "insert into encryption_keys (id, purpose, wrapped, active_from, created_at) values ($1, $2, $3, $4, now())",
        id,
        purpose,
        wrapped,
        active_from.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps a key wrapped by another master.
pub(super) async fn rewrap(conn: &mut PgConnection, id: &str, wrapped: &str) -> Result<()> {
    sqlx::query!("update encryption_keys set wrapped = $2 where id = $1", id, wrapped).execute(conn).await?;
    Ok(())
}
