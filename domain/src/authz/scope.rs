//! Proofs of who acts where, each with the transaction it acts in.
//!
//! A scope is made from a user id and an address, by one query that reads user, membership and school as they are now
//! (AC-18). Dropping a scope rolls its transaction back.

use serde::Deserialize;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::policy::{self, Action, Reach, Role};
use crate::{
    Error, Instant, Result,
    db::{ActAs, Db, Tx},
    ids::{InstructorId, StudentId, TenantId, UserId},
    tenancy::{Preset, Tenant, TenantStatus},
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
    /// The instructor or student record they act as.
    person: Option<Uuid>,
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
    /// Schools they belong to.
    pub schools: Vec<School>,
}

/// This actor in this school, with an open transaction that sees no other school.
#[derive(Debug)]
pub struct TenantScope {
    tx: Tx,
    tenant: Tenant,
    actor: Actor,
    now: Instant,
}

impl TenantScope {
    /// Enters a school as a member would: 404 for those who don't belong, 403 for members of a closed school.
    pub async fn member(db: &Db, user: Option<UserId>, slug: &str, now: Instant) -> Result<Self> {
        let Some(user) = user else {
            return Err(Error::Unauthorized("Log in to go on."));
        };
        let scope = Self::enter(db, Some(user), slug, now).await?;
        if scope.actor.role == Role::Visitor {
            return Err(Error::NotFound);
        }
        if scope.tenant.status != TenantStatus::Active {
            return Err(Error::Forbidden(SCHOOL_CLOSED));
        }
        Ok(scope)
    }

    /// Enters a school's public side; whoever is signed in keeps their role. A closed school isn't there.
    pub async fn public(db: &Db, user: Option<UserId>, slug: &str, now: Instant) -> Result<Self> {
        let scope = Self::enter(db, user, slug, now).await?;
        if scope.tenant.status != TenantStatus::Active {
            return Err(Error::NotFound);
        }
        Ok(scope)
    }

    /// Enters a school with its owner's rights, for a command given on the machine itself. No request leads here.
    pub async fn operator(db: &Db, slug: &str, now: Instant) -> Result<Self> {
        let mut scope = Self::enter(db, None, slug, now).await?;
        scope.actor.role = Role::Owner;
        Ok(scope)
    }

    async fn enter(db: &Db, user: Option<UserId>, slug: &str, now: Instant) -> Result<Self> {
        if slug.contains('\0') {
            // Postgres can't even be asked.
            return Err(Error::NotFound);
        }
        let mut tx = db.begin(ActAs::Program, user).await?;
        // Setting the tenant inside the query that finds it saves a round trip; what follows sees this school only.
        let row = sqlx::query!(
            r#"select t.id, t.slug, t.name, t.preset, t.zone, t.currency, t.status,
                      set_config('app.tenant_id', t.id::text, true) as "scoped!",
                      u.id as "user_id?", u.name as "user_name?", m.role as "role?", m.person_id
               from tenants t
               left join users u on u.id = $2 and u.status = 'active' and u.deleted_at is null
               left join memberships m on m.tenant_id = t.id and m.user_id = u.id and m.status = 'active'
               where t.slug = $1"#,
            slug,
            user.map(|id| id.0)
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound)?;
        let actor = Actor {
            user: row.user_id.map(UserId),
            name: row.user_name.unwrap_or_default(),
            role: row.role.as_deref().and_then(Role::member).unwrap_or(Role::Visitor),
            person: row.person_id,
        };
        let tenant = Tenant {
            id: TenantId(row.id),
            slug: row.slug,
            name: row.name,
            preset: Preset::parse(&row.preset).ok_or_else(|| Error::internal("unknown preset"))?,
            zone: Zone::parse(&row.zone).map_err(Error::internal)?,
            currency: row.currency,
            status: TenantStatus::parse(&row.status)
                .ok_or_else(|| Error::internal("unknown tenant status"))?,
        };
        Ok(Self { tx, tenant, actor, now })
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
        self.now
    }

    /// How far the actor may go with `action`; an error when not at all.
    pub fn require(&self, action: Action) -> Result<Reach> {
        match policy::reach(self.actor.role, action) {
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
    now: Instant,
}

impl UserScope {
    /// Enters one's own account.
    pub async fn enter(db: &Db, user: Option<UserId>, now: Instant) -> Result<Self> {
        let Some(user) = user else {
            return Err(Error::Unauthorized("Log in to go on."));
        };
        let mut tx = db.begin(ActAs::Program, Some(user)).await?;
        let account = load_account(&mut tx, user).await?;
        Ok(Self { tx, account, now })
    }

    /// The account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// When the request began.
    pub fn now(&self) -> Instant {
        self.now
    }

    pub(crate) fn conn(&mut self) -> (Uuid, &mut PgConnection) {
        (self.account.id.0, &mut self.tx)
    }

    /// Makes it so.
    pub async fn commit(self) -> Result<()> {
        Ok(self.tx.commit().await?)
    }
}

/// A super-admin, with an open transaction over all schools.
#[derive(Debug)]
pub struct PlatformScope {
    tx: Tx,
    account: Account,
    now: Instant,
}

impl PlatformScope {
    /// Enters the platform: others are told that it isn't theirs.
    pub async fn enter(db: &Db, user: Option<UserId>, now: Instant) -> Result<Self> {
        let Some(user) = user else {
            return Err(Error::Unauthorized("Log in to go on."));
        };
        let mut tx = db.begin(ActAs::Platform, Some(user)).await?;
        let account = load_account(&mut tx, user).await?;
        if !account.super_admin || policy::reach(Role::SuperAdmin, Action::RunPlatform) != Reach::All {
            return Err(Error::Forbidden("This part is for those who run the platform."));
        }
        Ok(Self { tx, account, now })
    }

    /// The super-admin.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// When the request began.
    pub fn now(&self) -> Instant {
        self.now
    }

    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// Makes it so.
    pub async fn commit(self) -> Result<()> {
        Ok(self.tx.commit().await?)
    }
}

async fn load_account(conn: &mut PgConnection, user: UserId) -> Result<Account> {
    let row = sqlx::query!(
        r#"select u.id, u.name, u.email, u.super_admin,
                  coalesce((select jsonb_agg(jsonb_build_object('slug', t.slug, 'name', t.name, 'role', m.role) order by t.name)
                            from memberships m join tenants t on t.id = m.tenant_id
                            where m.user_id = u.id and m.status = 'active'), '[]') as "schools!: Json<Vec<School>>"
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
        schools: row.schools.0,
    })
}
