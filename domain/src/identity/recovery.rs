//! Coming back in without the password: a new one by mail, or a link that logs in (AC-09, AC-13).
//!
//! Whether an account exists is told to its mailbox alone; the answer and its time are the same.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Email,
    entry::let_in,
    links::{self, Kind},
    login::Step,
    pace::Pace,
    register, throttle,
};
use crate::{
    Error, Instant, Result,
    authz::Caller,
    db::{ActAs, Db},
    ids::UserId,
    notify::{self, Mail},
    vault::Vault,
};

/// An account that is open.
#[derive(Debug)]
struct Found {
    id: Uuid,
    name: String,
    verified: bool,
}

/// Sends a link to set a new password, if the address has an account.
///
/// # Errors
/// A field error for what is no e-mail address.
pub async fn forgot(db: &Db, caller: &Caller, email: &str) -> Result<()> {
    let email = Email::parse(email).map_err(|message| Error::field("email", message))?;
    let pace = Pace::begin();
    let done = send(db, caller, &email, Kind::Reset).await;
    pace.end().await;
    done
}

/// Sends a link that logs in, if the address has an account. One that was never verified gets the link for that: who
/// chose its password may be someone else.
///
/// # Errors
/// A field error for what is no e-mail address.
pub async fn magic(db: &Db, caller: &Caller, email: &str) -> Result<()> {
    let email = Email::parse(email).map_err(|message| Error::field("email", message))?;
    let pace = Pace::begin();
    let done = send(db, caller, &email, Kind::Magic).await;
    pace.end().await;
    done
}

async fn send(db: &Db, caller: &Caller, email: &Email, kind: Kind) -> Result<()> {
    let now = caller.now;
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let found = sqlx::query_as!(
        Found,
        r#"select id, name, email_verified_at is not null as "verified!" from users
           where email = $1 and status = 'active' and deleted_at is null"#,
        email.as_str(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(found) = found {
        if kind == Kind::Magic && !found.verified {
            register::send_verify(&mut tx, db.vault(), now, found.id, email.as_str(), found.name).await?;
        } else {
            send_link(&mut tx, db.vault(), now, found, email, kind).await?;
        }
    }
    Ok(tx.commit().await?)
}

async fn send_link(
    conn: &mut PgConnection,
    vault: &Vault,
    now: Instant,
    to: Found,
    email: &Email,
    kind: Kind,
) -> Result<()> {
    if !links::may_send(conn, kind, to.id, now).await? {
        return Ok(());
    }
    if kind == Kind::Magic {
        // Only the newest one logs in.
        links::spend(conn, kind, to.id, now).await?;
    }
    let token = links::create(conn, kind, to.id, None, now).await?;
    let mail =
        if kind == Kind::Magic { Mail::Magic { name: to.name } } else { Mail::Reset { name: to.name } };
    notify::enqueue_account(conn, vault, now, email.as_str(), &mail, Some(&token)).await?;
    Ok(())
}

/// Logs in by a link, of those asked for or of those sent with a lock; it also opens a locked account. A second factor is
/// asked for all the same.
///
/// # Errors
/// [`Error::Conflict`] when the link is used, expired or unknown.
pub async fn use_magic(db: &Db, caller: &Caller, token: &str) -> Result<Step> {
    let now = caller.now;
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let user = links::take(&mut tx, &[Kind::Magic, Kind::Unlock], token, now).await?.user;
    let account = sqlx::query!(
        r#"select has_code(id) as "has_code!",
                  coalesce((select e.epoch from session_epochs e where e.user_id = users.id), 0) as "epoch!"
           from users
           where id = $1 and status = 'active' and deleted_at is null and email_verified_at is not null"#,
        user,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(links::gone)?;
    throttle::clear_account(&mut tx, user, now).await?;
    let step = if account.has_code {
        Step::CodeNeeded(UserId(user), account.epoch)
    } else {
        Step::In(let_in(&mut tx, db.vault(), caller, (user, account.epoch), "link").await?)
    };
    tx.commit().await?;
    Ok(step)
}
