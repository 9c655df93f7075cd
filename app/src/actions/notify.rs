//! Sending a failed message again.

use leptos::prelude::*;

use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use crate::{cx::Cx, safe_path};
#[cfg(feature = "ssr")]
use domain::{ids::PLATFORM, notify::deliveries};

/// Sends a failed message of a school again. `back` is the list it stands in, with its filters.
#[server(endpoint = "notify/resend", prefix = "/fn")]
pub async fn resend(
    tenant: String,
    id: String,
    #[server(default)] back: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = id.parse().map_err(|_| domain::Error::NotFound)?;
    deliveries::resend(&mut scope, id).await?;
    let school = scope.tenant().id.0;
    scope.commit().await?;
    sent(&cx, school, id, &back, format!("/t/{tenant}/outbox")).await
}

/// Sends a failed message to the holder of an account again. `back` is the list it stands in, with its filters.
#[server(endpoint = "notify/resend_platform", prefix = "/fn")]
pub async fn resend_platform(id: String, #[server(default)] back: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.platform().await?;
    let id = id.parse().map_err(|_| domain::Error::NotFound)?;
    deliveries::resend_platform(&mut scope, id).await?;
    scope.commit().await?;
    sent(&cx, PLATFORM, id, &back, "/admin/outbox".to_owned()).await
}

/// Waits a moment for the message, and says what became of it.
#[cfg(feature = "ssr")]
async fn sent(
    cx: &Cx,
    tenant: uuid::Uuid,
    id: uuid::Uuid,
    back: &str,
    list: String,
) -> Result<Outcome, AppError> {
    let delivery = cx.site.mail.deliver_now(tenant, id).await?;
    let message = delivery.trouble().unwrap_or_else(|| "The message is sent.".to_owned());
    let back = safe_path(back).filter(|path| path.split('?').next() == Some(list.as_str()));
    Ok(Outcome::new(back.unwrap_or(&list), message).with_id(id))
}
