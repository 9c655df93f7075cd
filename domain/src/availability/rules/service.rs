//! Reading an instructor's desk and setting their limits.

use super::{Desk, TypedLimits, store};
use crate::{
    Error, Result, audit,
    authz::{Action, Reach, TenantScope},
    availability::exceptions::all_ahead,
    booking::writes::freed,
    ids::InstructorId,
    people,
};

/// An instructor reaches their own record only; another's isn't there for them.
pub(in crate::availability) fn allow(
    scope: &TenantScope,
    action: Action,
    instructor: InstructorId,
) -> Result<Reach> {
    match scope.require(action)? {
        Reach::All => Ok(Reach::All),
        reach if scope.actor().instructor() == Some(instructor) => Ok(reach),
        _ => Err(Error::NotFound),
    }
}

/// Weekly hours of an instructor, days with others, blocked times and limits, in one query.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn desk(scope: &mut TenantScope, instructor: InstructorId) -> Result<Desk> {
    allow(scope, Action::ViewInstructors, instructor)?;
    let now = scope.now();
    let today = scope.tenant().zone.date(now);
    let (tenant, conn) = scope.conn();
    store::desk(conn, tenant, instructor, now, today).await?.ok_or(Error::NotFound)
}

/// Sets how an instructor may be booked, and returns their name. Lessons already booked stay.
///
/// # Errors
/// All fields to mend at once. An instructor who sends a weight is told that it isn't theirs.
pub async fn set(
    scope: &mut TenantScope,
    instructor: InstructorId,
    typed: TypedLimits<'_>,
) -> Result<String> {
    let weighs = allow(scope, Action::EditHours, instructor)? == Reach::All;
    let now = scope.now();
    let ahead = all_ahead(&scope.tenant().zone, now);
    let (tenant, conn) = scope.conn();
    // One save at a time, so that each record begins with what the one before left.
    let (name, _) = people::store::lock_instructor(conn, tenant, instructor).await?.ok_or(Error::NotFound)?;
    let before = store::limits(conn, tenant, instructor).await?.ok_or(Error::NotFound)?;
    let after = typed.check(before, weighs)?;
    store::set_limits(conn, tenant, instructor, after).await?;
    freed(conn, tenant, ahead, now).await?;
    let entry = audit::Entry {
        action: Action::EditHours.as_str(),
        entity: "instructor",
        entity_id: Some(instructor.0),
        before: Some(serde_json::to_value(before).map_err(Error::internal)?),
        after: Some(serde_json::to_value(after).map_err(Error::internal)?),
        reason: None,
    };
    audit::record(scope, entry).await?;
    Ok(name)
}
