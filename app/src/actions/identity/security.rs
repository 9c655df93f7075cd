//! What keeps an account one's own: password, sessions, the second step.

use leptos::prelude::*;

use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use crate::{cx::Cx, safe_path, session};
#[cfg(feature = "ssr")]
use domain::identity::{self as accounts, sessions, totp};
#[cfg(feature = "ssr")]
use secrecy::SecretString;

/// Proves again who one is, then goes on to `next` (AC-24). The code is needed where a second step is on.
#[server(endpoint = "identity/confirm", prefix = "/fn")]
pub async fn confirm(
    password: String,
    #[server(default)] code: String,
    #[server(default)] next: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let password = SecretString::from(password);
    accounts::login::prove(&cx.site.db, &cx.site.passwords, cx.caller(), &password, &code).await?;
    session::prove(&cx.session, &cx.site.db, cx.now()).await?;
    Ok(Outcome::new(safe_path(&next).unwrap_or("/account"), ""))
}

/// Changes one's own password; every other session ends.
#[server(endpoint = "identity/change_password", prefix = "/fn")]
pub async fn change_password(current: String, password: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let (current, new) = (SecretString::from(current), SecretString::from(password));
    accounts::account::change_password(&cx.site.db, &cx.site.passwords, cx.caller(), (&current, &new))
        .await?;
    Ok(Outcome::new("/account", "Your password is changed. Every other session has ended."))
}

/// Ends every session of the account; with `keep`, every one but this.
#[server(endpoint = "identity/logout_everywhere", prefix = "/fn")]
pub async fn logout_everywhere(#[server(default)] keep: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.account().await?;
    sessions::revoke_others(&mut scope, &cx.caller().proof()?).await?;
    scope.commit().await?;
    if !keep.is_empty() {
        return Ok(Outcome::new("/account/sessions", "Every other session has ended."));
    }
    cx.session.flush().await.map_err(domain::Error::internal)?;
    Ok(Outcome::new("/login", "You are logged out everywhere."))
}

/// Ends one session of the account.
#[server(endpoint = "identity/revoke_session", prefix = "/fn")]
pub async fn revoke_session(id: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let id = id.parse().map_err(|_| domain::Error::NotFound)?;
    let mut scope = cx.account().await?;
    sessions::revoke(&mut scope, &cx.caller().proof()?, id).await?;
    scope.commit().await?;
    Ok(Outcome::new("/account/sessions", "That session has ended."))
}

/// Begins to set up the second step: the page shows what the app needs to know.
#[server(endpoint = "identity/totp_begin", prefix = "/fn")]
pub async fn totp_begin(#[server(default)] next: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.account().await?;
    let proof = cx.caller().proof()?;
    totp::begin(&mut scope, &proof).await?;
    scope.commit().await?;
    Ok(Outcome::new(back_to_security(&next), ""))
}

/// Turns the second step on by a first code, and shows the backup codes.
#[server(endpoint = "identity/totp_confirm", prefix = "/fn")]
pub async fn totp_confirm(code: String, #[server(default)] next: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.account().await?;
    let codes = totp::confirm(&mut scope, &code).await?;
    scope.commit().await?;
    let message = "The second step is on. Keep the backup codes below.";
    Ok(with_codes(Outcome::new(back_to_security(&next), message), codes))
}

/// Turns the second step off.
#[server(endpoint = "identity/totp_disable", prefix = "/fn")]
pub async fn totp_disable() -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.account().await?;
    let proof = cx.caller().proof()?;
    totp::disable(&mut scope, &proof).await?;
    scope.commit().await?;
    Ok(Outcome::new("/account/security", "The second step is off. Your password alone logs in now."))
}

/// Makes new backup codes; the old ones are void.
#[server(endpoint = "identity/totp_codes", prefix = "/fn")]
pub async fn totp_codes() -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.account().await?;
    let proof = cx.caller().proof()?;
    let codes = totp::new_codes(&mut scope, &proof).await?;
    scope.commit().await?;
    let message = "Here are new backup codes. The old ones no longer work.";
    Ok(with_codes(Outcome::new("/account/security", message), codes))
}

#[cfg(feature = "ssr")]
fn with_codes(outcome: Outcome, codes: Vec<String>) -> Outcome {
    Outcome { codes, ..outcome }
}

/// The page of the second step, which leads on to `next` once it is on.
#[cfg(feature = "ssr")]
fn back_to_security(next: &str) -> String {
    match safe_path(next) {
        Some(next) => {
            let query = serde_urlencoded::to_string([("next", next)]).unwrap_or_default();
            format!("/account/security?{query}")
        }
        None => "/account/security".to_owned(),
    }
}
