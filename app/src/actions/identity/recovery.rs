//! What is done by a link in the mail: to register, verify an address, set a password, log in, change one's address.
//!
//! No answer here tells whether an account exists.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::cx::Cx;
use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use domain::identity::{
    self as accounts,
    register::{Joined, NewAccount},
};
#[cfg(feature = "ssr")]
use secrecy::SecretString;

#[cfg(feature = "ssr")]
const SENT: &str = "If an account exists, a link has been sent.";

/// Registers a `student` or an `instructor`, for a school (its slug) or none yet.
#[server(endpoint = "identity/register", prefix = "/fn")]
pub async fn register(
    name: String,
    email: String,
    #[server(default)] phone: String,
    password: String,
    kind: String,
    #[server(default)] school: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let teaches = super::teaches(&kind)?;
    let password = SecretString::from(password);
    let typed = NewAccount {
        name: &name,
        email: &email,
        phone: &phone,
        password: &password,
        teaches,
        school: &school,
    };
    accounts::register::register(&cx.site.db, &cx.site.passwords, cx.caller(), typed).await?;
    Ok(Outcome::new("/login", "If this address can be registered, a link to verify it has been sent."))
}

/// Verifies an address by its link and the password that was registered, and joins the school that was asked for.
#[server(endpoint = "identity/verify", prefix = "/fn")]
pub async fn verify(token: String, password: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let password = SecretString::from(password);
    let joined =
        accounts::register::verify(&cx.site.db, &cx.site.passwords, cx.caller(), &token, &password).await?;
    let joined = match joined {
        None => String::new(),
        Some(Joined { tenant_name, pending: false }) => format!(" You belong to {tenant_name} now."),
        Some(Joined { tenant_name, pending: true }) => {
            format!(" {tenant_name} has your application; you can teach there once it says yes.")
        }
    };
    Ok(Outcome::new("/login", format!("Your e-mail is verified.{joined} Log in to go on.")))
}

/// Sends a link to set another password.
#[server(endpoint = "identity/forgot", prefix = "/fn")]
pub async fn forgot(email: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    accounts::recovery::forgot(&cx.site.db, cx.caller(), &email).await?;
    Ok(Outcome::new("/login", SENT))
}

/// Sets a first or another password by its link.
#[server(endpoint = "identity/set_password", prefix = "/fn")]
pub async fn set_password(token: String, password: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let password = SecretString::from(password);
    accounts::service::set_password(&cx.site.db, &cx.site.passwords, cx.caller(), &token, &password).await?;
    Ok(Outcome::new("/login", "Your password is set. Log in with it."))
}

/// Sends a link to log in by.
#[server(endpoint = "identity/magic", prefix = "/fn")]
pub async fn magic(email: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    accounts::recovery::magic(&cx.site.db, cx.caller(), &email).await?;
    Ok(Outcome::new("/login", SENT))
}

/// Logs in by a link; the code of a second step is still asked for.
#[server(endpoint = "identity/use_magic", prefix = "/fn")]
pub async fn use_magic(token: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let step = accounts::recovery::use_magic(&cx.site.db, cx.caller(), &token).await?;
    super::enter(&cx, step, "").await
}

/// Makes the address that the link went to the account's.
#[server(endpoint = "identity/confirm_email", prefix = "/fn")]
pub async fn confirm_email(token: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    accounts::account::confirm_email(&cx.site.db, cx.caller(), &token).await?;
    // Who isn't signed in here comes from there to the login.
    Ok(Outcome::new("/account", "Your e-mail is changed. Log in with it from now on."))
}
