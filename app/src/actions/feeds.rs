//! Making and revoking calendar feeds.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::cx::Cx;
use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use domain::feeds::service;

/// Makes a feed; its address is shown once.
#[server(endpoint = "feeds/create", prefix = "/fn")]
pub async fn create(tenant: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let (id, token) = service::create(&mut scope).await?;
    scope.commit().await?;
    let message = "Copy the address into your calendar program now: it isn't shown again.";
    let mut outcome = Outcome::new(format!("/t/{tenant}/feeds"), message).with_id(id);
    outcome.link = Some(format!("{}/ics/{token}.ics", cx.site.base_url));
    Ok(outcome)
}

/// Ends a feed.
#[server(endpoint = "feeds/revoke", prefix = "/fn")]
pub async fn revoke(tenant: String, feed: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = feed.parse().map_err(|_| domain::Error::NotFound)?;
    service::revoke(&mut scope, id).await?;
    scope.commit().await?;
    Ok(Outcome::new(
        format!("/t/{tenant}/feeds"),
        "The feed is revoked. Its address answers nothing any more.",
    ))
}
