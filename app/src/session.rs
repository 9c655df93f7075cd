//! What a session keeps: who is signed in, who is half-way there, and the outcome of the form posted last.

use std::collections::HashMap;

use domain::{
    Instant,
    authz::{Caller, Origin},
    db::Db,
    identity::{service::SignedIn, sessions},
    ids::{PLATFORM, UserId},
    vault::Vault,
};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower_sessions::{Session, session::Error};

use crate::cx::Flash;

const WHO: &str = "who";
const HALF: &str = "half";
const FLASH: &str = "flash";
/// What a flash is sealed for. It has no row of its own: the session's token is its name.
const SEALED_FLASH: &str = "sessions.flash";
/// How long a password may wait for its code.
const HALF_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// How long a super-admin may act as someone else (TN-12).
const ACTING_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// Who is signed in, and how long the session may rest and live.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Who {
    /// The account.
    pub user: UserId,
    /// Seconds without a request after which it ends.
    pub idle_seconds: i64,
    /// Of the account's sessions: when they were ended meanwhile, this one doesn't begin.
    pub epoch: i32,
    /// When it ends in any case: a new token doesn't lengthen it.
    pub ends_at: Instant,
    /// When they last proved who they are.
    pub proven_at: Option<Instant>,
    /// The client's address at login.
    pub ip: String,
    /// The client's device at login.
    pub device: String,
    /// Who acts as the account, if it isn't its owner.
    pub acting: Option<Box<Acting>>,
}

/// A super-admin who acts as someone else.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Acting {
    /// Their own session, to go back to.
    pub admin: Who,
    /// Whose place they take, for the banner.
    pub name: String,
}

/// Someone whose password was right and who still owes the code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Half {
    /// The account.
    pub user: UserId,
    /// Of the account's sessions when the password was right.
    pub epoch: i32,
    /// Where to go afterwards; empty for where the role begins.
    pub next: String,
    at: Instant,
}

impl Who {
    /// From what the session keeps.
    pub fn of(data: &HashMap<String, Value>) -> Option<Self> {
        serde_json::from_value(data.get(WHO)?.clone()).ok()
    }

    /// The super-admin who acts as the account.
    pub fn impersonator(&self) -> Option<UserId> {
        self.acting.as_ref().map(|acting| acting.admin.user)
    }
}

/// Who is signed in.
///
/// # Errors
/// Of the store.
pub async fn who(session: &Session) -> Result<Option<Who>, Error> {
    session.get::<Who>(WHO).await
}

/// Signs someone in: under a new token, and with nothing of the visitor's session.
///
/// # Errors
/// Of the store.
pub async fn begin(session: &Session, signed_in: &SignedIn, caller: &Caller) -> Result<(), Error> {
    session.clear().await;
    session.cycle_id().await?;
    session.insert(WHO, signed_in_as(signed_in, caller.now, &caller.origin)).await
}

/// Gives someone whose rights have changed a new token and the time-outs of the new ones. Who wasn't signed in is now;
/// who was has proved nothing by it, and their session ends no later than it would have.
///
/// # Errors
/// Of the store.
pub async fn renew(
    session: &Session,
    db: &Db,
    signed_in: &SignedIn,
    caller: &Caller,
) -> Result<(), domain::Error> {
    let before = who(session).await.map_err(domain::Error::internal)?;
    if before.is_none_or(|who| who.user != signed_in.user) {
        return begin(session, signed_in, caller).await.map_err(domain::Error::internal);
    }
    let (before, epoch) = go_on(session, db).await?;
    let now = signed_in_as(signed_in, caller.now, &caller.origin);
    let ends_at = now.ends_at.min(before.ends_at);
    put(session, Who { ends_at, proven_at: before.proven_at, epoch, ..now }).await
}

fn signed_in_as(signed_in: &SignedIn, now: Instant, origin: &Origin) -> Who {
    Who {
        user: signed_in.user,
        idle_seconds: signed_in.idle.as_secs(),
        epoch: signed_in.epoch,
        ends_at: now + signed_in.life,
        proven_at: Some(now),
        ip: origin.ip.clone(),
        device: origin.device.clone(),
        acting: None,
    }
}

/// Remembers that the password was right; the code is still to come.
///
/// # Errors
/// Of the store.
pub async fn ask_code(
    session: &Session,
    (user, epoch): (UserId, i32),
    next: &str,
    now: Instant,
) -> Result<(), Error> {
    session.clear().await;
    session.cycle_id().await?;
    session.insert(HALF, Half { user, epoch, next: next.to_owned(), at: now }).await
}

/// Who owes a code.
///
/// # Errors
/// Of the store.
pub async fn half(session: &Session, now: Instant) -> Result<Option<Half>, Error> {
    let half = session.get::<Half>(HALF).await?;
    Ok(half.filter(|half| now.duration_since(half.at) < HALF_LIFE))
}

/// Notes that the one signed in has just proved who they are: under a new token.
///
/// # Errors
/// [`domain::Error::Unauthorized`] when the session has been ended meanwhile; of the store.
pub async fn prove(session: &Session, db: &Db, now: Instant) -> Result<(), domain::Error> {
    let (who, epoch) = go_on(session, db).await?;
    put(session, Who { proven_at: Some(now), epoch, ..who }).await
}

/// Takes the session that asks out of the store, so that it can go on under a new token; it is nobody's when it has been
/// ended meanwhile.
async fn go_on(session: &Session, db: &Db) -> Result<(Who, i32), domain::Error> {
    let ended = domain::Error::Unauthorized("Log in to go on.");
    let who = who(session).await.map_err(domain::Error::internal)?;
    let (Some(who), Some(id)) = (who, session.id()) else {
        return Err(ended);
    };
    let Some(epoch) = sessions::take(db.pool(), &sessions::hash_token(&id.to_string())).await? else {
        return Err(ended);
    };
    session.cycle_id().await.map_err(domain::Error::internal)?;
    Ok((who, epoch))
}

async fn put(session: &Session, who: Who) -> Result<(), domain::Error> {
    session.insert(WHO, who).await.map_err(domain::Error::internal)
}

/// Takes someone's place: under a new token, for an hour at most, and without a proof of being them.
///
/// # Errors
/// Of the store.
pub async fn impersonate(
    session: &Session,
    db: &Db,
    target: &SignedIn,
    name: String,
    now: Instant,
) -> Result<(), domain::Error> {
    let (admin, epoch) = go_on(session, db).await?;
    let admin = Who { epoch, ..admin };
    let who = Who {
        user: target.user,
        idle_seconds: admin.idle_seconds,
        epoch: target.epoch,
        ends_at: admin.ends_at.min(now + ACTING_LIFE),
        proven_at: None,
        ip: admin.ip.clone(),
        device: admin.device.clone(),
        acting: Some(Box::new(Acting { admin, name })),
    };
    put(session, who).await
}

/// Goes back to one's own session, under a new token. Without someone else's place there is nothing to leave.
///
/// # Errors
/// [`domain::Error::Unauthorized`] when the session has been ended meanwhile; of the store.
pub async fn stop_impersonating(session: &Session, db: &Db) -> Result<(), domain::Error> {
    let acts = who(session).await.map_err(domain::Error::internal)?.is_some_and(|who| who.acting.is_some());
    if !acts {
        return Ok(());
    }
    match go_on(session, db).await? {
        (Who { acting: Some(acting), .. }, _) => put(session, acting.admin).await,
        (who, epoch) => put(session, Who { epoch, ..who }).await,
    }
}

/// Keeps an outcome for the next page: encrypted, for what was typed may be a phone number or worse.
///
/// # Errors
/// Of the store.
pub async fn put_flash(session: &Session, vault: &Vault, flash: &Flash, now: Instant) -> Result<(), Error> {
    let text = serde_json::to_string(flash)?;
    // A flash that can't be sealed isn't kept: its page shows no outcome then.
    match vault.seal(SEALED_FLASH, PLATFORM, &text, now) {
        Ok(sealed) => session.insert(FLASH, sealed).await,
        Err(error) => {
            tracing::error!(%error, "could not seal an outcome");
            Ok(())
        }
    }
}

/// Takes the outcome of the form posted last, once.
///
/// # Errors
/// Of the store.
pub async fn take_flash(session: &Session, vault: &Vault) -> Result<Option<Flash>, Error> {
    let sealed = session.remove::<String>(FLASH).await?;
    let text = sealed.and_then(|sealed| vault.open(SEALED_FLASH, PLATFORM, &sealed).ok());
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}
