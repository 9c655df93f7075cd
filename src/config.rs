//! Configuration: the only place that reads the environment. `.env.example` lists what is read here.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

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
    /// Whether outgoing mail is set up.
    pub mail: bool,
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
        match get("LESSONBOOK_SECRET_KEY") {
            None if mode == Mode::Production => {
                return Err(ConfigError(
                    "LESSONBOOK_SECRET_KEY is not set; make one with: openssl rand -hex 32".into(),
                ));
            }
            Some(key) if key.len() != 64 || !key.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                return Err(ConfigError(
                    "LESSONBOOK_SECRET_KEY must be 64 hexadecimal digits; make one with: openssl rand -hex 32".into(),
                ));
            }
            _ => {}
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
            mail: get("LESSONBOOK_SMTP_URL").is_some(),
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

    /// Whether people reach the program over https.
    pub fn https(&self) -> bool {
        self.base_url.starts_with("https://")
    }
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
