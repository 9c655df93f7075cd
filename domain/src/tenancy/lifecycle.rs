//! How a school goes on: changed, suspended, deleted and brought back by the platform (TN-01, TN-02). Nothing is ever
//! removed.

use jiff_sqlx::ToSqlx;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Preset, TenantStatus, difference,
    list::{TenantRow, one, parse_status},
    parse_reason, parse_slug,
    service::{parse_seats, record},
};
use crate::{
    Error, FieldErrors, Result,
    authz::{PlatformScope, Proof},
    identity::PersonName,
    ids::TenantId,
    zoned::Zone,
};

/// Members that a record names one by one; it counts all of them.
const MOST_NAMED: usize = 200;

/// What the platform may change of a school, as typed.
#[derive(Clone, Copy, Debug)]
pub struct TenantUpdate<'a> {
    /// Name.
    pub name: &'a str,
    /// Address; empty to keep it.
    pub slug: &'a str,
    /// Kind.
    pub preset: &'a str,
    /// IANA zone.
    pub zone: &'a str,
    /// Seats, a whole number.
    pub seats: &'a str,
}

/// Changes what the platform keeps of a school. Fewer seats than are taken send nobody away.
///
/// # Errors
/// Field errors, among them an address that is taken; [`Error::Conflict`] for a deleted school.
pub async fn update(scope: &mut PlatformScope, id: TenantId, typed: TenantUpdate<'_>) -> Result<TenantRow> {
    let mut errors = FieldErrors::new();
    let name = errors.check("name", PersonName::parse(typed.name));
    let slug = match typed.slug.trim() {
        "" => Some(None),
        slug => errors.check("slug", parse_slug(slug)).map(Some),
    };
    let preset = errors.check("preset", Preset::parse(typed.preset).ok_or("Choose one of the presets."));
    let zone = errors.check("zone", Zone::parse(typed.zone.trim()));
    let seats = errors.check("seats", parse_seats(typed.seats));
    let (Some(name), Some(slug), Some(preset), Some(zone), Some(seats)) = (name, slug, preset, zone, seats)
    else {
        return Err(Error::Invalid(errors));
    };
    if lock(scope, id).await?.status == TenantStatus::Deleted {
        return Err(Error::Conflict("This school is deleted. Restore it first.".into()));
    }
    let before = one(scope, id).await?;
    let slug = slug.unwrap_or_else(|| before.slug.clone());
    let now = scope.now();
    sqlx::query!(
        "update tenants set name = $2, slug = $3, preset = $4, zone = $5, max_seats = $6, updated_at = $7 where id = $1",
        id.0,
        name.as_str(),
        slug,
        preset.as_str(),
        zone.name(),
        seats,
        now.to_sqlx(),
    )
    .execute(scope.conn())
    .await?;
    let after = one(scope, id).await?;
    if let Some((before, after)) = difference(facts(&before), facts(&after)) {
        record(scope, id, "tenant.update", Some(before), Some(after), None).await?;
    }
    Ok(after)
}

/// Closes a school: its members and its public page are shut out from the next request on.
///
/// # Errors
/// A field error without a reason; [`Error::Conflict`] when it isn't open.
pub async fn suspend(scope: &mut PlatformScope, id: TenantId, reason: &str) -> Result<TenantRow> {
    close_or_open(scope, id, "tenant.suspend", reason, TenantStatus::Suspended).await
}

/// Opens a suspended school again.
///
/// # Errors
/// A field error without a reason; [`Error::Conflict`] when it isn't suspended.
pub async fn activate(scope: &mut PlatformScope, id: TenantId, reason: &str) -> Result<TenantRow> {
    close_or_open(scope, id, "tenant.activate", reason, TenantStatus::Active).await
}

async fn close_or_open(
    scope: &mut PlatformScope,
    id: TenantId,
    action: &str,
    reason: &str,
    to: TenantStatus,
) -> Result<TenantRow> {
    let reason = parse_reason(reason)?;
    let from = lock(scope, id).await?.status;
    if from == TenantStatus::Deleted {
        return Err(Error::Conflict("This school is deleted. Restore it first.".into()));
    }
    check(from, to)?;
    let kept = (to != TenantStatus::Active).then_some(reason.as_str());
    let now = scope.now();
    sqlx::query!(
        "update tenants set status = $2, status_reason = $3, updated_at = $4 where id = $1",
        id.0,
        to.as_str(),
        kept,
        now.to_sqlx(),
    )
    .execute(scope.conn())
    .await?;
    record(scope, id, action, Some(status(from, None)), Some(status(to, None)), Some(&reason)).await?;
    one(scope, id).await
}

/// Deletes a school: nobody gets in any more, its address stays taken, and all of it can be brought back. Its active
/// members are marked as disabled with it.
///
/// # Errors
/// A field error without a reason; [`Error::Conflict`] when it is deleted already.
pub async fn delete(scope: &mut PlatformScope, _: &Proof, id: TenantId, reason: &str) -> Result<TenantRow> {
    let reason = parse_reason(reason)?;
    let from = lock(scope, id).await?.status;
    check(from, TenantStatus::Deleted)?;
    let now = scope.now();
    // The school first: the rule about the last owner holds for schools that aren't deleted.
    sqlx::query!(
        "update tenants set status = 'deleted', status_before_deletion = $2, status_reason = $3, updated_at = $4
         where id = $1",
        id.0,
        from.as_str(),
        reason,
        now.to_sqlx(),
    )
    .execute(scope.conn())
    .await?;
    let members = sqlx::query_scalar!(
        "update memberships set status = 'disabled', disabled_by_tenant = true, updated_at = $2
         where tenant_id = $1 and status = 'active' returning user_id",
        id.0,
        now.to_sqlx(),
    )
    .fetch_all(scope.conn())
    .await?;
    let after = status(TenantStatus::Deleted, Some(("members_disabled", members)));
    record(scope, id, "tenant.delete", Some(status(from, None)), Some(after), Some(&reason)).await?;
    one(scope, id).await
}

/// Brings a deleted school back as it was, with exactly the members that its deletion disabled.
///
/// # Errors
/// A field error without a reason; [`Error::Conflict`] when it isn't deleted, and when nobody could own it.
pub async fn restore(scope: &mut PlatformScope, id: TenantId, reason: &str) -> Result<TenantRow> {
    let reason = parse_reason(reason)?;
    let owners = hold_owners(scope, id).await?;
    let Locked { status: from, before_deletion, seats } = lock(scope, id).await?;
    let Some(to) = before_deletion else {
        return Err(Error::Conflict(format!("This school is {}, not deleted.", from.as_str())));
    };
    check(from, to)?;
    let now = scope.now();
    // Who was in comes back in, also when the school has fewer seats by now: for a moment it has enough. A suspended
    // school shows again why it was suspended.
    sqlx::query!(
        "update tenants set status = $2, status_before_deletion = null, max_seats = 2147483647, updated_at = $3,
             status_reason = case when $2 = 'suspended' then (
                 select a.reason from audit a where a.tenant_id = $1 and a.action = 'tenant.suspend'
                 order by a.seq desc limit 1) end
         where id = $1",
        id.0,
        to.as_str(),
        now.to_sqlx(),
    )
    .execute(scope.conn())
    .await?;
    let members = sqlx::query_scalar!(
        "update memberships set status = 'active', disabled_by_tenant = false, updated_at = $2
         where tenant_id = $1 and disabled_by_tenant returning user_id",
        id.0,
        now.to_sqlx(),
    )
    .fetch_all(scope.conn())
    .await?;
    require_owner(scope, id, &owners).await?;
    sqlx::query!("update tenants set max_seats = $2 where id = $1", id.0, seats)
        .execute(scope.conn())
        .await?;
    let after = status(to, Some(("members_enabled", members)));
    record(scope, id, "tenant.restore", Some(status(from, None)), Some(after), Some(&reason)).await?;
    one(scope, id).await
}

/// Holds the accounts that own a deleted school: whoever disables or deletes one meanwhile waits, and then sees a school
/// that isn't deleted any more. Accounts before schools and memberships, as elsewhere.
async fn hold_owners(scope: &mut PlatformScope, id: TenantId) -> Result<Vec<Uuid>> {
    let owners = sqlx::query_scalar!(
        "select u.id from memberships m join users u on u.id = m.user_id
         where m.tenant_id = $1 and m.role = 'owner' and m.status <> 'revoked' order by u.id for share of u",
        id.0
    )
    .fetch_all(scope.conn())
    .await?;
    Ok(owners)
}

/// Refuses to open a school that nobody could run.
async fn require_owner(scope: &mut PlatformScope, id: TenantId, held: &[Uuid]) -> Result<()> {
    let owned = sqlx::query_scalar!(
        r#"select exists (select from memberships m join users u on u.id = m.user_id
                          where m.tenant_id = $1 and m.user_id = any($2) and m.role = 'owner' and m.status = 'active'
                            and u.status = 'active' and u.deleted_at is null) as "owned!""#,
        id.0,
        held,
    )
    .fetch_one(scope.conn())
    .await?;
    if owned {
        Ok(())
    } else {
        Err(Error::Conflict("Its owner's account is deleted or disabled. Restore that account first.".into()))
    }
}

/// A school whose row is held until the end of the transaction.
struct Locked {
    status: TenantStatus,
    before_deletion: Option<TenantStatus>,
    seats: i32,
}

async fn lock(scope: &mut PlatformScope, id: TenantId) -> Result<Locked> {
    let row = sqlx::query!(
        "select status, status_before_deletion, max_seats from tenants where id = $1 for no key update",
        id.0
    )
    .fetch_optional(scope.conn())
    .await?
    .ok_or(Error::NotFound)?;
    Ok(Locked {
        status: parse_status(&row.status)?,
        before_deletion: row.status_before_deletion.as_deref().map(parse_status).transpose()?,
        seats: row.max_seats,
    })
}

fn check(from: TenantStatus, to: TenantStatus) -> Result<()> {
    if from == to {
        Err(Error::Conflict(format!("This school is {} already.", from.as_str())))
    } else if from.may_become(to) {
        Ok(())
    } else {
        Err(Error::Conflict(format!("A school that is {} can't become {}.", from.as_str(), to.as_str())))
    }
}

fn status(status: TenantStatus, members: Option<(&str, Vec<Uuid>)>) -> Value {
    let mut value = json!({ "status": status });
    if let Some((key, mut members)) = members {
        value[key] = json!(members.len());
        members.sort_unstable();
        members.truncate(MOST_NAMED);
        value["members"] = json!(members);
    }
    value
}

fn facts(row: &TenantRow) -> Value {
    json!({ "name": row.name, "slug": row.slug, "preset": row.preset.as_str(), "zone": row.zone, "seats": row.max_seats })
}
