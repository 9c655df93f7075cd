//! Making, suspending and opening schools.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::cx::Cx;
use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use domain::tenancy::service::{self, NewTenant};

/// Makes a school and its owner's account, with a one-time link to set a password that is shown once.
#[server(endpoint = "tenancy/create", prefix = "/fn")]
pub async fn create(
    name: String,
    slug: String,
    preset: String,
    zone: String,
    #[server(default)] owner_name: String,
    owner_email: String,
    seats: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.platform().await?;
    let new = NewTenant {
        name: &name,
        slug: &slug,
        preset: &preset,
        zone: &zone,
        owner_name: &owner_name,
        owner_email: &owner_email,
        seats: &seats,
    };
    let created = service::create(&mut scope, new).await?;
    scope.commit().await?;
    let message = match &created.token {
        Some(_) => format!(
            "{} is open at /s/{}. Give its owner, {}, this link; it is shown only now.",
            name.trim(),
            created.slug,
            created.owner_email
        ),
        None => format!(
            "{} is open at /s/{}. Its owner, {}, has an account already.",
            name.trim(),
            created.slug,
            created.owner_email
        ),
    };
    let mut outcome = Outcome::new(format!("/admin/tenants/{}", created.id), message).with_id(created.id);
    outcome.link = created.token.map(|token| format!("{}/reset/{token}", cx.site.base_url));
    Ok(outcome)
}

/// Closes a school.
#[server(endpoint = "tenancy/suspend", prefix = "/fn")]
pub async fn suspend(tenant: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.platform().await?;
    let id = tenant.parse().map_err(|_| domain::Error::NotFound)?;
    let school = service::suspend(&mut scope, id, &reason).await?;
    scope.commit().await?;
    Ok(Outcome::new(
        format!("/admin/tenants/{id}"),
        format!("{} is suspended. Its members and its public page are shut out.", school.name),
    ))
}

/// Opens a suspended school again.
#[server(endpoint = "tenancy/activate", prefix = "/fn")]
pub async fn activate(tenant: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.platform().await?;
    let id = tenant.parse().map_err(|_| domain::Error::NotFound)?;
    let school = service::activate(&mut scope, id, &reason).await?;
    scope.commit().await?;
    Ok(Outcome::new(format!("/admin/tenants/{id}"), format!("{} is open again.", school.name)))
}
