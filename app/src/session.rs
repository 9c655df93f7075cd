//! What a session keeps: who is signed in, and the outcome of the form posted last.

use std::collections::HashMap;

use domain::{identity::service::SignedIn, ids::UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower_sessions::{Session, session::Error};

use crate::cx::Flash;

const WHO: &str = "who";
const FLASH: &str = "flash";

/// Who is signed in, and how long the session may rest and live.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Who {
    /// The account.
    pub user: UserId,
    /// Seconds without a request after which it ends.
    pub idle_seconds: i64,
    /// Seconds after which it ends in any case.
    pub life_seconds: i64,
}

impl Who {
    /// From what the session keeps.
    pub fn of(data: &HashMap<String, Value>) -> Option<Self> {
        serde_json::from_value(data.get(WHO)?.clone()).ok()
    }
}

/// Who is signed in.
///
/// # Errors
/// Of the store.
pub async fn user(session: &Session) -> Result<Option<UserId>, Error> {
    Ok(session.get::<Who>(WHO).await?.map(|who| who.user))
}

/// Signs someone in: under a new token, and with nothing of the visitor's session.
///
/// # Errors
/// Of the store.
pub async fn begin(session: &Session, signed_in: &SignedIn) -> Result<(), Error> {
    session.clear().await;
    session.cycle_id().await?;
    let who = Who {
        user: signed_in.user,
        idle_seconds: signed_in.idle.as_secs(),
        life_seconds: signed_in.life.as_secs(),
    };
    session.insert(WHO, who).await
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
