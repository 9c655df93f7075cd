//! One's own account: name, password, e-mail and phone.

use jiff_sqlx::ToSqlx;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{
    Email, Passwords, PersonName, Phone,
    links::{self, Kind},
    login, register, service, sessions, throttle,
};
use crate::{
    Error, FieldErrors, Result,
    audit::{self, Entry},
    authz::{Caller, Proof, UserScope},
    db::{ActAs, Db},
    notify::{self, Mail},
};

/// Refuses someone who acts as the account without being its owner (TN-12).
///
/// # Errors
/// [`Error::Forbidden`].
pub(super) fn in_person(caller: &Caller) -> Result<()> {
    if caller.impersonator.is_some() {
        return Err(Error::Forbidden("This is for the account's owner alone."));
    }
    Ok(())
}

/// Changes one's own name.
///
/// # Errors
/// A field error for a bad name.
pub async fn update_name(scope: &mut UserScope, name: &str) -> Result<()> {
    let name = PersonName::parse(name).map_err(|message| Error::field("name", message))?;
    let (now, before) = (scope.now(), scope.account().name.clone());
    let (user, conn) = scope.conn();
    sqlx::query!(
        "update users set name = $2, updated_at = $3 where id = $1",
        user,
        name.as_str(),
        now.to_sqlx()
    )
    .execute(conn)
    .await?;
    record(scope, "account.name", (Some(json!({ "name": before })), Some(json!({ "name": name.as_str() }))))
        .await
}

/// Changes one's own password and ends every other session of the account (AC-03).
///
/// The account is entered twice, so that no connection is held while hashing.
///
/// # Errors
/// Field errors for a wrong current or a weak new password; [`Error::TooMany`] after several wrong ones.
pub async fn change_password(
    db: &Db,
    passwords: &Passwords,
    caller: &Caller,
    (current, new): (&SecretString, &SecretString),
) -> Result<()> {
    in_person(caller)?;
    let mut scope = UserScope::enter(db, caller).await?;
    let about = vec![scope.account().email.clone(), scope.account().name.clone()];
    let (id, conn) = scope.conn();
    let stored =
        sqlx::query_scalar!("select password_hash from users where id = $1", id).fetch_one(conn).await?;
    scope.commit().await?;

    let mut errors = FieldErrors::new();
    errors.take(login::check_own_password(db, passwords, caller, current, "current").await)?;
    errors.check("password", passwords.check_strength(new, about).await?);
    errors.finish()?;
    let hash = passwords.hash(new).await?;

    let mut scope = UserScope::enter(db, caller).await?;
    let (now, vault, account) = (scope.now(), scope.vault().clone(), scope.account().clone());
    let (id, conn) = scope.elevate().await?;
    // Only if it is still the password that was checked: two changes at once must not both win.
    let done = sqlx::query!(
        "update users set password_hash = $2, updated_at = $3 where id = $1 and password_hash is not distinct from $4",
        id,
        hash,
        now.to_sqlx(),
        stored
    )
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Error::Conflict("The password was changed at the same moment. Try again.".into()));
    }
    // A link that someone else may have asked for is no way around the new password.
    links::spend_all(conn, id, now).await?;
    sessions::end(conn, id, caller.session.as_ref()).await?;
    throttle::clear_account(conn, id, now).await?;
    let mail = Mail::PasswordChanged { name: account.name };
    notify::enqueue_account(conn, &vault, now, &account.email, &mail, None).await?;
    record(&mut scope, "auth.password_change", (None, None)).await?;
    scope.commit().await
}

/// Sends a link to a new address; the old one stays until it is used. An address that is taken gets the same answer, and
/// mail that says so.
///
/// # Errors
/// A field error for what is no e-mail address, or is the one already.
pub async fn change_email(scope: &mut UserScope, _: &Proof, email: &str) -> Result<()> {
    let email = Email::parse(email).map_err(|message| Error::field("email", message))?;
    let (now, vault, account) = (scope.now(), scope.vault().clone(), scope.account().clone());
    if email.as_str() == account.email {
        return Err(Error::field("email", "This is your address already."));
    }
    let (user, conn) = scope.elevate().await?;
    if !links::may_send(conn, Kind::Email, user, now).await? {
        return Ok(());
    }
    let holder =
        sqlx::query!("select id, name from users where email = $1 and deleted_at is null", email.as_str(),)
            .fetch_optional(&mut *conn)
            .await?;
    // The newest link is the only one.
    links::spend(conn, Kind::Email, user, now).await?;
    // Made for a taken address too, and then known to nobody: so that both ways are counted and take their time alike.
    let token = links::create(conn, Kind::Email, user, Some(&email), now).await?;
    match holder {
        Some(holder) => {
            register::tell_account_exists(conn, &vault, now, holder.id, &email, holder.name).await
        }
        None => {
            let mail = Mail::EmailChange { name: account.name };
            notify::enqueue_account(conn, &vault, now, email.as_str(), &mail, Some(&token)).await?;
            Ok(())
        }
    }
}

/// Takes a new address by the link sent to it. The old one is told, and the account's other sessions end.
///
/// # Errors
/// [`Error::Conflict`] when the link is used, expired or unknown, and when the address has been taken meanwhile.
pub async fn confirm_email(db: &Db, caller: &Caller, token: &str) -> Result<()> {
    let now = caller.now;
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let link = links::take(&mut tx, &[Kind::Email], token, now).await?;
    let (user, email) = (link.user, link.email.ok_or_else(links::gone)?);
    let row = sqlx::query!(
        r#"update users u set email = $2, email_verified_at = $3, updated_at = $3
           from (select id, email from users where id = $1 for no key update) old
           where u.id = old.id and u.status = 'active' and u.deleted_at is null
           returning u.name, u.super_admin, old.email as "before!""#,
        user,
        email,
        now.to_sqlx(),
    )
    .fetch_optional(&mut *tx)
    .await
    .map_err(taken)?
    .ok_or_else(links::gone)?;
    links::spend_all(&mut tx, user, now).await?;
    let keep = caller.session.as_ref().filter(|_| caller.user.is_some_and(|id| id.0 == user));
    sessions::end(&mut tx, user, keep).await?;
    let mail = Mail::EmailChanged { name: row.name, email: email.clone() };
    notify::enqueue_account(&mut tx, db.vault(), now, &row.before, &mail, None).await?;
    let change = (Some(json!({ "email": row.before })), Some(json!({ "email": email })));
    service::record(&mut tx, caller, user, row.super_admin, "auth.email_change", change).await?;
    Ok(tx.commit().await?)
}

/// An address that was taken meanwhile makes the link worthless, and says no more than that.
fn taken(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(db) if db.constraint() == Some("users_email") => links::gone(),
        _ => error.into(),
    }
}

/// One's own phone number.
///
/// # Errors
/// Of the database, or of the keys.
pub async fn phone(scope: &mut UserScope) -> Result<Option<String>> {
    let vault = scope.vault().clone();
    let (user, conn) = scope.conn();
    let stored = sqlx::query_scalar!("select phone from users where id = $1", user).fetch_one(conn).await?;
    vault.open_some("users.phone", user, stored)
}

/// Changes one's own phone number, with which one can log in; an empty one is removed.
///
/// # Errors
/// A field error for a bad number.
pub async fn update_phone(scope: &mut UserScope, _: &Proof, phone: &str) -> Result<()> {
    let phone = match phone.trim() {
        "" => None,
        typed => Some(Phone::parse(typed).map_err(|message| Error::field("phone", message))?),
    };
    let (now, vault) = (scope.now(), scope.vault().clone());
    let (user, conn) = scope.conn();
    let sealed =
        phone.as_ref().map(|phone| vault.seal("users.phone", user, phone.as_str(), now)).transpose()?;
    let index = phone.as_ref().map(|phone| vault.blind("phone", phone.as_str())).transpose()?;
    sqlx::query!(
        "update users set phone = $2, phone_index = $3, updated_at = $4 where id = $1",
        user,
        sealed,
        index,
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    // That it changed, not what it is: the record isn't encrypted.
    record(scope, "account.phone", (None, Some(json!({ "given": phone.is_some() })))).await
}

/// Records a change of one's own account. Comes last in a transaction.
pub(super) async fn record(
    scope: &mut UserScope,
    action: &str,
    (before, after): (Option<Value>, Option<Value>),
) -> Result<()> {
    let entity_id = Some(scope.account().id.0);
    audit::record_account(scope, Entry { action, entity: "user", entity_id, before, after, reason: None })
        .await
}
