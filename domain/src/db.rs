//! Connections and transactions.
//!
//! A connection of the pool acts as `lessonbook_program`, which sees no row of any school until a transaction names
//! one. Transactions are opened here and nowhere else, in a task of their own: in sqlx 0.9 a `begin` that is cancelled
//! half-way returns a connection inside an open transaction to the pool (launchbadge/sqlx 4385, 4393), and the next
//! request would inherit its scope.

use std::time::Duration;

use sqlx::{
    AssertSqlSafe, PgPool, Postgres, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{Error, Result, ids::UserId, vault::Vault};

/// An open transaction.
pub(crate) type Tx = Transaction<'static, Postgres>;

/// The database as the program uses it.
#[derive(Clone, Debug)]
pub struct Db {
    pool: PgPool,
    vault: Vault,
}

/// Who a transaction acts as in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActAs {
    /// Bound by row-level security to one tenant.
    Program,
    /// All tenants: super-admin work, and signing in.
    Platform,
}

/// The refusal to start on a database, in words for the one who runs the program.
#[derive(Debug, thiserror::Error)]
pub enum UnsafeRole {
    /// It could read every school's rows.
    #[error(
        "role {0:?} is a superuser or bypasses row-level security; DATABASE_URL must name a lesser login"
    )]
    Bypasses(String),
    /// It could switch row-level security off.
    #[error(
        "role {0:?} owns tables; DATABASE_URL must name a login that owns none (LESSONBOOK_OWNER_URL is for the owner)"
    )]
    Owns(String),
    /// It can't act as the program.
    #[error(
        "role {0:?} is no member of lessonbook_program and lessonbook_platform, or inherits them; run `lessonbook migrate`"
    )]
    NotMember(String),
    /// The schema is missing or older than the program.
    #[error("the database has no up-to-date schema; run `lessonbook migrate`")]
    NotMigrated,
    /// It can't be asked.
    #[error("the database can't be reached: {0}")]
    Unreachable(#[from] sqlx::Error),
}

impl Db {
    /// Opens a pool on which every connection acts as the program: 20 connections, 5 s of waiting for one (OP-04).
    pub async fn connect(options: PgConnectOptions, connections: u32, vault: Vault) -> sqlx::Result<Self> {
        let options = options.application_name("lessonbook").options([
            ("role", "lessonbook_program"),
            ("statement_timeout", "15s"),
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "10s"),
            // Compiling a query costs more than any query here takes.
            ("jit", "off"),
            ("timezone", "UTC"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(5))
            .max_lifetime(Duration::from_secs(1800))
            .connect_with(options)
            .await?;
        Ok(Self { pool, vault })
    }

    /// Refuses a login that row-level security wouldn't hold. `options` name the login as given, without a role.
    pub async fn check_login(options: &PgConnectOptions) -> Result<(), UnsafeRole> {
        use sqlx::{ConnectOptions, Connection};
        let mut conn = options.clone().connect().await?;
        let row = sqlx::query!(
            r#"select session_user::text as "name!",
                      (rolsuper or rolbypassrls) as "bypasses!",
                      exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                              where c.relowner = r.oid and n.nspname = 'public' and c.relkind in ('r', 'p')) as "owns!",
                      coalesce((select bool_and(pg_has_role(r.oid, g.oid, 'member') and not pg_has_role(r.oid, g.oid, 'usage'))
                                       and count(*) = 2
                                from pg_roles g where g.rolname in ('lessonbook_program', 'lessonbook_platform')), false)
                          as "member!",
                      to_regclass('public.outbox') is not null as "migrated!"
               from pg_roles r where rolname = session_user"#
        )
        .fetch_one(&mut conn)
        .await?;
        conn.close().await?;
        if row.bypasses {
            Err(UnsafeRole::Bypasses(row.name))
        } else if row.owns {
            Err(UnsafeRole::Owns(row.name))
        } else if !row.migrated {
            Err(UnsafeRole::NotMigrated)
        } else if !row.member {
            Err(UnsafeRole::NotMember(row.name))
        } else {
            Ok(())
        }
    }

    /// The pool, for what belongs to no school: sessions and health.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Opens and seals encrypted fields; ready once it has been loaded.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Opens a transaction and says who it acts as and for which user, in one round trip and in a task of its own.
    pub(crate) async fn begin(&self, act_as: ActAs, user: Option<UserId>) -> Result<Tx> {
        let mut statement = String::from("BEGIN");
        if act_as == ActAs::Platform {
            statement.push_str("; SET LOCAL ROLE lessonbook_platform");
        }
        if let Some(user) = user {
            // A UUID prints as hex digits and hyphens only, so there is nothing to quote.
            statement.push_str(&format!("; SELECT set_config('app.user_id', '{user}', true)"));
        }
        let pool = self.pool.clone();
        tokio::spawn(async move { pool.begin_with(AssertSqlSafe(statement)).await })
            .await
            .map_err(Error::internal)?
            .map_err(Error::from)
    }
}

/// Asks the database for a sign of life.
///
/// # Errors
/// When none comes.
pub async fn ping(db: &Db) -> Result<()> {
    sqlx::query!(r#"select 1 as "one!""#).fetch_one(&db.pool).await?;
    Ok(())
}

/// Refuses a schema older than the program. A newer one serves: migrations keep the version before working.
///
/// # Errors
/// [`UnsafeRole::NotMigrated`].
pub async fn check_schema(db: &Db) -> Result<(), UnsafeRole> {
    let newest = crate::MIGRATIONS.iter().map(|migration| migration.version).max();
    let applied = sqlx::query_scalar!("select max(version) from _sqlx_migrations where success")
        .fetch_one(&db.pool)
        .await?;
    if applied >= newest { Ok(()) } else { Err(UnsafeRole::NotMigrated) }
}
