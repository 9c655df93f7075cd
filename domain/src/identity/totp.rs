//! The second factor: codes of an authenticator app, and backup codes for when it is lost (AC-10).

mod codes;

use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

pub use self::codes::Setup;
use self::codes::{Typed, backup_code, hash, new_secret, setup, step_of};
use super::{account::in_person, sessions};
use crate::{
    Error, Instant, Result,
    audit::{self, Entry},
    authz::{Proof, UserScope},
    notify::{self, Mail},
    vault::Vault,
};

/// How many backup codes there are.
const CODES: usize = 10;
/// How long a setup waits for its first code.
const SETUP_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// Where the secret is kept.
const SECRET: &str = "totp.secret";

/// Whether the account has a second factor.
#[derive(Clone, Debug)]
pub struct TotpStatus {
    /// It asks for a code at login.
    pub on: bool,
    /// Backup codes that haven't been used.
    pub codes_left: i64,
    /// A setup that waits for its first code.
    pub setup: Option<Setup>,
}

/// Whether one's own account has a second factor.
///
/// # Errors
/// Of the database, or of the key of the secret.
pub async fn status(scope: &mut UserScope) -> Result<TotpStatus> {
    let (vault, email) = (scope.vault().clone(), scope.account().email.clone());
    // What the app needs to know is shown to those alone who have proved a short while ago who they are.
    let proved = scope.caller().proof().is_ok();
    let since = setup_since(scope.now())?;
    let (user, conn) = scope.elevate().await?;
    let row = sqlx::query!(
        r#"select has_code($1) as "on!",
                  (select count(*) from backup_codes where user_id = $1 and used_at is null) as "left!",
                  (select secret from totp where user_id = $1 and confirmed_at is null and created_at > $2 and $3)
                      as pending"#,
        user,
        since.to_sqlx(),
        proved,
    )
    .fetch_one(conn)
    .await?;
    let pending = row.pending.map(|sealed| vault.open(SECRET, user, &sealed)).transpose()?;
    Ok(TotpStatus {
        on: row.on,
        codes_left: if row.on { row.left } else { 0 },
        setup: pending.map(|secret| setup(&secret, &email)),
    })
}

/// A setup begun after this still waits for its first code.
fn setup_since(now: Instant) -> Result<Instant> {
    now.checked_sub(SETUP_LIFE).map_err(Error::internal)
}

/// Begins to set it up, with a new secret. Nothing is asked for at login until a first code has been given.
///
/// # Errors
/// [`Error::Conflict`] when it is on already.
pub async fn begin(scope: &mut UserScope, _: &Proof) -> Result<Setup> {
    let (now, vault, email) = (scope.now(), scope.vault().clone(), scope.account().email.clone());
    let secret = new_secret();
    let sealed = vault.seal(SECRET, scope.account().id.0, &secret, now)?;
    let (user, conn) = scope.elevate().await?;
    let done = sqlx::query!(
        "insert into totp (user_id, secret, created_at) values ($1, $2, $3)
         on conflict (user_id) do update
         set secret = excluded.secret, created_at = excluded.created_at, last_step = 0
         where totp.confirmed_at is null",
        user,
        sealed,
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Error::Conflict(
            "The second step is on already. Turn it off first to use another app.".into(),
        ));
    }
    Ok(setup(&secret, &email))
}

async fn pending_secret(scope: &mut UserScope) -> Result<Option<String>> {
    let vault = scope.vault().clone();
    let since = setup_since(scope.now())?;
    let (user, conn) = scope.elevate().await?;
    let sealed = sqlx::query_scalar!(
        "select secret from totp where user_id = $1 and confirmed_at is null and created_at > $2",
        user,
        since.to_sqlx(),
    )
    .fetch_optional(conn)
    .await?;
    sealed.map(|sealed| vault.open(SECRET, user, &sealed)).transpose()
}

/// Turns it on by a first code; says the backup codes, this once.
///
/// # Errors
/// A field error for a wrong code; [`Error::Conflict`] when no setup waits for one.
pub async fn confirm(scope: &mut UserScope, code: &str) -> Result<Vec<String>> {
    in_person(scope.caller())?;
    let now = scope.now();
    let Some(secret) = pending_secret(scope).await? else {
        return Err(Error::Conflict(
            "Nothing waits for a code. Begin to set up the second step again.".into(),
        ));
    };
    let step = match Typed::parse(code) {
        Some(Typed::Code(code)) => step_of(&secret, &code, now)?,
        _ => None,
    };
    let Some(step) = step else {
        return Err(Error::field(
            "code",
            "This code is not right. Look at the app, and check the clock of the phone.",
        ));
    };
    let (user, conn) = scope.elevate().await?;
    // The step is used now: the same code won't log anyone in.
    let done = sqlx::query!(
        "update totp set confirmed_at = $2, last_step = $3 where user_id = $1 and confirmed_at is null",
        user,
        now.to_sqlx(),
        step,
    )
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Error::Conflict("The second step was turned on at the same moment.".into()));
    }
    let codes = replace_codes(conn, user).await?;
    end_others(scope).await?;
    tell(scope, true).await?;
    record(scope, "auth.totp_on").await?;
    Ok(codes)
}

/// Turns it off; backup codes go with it.
///
/// # Errors
/// [`Error::Forbidden`] for those who must have it.
pub async fn disable(scope: &mut UserScope, _: &Proof) -> Result<()> {
    let (user, conn) = scope.elevate().await?;
    let row = sqlx::query!(
        r#"select (super_admin and not code_exempt) as "admin!",
                  exists (select from memberships m join tenants t on t.id = m.tenant_id
                          where m.user_id = u.id and m.status = 'active' and m.role in ('owner', 'staff')
                            and t.status <> 'deleted' and t.require_code) as "school!"
           from users u where u.id = $1"#,
        user,
    )
    .fetch_one(&mut *conn)
    .await?;
    if row.admin {
        return Err(Error::Forbidden("Those who run the platform keep the second step on."));
    }
    if row.school {
        return Err(Error::Forbidden("A school of yours requires a second step of those who run it."));
    }
    let done = sqlx::query!("delete from totp where user_id = $1 returning confirmed_at", user)
        .fetch_optional(&mut *conn)
        .await?;
    sqlx::query!("delete from backup_codes where user_id = $1", user).execute(conn).await?;
    // A setup that was never confirmed is nothing to tell of.
    if done.is_some_and(|row| row.confirmed_at.is_some()) {
        end_others(scope).await?;
        tell(scope, false).await?;
        record(scope, "auth.totp_off").await?;
    }
    Ok(())
}

/// What was signed in under other rules than now has to come in again.
async fn end_others(scope: &mut UserScope) -> Result<()> {
    let keep = scope.caller().session;
    let (user, conn) = scope.elevate().await?;
    sessions::end(conn, user, keep.as_ref()).await?;
    Ok(())
}

/// New backup codes, shown this once; the old ones are void.
///
/// # Errors
/// [`Error::Conflict`] when there is no second factor.
pub async fn new_codes(scope: &mut UserScope, _: &Proof) -> Result<Vec<String>> {
    let (user, conn) = scope.elevate().await?;
    // Locked, so that two who ask at once don't end up with twenty.
    let on = sqlx::query_scalar!(
        "select user_id from totp where user_id = $1 and confirmed_at is not null for update",
        user,
    )
    .fetch_optional(&mut *conn)
    .await?;
    if on.is_none() {
        return Err(Error::Conflict("The second step is off. Turn it on to have backup codes.".into()));
    }
    let codes = replace_codes(conn, user).await?;
    record(scope, "auth.totp_codes").await?;
    Ok(codes)
}

/// Uses up what was typed, if it is right: how it was proved, `code` or `backup code`.
pub(super) async fn check(
    conn: &mut PgConnection,
    vault: &Vault,
    user: Uuid,
    typed: &str,
    now: Instant,
) -> Result<Option<&'static str>> {
    match Typed::parse(typed) {
        Some(Typed::Code(code)) => {
            let sealed = sqlx::query_scalar!(
                "select secret from totp where user_id = $1 and confirmed_at is not null",
                user,
            )
            .fetch_optional(&mut *conn)
            .await?;
            let Some(sealed) = sealed else { return Ok(None) };
            let Some(step) = step_of(&vault.open(SECRET, user, &sealed)?, &code, now)? else {
                return Ok(None);
            };
            // Of two with the same code the second finds the step used.
            let done = sqlx::query!(
                "update totp set last_step = $2 where user_id = $1 and last_step < $2",
                user,
                step
            )
            .execute(conn)
            .await?;
            Ok((done.rows_affected() == 1).then_some("code"))
        }
        Some(Typed::Backup(code)) => {
            let done = sqlx::query!(
                "update backup_codes set used_at = $3
                 where user_id = $1 and code_hash = $2 and used_at is null and has_code($1)",
                user,
                &hash(&code)[..],
                now.to_sqlx(),
            )
            .execute(conn)
            .await?;
            Ok((done.rows_affected() == 1).then_some("backup code"))
        }
        None => Ok(None),
    }
}

async fn replace_codes(conn: &mut PgConnection, user: Uuid) -> Result<Vec<String>> {
    let codes: Vec<String> = (0..CODES).map(|_| backup_code()).collect();
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| hash(&code.replace('-', "")).to_vec()).collect();
    sqlx::query!("delete from backup_codes where user_id = $1", user).execute(&mut *conn).await?;
    sqlx::query!(
        "insert into backup_codes (user_id, code_hash) select $1, x from unnest($2::bytea[]) as x",
        user,
        &hashes[..],
    )
    .execute(conn)
    .await?;
    Ok(codes)
}

async fn tell(scope: &mut UserScope, on: bool) -> Result<()> {
    let (now, vault, account) = (scope.now(), scope.vault().clone(), scope.account().clone());
    let (_, conn) = scope.elevate().await?;
    let mail = Mail::CodeChanged { name: account.name, on };
    notify::enqueue_account(conn, &vault, now, &account.email, &mail, None).await?;
    Ok(())
}

async fn record(scope: &mut UserScope, action: &str) -> Result<()> {
    let user = Some(scope.account().id.0);
    let entry = Entry { action, entity: "user", entity_id: user, before: None, after: None, reason: None };
    audit::record_account(scope, entry).await
}
