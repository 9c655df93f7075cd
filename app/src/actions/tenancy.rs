//! Making schools, taking them on, and their settings.

// A form's fields are arguments.
#![allow(clippy::too_many_arguments)]

use leptos::prelude::*;
use serde::{Deserialize, Deserializer, Serialize};

#[cfg(feature = "ssr")]
use crate::cx::Cx;
use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use domain::tenancy::{
    lifecycle::{self, TenantUpdate},
    service::{self, NewTenant},
    settings::{self, MailInput, RulesInput, SettingsInput},
};
#[cfg(feature = "ssr")]
use secrecy::SecretString;

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

/// Changes what the platform keeps of a school. Without a `slug` it keeps its own.
#[server(endpoint = "tenancy/update", prefix = "/fn")]
pub async fn update(
    tenant: String,
    name: String,
    #[server(default)] slug: String,
    preset: String,
    zone: String,
    seats: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.platform().await?;
    let id = tenant.parse().map_err(|_| domain::Error::NotFound)?;
    let typed = TenantUpdate { name: &name, slug: &slug, preset: &preset, zone: &zone, seats: &seats };
    let school = lifecycle::update(&mut scope, id, typed).await?;
    scope.commit().await?;
    Ok(Outcome::new(format!("/admin/tenants/{id}"), format!("{} is saved.", school.name)).with_id(id))
}

/// Closes a school.
#[server(endpoint = "tenancy/suspend", prefix = "/fn")]
pub async fn suspend(tenant: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.platform().await?;
    let id = tenant.parse().map_err(|_| domain::Error::NotFound)?;
    let school = lifecycle::suspend(&mut scope, id, &reason).await?;
    scope.commit().await?;
    let message = format!("{} is suspended. Its members and its public page are shut out.", school.name);
    Ok(Outcome::new(format!("/admin/tenants/{id}"), message))
}

/// Opens a suspended school again.
#[server(endpoint = "tenancy/activate", prefix = "/fn")]
pub async fn activate(tenant: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.platform().await?;
    let id = tenant.parse().map_err(|_| domain::Error::NotFound)?;
    let school = lifecycle::activate(&mut scope, id, &reason).await?;
    scope.commit().await?;
    Ok(Outcome::new(format!("/admin/tenants/{id}"), format!("{} is open again.", school.name)))
}

/// Deletes a school, softly; one has to have proved who one is.
#[server(endpoint = "tenancy/delete", prefix = "/fn")]
pub async fn delete(tenant: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.platform().await?;
    let proof = cx.caller().proof()?;
    let id = tenant.parse().map_err(|_| domain::Error::NotFound)?;
    let school = lifecycle::delete(&mut scope, &proof, id, &reason).await?;
    scope.commit().await?;
    let message = format!("{} is deleted. It can be restored here at any time.", school.name);
    Ok(Outcome::new(format!("/admin/tenants/{id}"), message))
}

/// Brings a deleted school back as it was.
#[server(endpoint = "tenancy/restore", prefix = "/fn")]
pub async fn restore(tenant: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.platform().await?;
    let id = tenant.parse().map_err(|_| domain::Error::NotFound)?;
    let school = lifecycle::restore(&mut scope, id, &reason).await?;
    scope.commit().await?;
    let message = format!("{} is restored. It is {} now.", school.name, school.status.as_str());
    Ok(Outcome::new(format!("/admin/tenants/{id}"), message))
}

/// A field that may be left out, which is not the same as an empty one: a plain `Option` reads both as none.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Given(Option<String>);

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Some(text)))
    }
}

/// Saves a school's settings. Notices are in hours, openings a text a day: "09:00-12:00, 13:00-17:00"; reminders are hours
/// with commas between them. Limits, offers and reminders that aren't sent stay as they are.
#[server(endpoint = "tenancy/save_settings", prefix = "/fn")]
pub async fn save_settings(
    tenant: String,
    name: String,
    zone: String,
    locale: String,
    currency: String,
    #[server(default)] lesson: String,
    #[server(default)] student: String,
    #[server(default)] instructor: String,
    #[server(default)] mon: String,
    #[server(default)] tue: String,
    #[server(default)] wed: String,
    #[server(default)] thu: String,
    #[server(default)] fri: String,
    #[server(default)] sat: String,
    #[server(default)] sun: String,
    notice: String,
    cancel_notice: String,
    #[server(default)] open_registration: String,
    #[server(default)] require_code: String,
    #[server(default)] accent: String,
    #[server(default)] student_max_per_day: Given,
    #[server(default)] student_max_per_week: Given,
    #[server(default)] offer_hours: Given,
    #[server(default)] reminders: Given,
    #[server(default)] quiet_from: Given,
    #[server(default)] quiet_to: Given,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let rules = RulesInput {
        student_max_per_day: student_max_per_day.0,
        student_max_per_week: student_max_per_week.0,
        offer_hours: offer_hours.0,
        reminders: reminders.0,
        quiet_from: quiet_from.0,
        quiet_to: quiet_to.0,
    };
    let typed = SettingsInput {
        name,
        zone,
        locale,
        currency,
        lesson,
        student,
        instructor,
        hours: [mon, tue, wed, thu, fri, sat, sun],
        accent,
        open_registration: !open_registration.is_empty(),
        require_code: !require_code.is_empty(),
        notice,
        cancel_notice,
        rules,
    };
    settings::save(&mut scope, &typed).await?;
    scope.commit().await?;
    Ok(Outcome::new(format!("/t/{tenant}/settings"), "The settings are saved."))
}

/// Saves the school's own mail server. An empty password keeps the one that is saved.
#[server(endpoint = "tenancy/save_mail", prefix = "/fn")]
pub async fn save_mail(
    tenant: String,
    host: String,
    port: String,
    security: String,
    #[server(default)] username: String,
    #[server(default)] password: String,
    from_email: String,
    #[server(default)] from_name: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let password = SecretString::from(password);
    let typed = MailInput {
        host: &host,
        port: &port,
        security: &security,
        username: &username,
        password: &password,
        from_email: &from_email,
        from_name: &from_name,
    };
    settings::save_mail(&mut scope, typed).await?;
    scope.commit().await?;
    let message = "The mail server is saved. Send a test to see whether mail arrives.";
    Ok(Outcome::new(format!("/t/{tenant}/settings"), message))
}

/// Goes back to the platform's mail server.
#[server(endpoint = "tenancy/remove_mail", prefix = "/fn")]
pub async fn remove_mail(tenant: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    settings::remove_mail(&mut scope).await?;
    scope.commit().await?;
    let message = if cx.site.mail.configured() {
        "The mail server is removed. Mail goes out through the platform's."
    } else {
        "The mail server is removed. The platform has none, so messages stay in the outbox."
    };
    Ok(Outcome::new(format!("/t/{tenant}/settings"), message))
}

/// Sends a test to one's own address and says how it went.
#[server(endpoint = "tenancy/test_mail", prefix = "/fn")]
pub async fn test_mail(tenant: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let scope = cx.member(&tenant).await?;
    cx.site.mail.test(scope).await?;
    Ok(Outcome::new(format!("/t/{tenant}/settings"), "The test was sent to your address."))
}
