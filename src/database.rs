//! Which database, and getting it ready: the private one or a given one, roles and migrations.

use domain::{
    db::{Db, UnsafeRole},
    vault::Vault,
};
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

use crate::{
    config::{Config, ConfigError, Mode, connect_options},
    postgres::{self, PrivatePostgres},
};

/// Connections of the pool (OP-04).
const CONNECTIONS: u32 = 20;

/// A database that can be reached; dropping this doesn't stop a private one, [`Database::stop`] does.
#[derive(Debug)]
pub struct Database {
    private: Option<PrivatePostgres>,
    login: PgConnectOptions,
    owner: Option<PgConnectOptions>,
}

/// Why the database isn't ready.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The environment.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The private server.
    #[error(transparent)]
    Private(#[from] postgres::Error),
    /// Row-level security wouldn't hold.
    #[error("refusing to start: {0}")]
    Role(#[from] UnsafeRole),
    /// No owner to migrate as.
    #[error("LESSONBOOK_OWNER_URL is not set: migrations run as the schema's owner")]
    NoOwner,
    /// A migration.
    #[error("migrating failed: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Accounts whose password everyone knows.
    #[error(
        "refusing to start: the demo's accounts are in this database, and anyone knows their password; use another database"
    )]
    Demo,
    /// The keys of encrypted fields.
    #[error("the encryption keys: {0}")]
    Vault(#[from] domain::Error),
    /// The database.
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
}

impl Database {
    /// Finds the given database, or makes and starts the private one.
    ///
    /// # Errors
    /// Says what is missing.
    pub async fn open(config: &Config) -> Result<Self, Error> {
        let Some(url) = &config.database_url else {
            let private = PrivatePostgres::start(&config.data_dir).await?;
            return Ok(Self { login: private.login(), owner: Some(private.owner()), private: Some(private) });
        };
        let owner =
            config.owner_url.as_ref().map(|url| connect_options(url, "LESSONBOOK_OWNER_URL")).transpose()?;
        Ok(Self { login: connect_options(url, "DATABASE_URL")?, owner, private: None })
    }

    /// Brings the schema up to date as its owner, and makes the program's login if there is none.
    ///
    /// # Errors
    /// Of a migration.
    pub async fn migrate(&self) -> Result<(), Error> {
        let owner = self.owner.as_ref().ok_or(Error::NoOwner)?;
        let mut conn = owner.connect().await?;
        domain::MIGRATIONS.run(&mut conn).await?;
        // The program looks there whether its schema is the one it was built for.
        sqlx::raw_sql("grant select on _sqlx_migrations to lessonbook_program").execute(&mut conn).await?;
        let login = self.login.get_username();
        if login != owner.get_username() {
            make_login(&mut conn, login).await?;
        }
        conn.close().await?;
        Ok(())
    }

    /// The pool, after making sure that row-level security holds. A private or development database is migrated
    /// first; a production one is migrated on purpose, by `lessonbook migrate`.
    ///
    /// # Errors
    /// Refuses a login that could get around row-level security.
    pub async fn pool(&self, config: &Config) -> Result<Db, Error> {
        if self.private.is_some() || (config.mode != Mode::Production && self.owner.is_some()) {
            self.migrate().await?;
        }
        Db::check_login(&self.login).await?;
        let vault = Vault::new(&config.master_key()?, &config.old_secret_keys)?;
        let db = Db::connect(self.login.clone(), CONNECTIONS, vault).await?;
        domain::db::check_schema(&db).await?;
        db.vault().load(&db).await?;
        if config.mode == Mode::Production && domain::seed::is_demo(&db).await? {
            return Err(Error::Demo);
        }
        Ok(db)
    }

    /// Whether a command started the private server itself and should stop it again; one that was running serves
    /// somebody else.
    pub fn started_here(&self) -> bool {
        self.private.as_ref().is_some_and(PrivatePostgres::started_here)
    }

    /// Stops a private server.
    pub fn stop(&self) {
        if let Some(private) = &self.private
            && let Err(error) = private.stop()
        {
            tracing::warn!(%error, "the private database did not stop; the next start will find it");
        }
    }
}

/// The login may take both lesser roles but inherits neither: what it may do is said in each connection.
async fn make_login(conn: &mut PgConnection, login: &str) -> Result<(), sqlx::Error> {
    let exists = sqlx::query_scalar::<_, bool>("select exists (select from pg_roles where rolname = $1)")
        .bind(login)
        .fetch_one(&mut *conn)
        .await?;
    // Names in DDL can't be parameters; quote_ident makes any name safe.
    let quoted =
        sqlx::query_scalar::<_, String>("select quote_ident($1)").bind(login).fetch_one(&mut *conn).await?;
    let mut ddl = String::new();
    if !exists {
        ddl.push_str(&format!("create role {quoted} login;"));
    }
    ddl.push_str(&format!("alter role {quoted} noinherit;"));
    ddl.push_str(&format!("grant lessonbook_program, lessonbook_platform to {quoted};"));
    sqlx::raw_sql(sqlx::AssertSqlSafe(ddl)).execute(conn).await?;
    Ok(())
}
