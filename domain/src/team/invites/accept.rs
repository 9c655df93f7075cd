//! Accepting an invite: as the account with the invited address, or by making that account.

use std::collections::BTreeMap;

use jiff_sqlx::ToSqlx;
use secrecy::SecretString;
use serde_json::json;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::part;
use crate::{
    Error, FieldErrors, Instant, Result,
    audit::{self, Entry},
    authz::{Caller, Role},
    db::{ActAs, Db},
    identity::{
        Passwords, PersonName, links,
        sessions::{self, hash_token},
    },
    ids::{PLATFORM, UserId},
    team::{Newcomer, person_for, retire},
    tenancy::{Preset, TenantStatus},
};

/// The one answer to an invite that is used, revoked, expired, cut off or never was.
const GONE: &str = "This invite has been used or has expired. Ask the school for a new one.";

/// The answer when the address has an account that another school or the platform made: that one's link opens it, and the
/// word of this school alone doesn't lead in there.
const MADE_ELSEWHERE: &str = "This address has an account that was made elsewhere and not opened yet. Open it by its own link, then accept.";

/// What an invite says, to whoever has its link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteView {
    /// The school.
    pub school: String,
    /// Its address.
    pub slug: String,
    /// As what.
    pub role: Role,
    /// The same, in the school's words.
    pub part: String,
    /// To whom.
    pub email: String,
    /// Whether the address has an account, with which one has to log in to accept.
    pub has_account: bool,
    /// Whether that account is logged in.
    pub mine: bool,
}

/// An invite that has just been accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The school.
    pub school: String,
    /// Its address.
    pub slug: String,
    /// Who is a member now. A session of theirs has to be begun anew: what they may do has changed (AC-02).
    pub user: UserId,
}

/// An invite as found by its token.
struct Found {
    tenant: Uuid,
    view: InviteView,
    account: Option<Account>,
}

/// The account with the invited address.
struct Account {
    id: Uuid,
    name: String,
}

/// What the link of an invite shows.
///
/// # Errors
/// [`Error::Conflict`] for a link that can't be used.
pub async fn look_up(db: &Db, caller: &Caller, token: &str) -> Result<InviteView> {
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let found = find(&mut tx, caller, token).await?;
    tx.commit().await?;
    Ok(found.view)
}

/// The invite behind a token, if it can be accepted now.
async fn find(conn: &mut PgConnection, caller: &Caller, token: &str) -> Result<Found> {
    let row = sqlx::query!(
        r#"select t.id as "id!", t.name as "name!", t.slug as "slug!", t.status as "status!", t.preset as "preset!",
                  t.words as "words!: Json<BTreeMap<String, String>>", i.email as "email!", i.role as "role!",
                  u.id as "user_id?", u.name as "user_name?",
                  coalesce(u.email_verified_at is not null and u.password_hash is not null, false) as "ready!",
                  coalesce(u.super_admin or exists (
                      select from memberships m
                      where m.user_id = u.id and m.tenant_id <> i.tenant_id and m.status <> 'revoked'), false) as "elsewhere!",
                  exists (select from users v where v.id = i.invited_by and v.status = 'active' and v.deleted_at is null
                          and (v.super_admin or exists (
                              select from memberships m where m.tenant_id = i.tenant_id and m.user_id = v.id
                                and m.role = 'owner' and m.status = 'active'))) as "backed!"
           from invites i
           join tenants t on t.id = i.tenant_id
           left join users u on u.email = i.email and u.deleted_at is null
           where i.token_hash = $1 and i.used_at is null and i.revoked_at is null and i.expires_at > $2"#,
        &hash_token(token)[..],
        caller.now.to_sqlx(),
    )
    .fetch_optional(conn)
    .await?
    .ok_or_else(gone)?;
    if row.status != TenantStatus::Active.as_str() {
        return Err(Error::Conflict("This school is closed for now. Ask it for a new invite later.".into()));
    }
    if !row.backed {
        // Whoever invited may do so no more.
        return Err(Error::Conflict("Ask the school for a new invite.".into()));
    }
    if row.elsewhere && !row.ready {
        return Err(Error::Conflict(MADE_ELSEWHERE.into()));
    }
    let preset = Preset::parse(&row.preset).ok_or_else(|| Error::internal("unknown preset"))?;
    let role = Role::member(&row.role).ok_or_else(|| Error::internal("unknown role"))?;
    let account = row.user_id.map(|id| Account { id, name: row.user_name.unwrap_or_default() });
    let mine = account.as_ref().is_some_and(|account| caller.user == Some(UserId(account.id)));
    let view = InviteView {
        school: row.name,
        slug: row.slug,
        role,
        part: part(role, &preset.words().with(&row.words.0)),
        email: row.email,
        has_account: row.ready,
        mine,
    };
    Ok(Found { tenant: row.id, view, account })
}

/// Accepts an invite. Whoever has an account must be logged in with it, and `name` and `password` are not looked at.
/// Anyone else gets an account with them: that they have the link shows that the address is theirs. An account that
/// nobody has ever logged in with counts as none, unless another school or the platform made it. Of many tries at once one
/// succeeds.
///
/// # Errors
/// [`Error::Conflict`] for a link that can't be used, and for such an account; [`Error::Unauthorized`] for an address with
/// an account; field errors for a bad name or a weak password.
pub async fn accept(
    db: &Db,
    passwords: &Passwords,
    caller: &Caller,
    token: &str,
    name: &str,
    password: &SecretString,
) -> Result<Accepted> {
    if caller.impersonator.is_some() {
        return Err(Error::Forbidden("This is for the account's owner alone."));
    }
    // Looked at first: a dead link says so before anyone thinks of a password, and costs no hashing.
    let mut tx = db.begin(ActAs::Platform, None).await?;
    let view = find(&mut tx, caller, token).await?.view;
    tx.commit().await?;
    let new = if view.has_account {
        if !view.mine {
            return Err(log_in());
        }
        None
    } else {
        let mut errors = FieldErrors::new();
        let name = errors.check("name", PersonName::parse(name));
        let about = vec![view.email.clone(), view.school.clone()];
        errors.check("password", passwords.check_strength(password, about).await?);
        match name {
            Some(name) if errors.is_empty() => Some((name, passwords.hash(password).await?)),
            _ => return Err(Error::Invalid(errors)),
        }
    };

    let mut tx = db.begin(ActAs::Platform, None).await?;
    let accepted = settle(&mut tx, caller, token, new).await?;
    tx.commit().await?;
    Ok(accepted)
}

/// The part of [`accept`] that writes, in one transaction. `new` is the name and the password hash of a new account.
async fn settle(
    conn: &mut PgConnection,
    caller: &Caller,
    token: &str,
    new: Option<(PersonName, String)>,
) -> Result<Accepted> {
    let now = caller.now;
    // The account stays as it is found: nobody else opens it or puts it to use meanwhile.
    sqlx::query!(
        "select u.id from users u join invites i on i.email = u.email
         where i.token_hash = $1 and u.deleted_at is null for no key update of u",
        &hash_token(token)[..],
    )
    .fetch_optional(&mut *conn)
    .await?;
    // Everything may have changed while the password was hashed.
    let Found { tenant, view, account } = find(conn, caller, token).await?;
    // The one statement that only one of many gets past. From here on the seat it held is free again.
    let invite = sqlx::query!(
        "update invites set used_at = $3
         where tenant_id = $1 and token_hash = $2 and used_at is null and revoked_at is null and expires_at > $3
         returning id, created_at",
        tenant,
        &hash_token(token)[..],
        now.to_sqlx(),
    )
    .fetch_optional(&mut *conn)
    .await?
    .ok_or_else(gone)?;
    // A school that is being closed now is waited for.
    let open = sqlx::query_scalar!("select status from tenants where id = $1 for share", tenant)
        .fetch_one(&mut *conn)
        .await?;
    if open != TenantStatus::Active.as_str() {
        return Err(gone());
    }
    let opened = !view.has_account;
    let (user, name) = match (new, account) {
        (None, Some(account)) if view.mine && view.has_account => (account.id, account.name),
        (Some((name, hash)), account) if !view.has_account => {
            let account = account.map(|account| account.id);
            (open_account(conn, now, &view.email, account, &name, &hash).await?, name.as_str().to_owned())
        }
        _ => return Err(log_in()),
    };
    let person =
        person_for(conn, tenant, view.role, Newcomer { id: user, name: &name, email: &view.email }, now)
            .await?;
    let before = join(conn, tenant, user, &view, person, (invite.created_at.to_jiff(), now)).await?;
    if matches!(view.role, Role::Owner | Role::Staff) {
        end_long_sessions(conn, user, caller).await?;
    }
    let actor = Caller { user: Some(UserId(user)), ..caller.clone() };
    let entry = |action, entity, before, after| Entry {
        action,
        entity,
        entity_id: Some(user),
        before,
        after: Some(after),
        reason: None,
    };
    if opened {
        let after = json!({ "name": name, "email": view.email });
        let entry = entry("user.create", "user", None, after);
        audit::record_as(conn, PLATFORM, &actor, Role::Visitor, entry).await?;
    }
    let mut after =
        json!({ "status": "active", "role": view.role, "email": view.email, "invite": invite.id });
    let before = before.map(|before| {
        let mut was = json!({ "status": before.status, "role": before.role });
        if let Some(instructor) = before.retired {
            was["verification"] = json!("verified");
            after["verification"] = json!("pending");
            after["instructor"] = json!(instructor);
        }
        was
    });
    audit::record_as(conn, tenant, &actor, view.role, entry("team.accept", "member", before, after)).await?;
    Ok(Accepted { school: view.school, slug: view.slug, user: UserId(user) })
}

/// Makes the account with the invited address, or takes over one that nobody has ever logged in with.
async fn open_account(
    conn: &mut PgConnection,
    now: Instant,
    email: &str,
    account: Option<Uuid>,
    name: &PersonName,
    hash: &str,
) -> Result<Uuid> {
    let user = match account {
        // Whoever registered it without having the address doesn't get in with the password or the number they gave.
        Some(account) => {
            sqlx::query_scalar!(
                "update users set name = $2, password_hash = $3, email_verified_at = $4, phone = null, phone_index = null,
                     wish = null, updated_at = $4
                 where id = $1 and status = 'active' and deleted_at is null
                   and (email_verified_at is null or password_hash is null)
                 returning id",
                account,
                name.as_str(),
                hash,
                now.to_sqlx(),
            )
            .fetch_optional(&mut *conn)
            .await?
        }
        None => {
            sqlx::query_scalar!(
                "insert into users (id, email, email_verified_at, name, password_hash, created_at, updated_at)
                 values ($1, $2, $5, $3, $4, $5, $5)
                 on conflict (email) where deleted_at is null do nothing returning id",
                UserId::new(now).0,
                email,
                name.as_str(),
                hash,
                now.to_sqlx(),
            )
            .fetch_optional(&mut *conn)
            .await?
        }
    };
    let user = user.ok_or_else(log_in)?;
    links::spend_all(conn, user, now).await?;
    Ok(user)
}

/// What an account was in the school before it accepted.
struct Before {
    status: String,
    role: String,
    /// The record it acted as, which waits to be verified again now that it acts as another.
    retired: Option<Uuid>,
}

/// Makes the account a member, or a former one a member again; what it was here before.
async fn join(
    conn: &mut PgConnection,
    tenant: Uuid,
    user: Uuid,
    view: &InviteView,
    person: Option<Uuid>,
    (invited_at, now): (Instant, Instant),
) -> Result<Option<Before>> {
    let before = sqlx::query!(
        "select status, role, person_id, turned_down, updated_at from memberships
         where tenant_id = $1 and user_id = $2 for no key update",
        tenant,
        user,
    )
    .fetch_optional(&mut *conn)
    .await?;
    match before.as_ref().map(|row| (row.status.as_str(), row.updated_at.to_jiff())) {
        None | Some(("pending", _)) => {}
        // Someone who was removed after they were invited stays out.
        Some(("revoked", at)) if at <= invited_at => {}
        Some(("active", _)) => {
            return Err(Error::Conflict("You are a member of this school already.".into()));
        }
        Some(_) => return Err(gone()),
    }
    sqlx::query!(
        "insert into memberships (tenant_id, user_id, role, person_id, status, created_at, updated_at)
         values ($1, $2, $3, $4, 'active', $5, $5)
         on conflict (tenant_id, user_id) do update set role = excluded.role, person_id = excluded.person_id,
             status = 'active', permissions = '{}', disabled_by_tenant = false, revoked_with_user = false,
             turned_down = false, updated_at = excluded.updated_at",
        tenant,
        user,
        view.role.as_str(),
        person,
        now.to_sqlx(),
    )
    .execute(&mut *conn)
    .await?;
    let Some(row) = before else {
        return Ok(None);
    };
    // Only of someone who did act as it: who merely applied says nothing of the school's record.
    let acted = row.role == Role::Instructor.as_str() && row.status == "revoked" && !row.turned_down;
    let left = row.person_id.filter(|left| acted && Some(*left) != person);
    let retired = match left {
        Some(record) => retire(conn, tenant, record).await?.then_some(record),
        None => None,
    };
    Ok(Some(Before { status: row.status, role: row.role, retired }))
}

/// Who runs a school has short sessions (AC-02): those begun as something less end, and the one that asks rests no longer
/// than the others, until it is begun anew.
async fn end_long_sessions(conn: &mut PgConnection, user: Uuid, caller: &Caller) -> Result<()> {
    sessions::end(&mut *conn, user, caller.session.as_ref()).await?;
    let asking = caller.session.as_ref().map(|hash| &hash[..]);
    sqlx::query!(
        "update sessions set idle_seconds = least(idle_seconds, 1800) where user_id = $1 and token_hash = $2",
        user,
        asking,
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn log_in() -> Error {
    Error::Unauthorized("Log in with the invited e-mail address to accept.")
}

fn gone() -> Error {
    Error::Conflict(GONE.into())
}
