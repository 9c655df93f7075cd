//! A private Postgres for those who have none at hand: made in the data directory, reached through a socket there and
//! nothing else.
//!
//! The machine's own binaries are run, through `pg_ctl`, so that a server left by a killed program is found and used
//! again instead of being started twice. The crate `postgresql_embedded` would download binaries and starts them as
//! the current user, which Postgres refuses to root; here root lends the work to the user `postgres`.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use sqlx::{ConnectOptions, Connection, postgres::PgConnectOptions};

/// The schema's owner inside the private server.
const OWNER: &str = "lessonbook_owner";
/// The program's login: owns nothing.
pub const LOGIN: &str = "lessonbook_login";
const DATABASE: &str = "lessonbook";

/// A running private server.
#[derive(Debug)]
pub struct PrivatePostgres {
    bin: PathBuf,
    data: PathBuf,
    socket: PathBuf,
    user: Option<Unprivileged>,
    started_here: bool,
}

/// The user that root lends the server to.
#[derive(Clone, Copy, Debug)]
struct Unprivileged {
    uid: u32,
    gid: u32,
}

/// Why there is no private server, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No binaries.
    #[error("no PostgreSQL 15 or later found; install it (apt-get install postgresql) or set DATABASE_URL")]
    NotInstalled,
    /// Run by root without anyone to lend it to.
    #[error("Postgres doesn't run as root and there is no user postgres to run it as; set DATABASE_URL")]
    NoUser,
    /// A step failed.
    #[error("{step} failed: {detail}")]
    Step {
        /// Which.
        step: &'static str,
        /// What it said.
        detail: String,
    },
    /// Files.
    #[error("the data directory can't be used: {0}")]
    Io(#[from] std::io::Error),
    /// The server answers, but not well.
    #[error("the private database: {0}")]
    Database(#[from] sqlx::Error),
}

impl PrivatePostgres {
    /// Makes the server if there is none yet, and starts it if it isn't running.
    ///
    /// # Errors
    /// Says what is missing and what to do.
    pub async fn start(data_dir: &Path) -> Result<Self, Error> {
        let bin = find_binaries().ok_or(Error::NotInstalled)?;
        let user = if is_root()? { Some(postgres_user()?) } else { None };
        let base = reachable_base(data_dir, user)?;
        let data = base.join("postgres");
        // A socket's path is at most 107 bytes, whatever the data directory's is.
        let socket = if base.as_os_str().len() > 80 {
            std::env::temp_dir().join(format!("lessonbook-{:016x}", stable_hash(&base)))
        } else {
            base.join("socket")
        };
        for dir in [&data, &socket] {
            fs::create_dir_all(dir)?;
            if fs::symlink_metadata(dir)?.is_symlink() {
                return Err(Error::Step {
                    step: "taking a directory",
                    detail: format!("{} is a link", dir.display()),
                });
            }
            if let Some(user) = user {
                std::os::unix::fs::chown(dir, Some(user.uid), Some(user.gid))?;
            }
            // Only their owner gets in, so that the socket needs no password.
            fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
        }
        let mut server = Self { bin, data, socket, user, started_here: false };
        if !server.data.join("PG_VERSION").exists() {
            server.init()?;
        }
        if !server.is_running() {
            let options =
                format!("-c listen_addresses='' -c unix_socket_directories='{}'", server.socket.display());
            let log = server.data.join("server.log");
            server.run("starting Postgres", "pg_ctl", |cmd| {
                cmd.args(["-w", "-t", "60", "-o", &options, "-l"]).arg(&log).arg("start")
            })?;
            server.started_here = true;
        }
        server.make_database().await?;
        Ok(server)
    }

    /// The database as its owner.
    pub fn owner(&self) -> PgConnectOptions {
        self.options(OWNER)
    }

    /// The database as the program.
    pub fn login(&self) -> PgConnectOptions {
        self.options(LOGIN)
    }

    /// Whether it wasn't running before.
    pub fn started_here(&self) -> bool {
        self.started_here
    }

    /// Stops the server and waits for it.
    ///
    /// # Errors
    /// When it doesn't stop.
    pub fn stop(&self) -> Result<(), Error> {
        self.run("stopping Postgres", "pg_ctl", |cmd| cmd.args(["-w", "-m", "fast", "stop"]))
    }

    fn options(&self, user: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().socket(&self.socket).username(user).database(DATABASE)
    }

    fn init(&self) -> Result<(), Error> {
        self.run("making the database cluster", "initdb", |cmd| {
            cmd.args(["-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"])
        })
    }

    fn is_running(&self) -> bool {
        self.run("asking for Postgres", "pg_ctl", |cmd| cmd.arg("status")).is_ok()
    }

    async fn make_database(&self) -> Result<(), Error> {
        let mut conn = self.options(OWNER).database("postgres").connect().await?;
        let exists =
            sqlx::query_scalar::<_, bool>("select exists (select from pg_database where datname = $1)")
                .bind(DATABASE)
                .fetch_one(&mut conn)
                .await?;
        if !exists {
            sqlx::raw_sql("create database lessonbook").execute(&mut conn).await?;
        }
        conn.close().await?;
        Ok(())
    }

    fn run(
        &self,
        step: &'static str,
        program: &str,
        with: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Result<(), Error> {
        let mut command = Command::new(self.bin.join(program));
        command.arg("-D").arg(&self.data).current_dir("/").stdin(Stdio::null());
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        // A server of its own process group isn't ended by the Ctrl-C meant for the program, which stops it in order.
        command.process_group(0);
        with(&mut command);
        // A started server keeps what it inherits open: a pipe would never end, so a file takes the words.
        let said = tempfile()?;
        let status = command.stdout(said.try_clone()?).stderr(said.try_clone()?).status()?;
        if status.success() {
            return Ok(());
        }
        Err(Error::Step { step, detail: read_back(said)? })
    }
}

/// An unnamed file: gone when it is closed. Its name was nobody's before, and nobody can guess it.
fn tempfile() -> std::io::Result<fs::File> {
    let path = std::env::temp_dir().join(format!("lessonbook-{}", uuid::Uuid::new_v4()));
    let file = fs::OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

fn read_back(mut file: fs::File) -> std::io::Result<String> {
    use std::io::{Read, Seek};
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}

/// The newest binaries: Debian's place first, then whatever PATH has.
fn find_binaries() -> Option<PathBuf> {
    let mut debian: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let bin = entry.path().join("bin");
            (version >= 15 && bin.join("initdb").exists()).then_some((version, bin))
        })
        .collect();
    debian.sort();
    debian.pop().map(|(_, bin)| bin).or_else(|| {
        std::env::split_paths(&std::env::var_os("PATH")?)
            .find(|dir| dir.join("initdb").exists() && dir.join("pg_ctl").exists())
    })
}

fn is_root() -> std::io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

fn postgres_user() -> Result<Unprivileged, Error> {
    let passwd = fs::read_to_string("/etc/passwd")?;
    let line = passwd.lines().find(|line| line.starts_with("postgres:")).ok_or(Error::NoUser)?;
    let mut fields = line.split(':').skip(2);
    match (fields.next().and_then(|n| n.parse().ok()), fields.next().and_then(|n| n.parse().ok())) {
        (Some(uid), Some(gid)) => Ok(Unprivileged { uid, gid }),
        _ => Err(Error::NoUser),
    }
}

/// The data directory, or, where the unprivileged user can't come (a checkout in root's home), one under /var/lib
/// that belongs to this data directory alone.
fn reachable_base(data_dir: &Path, user: Option<Unprivileged>) -> Result<PathBuf, Error> {
    fs::create_dir_all(data_dir)?;
    let base = data_dir.canonicalize()?;
    let Some(user) = user else { return Ok(base) };
    let reachable = Command::new("test").arg("-x").arg(&base).uid(user.uid).gid(user.gid).status()?.success();
    if reachable {
        return Ok(base);
    }
    let base = Path::new("/var/lib/lessonbook").join(format!("{:016x}", stable_hash(&base)));
    fs::create_dir_all(&base)?;
    Ok(base)
}

/// FNV-1a: the same for the same path in every build, which the standard library's hasher doesn't promise.
fn stable_hash(path: &Path) -> u64 {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str()
        .as_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
