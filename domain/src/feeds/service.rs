//! Making, revoking and reading feeds.

use jiff::SignedDuration;
use serde_json::json;

use super::{Entry, Feed, MOST, store};
use crate::{
    Error, Instant, Result, audit,
    authz::{Action, Caller, Reach, TenantScope},
    db::Db,
    identity::{links::random_token, sessions::hash_token},
    ids::FeedId,
};

/// How far back a feed goes.
const PAST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// One's own feeds, the newest first.
pub async fn list(scope: &mut TenantScope) -> Result<Vec<Feed>> {
    scope.require(Action::MakeFeed)?;
    let user = scope.actor().user.ok_or(Error::NotFound)?;
    let (tenant, conn) = scope.conn();
    store::list(conn, tenant, user).await
}

/// Makes a feed of what one may see: one's own lessons, or all of the school. Returns the token of its address, which
/// is kept nowhere.
pub async fn create(scope: &mut TenantScope) -> Result<(FeedId, String)> {
    let reach = match scope.require(Action::MakeFeed)? {
        Reach::All => "school",
        _ => "own",
    };
    // The address outlives the session: who found an open browser, or acts as someone, must not take one away.
    scope.caller().proof()?;
    let (now, user) = (scope.now(), scope.actor().user.ok_or(Error::NotFound)?);
    let token = random_token();
    let id = FeedId::new(now);
    let (tenant, conn) = scope.conn();
    if !store::insert(conn, tenant, id, user, reach, &hash_token(&token), now).await? {
        return Err(Error::Conflict(format!("There are {MOST} feeds already. Revoke one first.")));
    }
    record(scope, id, "made").await?;
    Ok((id, token))
}

/// Ends a feed of one's own: its address answers nothing any more.
pub async fn revoke(scope: &mut TenantScope, id: FeedId) -> Result<()> {
    scope.require(Action::MakeFeed)?;
    let (now, user) = (scope.now(), scope.actor().user.ok_or(Error::NotFound)?);
    let (tenant, conn) = scope.conn();
    if !store::revoke(conn, tenant, id, user, now).await? {
        return Err(Error::NotFound);
    }
    record(scope, id, "revoked").await
}

async fn record(scope: &mut TenantScope, id: FeedId, state: &str) -> Result<()> {
    let entry = audit::Entry {
        action: Action::MakeFeed.as_str(),
        entity: "feed",
        entity_id: Some(id.0),
        before: None,
        after: Some(json!({ "state": state })),
        reason: None,
    };
    audit::record(scope, entry).await
}

/// Opens a feed by the token of its address, as its member would come in now.
///
/// # Errors
/// [`Error::NotFound`] for whatever reason it can't be read: an address tells nothing about why.
pub async fn open(db: &Db, token: &str, now: Instant) -> Result<TenantScope> {
    let found = store::find(db, &hash_token(token), now).await?.ok_or(Error::NotFound)?;
    let own = found.reach == "own";
    let caller = Caller { user: Some(found.user), ..Caller::visitor(now) };
    let scope = match TenantScope::member(db, &caller, &found.slug).await {
        Err(Error::Forbidden(_) | Error::CodeNeeded | Error::Unauthorized(_)) => return Err(Error::NotFound),
        other => other?,
    };
    // The narrower of what it was made for and what its member may see now: an address that was given away as one's own
    // lessons never becomes the whole school's.
    match scope.require(Action::MakeFeed) {
        Ok(Reach::All) if own => Err(Error::NotFound),
        Ok(_) => Ok(scope),
        Err(_) => Err(Error::NotFound),
    }
}

/// What an opened feed shows: a month back and all that is to come.
pub async fn entries(scope: &mut TenantScope) -> Result<Vec<Entry>> {
    let whose = crate::booking::service::reached(scope, Action::ViewBookings)?;
    let from = scope.now().checked_sub(PAST).map_err(Error::internal)?;
    let slug = scope.tenant().slug.clone();
    let student = scope.actor().student().is_some();
    let (tenant, conn) = scope.conn();
    store::entries(conn, tenant, whose, from, &slug, student).await
}
