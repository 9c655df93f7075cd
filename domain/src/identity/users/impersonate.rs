//! A super-admin acts as someone else, to see what they see (TN-12): with a reason, on record, and never as another
//! super-admin.

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Error, Result,
    audit::{self, Entry},
    authz::{Caller, PlatformScope, Proof, Role},
    db::{ActAs, Db},
    ids::{PLATFORM, UserId},
    tenancy::parse_reason,
};

/// As whom a super-admin acts from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The account.
    pub user: UserId,
    /// Their name, for the banner.
    pub name: String,
}

/// Lets a super-admin act as an account; the session for it is the caller's to begin, once this is committed.
///
/// # Errors
/// [`Error::Conflict`] for a super-admin and for an account that can't be used; a field error without a reason.
pub async fn impersonate(scope: &mut PlatformScope, _: &Proof, user: UserId, reason: &str) -> Result<Target> {
    let reason = parse_reason(reason)?;
    // Held, so that nobody is made a super-admin meanwhile.
    let row = sqlx::query!(
        r#"select name, super_admin, email_verified_at is not null as "verified!",
                  (status = 'active' and deleted_at is null) as "usable!"
           from users where id = $1 for share"#,
        user.0
    )
    .fetch_optional(scope.conn())
    .await?
    .ok_or(Error::NotFound)?;
    if row.super_admin {
        return Err(Error::Conflict("Nobody acts as another super-admin.".into()));
    }
    if !row.usable {
        return Err(Error::Conflict("This account can't be used now. Restore or enable it first.".into()));
    }
    if !row.verified {
        return Err(Error::Conflict(
            "This account hasn't been verified, so there is nothing to see yet.".into(),
        ));
    }
    let caller = scope.caller().clone();
    let after = json!({ "name": row.name });
    record(scope.conn(), &caller, "user.impersonate", user, (Some(after), Some(reason.as_str()))).await?;
    Ok(Target { user, name: row.name })
}

/// Records that a super-admin no longer acts as someone; `caller` is as in the session that ends.
///
/// # Errors
/// [`Error::Conflict`] when nobody acts as anyone.
pub async fn impersonation_ended(db: &Db, caller: &Caller) -> Result<()> {
    let (Some(admin), Some(user)) = (caller.impersonator, caller.user) else {
        return Err(Error::Conflict("You act as yourself.".into()));
    };
    let actor = Caller { user: Some(admin), impersonator: None, ..caller.clone() };
    let mut tx = db.begin(ActAs::Platform, None).await?;
    record(&mut tx, &actor, "user.impersonate_stop", user, (None, None)).await?;
    Ok(tx.commit().await?)
}

/// Writes into the platform's chain and into that of each school they belong to, in the order of ids, so that two such
/// acts can't wait for each other.
async fn record(
    conn: &mut PgConnection,
    caller: &Caller,
    action: &str,
    user: UserId,
    (after, reason): (Option<serde_json::Value>, Option<&str>),
) -> Result<()> {
    let schools: Vec<Uuid> = sqlx::query_scalar!(
        "select tenant_id from memberships where user_id = $1 and status = 'active' order by tenant_id",
        user.0
    )
    .fetch_all(&mut *conn)
    .await?;
    for chain in [PLATFORM].into_iter().chain(schools) {
        let entry = Entry {
            action,
            entity: "user",
            entity_id: Some(user.0),
            before: None,
            after: after.clone(),
            reason,
        };
        audit::record_as(conn, chain, caller, Role::SuperAdmin, entry).await?;
    }
    Ok(())
}
