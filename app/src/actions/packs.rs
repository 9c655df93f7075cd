//! Adding and using lessons of a pack by hand.

use leptos::prelude::*;

use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use crate::{cx::Cx, safe_path, ui::capital};
#[cfg(feature = "ssr")]
use domain::{
    ids::PackId,
    packs::{Hand, service},
};

/// Adds a lesson to a pack. `back` is where to go then; else to the student's page.
#[server(endpoint = "packs/add_lesson", prefix = "/fn")]
pub async fn add_lesson(
    tenant: String,
    pack: String,
    #[server(default)] reason: String,
    #[server(default)] back: String,
) -> Result<Outcome, AppError> {
    post(&tenant, &pack, Hand::Add, &reason, &back).await
}

/// Uses a lesson of a pack. `back` is where to go then; else to the student's page.
#[server(endpoint = "packs/use_lesson", prefix = "/fn")]
pub async fn use_lesson(
    tenant: String,
    pack: String,
    #[server(default)] reason: String,
    #[server(default)] back: String,
) -> Result<Outcome, AppError> {
    post(&tenant, &pack, Hand::Use, &reason, &back).await
}

#[cfg(feature = "ssr")]
async fn post(tenant: &str, pack: &str, hand: Hand, reason: &str, back: &str) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(tenant).await?;
    let lesson = capital(&scope.tenant().words().lesson);
    let pack: PackId = pack.parse().map_err(|_| domain::Error::NotFound)?;
    let after = service::post_by_hand(&mut scope, pack, hand, reason).await?;
    scope.commit().await?;
    let done = match hand {
        Hand::Add => "added",
        Hand::Use => "used",
    };
    let back = safe_path(back).filter(|path| path.starts_with("/t/")).map(str::to_owned);
    let next = back.unwrap_or_else(|| format!("/t/{tenant}/students/{}", after.student));
    let mut outcome = Outcome::new(next, format!("{lesson} {done}: {} left.", after.left)).with_id(pack);
    outcome.lessons_left = Some(after.left);
    Ok(outcome)
}
