//! Keeping the resources of a school.

use leptos::prelude::*;

use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use crate::{cx::Cx, ui::plural};
#[cfg(feature = "ssr")]
use domain::resources::{Typed, service as resources};

/// Saves a resource: `resource` is its id, or `new`; `kind` is `room`, `car`, `chair` or `other`.
#[server(endpoint = "resources/save", prefix = "/fn")]
pub async fn save(
    tenant: String,
    resource: String,
    name: String,
    kind: String,
    units: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = match resource.as_str() {
        "new" => None,
        id => Some(id.parse().map_err(|_| domain::Error::NotFound)?),
    };
    let saved = resources::save(&mut scope, id, &Typed { name, kind, units }).await?;
    let lesson = scope.tenant().words().lesson.clone();
    scope.commit().await?;
    let mut message = format!("{} is saved.", saved.resource.name);
    match saved.kept {
        0 => {}
        1 => message.push_str(&format!(" 1 upcoming {lesson} keeps its own.")),
        many => message.push_str(&format!(" {} keep theirs.", plural(many, &format!("upcoming {lesson}")))),
    }
    Ok(Outcome::new(format!("/t/{tenant}/resources"), message).with_id(saved.resource.id))
}

/// Takes a resource out of use.
#[server(endpoint = "resources/archive", prefix = "/fn")]
pub async fn archive(tenant: String, resource: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = resource.parse().map_err(|_| domain::Error::NotFound)?;
    let archived = resources::archive(&mut scope, id).await?;
    scope.commit().await?;
    let message = format!("{} is archived. What is booked stays.", archived.name);
    Ok(Outcome::new(format!("/t/{tenant}/resources"), message).with_id(id))
}

/// Puts an archived resource to use again.
#[server(endpoint = "resources/restore", prefix = "/fn")]
pub async fn restore(tenant: String, resource: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = resource.parse().map_err(|_| domain::Error::NotFound)?;
    let restored = resources::restore(&mut scope, id).await?;
    scope.commit().await?;
    let message = format!("{} is in use again.", restored.name);
    Ok(Outcome::new(format!("/t/{tenant}/resources"), message).with_id(id))
}
