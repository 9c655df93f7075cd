//! Invites: a link by mail that makes someone a member (AC-21). 72 hours, once; only the token's hash is kept.

mod accept;

use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

pub use accept::{Accepted, InviteView, accept, look_up};

use super::{INVITED_BY_OWNER, Seats};
use crate::{
    Error, FieldErrors, Instant, Result,
    audit::{self, Entry},
    authz::{Action, PlatformScope, Role, TenantScope},
    identity::{Email, sessions::hash_token},
    ids::{TenantId, UserId},
    notify::{self, Mail},
    tenancy::{TenantStatus, Words},
};

/// How long an invite can be accepted.
const LIFE: SignedDuration = SignedDuration::from_hours(72);
/// Open invites shown at most.
const MOST: i64 = 500;

/// An invite that was just made. Its mail is in the outbox.
#[derive(Debug)]
pub struct Invited {
    /// Its id.
    pub id: Uuid,
    /// The token of its link, which is nowhere else but in the mail.
    pub token: String,
    /// The mail, so that whoever invites can be told whether it went out (TN-09).
    pub message: Uuid,
    /// To whom.
    pub email: String,
}

/// An open invite in the list, expired ones among them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct InviteRow {
    /// Its id.
    pub id: Uuid,
    /// To whom.
    pub email: String,
    /// As what.
    pub role: Role,
    /// By whom.
    pub inviter: Option<String>,
    /// When it was sent.
    pub created_at: Instant,
    /// Until when it can be accepted.
    pub expires_at: Instant,
    /// Where its mail stands: `waiting`, `sending`, `sent` or `dead`.
    pub mail: Option<String>,
    /// Why the mail didn't go out, at the last try.
    pub mail_error: Option<String>,
}

/// The seats and the open invites of the school, in one query.
///
/// # Errors
/// [`Error::Forbidden`] for anyone but an owner.
pub async fn open(scope: &mut TenantScope) -> Result<(Seats, Vec<InviteRow>)> {
    scope.require(Action::ManageTeam)?;
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    let row = sqlx::query!(
        r#"select t.max_seats,
                  (select count(*) from memberships m
                   where m.tenant_id = $1 and m.status = 'active' and m.role <> 'student') as "used!",
                  (select count(*) from invites i
                   where i.tenant_id = $1 and i.role <> 'student' and i.used_at is null and i.revoked_at is null
                     and i.expires_at > $2) as "invited!",
                  (select coalesce(jsonb_agg(jsonb_build_object(
                              'id', i.id, 'email', i.email, 'role', i.role, 'inviter', u.name,
                              'created_at', i.created_at, 'expires_at', i.expires_at,
                              'mail', o.state, 'mail_error', o.error) order by i.created_at desc, i.id), '[]')
                   from (select * from invites
                         where tenant_id = $1 and used_at is null and revoked_at is null
                         order by created_at desc limit $3) i
                   left join users u on u.id = i.invited_by
                   left join outbox o on o.tenant_id = $1 and o.id = i.message_id) as "invites!: Json<Vec<InviteRow>>"
           from tenants t where t.id = $1"#,
        tenant,
        now.to_sqlx(),
        MOST,
    )
    .fetch_one(conn)
    .await?;
    let seats = Seats { max: row.max_seats.into(), used: row.used, invited: row.invited };
    Ok((seats, row.invites.0))
}

/// The open invites, the latest first.
///
/// # Errors
/// [`Error::Forbidden`] for anyone but an owner.
pub async fn list(scope: &mut TenantScope) -> Result<Vec<InviteRow>> {
    Ok(open(scope).await?.1)
}

/// Invites someone to the school, by mail.
///
/// # Errors
/// Field errors, among them for someone who is a member or has an open invite; [`Error::Conflict`] when all seats are
/// taken; [`Error::Forbidden`] when the school has none.
pub async fn create(scope: &mut TenantScope, email: &str, role: &str) -> Result<Invited> {
    scope.require(Action::ManageTeam)?;
    let mut errors = FieldErrors::new();
    let email = errors.check("email", Email::parse(email));
    let role = Role::member(role).filter(|role| INVITED_BY_OWNER.contains(role));
    let role = errors.check("role", role.ok_or("Choose staff, instructor or student."));
    let (Some(email), Some(role)) = (email, role) else {
        return Err(Error::Invalid(errors));
    };
    let (now, inviter) = (scope.now(), scope.actor().user);
    let (tenant, conn) = scope.conn();
    refuse_member(conn, tenant, &email).await?;
    // An expired one doesn't stand in the way of the next; an open one does.
    sqlx::query!(
        "update invites set revoked_at = $3
         where tenant_id = $1 and email = $2 and used_at is null and revoked_at is null and expires_at <= $3",
        tenant,
        email.as_str(),
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    let invited = insert(scope, &email, role, inviter).await?;
    let after = json!({ "email": email.as_str(), "role": role });
    record(scope, "team.invite", invited.id, None, Some(after)).await?;
    Ok(invited)
}

/// Sends an invite again: with a new link and 72 hours more. The old link is dead.
///
/// # Errors
/// [`Error::Conflict`] when it was accepted or revoked, is the platform's, or its seat was taken after it expired.
pub async fn resend(scope: &mut TenantScope, id: Uuid) -> Result<Invited> {
    scope.require(Action::ManageTeam)?;
    let inviter = scope.actor().user;
    let (email, role) = end(scope, id).await?;
    if !INVITED_BY_OWNER.contains(&role) {
        return Err(Error::Conflict(
            "Owners are invited by the platform. Ask there for a new invite.".into(),
        ));
    }
    let (tenant, conn) = scope.conn();
    refuse_member(conn, tenant, &email).await?;
    // As a new row, so that its seat is asked for again.
    let invited = insert(scope, &email, role, inviter).await?;
    let (before, after) = (json!({ "invite": id }), json!({ "email": email.as_str(), "role": role }));
    record(scope, "team.resend", invited.id, Some(before), Some(after)).await?;
    Ok(invited)
}

/// Takes an invite back: its link is dead and its seat free. Says to whom it went.
///
/// # Errors
/// [`Error::Conflict`] when it was accepted or revoked already.
pub async fn revoke(scope: &mut TenantScope, id: Uuid) -> Result<String> {
    scope.require(Action::ManageTeam)?;
    let (email, role) = end(scope, id).await?;
    let before = json!({ "email": email.as_str(), "role": role });
    record(scope, "team.revoke", id, Some(before), None).await?;
    Ok(email.as_str().to_owned())
}

/// Invites an owner to a school, as the platform does. An open invite to the same address makes way.
///
/// # Errors
/// Field errors; [`Error::NotFound`]; [`Error::Conflict`] for a deleted school and when all seats are taken.
pub async fn create_owner(scope: &mut PlatformScope, tenant: TenantId, email: &str) -> Result<Invited> {
    let email = Email::parse(email).map_err(|message| Error::field("email", message))?;
    let (now, account) = (scope.now(), scope.account().clone());
    let school = sqlx::query!("select name, status from tenants where id = $1", tenant.0)
        .fetch_optional(scope.conn())
        .await?
        .ok_or(Error::NotFound)?;
    if school.status == TenantStatus::Deleted.as_str() {
        return Err(Error::Conflict("This school is deleted. Restore it first.".into()));
    }
    refuse_member(scope.conn(), tenant.0, &email).await?;
    let replaced = sqlx::query!(
        "update invites set revoked_at = $3
         where tenant_id = $1 and email = $2 and used_at is null and revoked_at is null returning id, role",
        tenant.0,
        email.as_str(),
        now.to_sqlx(),
    )
    .fetch_optional(scope.conn())
    .await?;
    let (role, token) = (Role::Owner, token());
    let mail = Mail::Invite { school: school.name, inviter: account.name, role: role.as_str().to_owned() };
    let vault = scope.vault().clone();
    let message =
        notify::enqueue_for(scope.conn(), &vault, now, tenant.0, email.as_str(), &mail, Some(&token)).await?;
    let invited = Invited { id: Uuid::now_v7(), token, message, email: email.as_str().to_owned() };
    write(scope.conn(), tenant.0, &invited, (role, Some(account.id)), now).await?;
    let entry = Entry {
        action: "team.invite",
        entity: "invite",
        entity_id: Some(invited.id),
        before: replaced.map(|old| json!({ "invite": old.id, "role": old.role })),
        after: Some(json!({ "email": email.as_str(), "role": role })),
        reason: None,
    };
    audit::record_platform(scope, tenant.0, entry).await?;
    Ok(invited)
}

/// Refuses to invite someone who is in already.
async fn refuse_member(conn: &mut PgConnection, tenant: Uuid, email: &Email) -> Result<()> {
    let member = sqlx::query_scalar!(
        r#"select exists (select from memberships m join users u on u.id = m.user_id and u.deleted_at is null
                          where m.tenant_id = $1 and m.status = 'active' and u.email = $2) as "member!""#,
        tenant,
        email.as_str(),
    )
    .fetch_one(conn)
    .await?;
    if member {
        return Err(Error::field("email", "This person is a member already. Change their role instead."));
    }
    Ok(())
}

/// Ends an invite that nobody has accepted; to whom it went, and as what.
async fn end(scope: &mut TenantScope, id: Uuid) -> Result<(Email, Role)> {
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    let ended = sqlx::query!(
        "update invites set revoked_at = $3
         where tenant_id = $1 and id = $2 and used_at is null and revoked_at is null returning email, role",
        tenant,
        id,
        now.to_sqlx(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(row) = ended {
        let email = Email::parse(&row.email).map_err(Error::internal)?;
        let role = Role::member(&row.role).ok_or_else(|| Error::internal("unknown role"))?;
        return Ok((email, role));
    }
    let known = sqlx::query_scalar!(
        "select used_at is not null from invites where tenant_id = $1 and id = $2",
        tenant,
        id
    )
    .fetch_optional(conn)
    .await?
    .ok_or(Error::NotFound)?;
    let what = if known == Some(true) { "accepted" } else { "revoked" };
    Err(Error::Conflict(format!("This invite has been {what} already.")))
}

/// 256 random bits, in hexadecimal.
fn token() -> String {
    rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A new invite of the school, with its mail.
async fn insert(
    scope: &mut TenantScope,
    email: &Email,
    role: Role,
    inviter: Option<UserId>,
) -> Result<Invited> {
    let (now, token) = (scope.now(), token());
    let message = tell(scope, email, role, &token).await?;
    let invited = Invited { id: Uuid::now_v7(), token, message, email: email.as_str().to_owned() };
    let (tenant, conn) = scope.conn();
    write(conn, tenant, &invited, (role, inviter), now).await?;
    Ok(invited)
}

async fn write(
    conn: &mut PgConnection,
    tenant: Uuid,
    invited: &Invited,
    (role, inviter): (Role, Option<UserId>),
    now: Instant,
) -> Result<()> {
    let expires = now.checked_add(LIFE).map_err(Error::internal)?;
    sqlx::query!(
        "insert into invites (tenant_id, id, email, role, token_hash, invited_by, created_at, expires_at, message_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        tenant,
        invited.id,
        invited.email,
        role.as_str(),
        &hash_token(&invited.token)[..],
        inviter.map(|user| user.0),
        now.to_sqlx(),
        expires.to_sqlx(),
        invited.message,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What one is to be, in the school's words.
fn part(role: Role, words: &Words) -> String {
    match role {
        Role::Student => words.student.clone(),
        Role::Instructor => words.instructor.clone(),
        other => other.as_str().to_owned(),
    }
}

/// Puts the mail with the link into the outbox.
async fn tell(scope: &mut TenantScope, email: &Email, role: Role, token: &str) -> Result<Uuid> {
    let mail = Mail::Invite {
        school: scope.tenant().name.clone(),
        inviter: scope.actor().name.clone(),
        role: part(role, scope.tenant().words()),
    };
    notify::enqueue(scope, email.as_str(), &mail, Some(token), None).await
}

async fn record(
    scope: &mut TenantScope,
    action: &str,
    id: Uuid,
    before: Option<Value>,
    after: Option<Value>,
) -> Result<()> {
    let entry = Entry { action, entity: "invite", entity_id: Some(id), before, after, reason: None };
    audit::record(scope, entry).await
}
