//! Which mail server, and how to speak to it.

use domain::notify::{Security, SmtpSettings};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// A mail server. Prints without its password.
#[derive(Clone, Debug)]
pub struct Server {
    /// A name, in ASCII, or an address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Encryption.
    pub encryption: Encryption,
    /// User name and password, for a server that wants them.
    pub login: Option<(String, SecretString)>,
}

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// From the first byte.
    Tls,
    /// By STARTTLS, or nothing is sent.
    Required,
    /// By STARTTLS when the server offers it.
    Opportunistic,
    /// Not.
    None,
}

const FORM: &str =
    "it must be like smtp://user:password@mail.example.org:587?tls=required or smtps://mail.example.org";

impl Server {
    /// Reads `smtp://user:password@host:port?tls=required|opportunistic|none` or `smtps://…`.
    ///
    /// # Errors
    /// Says what is wrong, never what is in it.
    pub fn parse(url: &SecretString) -> Result<Self, String> {
        let url = Url::parse(url.expose_secret()).map_err(|_| FORM.to_owned())?;
        let mut tls = None;
        for (name, value) in url.query_pairs() {
            if name != "tls" || tls.is_some() {
                return Err(FORM.into());
            }
            tls = Some(value.into_owned());
        }
        let encryption = match (url.scheme(), tls.as_deref()) {
            ("smtps", None) => Encryption::Tls,
            ("smtp", Some("required")) => Encryption::Required,
            ("smtp", None | Some("opportunistic")) => Encryption::Opportunistic,
            ("smtp", Some("none")) => Encryption::None,
            _ => return Err(FORM.into()),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(FORM.into());
        }
        let decoded = |text: &str| {
            percent_decode_str(text).decode_utf8().map(|text| text.into_owned()).map_err(|_| FORM.to_owned())
        };
        let host = decoded(url.host_str().unwrap_or_default())?;
        let password = url.password().map(decoded).transpose()?;
        let login = match (decoded(url.username())?, password) {
            (user, None) if user.is_empty() => None,
            (user, password) => Some((user, SecretString::from(password.unwrap_or_default()))),
        };
        let port = match (encryption, &login) {
            (Encryption::Tls, _) => 465,
            (_, Some(_)) => 587,
            (_, None) => 25,
        };
        Ok(Self { host: ascii_host(&host)?, port: url.port().unwrap_or(port), encryption, login })
    }

    /// A school's own.
    ///
    /// # Errors
    /// When its name is none.
    pub fn of(settings: &SmtpSettings) -> Result<Self, String> {
        let encryption = match settings.security {
            Security::Tls => Encryption::Tls,
            Security::Starttls => Encryption::Required,
            Security::None => Encryption::None,
        };
        let password = settings.password.clone().unwrap_or_default();
        let login = (!settings.username.is_empty()).then(|| (settings.username.clone(), password));
        Ok(Self { host: ascii_host(&settings.host)?, port: settings.port, encryption, login })
    }
}

/// A host as the name service and certificates know it; addresses without brackets.
fn ascii_host(host: &str) -> Result<String, String> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.parse::<std::net::IpAddr>().is_ok() {
        return Ok(host.to_owned());
    }
    match idna::domain_to_ascii(host) {
        Ok(ascii) if !ascii.is_empty() => Ok(ascii),
        _ => Err("the mail server's name is none".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Server, String> {
        Server::parse(&SecretString::from(url))
    }

    #[test]
    fn addresses_say_port_login_and_encryption() {
        let server = parse("smtp://me%40x.test:p%3Aw%2F@mail.example.org:2525?tls=required").unwrap();
        assert_eq!((server.host.as_str(), server.port), ("mail.example.org", 2525));
        assert_eq!(server.encryption, Encryption::Required);
        let (user, password) = server.login.unwrap();
        assert_eq!((user.as_str(), password.expose_secret()), ("me@x.test", "p:w/"));
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let of = |url| parse(url).map(|server| (server.port, server.encryption)).unwrap();
        assert_eq!(of("smtp://localhost"), (25, Encryption::Opportunistic));
        assert_eq!(of("smtp://u:p@localhost"), (587, Encryption::Opportunistic));
        assert_eq!(of("smtps://localhost"), (465, Encryption::Tls));
        assert_eq!(of("smtp://[::1]:26/?tls=none"), (26, Encryption::None));
        assert_eq!(parse("smtp://[::1]").unwrap().host, "::1");
        assert_eq!(parse("smtp://mäil.example").unwrap().host, "xn--mil-qla.example");
    }

    #[test]
    fn a_bad_address_is_refused_and_not_repeated() {
        for bad in [
            "mail.example.org:25",
            "http://mail.example.org",
            "smtp://u:hunter2@",
            "smtp://u:hunter2@x/path",
            "smtp://u:hunter2@x?tls=maybe",
            "smtp://u:hunter2@x?ssl=1",
            "smtps://u:hunter2@x?tls=none",
            "",
        ] {
            let error = parse(bad).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn nothing_prints_the_password() {
        let server = parse("smtp://u:hunter2@x.test").unwrap();
        assert!(!format!("{server:?}").contains("hunter2"));
    }
}
