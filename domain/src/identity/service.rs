//! What other areas need of accounts: first passwords, ended sessions, the first super-admin; and setting a password by
//! a one-time link.

use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Email, Passwords,
    links::{self, Kind},
    sessions::{self, hash_token},
    throttle, users,
};
use crate::{
    Error, Instant, Result,
    audit::{self, Entry},
    authz::{Caller, PlatformScope, Role},
    db::{ActAs, Db},
    ids::{PLATFORM, UserId},
    notify::{self, Mail},
};

/// Someone who has just proved who they are.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The account.
    pub user: UserId,
    /// How long a session may rest, by the strongest role held (AC-02).
    pub idle: SignedDuration,
    /// How long a session may live at all.
    pub life: SignedDuration,
    /// Where to go when nothing else was asked for.
    pub home: String,
    /// Of the account's sessions, as it was when they proved it.
    pub epoch: i32,
}

/// Makes a link with which `user` sets a first password: the token, which is shown once and never stored.
///
/// # Errors
/// Of the database.
pub(crate) async fn password_link(scope: &mut PlatformScope, user: UserId) -> Result<String> {
    let now = scope.now();
    links::create(scope.conn(), Kind::FirstPassword, user.0, None, now).await
}

/// Sets a password by a one-time link, first or forgotten. All sessions of the account end, its second factor stays, and
/// its address is known to be theirs; if it wasn't before, what a stranger may have given with it is dropped. Of many tries
/// at once one succeeds.
///
/// # Errors
/// [`Error::Conflict`] when the link is used, expired or unknown; a field error for a weak password.
pub async fn set_password(
    db: &Db,
    passwords: &Passwords,
    caller: &Caller,
    token: &str,
    new: &SecretString,
) -> Result<()> {
    let now = caller.now;
    // Looked at first: a dead link says so before anyone thinks of a password, and costs no hashing.
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let owner = sqlx::query!(
        "select u.email, u.name from one_time_links l join users u on u.id = l.user_id
         where l.token_hash = $1 and l.kind in ('first_password', 'reset') and l.used_at is null and l.expires_at > $2
           and u.status = 'active' and u.deleted_at is null",
        &hash_token(token)[..],
        now.to_sqlx(),
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(links::gone)?;
    tx.commit().await?;
    errors_of(passwords.check_strength(new, vec![owner.email, owner.name]).await?)?;
    let hash = passwords.hash(new).await?;

    let mut tx = db.begin(ActAs::Platform, None).await?;
    let user = links::take(&mut tx, &[Kind::FirstPassword, Kind::Reset], token, now).await?.user;
    let row = sqlx::query!(
        r#"update users u set password_hash = $2, email_verified_at = coalesce(u.email_verified_at, $3), updated_at = $3,
               phone = case when old.verified then u.phone end,
               phone_index = case when old.verified then u.phone_index end,
               wish = null
           from (select id, password_hash is not null as had_one, email_verified_at is not null as verified
                 from users where id = $1 for no key update) old
           where u.id = old.id and u.status = 'active' and u.deleted_at is null
           returning u.email, u.name, u.super_admin, old.had_one as "had_one!""#,
        user,
        hash,
        now.to_sqlx(),
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(links::gone)?;
    // What else was sent to the same person is spent with it.
    links::spend_all(&mut tx, user, now).await?;
    sessions::end(&mut tx, user, None).await?;
    throttle::clear_account(&mut tx, user, now).await?;
    if row.had_one {
        let mail = Mail::PasswordChanged { name: row.name };
        notify::enqueue_account(&mut tx, db.vault(), now, &row.email, &mail, None).await?;
    }
    let action = if row.had_one { "auth.password_reset" } else { "auth.password_set" };
    record(&mut tx, caller, user, row.super_admin, action, (None, None)).await?;
    Ok(tx.commit().await?)
}

/// Makes a super-admin, or gives an existing account that rank and this password. Run by hand on the machine (AC-22).
///
/// # Errors
/// Field errors for a bad e-mail or a weak password.
pub async fn create_super_admin(
    db: &Db,
    passwords: &Passwords,
    email: &str,
    password: &SecretString,
    now: Instant,
) -> Result<()> {
    let email = Email::parse(email).map_err(|message| Error::field("email", message))?;
    errors_of(passwords.check_strength(password, vec![email.as_str().to_owned()]).await?)?;
    let hash = passwords.hash(password).await?;
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let user = sqlx::query_scalar!(
        "insert into users (id, email, email_verified_at, name, password_hash, super_admin, created_at, updated_at)
         values ($1, $2, $4, $5, $3, true, $4, $4)
         on conflict (email) where deleted_at is null
         do update set super_admin = true, password_hash = excluded.password_hash, status = 'active', updated_at = $4,
                       email_verified_at = coalesce(users.email_verified_at, $4)
         returning id",
        UserId::new(now).0,
        email.as_str(),
        hash,
        now.to_sqlx(),
        email.name(),
    )
    .fetch_one(&mut *tx)
    .await?;
    links::spend_all(&mut tx, user, now).await?;
    sessions::end(&mut tx, user, None).await?;
    let entry = Entry {
        action: "user.super_admin",
        entity: "user",
        entity_id: Some(user),
        before: None,
        after: Some(json!({ "email": email.as_str(), "super_admin": true })),
        reason: None,
    };
    audit::record_as(&mut tx, PLATFORM, &Caller::visitor(now), Role::SuperAdmin, entry).await?;
    Ok(tx.commit().await?)
}

/// Records that someone logs out, and that acting as someone ends with it. Of visitors there is nothing to record.
///
/// # Errors
/// Of the database.
pub async fn logged_out(db: &Db, caller: &Caller) -> Result<()> {
    let Some(user) = caller.user else { return Ok(()) };
    if caller.impersonator.is_some() {
        users::impersonation_ended(db, caller).await?;
    }
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let super_admin = sqlx::query_scalar!("select super_admin from users where id = $1", user.0)
        .fetch_optional(&mut *tx)
        .await?
        .unwrap_or(false);
    let role = if super_admin { Role::SuperAdmin } else { Role::Visitor };
    let entry = Entry {
        action: "auth.logout",
        entity: "user",
        entity_id: Some(user.0),
        before: None,
        after: None,
        reason: None,
    };
    audit::record_as(&mut tx, PLATFORM, caller, role, entry).await?;
    Ok(tx.commit().await?)
}

/// Records what an account did before or without a session, such as logging in or using a link. Comes last in a
/// transaction, like all that is recorded.
pub(super) async fn record(
    conn: &mut PgConnection,
    caller: &Caller,
    user: Uuid,
    super_admin: bool,
    action: &str,
    (before, after): (Option<Value>, Option<Value>),
) -> Result<()> {
    // Whoever's session the request came by: the one who acts is the one who has the password or the link.
    let caller = Caller { user: Some(UserId(user)), impersonator: None, ..caller.clone() };
    let role = if super_admin { Role::SuperAdmin } else { Role::Visitor };
    let entry = Entry { action, entity: "user", entity_id: Some(user), before, after, reason: None };
    audit::record_as(conn, PLATFORM, &caller, role, entry).await
}

fn errors_of(strength: Result<(), String>) -> Result<()> {
    strength.map_err(|message| Error::field("password", message))
}
