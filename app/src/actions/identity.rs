//! Signing in and out, one's name, password and theme.

use leptos::prelude::*;

use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use crate::{Code, cx::Cx, cx::Theme, safe_path, session};
#[cfg(feature = "ssr")]
use domain::identity::{service, sessions};
#[cfg(feature = "ssr")]
use secrecy::SecretString;

/// Logs in by e-mail or phone and password, then goes to `next` or to where one's role begins.
#[server(endpoint = "identity/login", prefix = "/fn")]
pub async fn login(
    login: String,
    password: String,
    #[server(default)] next: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let password = SecretString::from(password);
    let signed_in = service::login(&cx.site.db, &cx.site.passwords, &login, &password).await?;
    session::begin(&cx.session, &signed_in).await.map_err(domain::Error::internal)?;
    let next = safe_path(&next).map_or(signed_in.home, str::to_owned);
    Ok(Outcome::new(next, ""))
}

/// Ends this session.
#[server(endpoint = "identity/logout", prefix = "/fn")]
pub async fn logout() -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    cx.session.flush().await.map_err(domain::Error::internal)?;
    Ok(Outcome::new("/login", ""))
}

/// Sets a first password by a one-time link.
#[server(endpoint = "identity/set_password", prefix = "/fn")]
pub async fn set_password(token: String, password: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let password = SecretString::from(password);
    service::set_password(&cx.site.db, &cx.site.passwords, &token, &password, cx.now).await?;
    Ok(Outcome::new("/login", "Your password is set. Log in with it."))
}

/// Changes one's own name.
#[server(endpoint = "identity/update_name", prefix = "/fn")]
pub async fn update_name(name: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.account().await?;
    service::update_name(&mut scope, &name).await?;
    scope.commit().await?;
    Ok(Outcome::new("/account", "Your name is changed."))
}

/// Changes one's own password; every other session ends.
#[server(endpoint = "identity/change_password", prefix = "/fn")]
pub async fn change_password(current: String, password: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let Some(id) = cx.session.id() else {
        return Err(AppError::new(Code::Unauthorized, "Log in to go on."));
    };
    let keep = sessions::hash_token(&id.to_string());
    let (current, new) = (SecretString::from(current), SecretString::from(password));
    service::change_password(&cx.site.db, &cx.site.passwords, cx.user, (&current, &new), &keep, cx.now)
        .await?;
    Ok(Outcome::new("/account", "Your password is changed. Every other session has ended."))
}

/// Chooses light, dark or what the system has; kept in a cookie for a year.
#[server(endpoint = "identity/theme", prefix = "/fn")]
pub async fn set_theme(theme: String, #[server(default)] _back: String) -> Result<Outcome, AppError> {
    let theme = Theme::parse(&theme);
    let cookie = format!("theme={}; Path=/; Max-Age=31536000; SameSite=Lax", theme.as_str());
    let value = http::HeaderValue::from_str(&cookie).map_err(domain::Error::internal)?;
    expect_context::<leptos_axum::ResponseOptions>().append_header(http::header::SET_COOKIE, value);
    Ok(Outcome::new(safe_path(&_back).unwrap_or("/"), ""))
}
