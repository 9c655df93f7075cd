//! `lessonbook admin create`.

use std::{io::IsTerminal, path::Path};

use domain::{
    clock::Clock,
    identity::{Passwords, service},
    limits,
};
use secrecy::SecretString;

use super::Failure;
use crate::{config::Config, database::Database};

pub(super) async fn create(
    config: &Config,
    database: &Database,
    email: &str,
    file: Option<&Path>,
) -> Result<(), Failure> {
    let password = match file {
        Some(file) => {
            let text =
                std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            SecretString::from(text.lines().next().unwrap_or("").to_owned())
        }
        None if std::io::stdin().is_terminal() => {
            SecretString::from(rpassword::prompt_password("Password: ")?)
        }
        None => {
            return Err("give the password with --password-file, or run this in a terminal".into());
        }
    };
    let db = database.pool(config).await?;
    let now = Clock::system().now();
    let taken = limits::store::take(db.pool(), &limits::ADMIN_CREATE, "machine", now).await?;
    if !taken.verdict.allowed {
        return Err(limits::ADMIN_CREATE.refusal(&taken.verdict).into());
    }
    match service::create_super_admin(&db, &Passwords::new()?, email, &password, now).await {
        Err(domain::Error::Invalid(fields)) => {
            let lines: Vec<String> =
                fields.0.iter().map(|(field, message)| format!("{field}: {message}")).collect();
            Err(lines.join("; ").into())
        }
        other => Ok(other?),
    }
}
