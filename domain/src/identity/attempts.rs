//! Who tried to come in, when, from where, and how it went (AC-15).

use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Instant, Result,
    authz::{Caller, PlatformScope, UserScope},
    ids::UserId,
    paging::{ListQuery, Page},
};

/// A try to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// When.
    pub at: Instant,
    /// Whether it was let in.
    pub ok: bool,
    /// By what it was let in (`password`, `link`, `code`, `backup code`), or why it wasn't (`password`, `code`,
    /// `unverified`, `disabled`, `throttled`).
    pub reason: String,
    /// From which address.
    pub ip: String,
    /// With what: "Firefox on Windows".
    pub device: String,
}

/// Writes a try down. What was typed is never written: it may be a password in the wrong field.
pub(crate) async fn record(
    conn: &mut PgConnection,
    user: Option<Uuid>,
    caller: &Caller,
    ok: bool,
    reason: &str,
) -> Result<()> {
    sqlx::query!(
        "insert into login_attempts (id, user_id, at, ok, reason, ip, device) values ($1, $2, $3, $4, $5, $6, $7)",
        Uuid::now_v7(),
        user,
        caller.now.to_sqlx(),
        ok,
        reason,
        caller.origin.ip,
        caller.origin.device,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// One's own, the latest first.
///
/// # Errors
/// Of the database.
pub async fn own(scope: &mut UserScope, query: &ListQuery) -> Result<Page<AttemptRow>> {
    let (user, conn) = scope.elevate().await?;
    list(conn, user, query).await
}

/// Those of any account, for who runs the platform.
///
/// # Errors
/// Of the database.
pub async fn of_user(scope: &mut PlatformScope, user: UserId, query: &ListQuery) -> Result<Page<AttemptRow>> {
    list(scope.conn(), user.0, query).await
}

async fn list(conn: &mut PgConnection, user: Uuid, query: &ListQuery) -> Result<Page<AttemptRow>> {
    let rows = sqlx::query!(
        r#"select a.at as "at?", a.ok as "ok?", a.reason as "reason?", a.ip as "ip?", a.device as "device?",
                  n.total as "total!"
           from (select count(*) as total from login_attempts where user_id = $1) n
           left join lateral (
               select * from login_attempts where user_id = $1 order by at desc, id desc
               limit $2 offset least($3::bigint, greatest(0, (n.total - 1) / $2 * $2))
           ) a on true
           order by a.at desc, a.id desc"#,
        user,
        query.limit(),
        query.offset(),
    )
    .fetch_all(conn)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    // The one row of an empty page carries the total alone.
    let items = rows
        .into_iter()
        .filter_map(|row| {
            Some(AttemptRow {
                at: row.at?.to_jiff(),
                ok: row.ok?,
                reason: row.reason?,
                ip: row.ip?,
                device: row.device?,
            })
        })
        .collect();
    Ok(Page::new(items, total, query))
}
