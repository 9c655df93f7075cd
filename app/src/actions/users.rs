//! What the platform does with accounts, and acting as one.

use leptos::prelude::*;

use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use crate::{cx::Cx, session};
#[cfg(feature = "ssr")]
use domain::{
    identity::{
        login,
        users::{self, UserUpdate},
    },
    ids::UserId,
};

/// Changes name and e-mail; one has to have proved who one is.
#[server(endpoint = "users/update", prefix = "/fn")]
pub async fn update(user: String, name: String, email: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.platform().await?;
    let proof = cx.caller().proof()?;
    let id: UserId = user.parse().map_err(|_| domain::Error::NotFound)?;
    users::update(&mut scope, &proof, id, UserUpdate { name: &name, email: &email, reason: &reason }).await?;
    scope.commit().await?;
    Ok(Outcome::new(format!("/admin/users/{id}"), format!("{} is saved.", name.trim())).with_id(id))
}

/// Switches an account off.
#[server(endpoint = "users/disable", prefix = "/fn")]
pub async fn disable(user: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.platform().await?;
    let id: UserId = user.parse().map_err(|_| domain::Error::NotFound)?;
    let name = users::disable(&mut scope, id, &reason).await?;
    scope.commit().await?;
    let message = format!("{name} is disabled. Every session of the account has ended.");
    Ok(Outcome::new(format!("/admin/users/{id}"), message))
}

/// Switches an account on again.
#[server(endpoint = "users/enable", prefix = "/fn")]
pub async fn enable(user: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.platform().await?;
    let id: UserId = user.parse().map_err(|_| domain::Error::NotFound)?;
    let name = users::enable(&mut scope, id, &reason).await?;
    scope.commit().await?;
    Ok(Outcome::new(format!("/admin/users/{id}"), format!("{name} is enabled and can log in again.")))
}

/// Deletes an account, softly.
#[server(endpoint = "users/delete", prefix = "/fn")]
pub async fn delete(user: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.platform().await?;
    let id: UserId = user.parse().map_err(|_| domain::Error::NotFound)?;
    let name = users::delete(&mut scope, id, &reason).await?;
    scope.commit().await?;
    let message = format!("{name} is deleted. The account can be restored here at any time.");
    Ok(Outcome::new(format!("/admin/users/{id}"), message))
}

/// Brings a deleted account back.
#[server(endpoint = "users/restore", prefix = "/fn")]
pub async fn restore(user: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.platform().await?;
    let id: UserId = user.parse().map_err(|_| domain::Error::NotFound)?;
    let name = users::restore(&mut scope, id, &reason).await?;
    scope.commit().await?;
    let message = format!("{name} is restored, with the schools that the deletion ended.");
    Ok(Outcome::new(format!("/admin/users/{id}"), message))
}

/// Acts as someone from now on, until one stops; one has to have proved who one is.
#[server(endpoint = "users/impersonate", prefix = "/fn")]
pub async fn impersonate(user: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.platform().await?;
    let proof = cx.caller().proof()?;
    let id: UserId = user.parse().map_err(|_| domain::Error::NotFound)?;
    let target = users::impersonate(&mut scope, &proof, id, &reason).await?;
    scope.commit().await?;
    let signed_in = login::signed_in(&cx.site.db, target.user).await?;
    session::impersonate(&cx.session, &cx.site.db, &signed_in, target.name, cx.now()).await?;
    Ok(Outcome::new("/", ""))
}

/// Goes back to being oneself.
#[server(endpoint = "users/stop", prefix = "/fn")]
pub async fn stop() -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    users::impersonation_ended(&cx.site.db, cx.caller()).await?;
    session::stop_impersonating(&cx.session, &cx.site.db).await?;
    let next = cx.user().map_or_else(|| "/admin/users".to_owned(), |user| format!("/admin/users/{user}"));
    Ok(Outcome::new(next, "You act as yourself again."))
}
