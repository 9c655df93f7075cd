//! Proofs of who acts where, each with the transaction it acts in.
//!
//! A scope is made from a user id and an address, by one query that reads user, membership and school as they are now
//! (AC-18). Dropping a scope rolls its transaction back.

use std::collections::BTreeMap;

use serde::Deserialize;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{
    caller::Caller,
    policy::{self, Action, Reach, Role},
};
use crate::{
    Error, Instant, Result,
    db::{ActAs, Db, Tx},
    ids::{InstructorId, StudentId, TenantId, UserId},
    locale::Locale,
    tenancy::{Preset, Tenant, TenantStatus},
    vault::Vault,
    zoned::Zone,
};

/// Shown to members of a suspended or deleted school.
pub const SCHOOL_CLOSED: &str = "This school is closed for now. Its owner can say more.";
const NOT_ALLOWED: &str = "Your role in this school doesn't allow this.";

/// Who acts.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The account, when signed in.
    pub user: Option<UserId>,
    /// Their name; empty for a visitor.
    pub name: String,
    /// Their role here.
    pub role: Role,
    /// Has applied to teach here and waits for the school's answer; no member yet.
    pub applied: bool,
    /// The instructor or student record they act as.
    person: Option<Uuid>,
    /// What an owner gave or took beyond the role.
    permissions: BTreeMap<String, bool>,
}

impl Actor {
    /// The instructor record, for instructors.
    pub fn instructor(&self) -> Option<InstructorId> {
        (self.role == Role::Instructor).then_some(self.person?.into())
    }

    /// The student record, for students.
    pub fn student(&self) -> Option<StudentId> {
        (self.role == Role::Student).then_some(self.person?.into())
    }

    /// How far they may go with `action`.
    pub fn reach(&self, action: Action) -> Reach {
        policy::reach_with(self.role, action, &self.permissions)
    }
}

/// A school someone belongs to, for the switcher.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct School {
    /// Its address.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// One's role there, as stored.
    pub role: String,
    /// `active`, or `pending` for someone who has applied to teach there.
    pub status: String,
}

/// The signed-in account, outside any school.
#[derive(Clone, Debug)]
pub struct Account {
    /// Id.
    pub id: UserId,
    /// Name.
    pub name: String,
    /// E-mail.
    pub email: String,
    /// Runs the platform.
    pub super_admin: bool,
    /// Logs in with a second factor.
    pub has_code: bool,
    /// May do without one: the demo's super-admin, whose password is public anyway.
    code_exempt: bool,
    /// Schools they belong to.
    pub schools: Vec<School>,
}

/// This actor in this school, with an open transaction that sees no other school.
#[derive(Debug)]
pub struct TenantScope {
    tx: Tx,
    tenant: Tenant,
    actor: Actor,
    caller: Caller,
    vault: Vault,
}

impl TenantScope {
    /// Enters a school as a member would: 404 for those who don't belong, 403 for members of a closed school.
    ///
    /// # Errors
    /// [`Error::CodeNeeded`] where the school wants a second factor of this role and the account has none.
    pub async fn member(db: &Db, caller: &Caller, slug: &str) -> Result<Self> {
        if caller.user.is_none() {
            return Err(Error::Unauthorized("Log in to go on."));
        }
        let (scope, has_code) = Self::enter(db, caller, slug).await?;
        if scope.actor.role == Role::Visitor {
            return Err(Error::NotFound);
        }
        if scope.tenant.status != TenantStatus::Active {
            return Err(Error::Forbidden(SCHOOL_CLOSED));
        }
        let wants_code = scope.tenant.require_code && matches!(scope.actor.role, Role::Owner | Role::Staff);
        if wants_code && !has_code && caller.impersonator.is_none() {
            return Err(Error::CodeNeeded);
        }
        Ok(scope)
    }

    /// Enters a school's public side; whoever is signed in keeps their role. A closed school isn't there.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn public(db: &Db, caller: &Caller, slug: &str) -> Result<Self> {
        let (scope, _) = Self::enter(db, caller, slug).await?;
        if scope.tenant.status != TenantStatus::Active {
            return Err(Error::NotFound);
        }
        Ok(scope)
    }

    /// Enters a school with its owner's rights, for a command given on the machine itself. No request leads here.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn operator(db: &Db, slug: &str, now: Instant) -> Result<Self> {
        let (mut scope, _) = Self::enter(db, &Caller::visitor(now), slug).await?;
        scope.actor.role = Role::Owner;
        Ok(scope)
    }

    /// The scope, and whether the account has a second factor.
    async fn enter(db: &Db, caller: &Caller, slug: &str) -> Result<(Self, bool)> {
        if slug.contains('\0') {
            // Postgres can't even be asked.
            return Err(Error::NotFound);
        }
        let mut tx = db.begin(ActAs::Program, caller.user).await?;
        // Setting the tenant inside the query that finds it saves a round trip; what follows sees this school only.
        // A member whom the school's deletion disabled is still told that it is closed.
        let row = sqlx::query!(
            r#"select t.id, t.slug, t.name, t.preset, t.zone, t.currency, t.status, t.locale, t.accent,
                      t.open_registration, t.require_code,
                      t.words as "words!: Json<BTreeMap<String, String>>",
                      set_config('app.tenant_id', t.id::text, true) as "scoped!",
                      u.id as "user_id?", u.name as "user_name?", m.role as "role?", m.person_id,
                      m.status = 'pending' as applied,
                      m.permissions as "permissions?: Json<BTreeMap<String, bool>>",
                      coalesce(has_code(u.id), false) as "has_code!"
               from tenants t
               left join users u on u.id = $2 and u.status = 'active' and u.deleted_at is null
               left join memberships m on m.tenant_id = t.id and m.user_id = u.id
                    and (m.status in ('active', 'pending') or m.disabled_by_tenant)
               where t.slug = $1"#,
            slug,
            caller.user.map(|id| id.0)
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound)?;
        let applied = row.applied.unwrap_or(false);
        let role = row.role.as_deref().filter(|_| !applied).and_then(Role::member).unwrap_or(Role::Visitor);
        let actor = Actor {
            user: row.user_id.map(UserId),
            name: row.user_name.unwrap_or_default(),
            role,
            applied,
            person: row.person_id,
            permissions: row.permissions.map(|json| json.0).unwrap_or_default(),
        };
        let preset = Preset::parse(&row.preset).ok_or_else(|| Error::internal("unknown preset"))?;
        let tenant = Tenant {
            id: TenantId(row.id),
            slug: row.slug,
            name: row.name,
            preset,
            words: preset.words().with(&row.words.0),
            zone: Zone::parse(&row.zone).map_err(Error::internal)?,
            locale: Locale::parse(&row.locale).ok_or_else(|| Error::internal("unknown locale"))?,
            currency: row.currency,
            accent: row.accent,
            open_registration: row.open_registration,
            require_code: row.require_code,
            status: TenantStatus::parse(&row.status)
                .ok_or_else(|| Error::internal("unknown tenant status"))?,
        };
        Ok((Self { tx, tenant, actor, caller: caller.clone(), vault: db.vault().clone() }, row.has_code))
    }

    /// The school.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Who acts.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// When the request began.
    pub fn now(&self) -> Instant {
        self.caller.now
    }

    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Opens and seals encrypted fields.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// How far the actor may go with `action`; an error when not at all.
    pub fn require(&self, action: Action) -> Result<Reach> {
        match self.actor.reach(action) {
            Reach::None if self.actor.user.is_none() => Err(Error::Unauthorized("Log in to go on.")),
            Reach::None => Err(Error::Forbidden(NOT_ALLOWED)),
            reach => Ok(reach),
        }
    }

    /// For SQL: the school's id and the connection, together, because each statement names its school again.
    pub(crate) fn conn(&mut self) -> (Uuid, &mut PgConnection) {
        (self.tenant.id.0, &mut self.tx)
    }

    /// Makes it so.
    pub async fn commit(self) -> Result<()> {
        Ok(self.tx.commit().await?)
    }
}

/// A signed-in user and nothing more: their own account.
#[derive(Debug)]
pub struct UserScope {
    tx: Tx,
    account: Account,
    caller: Caller,
    vault: Vault,
    /// Whether the rest of the transaction acts as the platform.
    elevated: bool,
}

impl UserScope {
    /// Enters one's own account.
    ///
    /// # Errors
    /// [`Error::Unauthorized`].
    pub async fn enter(db: &Db, caller: &Caller) -> Result<Self> {
        let Some(user) = caller.user else {
            return Err(Error::Unauthorized("Log in to go on."));
        };
        let mut tx = db.begin(ActAs::Program, Some(user)).await?;
        let account = load_account(&mut tx, user).await?;
        Ok(Self { tx, account, caller: caller.clone(), vault: db.vault().clone(), elevated: false })
    }

    /// The account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// When the request began.
    pub fn now(&self) -> Instant {
        self.caller.now
    }

    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Opens and seals encrypted fields.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    pub(crate) fn conn(&mut self) -> (Uuid, &mut PgConnection) {
        (self.account.id.0, &mut self.tx)
    }

    /// Lets the rest of the transaction act as the platform, for what the program's own role may not even read: second
    /// factors, one-time links, logins. From here on every statement has to name the user itself.
    pub(crate) async fn elevate(&mut self) -> Result<(Uuid, &mut PgConnection)> {
        if !self.elevated {
            sqlx::query("set local role lessonbook_platform").execute(&mut *self.tx).await?;
            self.elevated = true;
        }
        Ok((self.account.id.0, &mut self.tx))
    }

    /// Makes it so.
    ///
    /// # Errors
    /// Of the database.
    pub async fn commit(self) -> Result<()> {
        Ok(self.tx.commit().await?)
    }
}

/// A super-admin, with an open transaction over all schools.
#[derive(Debug)]
pub struct PlatformScope {
    tx: Tx,
    account: Account,
    caller: Caller,
    vault: Vault,
}

impl PlatformScope {
    /// Enters the platform: others are told that it isn't theirs.
    ///
    /// # Errors
    /// [`Error::CodeNeeded`] for a super-admin without a second factor (AC-10).
    pub async fn enter(db: &Db, caller: &Caller) -> Result<Self> {
        let Some(user) = caller.user else {
            return Err(Error::Unauthorized("Log in to go on."));
        };
        let mut tx = db.begin(ActAs::Platform, Some(user)).await?;
        let account = load_account(&mut tx, user).await?;
        if !account.super_admin || policy::reach(Role::SuperAdmin, Action::RunPlatform) != Reach::All {
            return Err(Error::Forbidden("This part is for those who run the platform."));
        }
        if !account.has_code && !account.code_exempt {
            return Err(Error::CodeNeeded);
        }
        Ok(Self { tx, account, caller: caller.clone(), vault: db.vault().clone() })
    }

    /// The super-admin.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// When the request began.
    pub fn now(&self) -> Instant {
        self.caller.now
    }

    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Opens and seals encrypted fields.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// Makes it so.
    ///
    /// # Errors
    /// Of the database.
    pub async fn commit(self) -> Result<()> {
        Ok(self.tx.commit().await?)
    }
}

async fn load_account(conn: &mut PgConnection, user: UserId) -> Result<Account> {
    let row = sqlx::query!(
        r#"select u.id, u.name, u.email, u.super_admin, u.code_exempt, has_code(u.id) as "has_code!",
                  coalesce((select jsonb_agg(jsonb_build_object('slug', t.slug, 'name', t.name, 'role', m.role,
                                   'status', m.status) order by t.name)
                            from memberships m join tenants t on t.id = m.tenant_id
                            where m.user_id = u.id and m.status in ('active', 'pending') and t.status <> 'deleted'), '[]')
                      as "schools!: Json<Vec<School>>"
           from users u where u.id = $1 and u.status = 'active' and u.deleted_at is null"#,
        user.0
    )
    .fetch_optional(conn)
    .await?
    .ok_or(Error::Unauthorized("Log in to go on."))?;
    Ok(Account {
        id: UserId(row.id),
        name: row.name,
        email: row.email,
        super_admin: row.super_admin,
        has_code: row.has_code,
        code_exempt: row.code_exempt,
        schools: row.schools.0,
    })
}
