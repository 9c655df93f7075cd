//! Members: who they are, what they may do, and how they leave. For owners alone.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use jiff_sqlx::ToSqlx;
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Newcomer, Seats, invites, person_for, retire};
use crate::{
    Error, Instant, Result,
    audit::{self, Entry},
    authz::{
        Action, Role, TenantScope,
        policy::{GRANTABLE, Grant},
    },
    identity::sessions,
    ids::UserId,
    paging::{ListQuery, Page},
    rows::{self, Rows},
    tenancy::{difference, parse_reason},
};

/// A member in the list of the team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// The account.
    pub user: UserId,
    /// Name.
    pub name: String,
    /// E-mail.
    pub email: String,
    /// Role here.
    pub role: Role,
    /// What an owner gave or took beyond the role.
    pub permissions: BTreeMap<String, bool>,
    /// Whether they log in with a second step.
    pub has_code: bool,
    /// Since when they belong.
    pub since: Instant,
}

impl MemberRow {
    /// What an owner can give this member or take away, and whether they have it.
    pub fn grants(&self) -> impl Iterator<Item = (&'static Grant, bool)> {
        GRANTABLE.iter().filter(move |grant| grant.role == self.role).map(move |grant| {
            let said = self.permissions.get(grant.action.as_str()).copied();
            (grant, said.unwrap_or_else(|| grant.by_default()))
        })
    }
}

/// The active members by name or e-mail, students last. Sorted by role, or by `name`, `email` or `since`.
///
/// # Errors
/// [`Error::Forbidden`] for anyone but an owner.
pub async fn list(scope: &mut TenantScope, query: &ListQuery) -> Result<Page<MemberRow>> {
    scope.require(Action::ManageTeam)?;
    let (tenant, conn) = scope.conn();
    let rows = sqlx::query!(
        r#"with found as (
               select u.id, u.name, u.email, m.role, m.permissions, m.created_at,
                      array_position(array['owner', 'staff', 'instructor', 'student'], m.role) as rank
               from memberships m join users u on u.id = m.user_id and u.deleted_at is null
               where m.tenant_id = $1 and m.status = 'active'
                 and ($2::text is null or u.name ilike $2 or u.email ilike $2)
           )
           select f.id as "id?", f.name as "name?", f.email as "email?", f.role as "role?",
                  f.permissions as "permissions?: Json<BTreeMap<String, bool>>", f.created_at as "since?",
                  has_code(f.id) as "has_code?", n.total as "total!"
           from (select count(*) as total from found) n
           left join lateral (
               select * from found order by
                   case when $3 = 'email' and not $4 then email when $3 = 'name' and not $4 then lower(name) end,
                   case when $3 = 'email' and $4 then email when $3 = 'name' and $4 then lower(name) end desc,
                   case when $3 = 'since' and not $4 then created_at end,
                   case when $3 = 'since' and $4 then created_at end desc,
                   case when $3 not in ('email', 'name', 'since') and not $4 then rank end,
                   case when $3 not in ('email', 'name', 'since') and $4 then rank end desc,
                   lower(name), id
               limit $5 offset least($6::bigint, greatest(0, (n.total - 1) / $5 * $5))
           ) f on true"#,
        tenant,
        query.pattern(),
        query.sort,
        query.desc,
        query.limit(),
        query.offset(),
    )
    .fetch_all(conn)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    // The one row of an empty page carries the total alone.
    let items = rows
        .into_iter()
        .filter_map(|row| {
            Some(MemberRow {
                user: UserId(row.id?),
                name: row.name?,
                email: row.email?,
                role: Role::member(&row.role?)?,
                permissions: row.permissions?.0,
                has_code: row.has_code?,
                since: row.since?.to_jiff(),
            })
        })
        .collect();
    Ok(Page::new(items, total, query))
}

/// The school's seats.
///
/// # Errors
/// [`Error::Forbidden`] for anyone but an owner.
pub async fn seats(scope: &mut TenantScope) -> Result<Seats> {
    Ok(invites::open(scope).await?.0)
}

/// The members that the list's search leaves, one row each, in the order in which their accounts were made.
///
/// # Errors
/// [`Error::Forbidden`] for those who may not manage the team or take lists out.
pub fn export(mut scope: TenantScope, query: ListQuery) -> Result<Rows> {
    scope.require(Action::ManageTeam)?;
    scope.require(Action::ExportData)?;
    Ok(rows::spawn(async move |out| send(&mut scope, &query, &out).await))
}

async fn send(scope: &mut TenantScope, query: &ListQuery, out: &rows::Out) -> Result<()> {
    if !rows::put(out, rows::words(&["id", "name", "email", "role", "second_step", "joined_at"])).await? {
        return Ok(());
    }
    let zone = scope.tenant().zone.clone();
    let (tenant, conn) = scope.conn();
    rows::settle(&mut *conn).await?;
    let mut found = sqlx::query!(
        r#"select u.id, u.name, u.email, m.role, m.created_at, has_code(u.id) as "has_code!"
           from memberships m join users u on u.id = m.user_id and u.deleted_at is null
           where m.tenant_id = $1 and m.status = 'active'
             and ($2::text is null or u.name ilike $2 or u.email ilike $2)
           order by m.user_id"#,
        tenant,
        query.pattern(),
    )
    .fetch(conn);
    while let Some(row) = found.try_next().await? {
        let cells = vec![
            row.id.to_string(),
            row.name,
            row.email,
            row.role,
            row.has_code.to_string(),
            zone.rfc3339(row.created_at.to_jiff()),
        ];
        if !rows::put(out, cells).await? {
            break;
        }
    }
    Ok(())
}

/// Removes a member: they see the school no more from the next request on, and as an instructor nobody is shown or books
/// them. Their record and their lessons stay, and an open invite to them ends. Says their name.
///
/// # Errors
/// [`Error::Conflict`] for oneself and for the last owner; a field error without a reason.
pub async fn remove(scope: &mut TenantScope, user: UserId, reason: &str) -> Result<String> {
    scope.require(Action::ManageTeam)?;
    let reason = parse_reason(reason)?;
    if scope.actor().user == Some(user) {
        return Err(Error::Conflict("You can't remove yourself. Another owner can.".into()));
    }
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    // Invites before memberships, as one who accepts goes, so that the two can't wait for each other.
    let invites = sqlx::query_scalar!(
        "update invites set revoked_at = $3
         where tenant_id = $1 and used_at is null and revoked_at is null and email = (select email from users where id = $2)
         returning id",
        tenant,
        user.0,
        now.to_sqlx(),
    )
    .fetch_all(conn)
    .await?;
    let member = lock(scope, user).await?;
    let (tenant, conn) = scope.conn();
    sqlx::query!(
        "update memberships set status = 'revoked', updated_at = $3 where tenant_id = $1 and user_id = $2",
        tenant,
        user.0,
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    let before = json!({ "status": "active", "role": member.role });
    let mut after = json!({ "status": "revoked" });
    if !invites.is_empty() {
        after["invites_revoked"] = json!(invites);
    }
    record(scope, "team.remove", user, before, after, Some(&reason)).await?;
    Ok(member.name)
}

/// Gives a member another role. An instructor or a student acts as the record with their e-mail, which is made when there
/// is none; what was given or taken in the old role is forgotten. An instructor's record that nobody acts as any more waits
/// to be verified again. Says their name.
///
/// # Errors
/// [`Error::Conflict`] for the last owner, for a role they have, and when all seats are taken; field errors.
pub async fn set_role(scope: &mut TenantScope, user: UserId, role: &str, reason: &str) -> Result<String> {
    scope.require(Action::ManageTeam)?;
    let role = Role::member(role).ok_or_else(|| Error::field("role", "Choose one of the list."))?;
    let reason = parse_reason(reason)?;
    let member = lock(scope, user).await?;
    if member.role == role {
        return Err(Error::Conflict(format!("{} has this role already.", member.name)));
    }
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    let newcomer = Newcomer { id: user.0, name: &member.name, email: &member.email };
    let person = person_for(&mut *conn, tenant, role, newcomer, now).await?;
    sqlx::query!(
        "update memberships set role = $3, person_id = $4, permissions = '{}', updated_at = $5
         where tenant_id = $1 and user_id = $2",
        tenant,
        user.0,
        role.as_str(),
        person,
        now.to_sqlx(),
    )
    .execute(&mut *conn)
    .await?;
    if matches!(role, Role::Owner | Role::Staff) && !matches!(member.role, Role::Owner | Role::Staff) {
        // Their sessions are short (AC-02); a long one that stands open was begun as something less.
        sessions::end(conn, user.0, None).await?;
    }
    let left = member.person.filter(|_| member.role == Role::Instructor);
    let (tenant, conn) = scope.conn();
    let retired = match left {
        Some(record) => retire(conn, tenant, record).await?,
        None => false,
    };
    let before = json!({ "role": member.role, "permissions": member.permissions });
    let (mut before, mut after) =
        difference(before, json!({ "role": role, "permissions": {} })).unwrap_or_default();
    if retired {
        before["verification"] = json!("verified");
        after["verification"] = json!("pending");
        after["instructor"] = json!(left);
    }
    record(scope, "team.role", user, before, after, Some(&reason)).await?;
    Ok(member.name)
}

/// Gives a member permissions beyond their role, or takes some away (AC-20). What isn't named stays. Says their name.
///
/// # Errors
/// A field error for what isn't an owner's to say of this role.
pub async fn set_permissions(
    scope: &mut TenantScope,
    user: UserId,
    wanted: &[(Action, bool)],
) -> Result<String> {
    scope.require(Action::ManageTeam)?;
    let member = lock(scope, user).await?;
    let mut permissions = member.permissions.clone();
    for (action, may) in wanted {
        let grant = GRANTABLE.iter().find(|grant| grant.role == member.role && grant.action == *action);
        let grant = grant.ok_or_else(|| {
            Error::field("permissions", "This can't be given to someone in this role, or taken away.")
        })?;
        if grant.by_default() == *may {
            permissions.remove(action.as_str());
        } else {
            permissions.insert(action.as_str().to_owned(), *may);
        }
    }
    if permissions == member.permissions {
        return Ok(member.name);
    }
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    sqlx::query!(
        "update memberships set permissions = $3, updated_at = $4 where tenant_id = $1 and user_id = $2",
        tenant,
        user.0,
        json!(permissions),
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    let (before, after) =
        (json!({ "permissions": member.permissions }), json!({ "permissions": permissions }));
    record(scope, "team.permissions", user, before, after, None).await?;
    Ok(member.name)
}

/// An active member whose row is held until the end of the transaction.
struct Member {
    name: String,
    email: String,
    role: Role,
    /// The record they act as.
    person: Option<Uuid>,
    permissions: BTreeMap<String, bool>,
}

/// Holds the rows of the member and of the owner who acts, in one order, and looks again whether the actor is still one:
/// of two owners who demote each other at once, the second one isn't any more.
async fn lock(scope: &mut TenantScope, user: UserId) -> Result<Member> {
    let actor = scope.actor().user.map(|actor| actor.0);
    let both: Vec<Uuid> = actor.into_iter().chain([user.0]).collect();
    let (tenant, conn) = scope.conn();
    let rows = sqlx::query!(
        r#"select m.user_id, m.role, m.person_id, m.status, m.permissions as "permissions: Json<BTreeMap<String, bool>>"
           from memberships m where m.tenant_id = $1 and m.user_id = any($2) order by m.user_id for no key update"#,
        tenant,
        &both[..],
    )
    .fetch_all(&mut *conn)
    .await?;
    let active = |id: Uuid| rows.iter().find(|row| row.user_id == id && row.status == "active");
    let still_owner =
        actor.is_none_or(|actor| active(actor).is_some_and(|row| row.role == Role::Owner.as_str()));
    if !still_owner {
        return Err(Error::Forbidden("You are no longer an owner of this school."));
    }
    let row = active(user.0).ok_or(Error::NotFound)?;
    let person = sqlx::query!("select name, email from users where id = $1 and deleted_at is null", user.0)
        .fetch_optional(conn)
        .await?
        .ok_or(Error::NotFound)?;
    Ok(Member {
        name: person.name,
        email: person.email,
        role: Role::member(&row.role).ok_or_else(|| Error::internal("unknown role"))?,
        person: row.person_id,
        permissions: row.permissions.0.clone(),
    })
}

async fn record(
    scope: &mut TenantScope,
    action: &str,
    user: UserId,
    before: Value,
    after: Value,
    reason: Option<&str>,
) -> Result<()> {
    let entry = Entry {
        action,
        entity: "member",
        entity_id: Some(user.0),
        before: Some(before),
        after: Some(after),
        reason,
    };
    audit::record(scope, entry).await
}
