//! New accounts (AC-07). What was asked for waits until the address is verified (AC-08; see [`verify`]).

use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use secrecy::SecretString;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Email, Passwords, PersonName, Phone, join,
    links::{self, Kind},
    pace::Pace,
    service,
};
pub use super::{
    join::{Joined, join, open_schools},
    verify::verify,
};
use crate::{
    Error, FieldErrors, Instant, Result,
    authz::Caller,
    db::{ActAs, Db},
    ids::{PLATFORM, UserId},
    notify::{self, Mail},
    vault::Vault,
};

/// How often an address is told that it has an account.
const TOLD_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// What a new account is made from, as typed.
#[derive(Debug)]
pub struct NewAccount<'a> {
    /// Name.
    pub name: &'a str,
    /// E-mail.
    pub email: &'a str,
    /// Phone; may be empty.
    pub phone: &'a str,
    /// Password.
    pub password: &'a SecretString,
    /// As an instructor; else as a student.
    pub teaches: bool,
    /// The address of the school to join; may be empty.
    pub school: &'a str,
}

/// The same, once it is known to be sound.
#[derive(Debug)]
struct Sound {
    name: PersonName,
    email: Email,
    phone: Option<Phone>,
    hash: String,
    teaches: bool,
    school: Option<String>,
}

/// Makes an account that waits for its address to be verified. A known address gets the same answer after the same
/// time, and mail that says so.
///
/// # Errors
/// Field errors, all at once.
pub async fn register(db: &Db, passwords: &Passwords, caller: &Caller, new: NewAccount<'_>) -> Result<()> {
    let mut errors = FieldErrors::new();
    let school = match new.school.trim() {
        "" => None,
        slug => {
            let open = join::is_open(db, slug).await?;
            errors.check("school", open.then(|| slug.to_owned()).ok_or(join::CLOSED))
        }
    };
    let name = errors.check("name", PersonName::parse(new.name));
    let email = errors.check("email", Email::parse(new.email));
    let phone = match new.phone.trim() {
        "" => None,
        typed => errors.check("phone", Phone::parse(typed)),
    };
    let about = [name.as_ref().map(PersonName::as_str), email.as_ref().map(Email::as_str)];
    let about = about.into_iter().flatten().map(str::to_owned).collect();
    errors.check("password", passwords.check_strength(new.password, about).await?);
    errors.finish()?;
    let (Some(name), Some(email)) = (name, email) else {
        return Err(Error::internal("a field is neither right nor wrong"));
    };

    let pace = Pace::begin();
    // Also for a known address, which has no use for it: the work would else tell.
    let hash = passwords.hash(new.password).await?;
    let done = enroll(db, caller, Sound { name, email, phone, hash, teaches: new.teaches, school }).await;
    pace.end().await;
    done
}

async fn enroll(db: &Db, caller: &Caller, new: Sound) -> Result<()> {
    let (now, vault) = (caller.now, db.vault());
    let id = UserId::new(now).0;
    let phone =
        new.phone.as_ref().map(|phone| vault.seal("users.phone", id, phone.as_str(), now)).transpose()?;
    let index = new.phone.as_ref().map(|phone| vault.blind("phone", phone.as_str())).transpose()?;
    // The school hears of them once the address is known to be theirs.
    let wish = new.school.as_ref().map(|school| json!({ "school": school, "teaches": new.teaches }));
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let made = sqlx::query!(
        "insert into users (id, email, phone, phone_index, name, password_hash, wish, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
         on conflict (email) where deleted_at is null do nothing",
        id,
        new.email.as_str(),
        phone,
        index,
        new.name.as_str(),
        new.hash,
        wish,
        now.to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    if made.rows_affected() == 0 {
        remind(&mut tx, vault, now, &new.email).await?;
        return Ok(tx.commit().await?);
    }
    send_verify(&mut tx, vault, now, id, new.email.as_str(), new.name.as_str().to_owned()).await?;
    let after = json!({ "email": new.email.as_str(), "name": new.name.as_str(), "school": new.school });
    service::record(&mut tx, caller, id, false, "auth.register", (None, Some(after))).await?;
    Ok(tx.commit().await?)
}

/// Tells a known address what it needs to know: that it has an account, or how to verify it. The first password stays;
/// who registers again may be someone else.
async fn remind(conn: &mut PgConnection, vault: &Vault, now: Instant, email: &Email) -> Result<()> {
    let row = sqlx::query!(
        r#"select id, name, email_verified_at is not null as "verified!" from users
           where email = $1 and deleted_at is null and status = 'active'"#,
        email.as_str(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    match row {
        Some(row) if row.verified => tell_account_exists(conn, vault, now, row.id, email, row.name).await,
        Some(row) => send_verify(conn, vault, now, row.id, email.as_str(), row.name).await,
        None => Ok(()),
    }
}

/// Tells an address, at most once an hour, that it has an account already.
pub(super) async fn tell_account_exists(
    conn: &mut PgConnection,
    vault: &Vault,
    now: Instant,
    user: Uuid,
    email: &Email,
    name: String,
) -> Result<()> {
    let mail = Mail::AccountExists { name };
    let since = now.checked_sub(TOLD_AGAIN_AFTER).map_err(Error::internal)?;
    // Locked, so that of two at once the second sees the first one's message.
    sqlx::query_scalar!("select id from users where id = $1 for no key update", user)
        .fetch_optional(&mut *conn)
        .await?;
    let told = sqlx::query_scalar!(
        r#"select exists (select from outbox
               where tenant_id = $1 and created_at > $2 and kind = $3 and recipient = $4) as "told!""#,
        PLATFORM,
        since.to_sqlx(),
        mail.kind(),
        email.as_str(),
    )
    .fetch_one(&mut *conn)
    .await?;
    if !told {
        notify::enqueue_account(conn, vault, now, email.as_str(), &mail, None).await?;
    }
    Ok(())
}

/// Sends a link that verifies an address, unless one was sent a short while ago.
pub(super) async fn send_verify(
    conn: &mut PgConnection,
    vault: &Vault,
    now: Instant,
    user: Uuid,
    email: &str,
    name: String,
) -> Result<()> {
    if links::may_send(conn, Kind::Verify, user, now).await? {
        let token = links::create(conn, Kind::Verify, user, None, now).await?;
        notify::enqueue_account(conn, vault, now, email, &Mail::Verify { name }, Some(&token)).await?;
    }
    Ok(())
}
