//! Who owns a school, for the platform's page of it.

use jiff_sqlx::ToSqlx;
use serde::Deserialize;
use sqlx::types::Json;

use crate::{
    Instant, Result,
    authz::PlatformScope,
    ids::{TenantId, UserId},
};

/// An owner of a school.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct OwnerRow {
    /// The account.
    pub user: UserId,
    /// Name.
    pub name: String,
    /// E-mail.
    pub email: String,
    /// `active`, or `disabled` with a deleted school.
    pub status: String,
}

/// Someone who has been invited to own a school and hasn't answered.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct InvitedOwner {
    /// To whom.
    pub email: String,
    /// Until when it can be accepted.
    pub expires_at: Instant,
}

/// The owners of a school by name, and who is invited to be one.
///
/// # Errors
/// Of the database.
pub async fn owners(
    scope: &mut PlatformScope,
    tenant: TenantId,
) -> Result<(Vec<OwnerRow>, Vec<InvitedOwner>)> {
    let now = scope.now();
    let row = sqlx::query!(
        r#"select coalesce((select jsonb_agg(jsonb_build_object('user', u.id, 'name', u.name, 'email', u.email,
                                            'status', m.status) order by lower(u.name), u.id)
                            from memberships m join users u on u.id = m.user_id
                            where m.tenant_id = $1 and m.role = 'owner' and m.status <> 'revoked'
                              and u.deleted_at is null), '[]') as "owners!: Json<Vec<OwnerRow>>",
                  coalesce((select jsonb_agg(jsonb_build_object('email', email, 'expires_at', expires_at) order by email)
                            from invites
                            where tenant_id = $1 and role = 'owner' and used_at is null and revoked_at is null
                              and expires_at > $2), '[]') as "invited!: Json<Vec<InvitedOwner>>""#,
        tenant.0,
        now.to_sqlx(),
    )
    .fetch_one(scope.conn())
    .await?;
    Ok((row.owners.0, row.invited.0))
}
