//! Operations on packs.

use serde_json::json;

use super::{Hand, PackAfter, Posting, StudentPack, store};
use crate::{
    Error, Result, audit,
    authz::{Action, TenantScope},
    identity,
    ids::PackId,
    people,
};

/// Adds or uses one lesson by hand: an instructor of their own mentees, staff of all (PE-04).
pub async fn post_by_hand(
    scope: &mut TenantScope,
    pack: PackId,
    hand: Hand,
    reason: &str,
) -> Result<PackAfter> {
    let reach = scope.require(Action::PostCredits)?;
    let own = people::service::own_instructor(scope, reach)?;
    let said = identity::text(reason, 1000).map_err(|message| Error::field("reason", message))?;
    // The buttons of a list have no field for it.
    let reason = if said.is_empty() { "By hand".to_owned() } else { said };
    let (now, actor) = (scope.now(), scope.actor().user);
    let (from, to) = hand.accounts();
    let posting = Posting { pack, from, to, lessons: 1, booking: None, actor, reason: &reason };
    let (tenant, conn) = scope.conn();
    let after = store::post_own(conn, tenant, now, posting, own).await?.ok_or(Error::NotFound)?;
    let (total, used) = match hand {
        Hand::Add => (after.total - 1, after.used),
        Hand::Use => (after.total, after.used - 1),
    };
    let entry = audit::Entry {
        action: Action::PostCredits.as_str(),
        entity: "pack",
        entity_id: Some(pack.0),
        before: Some(json!({ "total": total, "used": used, "left": total - used })),
        after: Some(json!({ "total": after.total, "used": after.used, "left": after.left })),
        reason: Some(&reason),
    };
    audit::record(scope, entry).await?;
    Ok(after)
}

/// The acting student's own packs.
pub async fn mine(scope: &mut TenantScope) -> Result<Vec<StudentPack>> {
    scope.require(Action::ViewPacks)?;
    let student = scope.actor().student().ok_or(Error::NotFound)?;
    let (tenant, conn) = scope.conn();
    store::of_student(conn, tenant, student).await
}
