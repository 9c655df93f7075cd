//! Signing in, one's own account, and first passwords.

use jiff::{SignedDuration, ToSpan};
use jiff_sqlx::ToSqlx;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use super::{Email, Passwords, PersonName, Phone};
use crate::{
    Error, FieldErrors, Instant, Result,
    authz::{PlatformScope, UserScope},
    db::{ActAs, Db},
    ids::UserId,
};

/// The one answer to every failed login.
pub const LOGIN_FAILED: &str = "E-mail, phone or password is not right.";
/// A link to set a first password lives this long.
const LINK_LIFE_HOURS: i64 = 72;

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
}

/// Checks e-mail or phone, and password. One message and the same work for every failure (AC-01).
///
/// # Errors
/// [`Error::Unauthorized`] with [`LOGIN_FAILED`].
pub async fn login(db: &Db, passwords: &Passwords, login: &str, password: &SecretString) -> Result<SignedIn> {
    let login = login.trim();
    let email = Email::parse(login).ok();
    let phone = Phone::parse(login).ok();
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let found = sqlx::query!(
        r#"select u.id, u.password_hash, u.super_admin,
                  exists (select from memberships m where m.user_id = u.id and m.status = 'active'
                          and m.role in ('owner', 'staff')) as "runs!",
                  (select t.slug from memberships m join tenants t on t.id = m.tenant_id
                   where m.user_id = u.id and m.status = 'active' order by t.status, t.name limit 1) as slug
           from users u
           where (u.email = $1 or u.phone = $2) and u.status = 'active' and u.deleted_at is null
           order by u.email = $1 desc nulls last limit 1"#,
        email.as_ref().map(Email::as_str),
        phone.as_ref().map(Phone::as_str),
    )
    .fetch_optional(&mut *tx)
    .await?;
    // The connection goes back before the slow part: hashing must not hold one.
    tx.commit().await?;
    let stored = found.as_ref().and_then(|row| row.password_hash.clone());
    let right = passwords.verify(password, stored).await?;
    match found {
        Some(row) if right => {
            let short = row.super_admin || row.runs;
            Ok(SignedIn {
                user: UserId(row.id),
                idle: if short { SignedDuration::from_mins(30) } else { SignedDuration::from_hours(7 * 24) },
                life: SignedDuration::from_hours(if row.super_admin { 12 } else { 30 * 24 }),
                home: match row.slug {
                    _ if row.super_admin => "/admin".into(),
                    Some(slug) => format!("/t/{slug}"),
                    None => "/account".into(),
                },
            })
        }
        _ => Err(Error::Unauthorized(LOGIN_FAILED)),
    }
}

/// Changes one's own name.
///
/// # Errors
/// A field error for a bad name.
pub async fn update_name(scope: &mut UserScope, name: &str) -> Result<()> {
    let name = PersonName::parse(name).map_err(|message| Error::field("name", message))?;
    let now = scope.now();
    let (user, conn) = scope.conn();
    sqlx::query!(
        "update users set name = $2, updated_at = $3 where id = $1",
        user,
        name.as_str(),
        now.to_sqlx()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Changes one's own password and ends every other session of the account (AC-03).
///
/// The scope is opened twice, so that no connection is held while hashing.
///
/// # Errors
/// Field errors for a wrong current or a weak new password.
pub async fn change_password(
    db: &Db,
    passwords: &Passwords,
    user: Option<UserId>,
    (current, new): (&SecretString, &SecretString),
    keep: &super::sessions::TokenHash,
    now: Instant,
) -> Result<()> {
    let mut scope = UserScope::enter(db, user, now).await?;
    let about = vec![scope.account().email.clone(), scope.account().name.clone()];
    let (id, conn) = scope.conn();
    let stored =
        sqlx::query_scalar!("select password_hash from users where id = $1", id).fetch_one(conn).await?;
    scope.commit().await?;

    let mut errors = FieldErrors::new();
    if !passwords.verify(current, stored.clone()).await? {
        errors.add("current", "This is not your current password.");
    }
    errors.check("password", passwords.check_strength(new, about).await?);
    errors.finish()?;
    let hash = passwords.hash(new).await?;

    let mut scope = UserScope::enter(db, user, now).await?;
    let (id, conn) = scope.conn();
    // Only if it is still the password that was checked: two changes at once must not both win.
    let done = sqlx::query!(
        "update users set password_hash = $2, updated_at = $3 where id = $1 and password_hash is not distinct from $4",
        id, hash, now.to_sqlx(), stored
    )
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Error::Conflict("The password was changed at the same moment. Try again.".into()));
    }
    sqlx::query!("delete from sessions where user_id = $1 and token_hash <> $2", id, &keep[..])
        .execute(conn)
        .await?;
    scope.commit().await
}

/// Makes a link with which `user` sets a first password: the token, which is shown once and never stored.
///
/// # Errors
/// Of the database.
pub(crate) async fn password_link(scope: &mut PlatformScope, user: UserId) -> Result<String> {
    let token = random_token();
    let now = scope.now();
    let expires = now.checked_add(LINK_LIFE_HOURS.hours()).map_err(Error::internal)?;
    sqlx::query!(
        "insert into password_links (token_hash, user_id, created_at, expires_at) values ($1, $2, $3, $4)",
        &hash(&token)[..],
        user.0,
        now.to_sqlx(),
        expires.to_sqlx(),
    )
    .execute(scope.conn())
    .await?;
    Ok(token)
}

/// Sets a password by a one-time link; the account's other sessions end. Of many tries at once one succeeds.
///
/// # Errors
/// [`Error::Conflict`] when the link is used, expired or unknown; a field error for a weak password.
pub async fn set_password(
    db: &Db,
    passwords: &Passwords,
    token: &str,
    new: &SecretString,
    now: Instant,
) -> Result<()> {
    errors_of(passwords.check_strength(new, Vec::new()).await?)?;
    let new_hash = passwords.hash(new).await?;
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let user = sqlx::query_scalar!(
        "update password_links set used_at = $2 where token_hash = $1 and used_at is null and expires_at > $2 returning user_id",
        &hash(token)[..],
        now.to_sqlx(),
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| Error::Conflict("This link has been used or has expired. Ask for a new one.".into()))?;
    sqlx::query!(
        "update users set password_hash = $2, updated_at = $3 where id = $1",
        user,
        new_hash,
        now.to_sqlx()
    )
    .execute(&mut *tx)
    .await?;
    // What else was sent to the same person is spent with it.
    sqlx::query!(
        "update password_links set used_at = $2 where user_id = $1 and used_at is null",
        user,
        now.to_sqlx()
    )
    .execute(&mut *tx)
    .await?;
    end_sessions(&mut tx, UserId(user)).await?;
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
        "insert into users (id, email, name, password_hash, super_admin, created_at, updated_at)
         values ($1, $2, $5, $3, true, $4, $4)
         on conflict (email) where deleted_at is null
         do update set super_admin = true, password_hash = excluded.password_hash, status = 'active', updated_at = $4
         returning id",
        UserId::new(now).0,
        email.as_str(),
        hash,
        now.to_sqlx(),
        email.name(),
    )
    .fetch_one(&mut *tx)
    .await?;
    end_sessions(&mut tx, UserId(user)).await?;
    Ok(tx.commit().await?)
}

/// Ends every session of an account: its password or its rank has changed.
pub(crate) async fn end_sessions(conn: &mut sqlx::PgConnection, user: UserId) -> Result<()> {
    sqlx::query!("delete from sessions where user_id = $1", user.0).execute(conn).await?;
    Ok(())
}

fn errors_of(strength: Result<(), String>) -> Result<()> {
    strength.map_err(|message| Error::field("password", message))
}

/// 256 random bits, in hexadecimal.
fn random_token() -> String {
    rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
