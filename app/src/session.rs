//! What a session keeps: who is signed in, who is half-way there, and the outcome of the form posted last.

use std::collections::HashMap;

use domain::{
    Instant,
    authz::{Caller, Origin},
    identity::service::SignedIn,
    ids::UserId,
};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower_sessions::{Session, session::Error};

use crate::cx::Flash;

const WHO: &str = "who";
const HALF: &str = "half";
const FLASH: &str = "flash";
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
pub async fn renew(session: &Session, signed_in: &SignedIn, caller: &Caller) -> Result<(), Error> {
    let Some(before) = who(session).await?.filter(|who| who.user == signed_in.user) else {
        return begin(session, signed_in, caller).await;
    };
    let now = signed_in_as(signed_in, caller.now, &caller.origin);
    let after = Who { ends_at: now.ends_at.min(before.ends_at), proven_at: before.proven_at, ..now };
    session.cycle_id().await?;
    session.insert(WHO, after).await
}

fn signed_in_as(signed_in: &SignedIn, now: Instant, origin: &Origin) -> Who {
    Who {
        user: signed_in.user,
        idle_seconds: signed_in.idle.as_secs(),
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
pub async fn ask_code(session: &Session, user: UserId, next: &str, now: Instant) -> Result<(), Error> {
    session.clear().await;
    session.cycle_id().await?;
    session.insert(HALF, Half { user, next: next.to_owned(), at: now }).await
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
/// Of the store.
pub async fn prove(session: &Session, now: Instant) -> Result<(), Error> {
    let Some(who) = who(session).await? else {
        return Ok(());
    };
    session.cycle_id().await?;
    session.insert(WHO, Who { proven_at: Some(now), ..who }).await
}

/// Takes someone's place: under a new token, for an hour at most, and without a proof of being them.
///
/// # Errors
/// Of the store.
pub async fn impersonate(
    session: &Session,
    target: &SignedIn,
    name: String,
    now: Instant,
) -> Result<(), Error> {
    let Some(admin) = who(session).await? else {
        return Ok(());
    };
    session.cycle_id().await?;
    let who = Who {
        user: target.user,
        idle_seconds: admin.idle_seconds,
        ends_at: admin.ends_at.min(now + ACTING_LIFE),
        proven_at: None,
        ip: admin.ip.clone(),
        device: admin.device.clone(),
        acting: Some(Box::new(Acting { admin, name })),
    };
    session.insert(WHO, who).await
}

/// Goes back to one's own session, under a new token.
///
/// # Errors
/// Of the store.
pub async fn stop_impersonating(session: &Session) -> Result<(), Error> {
    let Some(acting) = who(session).await?.and_then(|who| who.acting) else {
        return Ok(());
    };
    session.cycle_id().await?;
    session.insert(WHO, acting.admin).await
}

/// Keeps an outcome for the next page.
///
/// # Errors
/// Of the store.
pub async fn put_flash(session: &Session, flash: &Flash) -> Result<(), Error> {
    session.insert(FLASH, flash).await
}

/// Takes the outcome of the form posted last, once.
///
/// # Errors
/// Of the store.
pub async fn take_flash(session: &Session) -> Result<Option<Flash>, Error> {
    session.remove(FLASH).await
}
