//! Who did what to what, written in the transaction that does it (AU-01). The database chains the rows.

pub mod export;
pub mod read;
pub mod verify;

use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Result,
    authz::{Caller, PlatformScope, Role, TenantScope, UserScope},
    ids::PLATFORM,
};

/// One thing done.
#[derive(Debug)]
pub struct Entry<'a> {
    /// What: the name of an action of the policy, or of an event such as `auth.login`.
    pub action: &'a str,
    /// To which kind of thing.
    pub entity: &'static str,
    /// To which one.
    pub entity_id: Option<Uuid>,
    /// What changed, before.
    pub before: Option<Value>,
    /// What changed, after.
    pub after: Option<Value>,
    /// Why, in the actor's words.
    pub reason: Option<&'a str>,
}

/// Records an entry in the actor's school. Comes last in a transaction: writers of a school queue here.
///
/// # Errors
/// Of the database.
pub async fn record(scope: &mut TenantScope, entry: Entry<'_>) -> Result<()> {
    let (caller, role) = (scope.caller().clone(), scope.actor().role);
    let (tenant, conn) = scope.conn();
    record_as(conn, tenant, &caller, role, entry).await
}

/// Records what a super-admin did to a school, or ([`PLATFORM`]) to the platform.
///
/// # Errors
/// Of the database.
pub async fn record_platform(scope: &mut PlatformScope, tenant: Uuid, entry: Entry<'_>) -> Result<()> {
    let caller = scope.caller().clone();
    record_as(scope.conn(), tenant, &caller, Role::SuperAdmin, entry).await
}

/// Records what someone did to their own account.
///
/// # Errors
/// Of the database.
pub async fn record_account(scope: &mut UserScope, entry: Entry<'_>) -> Result<()> {
    let caller = scope.caller().clone();
    let role = if scope.account().super_admin { Role::SuperAdmin } else { Role::Visitor };
    let (_, conn) = scope.elevate().await?;
    record_as(conn, PLATFORM, &caller, role, entry).await
}

/// Records an entry on a connection that may write to the chain: the platform's, or the school's own.
pub(crate) async fn record_as(
    conn: &mut PgConnection,
    tenant: Uuid,
    caller: &Caller,
    role: Role,
    entry: Entry<'_>,
) -> Result<()> {
    // seq and hashes are the trigger's; what is given here is replaced.
    sqlx::query!(
        "insert into audit (tenant_id, seq, at, actor_id, actor_role, impersonator_id, ip, action, entity, entity_id,
                            before, after, reason, prev_hash, hash)
         values ($1, 0, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', '')",
        tenant,
        caller.now.to_sqlx(),
        caller.user.map(|id| id.0),
        role.as_str(),
        caller.impersonator.map(|id| id.0),
        caller.origin.ip,
        entry.action,
        entry.entity,
        entry.entity_id,
        entry.before,
        entry.after,
        entry.reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}
