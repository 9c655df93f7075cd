//! Configuration: the only place that reads the environment. `.env.example` lists what is read here.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
};

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;

/// How careful the program is with its surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Refuses to start without what safety needs.
    Production,
    /// On a developer's machine; pages reload when the program restarts.
    Development,
    /// With demo accounts, and saying so.
    Demo,
}

/// All that the environment can say.
#[derive(Clone, Debug)]
pub struct Config {
    /// The database as the program uses it; none for the private one.
    pub database_url: Option<SecretString>,
    /// The same as the schema's owner.
    pub owner_url: Option<SecretString>,
    /// Private Postgres, keys, local files.
    pub data_dir: PathBuf,
    /// Address to listen on.
    pub addr: SocketAddr,
    /// Public address, without a slash at its end.
    pub base_url: String,
    /// Mode.
    pub mode: Mode,
    /// The key that encrypts the keys of encrypted fields; none to have one made in the data directory.
    pub secret_key: Option<SecretString>,
    /// Keys that were in use before, for reading.
    pub old_secret_keys: Vec<SecretString>,
    /// The platform's mail server; none to leave messages in the outbox.
    pub smtp_url: Option<SecretString>,
    /// Whose name messages carry; none for one made from the public address.
    pub mail_from: Option<String>,
    /// Whose word about the client's address counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Requests with it skip rate limits; never in production.
    pub benchmark_token: Option<SecretString>,
    /// What is logged, as `tracing` filters are written.
    pub log: Option<String>,
    /// Where the built browser files are.
    pub site_dir: PathBuf,
}

/// What is wrong with the environment, in words for the one who set it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// Names the variable and what it should be.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(|name| std::env::var(name).ok().filter(|value| !value.is_empty()), &site_dir())
    }

    fn read(get: impl Fn(&str) -> Option<String>, site_dir: &std::path::Path) -> Result<Self, ConfigError> {
        let mode = match get("LESSONBOOK_MODE").as_deref() {
            None | Some("production") => Mode::Production,
            Some("development") => Mode::Development,
            Some("demo") => Mode::Demo,
            Some(other) => {
                return Err(ConfigError(format!(
                    "LESSONBOOK_MODE is {other:?}; it must be production, development or demo"
                )));
            }
        };
        let addr: SocketAddr =
            parse(&get, "LESSONBOOK_ADDR", "127.0.0.1:3000", "an address such as 127.0.0.1:3000")?;
        let base_url = get("LESSONBOOK_BASE_URL").unwrap_or_else(|| format!("http://{addr}"));
        if !(base_url.starts_with("http://") || base_url.starts_with("https://")) {
            return Err(ConfigError("LESSONBOOK_BASE_URL must begin with http:// or https://".into()));
        }
        let secret_key =
            get("LESSONBOOK_SECRET_KEY").map(|key| secret("LESSONBOOK_SECRET_KEY", &key)).transpose()?;
        if secret_key.is_none() && mode == Mode::Production {
            return Err(ConfigError(
                "LESSONBOOK_SECRET_KEY is not set; make one with: openssl rand -hex 32".into(),
            ));
        }
        let old_secret_keys = list(&get, "LESSONBOOK_OLD_SECRET_KEYS")
            .map(|key| secret("LESSONBOOK_OLD_SECRET_KEYS", &key))
            .collect::<Result<_, _>>()?;
        let trusted_proxies =
            list(&get, "LESSONBOOK_TRUSTED_PROXIES").map(|net| network(&net)).collect::<Result<_, _>>()?;
        let benchmark_token = get("LESSONBOOK_BENCHMARK_TOKEN").map(SecretString::from);
        if benchmark_token.is_some() && mode == Mode::Production {
            return Err(ConfigError(
                "LESSONBOOK_BENCHMARK_TOKEN switches rate limits off and is refused in production; unset it"
                    .into(),
            ));
        }
        if mode == Mode::Production && base_url.starts_with("http://") && !is_loopback(&base_url) {
            return Err(ConfigError(
                "LESSONBOOK_BASE_URL must begin with https:// in production: over http, cookies and links can be read on the way".into(),
            ));
        }
        let database_url = get("DATABASE_URL").map(SecretString::from);
        let owner_url = get("LESSONBOOK_OWNER_URL")
            .map(SecretString::from)
            .or_else(|| if mode == Mode::Production { None } else { database_url.clone() });
        Ok(Self {
            database_url,
            owner_url,
            data_dir: get("LESSONBOOK_DATA_DIR").unwrap_or_else(|| ".data".into()).into(),
            addr,
            base_url: base_url.trim_end_matches('/').to_owned(),
            mode,
            secret_key,
            old_secret_keys,
            smtp_url: get("LESSONBOOK_SMTP_URL").map(SecretString::from),
            mail_from: get("LESSONBOOK_MAIL_FROM"),
            trusted_proxies,
            benchmark_token,
            log: get("RUST_LOG"),
            site_dir: site_dir.to_owned(),
        })
    }

    /// The same once the port is known: with port 0 the system chose it.
    #[must_use]
    pub fn listening_on(mut self, addr: SocketAddr) -> Self {
        if self.base_url == format!("http://{}", self.addr) {
            self.base_url = format!("http://{addr}");
        }
        self.addr = addr;
        self
    }

    /// The master key: the given one, or one made once and kept in the data directory, readable by its owner alone.
    ///
    /// # Errors
    /// When the file can't be read or written, or holds no key.
    pub fn master_key(&self) -> Result<SecretString, ConfigError> {
        if let Some(key) = &self.secret_key {
            return Ok(key.clone());
        }
        let path = self.data_dir.join("secret-key");
        let failed = |error: std::io::Error| ConfigError(format!("the key file {}: {error}", path.display()));
        match std::fs::read_to_string(&path) {
            Ok(text) => return secret(&path.display().to_string(), text.trim()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        std::fs::create_dir_all(&self.data_dir).map_err(failed)?;
        let key: String = rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect();
        // Written whole under another name first: a program that starts at the same moment reads all or nothing.
        let mut file = tempfile::NamedTempFile::new_in(&self.data_dir).map_err(failed)?;
        std::io::Write::write_all(&mut file, key.as_bytes()).map_err(failed)?;
        match file.persist_noclobber(&path) {
            Ok(_) => Ok(SecretString::from(key)),
            Err(_) => self.master_key(),
        }
    }

    /// Whether people reach the program over https.
    pub fn https(&self) -> bool {
        self.base_url.starts_with("https://")
    }
}

/// Whether an address can only be reached from the machine itself.
fn is_loopback(base_url: &str) -> bool {
    let host = url::Url::parse(base_url).ok();
    match host.as_ref().and_then(url::Url::host) {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// The parts of a list with commas.
fn list(get: impl Fn(&str) -> Option<String>, name: &str) -> impl Iterator<Item = String> {
    let text = get(name).unwrap_or_default();
    let parts: Vec<String> =
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    parts.into_iter()
}

fn secret(name: &str, key: &str) -> Result<SecretString, ConfigError> {
    if key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(SecretString::from(key));
    }
    Err(ConfigError(format!("{name} must be 64 hexadecimal digits; make one with: openssl rand -hex 32")))
}

/// A network such as `10.0.0.0/8`, or one address.
fn network(text: &str) -> Result<IpNet, ConfigError> {
    let one = text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or(one).map_err(|_| {
        ConfigError(format!("LESSONBOOK_TRUSTED_PROXIES names {text:?}; give networks such as 10.0.0.0/8"))
    })
}

fn parse<T: FromStr>(
    get: impl Fn(&str) -> Option<String>,
    name: &str,
    default: &str,
    wanted: &str,
) -> Result<T, ConfigError>
where
    T::Err: fmt::Display,
{
    let text = get(name).unwrap_or_else(|| default.to_owned());
    text.parse().map_err(|error| ConfigError(format!("{name} must be {wanted}: {error}")))
}

/// Reads a database address without ever printing it.
///
/// # Errors
/// Says which variable is wrong, not what is in it.
pub fn connect_options(url: &SecretString, name: &str) -> Result<PgConnectOptions, ConfigError> {
    url.expose_secret().parse().map_err(|_| {
        ConfigError(format!("{name} is no database address such as postgres://user:password@host/database"))
    })
}

/// `site` beside the directory of the program: `target/site` for `target/release/lessonbook`.
fn site_dir() -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|exe| {
        let dir = exe.parent()?;
        [dir.join("site"), dir.parent()?.join("site")].into_iter().find(|site| site.is_dir())
    });
    beside.unwrap_or_else(|| "target/site".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let get =
            |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Config::read(get, std::path::Path::new("site"))
    }

    #[test]
    fn production_wants_a_key_and_says_how_to_make_one() {
        let error = read(&[]).unwrap_err().to_string();
        assert!(error.contains("LESSONBOOK_SECRET_KEY") && error.contains("openssl rand -hex 32"), "{error}");
        assert!(read(&[("LESSONBOOK_SECRET_KEY", "short")]).is_err());
        assert!(read(&[("LESSONBOOK_SECRET_KEY", &"0f".repeat(32))]).is_ok());
    }

    #[test]
    fn production_is_reached_over_https() {
        let key = "0f".repeat(32);
        let with = |url| read(&[("LESSONBOOK_SECRET_KEY", &key), ("LESSONBOOK_BASE_URL", url)]);
        assert!(with("http://lessons.example").is_err());
        assert!(with("https://lessons.example").is_ok());
        assert!(with("http://127.0.0.1:3000").is_ok() && with("http://[::1]:3000").is_ok());
    }

    #[test]
    fn proxies_are_networks_or_addresses() {
        let with = |value| read(&[("LESSONBOOK_MODE", "demo"), ("LESSONBOOK_TRUSTED_PROXIES", value)]);
        assert_eq!(with("10.0.0.0/8, ::1").unwrap().trusted_proxies.len(), 2);
        assert!(with("everyone").is_err());
    }

    #[test]
    fn production_has_no_way_around_the_limits() {
        let key = "0f".repeat(32);
        let mut env = vec![("LESSONBOOK_SECRET_KEY", key.as_str()), ("LESSONBOOK_BENCHMARK_TOKEN", "t")];
        assert!(read(&env).unwrap_err().to_string().contains("LESSONBOOK_BENCHMARK_TOKEN"));
        env.push(("LESSONBOOK_MODE", "demo"));
        assert!(read(&env).is_ok());
    }

    #[test]
    fn a_key_is_made_once_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data").display().to_string();
        let config = read(&[("LESSONBOOK_MODE", "demo"), ("LESSONBOOK_DATA_DIR", &data)]).unwrap();
        let key = config.master_key().unwrap();
        assert_eq!(key.expose_secret(), config.master_key().unwrap().expose_secret());
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(config.data_dir.join("secret-key")).unwrap().permissions(),
        );
        assert_eq!(mode & 0o077, 0, "nobody else may read it");
    }

    #[test]
    fn nothing_set_is_a_demo_on_loopback() {
        let config = read(&[("LESSONBOOK_MODE", "demo")]).unwrap();
        assert_eq!(config.base_url, "http://127.0.0.1:3000");
        assert!(config.database_url.is_none() && config.addr.ip().is_loopback() && !config.https());
    }

    #[test]
    fn the_owner_is_the_program_only_outside_production() {
        let url = [("DATABASE_URL", "postgres://a@b/c"), ("LESSONBOOK_SECRET_KEY", &"0f".repeat(32))];
        assert!(read(&url).unwrap().owner_url.is_none());
        assert!(read(&[url[0], ("LESSONBOOK_MODE", "development")]).unwrap().owner_url.is_some());
    }

    #[test]
    fn a_port_the_system_chose_is_in_the_address() {
        let chosen: SocketAddr = "127.0.0.1:4711".parse().unwrap();
        let config = read(&[("LESSONBOOK_MODE", "demo"), ("LESSONBOOK_ADDR", "127.0.0.1:0")]).unwrap();
        assert_eq!(config.listening_on(chosen).base_url, "http://127.0.0.1:4711");
        let public = [("LESSONBOOK_MODE", "demo"), ("LESSONBOOK_BASE_URL", "https://lessons.example")];
        assert_eq!(read(&public).unwrap().listening_on(chosen).base_url, "https://lessons.example");
    }

    #[test]
    fn a_bad_database_address_is_not_repeated() {
        let error =
            connect_options(&SecretString::from("postgres://u:hunter2@[bad"), "DATABASE_URL").unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }
}
