//! Accounts as the platform runs them (TN-03, TN-05, TN-12). A deleted one is listed only when it is asked for (PR-01).

mod change;
mod impersonate;

use jiff_sqlx::ToSqlx;
use serde::Deserialize;
use sqlx::types::Json;

pub use change::{UserUpdate, delete, disable, enable, restore, update};
pub use impersonate::{Target, impersonate, impersonation_ended};

use crate::{
    Error, Instant, Result,
    authz::PlatformScope,
    ids::{TenantId, UserId},
    paging::{ListQuery, Page},
    tenancy::transitions,
};

/// Whether an account can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStatus {
    /// Yes.
    Active,
    /// Switched off by the platform.
    Disabled,
    /// Deleted, softly.
    Deleted,
}

impl AccountStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Active, Self::Disabled, Self::Deleted];

    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Deleted => "deleted",
        }
    }

    /// From a form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether an account may go from here to `next`.
    pub fn may_become(self, next: Self) -> bool {
        transitions::allowed(transitions::ACCOUNTS, self.as_str(), next.as_str())
    }

    /// From the two columns that hold it.
    fn stored(status: &str, deleted: bool) -> Result<Self> {
        match (deleted, status) {
            (true, _) => Ok(Self::Deleted),
            (false, "active") => Ok(Self::Active),
            (false, "disabled") => Ok(Self::Disabled),
            _ => Err(Error::internal("unknown account status")),
        }
    }
}

/// An account in the platform's list.
#[derive(Clone, Debug)]
pub struct UserRow {
    /// Id.
    pub id: UserId,
    /// Name.
    pub name: String,
    /// E-mail.
    pub email: String,
    /// Runs the platform.
    pub super_admin: bool,
    /// Whether it can be used.
    pub status: AccountStatus,
    /// Since when.
    pub created_at: Instant,
    /// Where they belong, without deleted schools.
    pub memberships: Vec<MembershipRow>,
}

/// Where an account belongs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MembershipRow {
    /// School.
    pub tenant: TenantId,
    /// Its name.
    pub tenant_name: String,
    /// Its address.
    pub slug: String,
    /// Role there.
    pub role: String,
    /// `pending`, `active`, `disabled` or `revoked`.
    pub status: String,
    /// The school's own status.
    pub tenant_status: String,
}

/// One account.
#[derive(Clone, Debug)]
pub struct UserDetail {
    /// Id.
    pub id: UserId,
    /// Name.
    pub name: String,
    /// E-mail.
    pub email: String,
    /// Whether the address is known to be theirs; until then they can't log in.
    pub email_verified: bool,
    /// Runs the platform.
    pub super_admin: bool,
    /// Logs in with a second step.
    pub has_code: bool,
    /// Whether it can be used.
    pub status: AccountStatus,
    /// Since when.
    pub created_at: Instant,
    /// When it was deleted.
    pub deleted_at: Option<Instant>,
    /// Sessions that live.
    pub sessions: i64,
    /// When they last logged in.
    pub last_login: Option<Instant>,
    /// Where they belong, deleted schools among them.
    pub memberships: Vec<MembershipRow>,
}

/// Accounts by name or e-mail; `status` is `active`, `disabled`, `deleted`, or anything else for all but the deleted.
/// Sorted by `name`, `email` or `created`.
///
/// # Errors
/// Of the database.
pub async fn list(scope: &mut PlatformScope, query: &ListQuery, status: &str) -> Result<Page<UserRow>> {
    let status = AccountStatus::parse(status);
    let deleted = status == Some(AccountStatus::Deleted);
    let rows = sqlx::query!(
        r#"with found as (
               select * from users u
               where (u.deleted_at is not null) = $7::bool and ($6::text is null or u.status = $6)
                 and ($1::text is null or u.name ilike $1 or u.email ilike $1)
           )
           select f.id as "id?", f.name as "name?", f.email as "email?", f.super_admin as "super_admin?",
                  f.status as "status?", f.created_at as "created_at?", n.total as "total!",
                  coalesce((select jsonb_agg(jsonb_build_object('tenant', t.id, 'tenant_name', t.name, 'slug', t.slug,
                                     'role', m.role, 'status', m.status, 'tenant_status', t.status) order by t.name)
                            from memberships m join tenants t on t.id = m.tenant_id and t.status <> 'deleted'
                            where m.user_id = f.id), '[]')
                      as "memberships!: Json<Vec<MembershipRow>>"
           from (select count(*) as total from found) n
           left join lateral (
               select * from found order by
                   case when $2 = 'email' and not $3 then email when $2 = 'name' and not $3 then lower(name) end,
                   case when $2 = 'email' and $3 then email when $2 = 'name' and $3 then lower(name) end desc,
                   case when $2 = 'created' and not $3 then created_at end,
                   case when $2 = 'created' and $3 then created_at end desc,
                   lower(name), id
               limit $4 offset least($5::bigint, greatest(0, (n.total - 1) / $4 * $4))
           ) f on true"#,
        query.pattern(),
        query.sort,
        query.desc,
        query.limit(),
        query.offset(),
        status.filter(|_| !deleted).map(AccountStatus::as_str),
        deleted,
    )
    .fetch_all(scope.conn())
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    // The one row of an empty page carries the total alone.
    let items = rows
        .into_iter()
        .filter_map(|row| {
            Some(UserRow {
                id: UserId(row.id?),
                name: row.name?,
                email: row.email?,
                super_admin: row.super_admin?,
                status: AccountStatus::stored(&row.status?, deleted).ok()?,
                created_at: row.created_at?.to_jiff(),
                memberships: row.memberships.0,
            })
        })
        .collect();
    Ok(Page::new(items, total, query))
}

/// One account, deleted or not.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn one(scope: &mut PlatformScope, id: UserId) -> Result<UserDetail> {
    let now = scope.now();
    let row = sqlx::query!(
        r#"select u.id, u.name, u.email, u.super_admin, u.status, u.created_at, u.deleted_at,
                  u.email_verified_at is not null as "email_verified!", has_code(u.id) as "has_code!",
                  (select count(*) from sessions s
                   where s.user_id = u.id and s.expires_at > $2
                     and s.last_seen_at + make_interval(secs => s.idle_seconds) > $2) as "sessions!",
                  (select max(a.at) from login_attempts a where a.user_id = u.id and a.ok) as "last_login?",
                  coalesce((select jsonb_agg(jsonb_build_object('tenant', t.id, 'tenant_name', t.name, 'slug', t.slug,
                                     'role', m.role, 'status', m.status, 'tenant_status', t.status) order by t.name)
                            from memberships m join tenants t on t.id = m.tenant_id where m.user_id = u.id), '[]')
                      as "memberships!: Json<Vec<MembershipRow>>"
           from users u where u.id = $1"#,
        id.0,
        now.to_sqlx(),
    )
    .fetch_optional(scope.conn())
    .await?
    .ok_or(Error::NotFound)?;
    Ok(UserDetail {
        id: UserId(row.id),
        name: row.name,
        email: row.email,
        email_verified: row.email_verified,
        super_admin: row.super_admin,
        has_code: row.has_code,
        status: AccountStatus::stored(&row.status, row.deleted_at.is_some())?,
        created_at: row.created_at.to_jiff(),
        deleted_at: row.deleted_at.map(|at| at.to_jiff()),
        sessions: row.sessions,
        last_login: row.last_login.map(|at| at.to_jiff()),
        memberships: row.memberships.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_account_is_deleted_whatever_it_was() {
        assert_eq!(AccountStatus::stored("active", true).unwrap(), AccountStatus::Deleted);
        assert_eq!(AccountStatus::stored("disabled", false).unwrap(), AccountStatus::Disabled);
        assert!(AccountStatus::stored("asleep", false).is_err());
        assert!(AccountStatus::Deleted.may_become(AccountStatus::Active));
        assert!(!AccountStatus::Active.may_become(AccountStatus::Active));
    }
}
