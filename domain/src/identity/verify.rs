//! Showing that the address of a new account is one's own (AC-08).
//!
//! The link proves the mailbox, the password that it was registered by its owner: else whoever registers someone's address
//! before them would have a password to the account that the owner opens.

use jiff_sqlx::ToSqlx;
use secrecy::SecretString;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Passwords, Phone, attempts,
    entry::record_lock,
    join::{self, Joined, Member, OpenSchool},
    links::{self, Kind},
    service,
    sessions::hash_token,
    throttle::{self, After, LOCK_AT, Turn},
};
use crate::{
    Error, Result,
    authz::Caller,
    db::{ActAs, Db},
    ids::UserId,
    vault::Vault,
};

/// The answer to another password than the one that was registered.
const NOT_REGISTERED: &str =
    "This is not the password that was registered. If you didn't choose it, set a new one.";

/// An account whose address is to be verified.
#[derive(Debug)]
struct Waiting {
    user: Uuid,
    hash: Option<String>,
    /// Which failure in a row it would be.
    nth: i32,
}

/// An account whose address has just been verified, as far as a school wants to know of it.
#[derive(Debug)]
struct Verified {
    name: String,
    email: String,
    phone: Option<String>,
    super_admin: bool,
    /// The school that was asked for.
    school: Option<String>,
    teaches: bool,
}

/// Verifies an address by its link and the password it was registered with: from now on the account can log in. The school
/// that was asked for is joined, if it still takes people by themselves.
///
/// # Errors
/// [`Error::Conflict`] when the link is used, expired or unknown; a field error for another password, which leaves the link
/// as it is; [`Error::TooMany`] after several of those.
pub async fn verify(
    db: &Db,
    passwords: &Passwords,
    caller: &Caller,
    token: &str,
    password: &SecretString,
) -> Result<Option<Joined>> {
    let now = caller.now;
    let Waiting { user, hash, nth } = begin_try(db, caller, token).await?;
    // No connection is held while hashing.
    let right = passwords.verify(password, hash.clone()).await?;

    let mut tx = db.begin(ActAs::Platform, None).await?;
    if !right {
        attempts::record(&mut tx, Some(user), caller, false, "password").await?;
        if nth == LOCK_AT {
            record_lock(&mut tx, caller, user).await?;
        }
        tx.commit().await?;
        return Err(Error::field("password", NOT_REGISTERED));
    }
    links::take(&mut tx, &[Kind::Verify], token, now).await?;
    let account = sqlx::query_as!(
        Verified,
        r#"update users u set email_verified_at = coalesce(u.email_verified_at, $2), wish = null, updated_at = $2
           from (select id, wish from users where id = $1 for no key update) old
           where u.id = old.id and u.status = 'active' and u.deleted_at is null and u.password_hash is not distinct from $3
           returning u.name, u.email, u.phone, u.super_admin, old.wish->>'school' as school,
                     coalesce((old.wish->>'teaches')::bool, false) as "teaches!""#,
        user,
        now.to_sqlx(),
        hash,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(links::gone)?;
    links::spend(&mut tx, Kind::Verify, user, now).await?;
    throttle::clear(&mut tx, &[throttle::proof(user)]).await?;
    let joined = join_wish(&mut tx, db.vault(), caller, user, &account).await?;
    tx.commit().await?;
    Ok(joined)
}

/// Finds the account behind a link and counts the try.
async fn begin_try(db: &Db, caller: &Caller, token: &str) -> Result<Waiting> {
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let row = sqlx::query!(
        "select u.id, u.password_hash from one_time_links l join users u on u.id = l.user_id
         where l.token_hash = $1 and l.kind = 'verify' and l.used_at is null and l.expires_at > $2
           and u.status = 'active' and u.deleted_at is null",
        &hash_token(token)[..],
        caller.now.to_sqlx(),
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(links::gone)?;
    let turn = throttle::reserve(&mut tx, &throttle::proof(row.id), caller.now, After::Forgive).await?;
    if let Turn::Blocked(_) = turn {
        attempts::record(&mut tx, Some(row.id), caller, false, "throttled").await?;
    }
    tx.commit().await?;
    match turn {
        Turn::Taken(nth) => Ok(Waiting { user: row.id, hash: row.password_hash, nth }),
        Turn::Blocked(seconds) => Err(throttle::too_many(seconds)),
    }
}

/// Joins the school that was asked for, and records all of it: the platform's chain first, then the school's, as everywhere.
/// A school that is closed by now, or knows the account already, is passed over in silence.
async fn join_wish(
    conn: &mut PgConnection,
    vault: &Vault,
    caller: &Caller,
    user: Uuid,
    account: &Verified,
) -> Result<Option<Joined>> {
    let phone = vault.open_some("users.phone", user, account.phone.clone())?;
    let phone = phone.and_then(|phone| Phone::parse(&phone).ok());
    let member = Member {
        user,
        name: &account.name,
        email: &account.email,
        phone: phone.as_ref(),
        teaches: account.teaches,
    };
    let school = free_school(conn, account.school.as_deref(), user).await?;
    if let Some(school) = &school {
        join::add(conn, vault, caller.now, school, &member).await?;
    }
    service::record(conn, caller, user, account.super_admin, "auth.verify", (None, None)).await?;
    let Some(school) = school else {
        return Ok(None);
    };
    let caller = Caller { user: Some(UserId(user)), impersonator: None, ..caller.clone() };
    join::record(conn, &caller, &school, &member).await?;
    Ok(Some(Joined { tenant_name: school.name, pending: account.teaches }))
}

/// The school that was asked for, if it can be joined now.
async fn free_school(conn: &mut PgConnection, slug: Option<&str>, user: Uuid) -> Result<Option<OpenSchool>> {
    let Some(slug) = slug else { return Ok(None) };
    let Some(school) = join::hold_open(conn, slug).await? else { return Ok(None) };
    Ok(if join::known(conn, &school, user).await?.is_none() { Some(school) } else { None })
}
