//! A school's own mail server. Its password is encrypted, and never shown or recorded.

use jiff_sqlx::ToSqlx;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;

use crate::{
    Error, FieldErrors, Instant, Result,
    audit::{self, Entry},
    authz::{Action, TenantScope},
    identity::{Email, text},
    tenancy::difference,
};

/// What binds the encrypted password to its place.
const PASSWORD: &str = "tenant_mail.password";
/// Ways to speak to a server: encrypted from the start, encrypted after greeting, or not at all.
const SECURITY: [&str; 3] = ["tls", "starttls", "none"];

/// A school's own mail server, without its password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MailSettings {
    /// Name or address of the server.
    pub host: String,
    /// Port.
    pub port: i32,
    /// `tls`, `starttls` or `none`.
    pub security: String,
    /// Empty for a server that asks for none.
    pub username: String,
    /// Whether a password is stored.
    #[serde(rename = "password")]
    pub has_password: bool,
    /// From which address.
    pub from_email: String,
    /// From whom; empty for the school's name.
    pub from_name: String,
    /// When it was last changed.
    #[serde(skip)]
    pub updated_at: Instant,
}

/// The form of the mail server as typed.
#[derive(Clone, Copy, Debug)]
pub struct MailInput<'a> {
    /// Name or address of the server.
    pub host: &'a str,
    /// Port.
    pub port: &'a str,
    /// `tls`, `starttls` or `none`.
    pub security: &'a str,
    /// Empty for a server that asks for none.
    pub username: &'a str,
    /// Empty keeps the one that is stored.
    pub password: &'a SecretString,
    /// From which address.
    pub from_email: &'a str,
    /// From whom.
    pub from_name: &'a str,
}

/// The school's mail server, when it has one of its own.
///
/// # Errors
/// [`Error::Forbidden`] for anyone but an owner.
pub async fn mail(scope: &mut TenantScope) -> Result<Option<MailSettings>> {
    scope.require(Action::EditSettings)?;
    Ok(read(scope).await?.map(|(settings, _)| settings))
}

/// The server, and its password as it is stored.
async fn read(scope: &mut TenantScope) -> Result<Option<(MailSettings, Option<String>)>> {
    let (tenant, conn) = scope.conn();
    let row = sqlx::query!(
        "select host, port, security, username, password, from_email, from_name, updated_at
         from tenant_mail where tenant_id = $1",
        tenant
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let settings = MailSettings {
            host: row.host,
            port: row.port,
            security: row.security,
            username: row.username,
            has_password: row.password.is_some(),
            from_email: row.from_email,
            from_name: row.from_name,
            updated_at: row.updated_at.to_jiff(),
        };
        (settings, row.password)
    }))
}

/// Saves the school's mail server.
///
/// # Errors
/// Field errors; [`Error::Forbidden`] for anyone but an owner.
pub async fn save_mail(scope: &mut TenantScope, typed: MailInput<'_>) -> Result<()> {
    scope.require(Action::EditSettings)?;
    let now = scope.now();
    let mut settings = check(typed, now)?;
    let (before, stored) = read(scope).await?.unzip();
    let tenant = scope.tenant().id.0;
    let new_password = typed.password.expose_secret();
    let password = if settings.username.is_empty() {
        None
    } else if !new_password.is_empty() {
        Some(scope.vault().seal(PASSWORD, tenant, new_password, now)?)
    } else if before.as_ref().is_some_and(|old| old.host == settings.host) {
        stored.flatten()
    } else {
        // A password goes to the server it was typed for, and to no other.
        return Err(Error::field("password", "Type the password of this server."));
    };
    settings.has_password = password.is_some();
    let replaced = settings.has_password && !new_password.is_empty();
    let (_, conn) = scope.conn();
    sqlx::query!(
        "insert into tenant_mail (tenant_id, host, port, security, username, password, from_email, from_name, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (tenant_id) do update set host = excluded.host, port = excluded.port, security = excluded.security,
             username = excluded.username, password = excluded.password, from_email = excluded.from_email,
             from_name = excluded.from_name, updated_at = excluded.updated_at",
        tenant,
        settings.host,
        settings.port,
        settings.security,
        settings.username,
        password,
        settings.from_email,
        settings.from_name,
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    let old = before.map_or(Ok(json!({})), |old| serde_json::to_value(old).map_err(Error::internal))?;
    let mut new = serde_json::to_value(&settings).map_err(Error::internal)?;
    if replaced {
        new["password"] = json!("a new one");
    }
    match difference(old, new) {
        Some((old, new)) => record(scope, Some(old), Some(new)).await,
        None => Ok(()),
    }
}

/// Goes back to the platform's mail server.
///
/// # Errors
/// [`Error::Conflict`] when there is none of its own; [`Error::Forbidden`] for anyone but an owner.
pub async fn remove_mail(scope: &mut TenantScope) -> Result<()> {
    scope.require(Action::EditSettings)?;
    let Some((before, _)) = read(scope).await? else {
        return Err(Error::Conflict("The school has no mail server of its own.".into()));
    };
    let (tenant, conn) = scope.conn();
    sqlx::query!("delete from tenant_mail where tenant_id = $1", tenant).execute(conn).await?;
    record(scope, Some(serde_json::to_value(before).map_err(Error::internal)?), None).await
}

async fn record(
    scope: &mut TenantScope,
    before: Option<serde_json::Value>,
    after: Option<serde_json::Value>,
) -> Result<()> {
    let entry = Entry {
        action: "settings.mail",
        entity: "mail_server",
        entity_id: Some(scope.tenant().id.0),
        before,
        after,
        reason: None,
    };
    audit::record(scope, entry).await
}

fn check(typed: MailInput<'_>, now: Instant) -> Result<MailSettings> {
    let mut errors = FieldErrors::new();
    let host = errors.check("host", parse_host(typed.host));
    let port = typed.port.trim().parse::<u16>().ok().filter(|port| *port > 0);
    let port = errors.check("port", port.ok_or("Give a port such as 587."));
    let security = SECURITY.into_iter().find(|known| *known == typed.security);
    let security = errors.check("security", security.ok_or("Choose one of the list."));
    let username = errors.check("username", one_line(typed.username, 320));
    errors.check("password", one_line(typed.password.expose_secret(), 1000));
    let from_email = errors.check("from_email", Email::parse(typed.from_email));
    let from_name = errors.check("from_name", one_line(typed.from_name, 100));
    errors.finish()?;
    Ok(MailSettings {
        host: host.unwrap_or_default(),
        port: port.unwrap_or_default().into(),
        security: security.unwrap_or_default().to_owned(),
        username: username.unwrap_or_default(),
        has_password: false,
        from_email: from_email.map(|email| email.as_str().to_owned()).unwrap_or_default(),
        from_name: from_name.unwrap_or_default(),
        updated_at: now,
    })
}

/// A name or an address, without anything around it.
fn parse_host(typed: &str) -> Result<String, String> {
    let host = typed.trim().to_ascii_lowercase();
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':');
    if (1..=255).contains(&host.len()) && host.bytes().all(known) {
        Ok(host)
    } else {
        Err("Give the server's name, such as smtp.example.org.".into())
    }
}

/// Nothing that could begin another line of a message.
fn one_line(typed: &str, most: usize) -> Result<String, String> {
    let line = text(typed, most)?;
    if line.chars().any(char::is_control) {
        return Err("This is one line of text.".into());
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses() {
        assert_eq!(parse_host(" SMTP.Example.org "), Ok("smtp.example.org".into()));
        for good in ["localhost", "192.0.2.1", "2001:db8::1"] {
            assert_eq!(parse_host(good), Ok(good.to_owned()));
        }
        for bad in
            ["", "https://mail.test", "a b", "mail.test/x", "user@mail.test", "a\r\nb", &"x".repeat(256)]
        {
            assert!(parse_host(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_bad_form_names_every_field() {
        let password = SecretString::from("two\r\nlines");
        let typed = MailInput {
            host: "",
            port: "0",
            security: "ssl",
            username: "a\nb",
            password: &password,
            from_email: "nobody",
            from_name: "A\r\nBcc: x@y.test",
        };
        let Err(Error::Invalid(errors)) = check(typed, Instant::UNIX_EPOCH) else {
            panic!("it should be refused")
        };
        assert_eq!(errors.0.len(), 7);
    }
}
