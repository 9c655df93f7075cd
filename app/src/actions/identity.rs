//! Signing in and out, what one says of oneself, joining a school, and the theme.

// A form's fields are arguments.
#![allow(clippy::too_many_arguments)]

pub mod recovery;
pub mod security;

use leptos::prelude::*;

use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use crate::{
    Code,
    cx::{Cx, Theme},
    safe_path, session,
};
#[cfg(feature = "ssr")]
use domain::identity::{
    self as accounts,
    login::{CODE_FAILED, OVER, Step},
    profile::ProfileInput,
    service::SignedIn,
};
#[cfg(feature = "ssr")]
use secrecy::SecretString;

/// Logs in by e-mail or phone and password, then goes to `next` or to where one's role begins; with a second step on,
/// first to where its code is asked for.
#[server(endpoint = "identity/login", prefix = "/fn")]
pub async fn login(
    login: String,
    password: String,
    #[server(default)] next: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let password = SecretString::from(password);
    let step =
        accounts::login::login(&cx.site.db, &cx.site.passwords, cx.caller(), &login, &password).await?;
    enter(&cx, step, &next).await
}

/// The second step of a login: a code from the app, or a backup code.
#[server(endpoint = "identity/login_code", prefix = "/fn")]
pub async fn login_code(code: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let half = session::half(&cx.session, cx.now()).await.map_err(domain::Error::internal)?;
    let half = half.ok_or(domain::Error::Unauthorized(OVER))?;
    match accounts::login::with_code(&cx.site.db, cx.caller(), half.user, half.epoch, &code).await {
        Ok(signed_in) => begin(&cx, signed_in, &half.next).await,
        // Said beside the field, where one tries again; what else is refused goes back to the login.
        Err(domain::Error::Unauthorized(CODE_FAILED)) => {
            let fields = AppError::field("code", CODE_FAILED).fields;
            Err(AppError { fields, ..AppError::new(Code::Unauthorized, CODE_FAILED) })
        }
        Err(other) => Err(other.into()),
    }
}

/// Ends this session, and with it acting as someone else.
#[server(endpoint = "identity/logout", prefix = "/fn")]
pub async fn logout(#[server(default)] next: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    accounts::service::logged_out(&cx.site.db, cx.caller()).await?;
    cx.session.flush().await.map_err(domain::Error::internal)?;
    Ok(Outcome::new(safe_path(&next).unwrap_or("/login"), ""))
}

/// Asks to belong to a school: a `student` does at once, an `instructor` when the school has said yes.
#[server(endpoint = "identity/join", prefix = "/fn")]
pub async fn join(tenant: String, kind: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let teaches = teaches(&kind)?;
    let mut scope = cx.account().await?;
    let joined = accounts::register::join(&mut scope, &tenant, teaches).await?;
    scope.commit().await?;
    let name = joined.tenant_name;
    Ok(if joined.pending {
        Outcome::new(
            "/account",
            format!("{name} has your application. You can teach there once it says yes."),
        )
    } else {
        Outcome::new(format!("/t/{tenant}"), format!("You belong to {name} now."))
    })
}

/// Changes one's own name.
#[server(endpoint = "identity/update_name", prefix = "/fn")]
pub async fn update_name(name: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.account().await?;
    accounts::account::update_name(&mut scope, &name).await?;
    scope.commit().await?;
    Ok(Outcome::new("/account", "Your name is changed."))
}

/// Changes one's own phone number; empty takes it away.
#[server(endpoint = "identity/update_phone", prefix = "/fn")]
pub async fn update_phone(#[server(default)] phone: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.account().await?;
    let proof = cx.caller().proof()?;
    accounts::account::update_phone(&mut scope, &proof, &phone).await?;
    scope.commit().await?;
    let message =
        if phone.trim().is_empty() { "Your phone number is removed." } else { "Your phone number is saved." };
    Ok(Outcome::new("/account", message))
}

/// Sends a link to a new address; the account has it once the link was used.
#[server(endpoint = "identity/change_email", prefix = "/fn")]
pub async fn change_email(email: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.account().await?;
    let proof = cx.caller().proof()?;
    accounts::account::change_email(&mut scope, &proof, &email).await?;
    scope.commit().await?;
    let message = format!("A link has been sent to {}. Your address stays until you use it.", email.trim());
    Ok(Outcome::new("/account", message))
}

/// Saves what one says of oneself. Coordinates are in degrees.
#[server(endpoint = "identity/save_profile", prefix = "/fn")]
pub async fn save_profile(
    #[server(default)] id_number: String,
    #[server(default)] address: String,
    #[server(default)] suburb: String,
    #[server(default)] city: String,
    #[server(default)] province: String,
    #[server(default)] pickup: String,
    #[server(default)] pickup_lat: String,
    #[server(default)] pickup_lon: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.account().await?;
    let typed = ProfileInput {
        id_number: &id_number,
        address: &address,
        suburb: &suburb,
        city: &city,
        province: &province,
        pickup: &pickup,
        pickup_lat: &pickup_lat,
        pickup_lon: &pickup_lon,
    };
    accounts::profile::save(&mut scope, typed).await?;
    scope.commit().await?;
    Ok(Outcome::new("/account/profile", "Your profile is saved."))
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

/// Signs someone in, or sends them to where the code is asked for.
#[cfg(feature = "ssr")]
async fn enter(cx: &Cx, step: Step, next: &str) -> Result<Outcome, AppError> {
    match step {
        Step::In(signed_in) => begin(cx, signed_in, next).await,
        Step::CodeNeeded(user, epoch) => {
            session::ask_code(&cx.session, (user, epoch), next, cx.now())
                .await
                .map_err(domain::Error::internal)?;
            Ok(Outcome::new("/login/code", ""))
        }
    }
}

#[cfg(feature = "ssr")]
async fn begin(cx: &Cx, signed_in: SignedIn, next: &str) -> Result<Outcome, AppError> {
    session::begin(&cx.session, &signed_in, cx.caller()).await.map_err(domain::Error::internal)?;
    // Not back to where one logs in.
    let next = safe_path(next).filter(|path| !path.starts_with("/login"));
    Ok(Outcome::new(next.map_or(signed_in.home, str::to_owned), ""))
}

/// What one comes to a school for.
#[cfg(feature = "ssr")]
fn teaches(kind: &str) -> Result<bool, AppError> {
    match kind {
        "student" => Ok(false),
        "instructor" => Ok(true),
        _ => Err(AppError::field("kind", "Choose one of the two.")),
    }
}
