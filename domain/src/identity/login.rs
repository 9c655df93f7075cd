//! Logging in: password, then the code where there is a second factor; and proving it again (AC-01, AC-10, AC-14, AC-24).

use secrecy::SecretString;
use sqlx::PgConnection;
use uuid::Uuid;

pub use super::entry::signed_in;
use super::{
    Email, Passwords, Phone,
    account::in_person,
    attempts,
    entry::{let_in, locked, record_lock},
    pace::Pace,
    register,
    service::SignedIn,
    throttle::{self, After, Key, LOCK_AT, Turn},
    totp,
};
use crate::{
    Error, Result,
    authz::Caller,
    db::{ActAs, Db},
    ids::UserId,
    vault::Vault,
};

/// The one answer to every failed login.
pub const LOGIN_FAILED: &str =
    "E-mail, phone or password is not right, or the e-mail address isn't verified yet.";
/// The answer to a wrong or used code.
pub const CODE_FAILED: &str = "This code is not right or has been used. Wait for the next one.";
/// The answer to a code that comes too late: the password doesn't count any more.
pub const OVER: &str = "The time for the code is over. Log in again.";

/// How far a login has come.
#[derive(Clone, Debug)]
pub enum Step {
    /// All the way.
    In(SignedIn),
    /// The account has a second factor, and its code is still to come; with the epoch of its sessions.
    CodeNeeded(UserId, i32),
}

/// An account that what was typed may mean.
#[derive(Debug)]
struct Known {
    id: Uuid,
    hash: Option<String>,
    active: bool,
}

/// What is known of a try before its password is checked.
#[derive(Debug)]
struct Try {
    known: Option<Known>,
    /// What was typed, then whose it is.
    keys: [Key; 2],
    /// Which failure in a row of the account it would be; none when the account is blocked.
    nth: Option<i32>,
}

/// Checks e-mail or phone, and password. One message, the same work and the same time for every failure.
///
/// # Errors
/// [`Error::Unauthorized`] with [`LOGIN_FAILED`]; [`Error::TooMany`] after several failures.
pub async fn login(
    db: &Db,
    passwords: &Passwords,
    caller: &Caller,
    login: &str,
    password: &SecretString,
) -> Result<Step> {
    let pace = Pace::begin();
    let step = check_password(db, passwords, caller, login, password).await;
    if step.is_err() {
        pace.end().await;
    }
    step
}

async fn check_password(
    db: &Db,
    passwords: &Passwords,
    caller: &Caller,
    login: &str,
    password: &SecretString,
) -> Result<Step> {
    let one = begin_try(db, caller, login).await?;
    let open = one.known.as_ref().filter(|known| known.active);
    // No connection is held while hashing.
    let stored = open.filter(|_| one.nth.is_some()).and_then(|known| known.hash.clone());
    let right = passwords.verify(password, stored.clone()).await?;

    let mut tx = db.begin(ActAs::Platform, None).await?;
    let (Some(known), true) = (open, right) else {
        let reason = match (&one.known, one.nth) {
            (None, _) => "unknown",
            (Some(known), _) if !known.active => "disabled",
            (_, None) => "throttled",
            _ => "password",
        };
        attempts::record(&mut tx, one.known.as_ref().map(|known| known.id), caller, false, reason).await?;
        if let (Some(known), Some(LOCK_AT)) = (open, one.nth) {
            locked(&mut tx, db.vault(), caller, known.id).await?;
        }
        tx.commit().await?;
        return Err(Error::Unauthorized(LOGIN_FAILED));
    };
    // As it is now: hashing takes a while, and the password may have been changed meanwhile.
    let account = sqlx::query!(
        r#"select name, email, email_verified_at is not null as "verified!", has_code(id) as "has_code!",
                  coalesce((select e.epoch from session_epochs e where e.user_id = users.id), 0) as "epoch!"
           from users
           where id = $1 and status = 'active' and deleted_at is null and password_hash is not distinct from $2"#,
        known.id,
        stored,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::Unauthorized(LOGIN_FAILED))?;
    if !account.verified {
        attempts::record(&mut tx, Some(known.id), caller, false, "unverified").await?;
        register::send_verify(&mut tx, db.vault(), caller.now, known.id, &account.email, account.name)
            .await?;
        tx.commit().await?;
        return Err(Error::Unauthorized(LOGIN_FAILED));
    }
    throttle::clear(&mut tx, &one.keys).await?;
    let step = if account.has_code {
        Step::CodeNeeded(UserId(known.id), account.epoch)
    } else {
        Step::In(let_in(&mut tx, db.vault(), caller, (known.id, account.epoch), "password").await?)
    };
    tx.commit().await?;
    Ok(step)
}

/// Finds the account and counts the try.
async fn begin_try(db: &Db, caller: &Caller, login: &str) -> Result<Try> {
    let email = Email::parse(login).ok();
    let phone = Phone::parse(login).ok();
    let index = phone.as_ref().map(|phone| db.vault().blind("phone", phone.as_str())).transpose()?;
    let mut tx = db.begin(ActAs::Platform, None).await?;
    // A number may stand at several accounts. Only the one verified account that has it logs in by it: else someone who
    // writes another's number into their own account would get the other's tries, or spend them.
    let known = sqlx::query_as!(
        Known,
        r#"select u.id, u.password_hash as hash, u.status = 'active' as "active!"
           from users u
           where u.deleted_at is null and (u.email = $1 or u.id = (
               select (array_agg(h.id))[1] from users h
               where h.deleted_at is null and h.status = 'active' and h.email_verified_at is not null
                 and (h.phone_index = $2 or (h.phone = $3 and h.phone like '+%'))
               having count(*) = 1))"#,
        email.as_ref().map(Email::as_str),
        index.as_deref(),
        phone.as_ref().map(Phone::as_str),
    )
    .fetch_optional(&mut *tx)
    .await?;
    let typed = throttle::typed(email.as_ref(), index.as_deref(), login);
    let account = match &known {
        Some(known) if known.active => throttle::account(known.id),
        _ => throttle::nobody(&typed),
    };
    let first = throttle::reserve(&mut tx, &typed, caller.now, After::Forgive).await?;
    if let Turn::Blocked(seconds) = first {
        attempts::record(&mut tx, known.map(|known| known.id), caller, false, "throttled").await?;
        tx.commit().await?;
        return Err(throttle::too_many(seconds));
    }
    let second = throttle::reserve(&mut tx, &account, caller.now, After::Forgive).await?;
    tx.commit().await?;
    let nth = match second {
        Turn::Taken(nth) => Some(nth),
        Turn::Blocked(_) => None,
    };
    Ok(Try { known, keys: [typed, account], nth })
}

/// The second step: a code of the app, or a backup code.
///
/// # Errors
/// [`Error::Unauthorized`] with [`CODE_FAILED`], or with [`OVER`] when the account's sessions have been ended since the
/// password was right, at `epoch`; [`Error::TooMany`] after several failures.
pub async fn with_code(db: &Db, caller: &Caller, user: UserId, epoch: i32, code: &str) -> Result<SignedIn> {
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let current = sqlx::query_scalar!("select epoch from session_epochs where user_id = $1", user.0)
        .fetch_optional(&mut *tx)
        .await?;
    if current.unwrap_or(0) != epoch {
        // Nothing is counted and no code is used: whoever knows an old password alone takes nothing from its owner.
        return Err(Error::Unauthorized(OVER));
    }
    match check_code(&mut tx, db.vault(), caller, user.0, code).await? {
        Ok(way) => {
            let signed_in = let_in(&mut tx, db.vault(), caller, (user.0, epoch), way).await?;
            tx.commit().await?;
            Ok(signed_in)
        }
        Err(refusal) => {
            tx.commit().await?;
            Err(refusal)
        }
    }
}

/// How the code was right, or the refusal, with which the transaction is to be committed all the same: it counts.
async fn check_code(
    conn: &mut PgConnection,
    vault: &Vault,
    caller: &Caller,
    user: Uuid,
    code: &str,
) -> Result<Result<&'static str>> {
    let key = throttle::code(user);
    let nth = match throttle::reserve(conn, &key, caller.now, After::Remember).await? {
        Turn::Taken(nth) => nth,
        Turn::Blocked(seconds) => {
            attempts::record(conn, Some(user), caller, false, "throttled").await?;
            return Ok(Err(throttle::too_many(seconds)));
        }
    };
    if let Some(way) = totp::check(conn, vault, user, code, caller.now).await? {
        throttle::clear(conn, &[key]).await?;
        return Ok(Ok(way));
    }
    attempts::record(conn, Some(user), caller, false, "code").await?;
    if nth == LOCK_AT {
        locked(conn, vault, caller, user).await?;
    }
    Ok(Err(Error::Unauthorized(CODE_FAILED)))
}

/// Proves again, within a session, who one is: by password, and by code where there is a second factor (AC-24).
///
/// # Errors
/// Field errors; [`Error::TooMany`] after several failures; [`Error::Forbidden`] for someone who acts as another.
pub async fn prove(
    db: &Db,
    passwords: &Passwords,
    caller: &Caller,
    password: &SecretString,
    code: &str,
) -> Result<()> {
    in_person(caller)?;
    let has_code = check_own_password(db, passwords, caller, password, "password").await?;
    let (true, Some(user)) = (has_code, caller.user) else {
        return Ok(());
    };
    if code.trim().is_empty() {
        return Err(Error::field("code", "Give the code that your app shows now, or a backup code."));
    }
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let outcome = check_code(&mut tx, db.vault(), caller, user.0, code).await?;
    tx.commit().await?;
    match outcome {
        Ok(_) => Ok(()),
        Err(Error::Unauthorized(message)) => Err(Error::field("code", message)),
        Err(other) => Err(other),
    }
}

/// Checks the password of the account that asks; whether it has a second factor besides.
///
/// # Errors
/// A field error beside `field`; [`Error::TooMany`].
pub(super) async fn check_own_password(
    db: &Db,
    passwords: &Passwords,
    caller: &Caller,
    password: &SecretString,
    field: &str,
) -> Result<bool> {
    let user = caller.user.ok_or(Error::Unauthorized("Log in to go on."))?.0;
    let key = throttle::proof(user);
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let row = sqlx::query!(
        r#"select password_hash, has_code(id) as "has_code!" from users
           where id = $1 and status = 'active' and deleted_at is null"#,
        user,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::Unauthorized("Log in to go on."))?;
    let turn = throttle::reserve(&mut tx, &key, caller.now, After::Forgive).await?;
    if let Turn::Blocked(_) = turn {
        attempts::record(&mut tx, Some(user), caller, false, "throttled").await?;
    }
    tx.commit().await?;
    if let Turn::Blocked(seconds) = turn {
        return Err(throttle::too_many(seconds));
    }
    if row.password_hash.is_none() {
        return Err(Error::field(
            field,
            "This account has no password yet. Log out and ask for a link under Forgotten password.",
        ));
    }
    let right = passwords.verify(password, row.password_hash).await?;
    let mut tx = db.begin(ActAs::Platform, None).await?;
    if right {
        throttle::clear(&mut tx, &[key]).await?;
    } else {
        attempts::record(&mut tx, Some(user), caller, false, "password").await?;
        if turn == Turn::Taken(LOCK_AT) {
            record_lock(&mut tx, caller, user).await?;
        }
    }
    tx.commit().await?;
    if right { Ok(row.has_code) } else { Err(Error::field(field, "This is not your current password.")) }
}
