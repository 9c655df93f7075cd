//! Who did what to what, written in the transaction that does it (AU-01). The database chains the rows.

use jiff_sqlx::ToSqlx;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Result,
    authz::{Action, PlatformScope, Role, TenantScope},
    ids::TenantId,
};

/// One thing done.
#[derive(Debug)]
pub struct Entry<'a> {
    /// What.
    pub action: Action,
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
    let (actor, role, now) = (scope.actor().user, scope.actor().role, scope.now());
    let (tenant, conn) = scope.conn();
    insert(conn, tenant, (actor.map(|id| id.0), role), now, entry).await
}

/// Records what a super-admin did to a school.
///
/// # Errors
/// Of the database.
pub async fn record_platform(scope: &mut PlatformScope, tenant: TenantId, entry: Entry<'_>) -> Result<()> {
    let (actor, now) = (scope.account().id, scope.now());
    insert(scope.conn(), tenant.0, (Some(actor.0), Role::SuperAdmin), now, entry).await
}

async fn insert(
    conn: &mut sqlx::PgConnection,
    tenant: Uuid,
    (actor, role): (Option<Uuid>, Role),
    now: crate::Instant,
    entry: Entry<'_>,
) -> Result<()> {
    // seq and hashes are the trigger's; what is given here is replaced.
    sqlx::query!(
        "insert into audit (tenant_id, seq, at, actor_id, actor_role, action, entity, entity_id, before, after, reason, prev_hash, hash)
         values ($1, 0, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', '')",
        tenant,
        now.to_sqlx(),
        actor,
        role.as_str(),
        entry.action.as_str(),
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
