//! Coming in: what a session is to be, and who hears of it.

use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    attempts,
    links::{self, Kind},
    login::LOGIN_FAILED,
    service::{self, SignedIn},
};
use crate::{
    Error, Result,
    audit::{self, Entry},
    authz::{Caller, Role},
    db::{ActAs, Db},
    ids::{PLATFORM, UserId},
    notify::{self, Mail},
    vault::Vault,
};

/// What a session of this account is to be, by the strongest role it holds (AC-02).
///
/// # Errors
/// [`Error::NotFound`] for an account that may not log in.
pub async fn signed_in(db: &Db, user: UserId) -> Result<SignedIn> {
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let loaded = load(&mut tx, user.0, None).await?.ok_or(Error::NotFound)?;
    tx.commit().await?;
    Ok(loaded.signed_in)
}

/// An account that may log in.
#[derive(Debug)]
struct Loaded {
    signed_in: SignedIn,
    name: String,
    email: String,
    super_admin: bool,
}

/// `epoch` is the one seen when they proved who they are; without a proof it is today's.
async fn load(conn: &mut PgConnection, user: Uuid, epoch: Option<i32>) -> Result<Option<Loaded>> {
    let row = sqlx::query!(
        r#"select u.name, u.email, u.super_admin,
                  exists (select from memberships m where m.user_id = u.id and m.status = 'active'
                          and m.role in ('owner', 'staff')) as "runs!",
                  (select t.slug from memberships m join tenants t on t.id = m.tenant_id
                   where m.user_id = u.id and m.status = 'active' order by t.status, t.name limit 1) as slug,
                  coalesce($2::int, (select e.epoch from session_epochs e where e.user_id = u.id), 0) as "epoch!"
           from users u
           where u.id = $1 and u.status = 'active' and u.deleted_at is null and u.email_verified_at is not null"#,
        user,
        epoch,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let (idle, life) = times(row.super_admin, row.runs);
        let home = match row.slug {
            _ if row.super_admin => "/admin".into(),
            Some(slug) => format!("/t/{slug}"),
            None => "/account".into(),
        };
        Loaded {
            signed_in: SignedIn { user: UserId(user), idle, life, home, epoch: row.epoch },
            name: row.name,
            email: row.email,
            super_admin: row.super_admin,
        }
    }))
}

/// How long a session may rest and live.
fn times(super_admin: bool, runs_a_school: bool) -> (SignedDuration, SignedDuration) {
    let short = super_admin || runs_a_school;
    let idle = if short { SignedDuration::from_mins(30) } else { SignedDuration::from_hours(7 * 24) };
    let life = SignedDuration::from_hours(if super_admin { 12 } else { 30 * 24 });
    (idle, life)
}

/// Writes down that someone came in, and tells them when it was from somewhere new. The epoch is of the row in which their
/// proof was found right: whatever ended the sessions since then ends this one too. Comes last in a transaction.
pub(super) async fn let_in(
    conn: &mut PgConnection,
    vault: &Vault,
    caller: &Caller,
    (user, epoch): (Uuid, i32),
    way: &str,
) -> Result<SignedIn> {
    let loaded = load(conn, user, Some(epoch)).await?.ok_or(Error::Unauthorized(LOGIN_FAILED))?;
    // The very first login is nothing to warn of.
    let strange = sqlx::query_scalar!(
        r#"select exists (select from login_attempts where user_id = $1 and ok)
                  and not exists (select from login_attempts where user_id = $1 and ok and device = $2 and ip = $3
                                  and at > $4::timestamptz - interval '90 days') as "strange!""#,
        user,
        caller.origin.device,
        caller.origin.ip,
        caller.now.to_sqlx(),
    )
    .fetch_one(&mut *conn)
    .await?;
    attempts::record(conn, Some(user), caller, true, way).await?;
    if strange {
        let mail = Mail::NewLogin {
            name: loaded.name,
            device: caller.origin.device.clone(),
            ip: caller.origin.ip.clone(),
            at: caller.now,
        };
        notify::enqueue_account(conn, vault, caller.now, &loaded.email, &mail, None).await?;
    }
    let how = json!({ "by": way, "device": caller.origin.device });
    service::record(conn, caller, user, loaded.super_admin, "auth.login", (None, Some(how))).await?;
    Ok(loaded.signed_in)
}

/// Records a lock, and sends the account's owner a link that opens it, three times a day at most.
pub(super) async fn locked(
    conn: &mut PgConnection,
    vault: &Vault,
    caller: &Caller,
    user: Uuid,
) -> Result<()> {
    let row = sqlx::query!(
        r#"select name, email, email_verified_at is not null as "verified!" from users where id = $1"#,
        user,
    )
    .fetch_one(&mut *conn)
    .await?;
    // Who has never been let in isn't kept out; the link would be the first proof of an address.
    // Counted without a lock: the one try that locks is one already.
    if row.verified && links::has_room(conn, Kind::Unlock, user, caller.now).await? {
        let token = links::create(conn, Kind::Unlock, user, None, caller.now).await?;
        let mail = Mail::Locked { name: row.name };
        notify::enqueue_account(conn, vault, caller.now, &row.email, &mail, Some(&token)).await?;
    }
    record_lock(conn, caller, user).await
}

/// Records that an account is locked for a while.
pub(super) async fn record_lock(conn: &mut PgConnection, caller: &Caller, user: Uuid) -> Result<()> {
    // The one who guesses isn't the account.
    let stranger = Caller { user: None, impersonator: None, ..caller.clone() };
    let entry = Entry {
        action: "auth.locked",
        entity: "user",
        entity_id: Some(user),
        before: None,
        after: None,
        reason: None,
    };
    audit::record_as(conn, PLATFORM, &stranger, Role::Visitor, entry).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_as_long_as_the_strongest_role_allows() {
        let hours = |(idle, life): (SignedDuration, SignedDuration)| (idle.as_mins(), life.as_hours());
        assert_eq!(hours(times(false, false)), (7 * 24 * 60, 30 * 24));
        assert_eq!(hours(times(false, true)), (30, 30 * 24));
        assert_eq!(hours(times(true, false)), (30, 12));
        assert_eq!(hours(times(true, true)), (30, 12));
    }
}
