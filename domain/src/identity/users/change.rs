//! What the platform does to an account, each with a reason that its record keeps (TN-03).

use jiff_sqlx::ToSqlx;
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::AccountStatus;
use crate::{
    Error, FieldErrors, Instant, Result,
    audit::{self, Entry},
    authz::{PlatformScope, Proof},
    identity::{Email, PersonName, links, sessions},
    ids::{PLATFORM, UserId},
    notify::{self, Mail},
    tenancy::{difference, parse_reason},
};

/// What the platform may change of an account, as typed.
#[derive(Clone, Copy, Debug)]
pub struct UserUpdate<'a> {
    /// Name.
    pub name: &'a str,
    /// E-mail.
    pub email: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// Changes name and e-mail. A new address takes over from the old one at once: sessions end, open links die, and the old
/// address is told.
///
/// # Errors
/// Field errors, among them an address that another account has; [`Error::Conflict`] for a deleted account;
/// [`Error::Forbidden`] for another super-admin's address, by which one could become them.
pub async fn update(scope: &mut PlatformScope, _: &Proof, id: UserId, typed: UserUpdate<'_>) -> Result<()> {
    let mut errors = FieldErrors::new();
    let name = errors.check("name", PersonName::parse(typed.name));
    let email = errors.check("email", Email::parse(typed.email));
    let reason = errors.take(parse_reason(typed.reason))?;
    let (Some(name), Some(email), Some(reason)) = (name, email, reason) else {
        return Err(Error::Invalid(errors));
    };
    let user = lock(scope, id).await?;
    if user.status == AccountStatus::Deleted {
        return Err(Error::Conflict("This account is deleted. Restore it first.".into()));
    }
    let (moved, myself) = (user.email != email.as_str(), scope.account().id == id);
    if moved && user.super_admin && !myself {
        return Err(Error::Forbidden("Only they can change a super-admin's e-mail, in their own account."));
    }
    let before = json!({ "name": user.name, "email": user.email });
    let after = json!({ "name": name.as_str(), "email": email.as_str() });
    let Some((before, after)) = difference(before, after) else {
        return Ok(());
    };
    let now = scope.now();
    sqlx::query!(
        "update users set name = $2, email = $3, updated_at = $4 where id = $1",
        id.0,
        name.as_str(),
        email.as_str(),
        now.to_sqlx(),
    )
    .execute(scope.conn())
    .await?;
    if moved {
        let keep = scope.caller().session.filter(|_| myself);
        sessions::end(scope.conn(), id.0, keep.as_ref()).await?;
        links::spend_all(scope.conn(), id.0, now).await?;
        let vault = scope.vault().clone();
        let mail = Mail::EmailChanged { name: name.as_str().to_owned(), email: email.as_str().to_owned() };
        notify::enqueue_account(scope.conn(), &vault, now, &user.email, &mail, None).await?;
    }
    record(scope, PLATFORM, "user.update", id, (before, after), &reason).await
}

/// Switches an account off: its sessions end. Says its name.
///
/// # Errors
/// [`Error::Conflict`] for oneself, for the last owner of a school and for the last super-admin; a field error without a
/// reason.
pub async fn disable(scope: &mut PlatformScope, id: UserId, reason: &str) -> Result<String> {
    if scope.account().id == id {
        return Err(Error::Conflict("You can't disable yourself. Another super-admin can.".into()));
    }
    switch(scope, id, "user.disable", AccountStatus::Disabled, reason).await
}

/// Switches an account on again. Says its name.
///
/// # Errors
/// [`Error::Conflict`] when it isn't disabled; a field error without a reason.
pub async fn enable(scope: &mut PlatformScope, id: UserId, reason: &str) -> Result<String> {
    switch(scope, id, "user.enable", AccountStatus::Active, reason).await
}

async fn switch(
    scope: &mut PlatformScope,
    id: UserId,
    action: &str,
    to: AccountStatus,
    reason: &str,
) -> Result<String> {
    let reason = parse_reason(reason)?;
    let user = lock(scope, id).await?;
    if user.status == AccountStatus::Deleted {
        return Err(Error::Conflict("This account is deleted. Restore it first.".into()));
    }
    check(user.status, to)?;
    let now = scope.now();
    sqlx::query!(
        "update users set status = $2, updated_at = $3 where id = $1",
        id.0,
        to.as_str(),
        now.to_sqlx()
    )
    .execute(scope.conn())
    .await?;
    sessions::end(scope.conn(), id.0, None).await?;
    let change = (status(user.status), status(to));
    record(scope, PLATFORM, action, id, change, &reason).await?;
    Ok(user.name)
}

/// Deletes an account: its sessions end, and it belongs to no school any more. Its address is free for another account.
/// All of it can be brought back, but for applications to teach. Says its name.
///
/// # Errors
/// [`Error::Conflict`] for oneself, for the last owner of a school and for the last super-admin; a field error without a
/// reason.
pub async fn delete(scope: &mut PlatformScope, id: UserId, reason: &str) -> Result<String> {
    let reason = parse_reason(reason)?;
    if scope.account().id == id {
        return Err(Error::Conflict("You can't delete yourself. Another super-admin can.".into()));
    }
    let user = lock(scope, id).await?;
    check(user.status, AccountStatus::Deleted)?;
    let now = scope.now();
    // Memberships before the account, whose trigger queues with others who change owners: those hold memberships by then.
    sqlx::query!(
        "select tenant_id from memberships where user_id = $1 order by tenant_id, user_id for no key update",
        id.0
    )
    .fetch_all(scope.conn())
    .await?;
    sqlx::query!("update users set deleted_at = $2, updated_at = $2 where id = $1", id.0, now.to_sqlx())
        .execute(scope.conn())
        .await?;
    sessions::end(scope.conn(), id.0, None).await?;
    links::spend_all(scope.conn(), id.0, now).await?;
    let schools = leave(scope.conn(), id, now).await?;
    let change = (status(user.status), status(AccountStatus::Deleted));
    record(scope, PLATFORM, "user.delete", id, change, &reason).await?;
    record_schools(scope, "user.delete", id, schools, &reason).await?;
    Ok(user.name)
}

/// Brings a deleted account back as it was, and into the schools that its deletion took it out of. Says its name.
///
/// # Errors
/// [`Error::Conflict`] when it isn't deleted, when another account has its address by now, and when a school has no seat
/// left; a field error without a reason.
pub async fn restore(scope: &mut PlatformScope, id: UserId, reason: &str) -> Result<String> {
    let reason = parse_reason(reason)?;
    let user = lock(scope, id).await?;
    if user.status != AccountStatus::Deleted {
        return Err(Error::Conflict(format!("This account is {}, not deleted.", user.status.as_str())));
    }
    check(user.status, user.before)?;
    let now = scope.now();
    sqlx::query!("update users set deleted_at = null, updated_at = $2 where id = $1", id.0, now.to_sqlx())
        .execute(scope.conn())
        .await
        .map_err(|error| match Error::from(error) {
            // There is no field to mend beside this button.
            Error::Invalid(_) => {
                let message =
                    format!("Another account has the address {} by now. Change that one first.", user.email);
                Error::Conflict(message)
            }
            other => other,
        })?;
    let schools = come_back(scope.conn(), id, now).await?;
    let change = (status(AccountStatus::Deleted), status(user.before));
    record(scope, PLATFORM, "user.restore", id, change, &reason).await?;
    record_schools(scope, "user.restore", id, schools, &reason).await?;
    Ok(user.name)
}

/// A school in which a membership changed, and its status before and after.
type Changed = (Uuid, String, String);

/// Ends the memberships of an account that is deleted, marked so that its restoration finds them. An application isn't
/// marked: to come back from one as a member would skip the school's answer.
async fn leave(conn: &mut PgConnection, id: UserId, now: Instant) -> Result<Vec<Changed>> {
    let rows = sqlx::query!(
        r#"update memberships m set status = 'revoked', disabled_by_tenant = false, updated_at = $2,
               revoked_with_user = old.status <> 'pending', turned_down = old.status = 'pending'
           from (select tenant_id, status from memberships where user_id = $1 and status <> 'revoked'
                 order by tenant_id for no key update) old
           where m.user_id = $1 and m.tenant_id = old.tenant_id
           returning m.tenant_id, old.status as "before!""#,
        id.0,
        now.to_sqlx(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.tenant_id, row.before, "revoked".to_owned())).collect())
}

/// Brings back what [`leave`] ended. In a school that has been deleted meanwhile it waits for the school's restoration.
async fn come_back(conn: &mut PgConnection, id: UserId, now: Instant) -> Result<Vec<Changed>> {
    let rows = sqlx::query!(
        r#"update memberships m set status = case when t.status = 'deleted' then 'disabled' else 'active' end,
               disabled_by_tenant = t.status = 'deleted', revoked_with_user = false, updated_at = $2
           from (select id, status from tenants
                 where id in (select tenant_id from memberships where user_id = $1 and revoked_with_user)
                 order by id for share) t
           where m.user_id = $1 and m.tenant_id = t.id and m.revoked_with_user
           returning m.tenant_id, m.status"#,
        id.0,
        now.to_sqlx(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.tenant_id, "revoked".to_owned(), row.status)).collect())
}

/// An account whose row is held until the end of the transaction.
struct Locked {
    name: String,
    email: String,
    super_admin: bool,
    status: AccountStatus,
    /// What a deleted one goes back to.
    before: AccountStatus,
}

async fn lock(scope: &mut PlatformScope, id: UserId) -> Result<Locked> {
    let row = sqlx::query!(
        r#"select name, email, super_admin, status, deleted_at is not null as "deleted!"
           from users where id = $1 for no key update"#,
        id.0
    )
    .fetch_optional(scope.conn())
    .await?
    .ok_or(Error::NotFound)?;
    Ok(Locked {
        name: row.name,
        email: row.email,
        super_admin: row.super_admin,
        status: AccountStatus::stored(&row.status, row.deleted)?,
        before: AccountStatus::stored(&row.status, false)?,
    })
}

fn check(from: AccountStatus, to: AccountStatus) -> Result<()> {
    if from == to {
        Err(Error::Conflict(format!("This account is {} already.", from.as_str())))
    } else if from.may_become(to) {
        Ok(())
    } else {
        Err(Error::Conflict(format!("An account that is {} can't become {}.", from.as_str(), to.as_str())))
    }
}

fn status(status: AccountStatus) -> Value {
    json!({ "status": status.as_str() })
}

async fn record(
    scope: &mut PlatformScope,
    chain: Uuid,
    action: &str,
    id: UserId,
    (before, after): (Value, Value),
    reason: &str,
) -> Result<()> {
    let entry = Entry {
        action,
        entity: if chain == PLATFORM { "user" } else { "member" },
        entity_id: Some(id.0),
        before: Some(before),
        after: Some(after),
        reason: Some(reason),
    };
    audit::record_platform(scope, chain, entry).await
}

/// Writes into each school's chain what became of its member; in the order of ids, so that two such acts can't wait for
/// each other.
async fn record_schools(
    scope: &mut PlatformScope,
    action: &str,
    id: UserId,
    mut schools: Vec<Changed>,
    reason: &str,
) -> Result<()> {
    schools.sort_unstable();
    for (school, before, after) in schools {
        let change = (json!({ "status": before }), json!({ "status": after }));
        record(scope, school, action, id, change, reason).await?;
    }
    Ok(())
}
