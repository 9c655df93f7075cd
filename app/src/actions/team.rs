//! Inviting people to a school, letting them in, and what members may do.

use leptos::prelude::*;

use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use crate::{cx::Cx, session};
#[cfg(feature = "ssr")]
use domain::{
    authz::{Action, policy::GRANTABLE},
    identity::login,
    notify::{Delivery, State},
    team::{
        invites::{self, Invited},
        members,
    },
};
#[cfg(feature = "ssr")]
use secrecy::SecretString;
#[cfg(feature = "ssr")]
use uuid::Uuid;

/// Invites someone to a school and says whether the mail was sent.
#[server(endpoint = "team/invite", prefix = "/fn")]
pub async fn invite(tenant: String, email: String, role: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let school = scope.tenant().clone();
    let invited = invites::create(&mut scope, &email, &role).await?;
    scope.commit().await?;
    let what = match role.as_str() {
        "instructor" => &school.words().instructor,
        "student" => &school.words().student,
        _ => &role,
    };
    let done = format!("Invited {} as {what}.", invited.email);
    Ok(tell(&cx, (school.id.0, false), &invited, done, format!("/t/{tenant}/team")).await)
}

/// Invites an owner, by the platform; `tenant` is the school's id.
#[server(endpoint = "team/invite_owner", prefix = "/fn")]
pub async fn invite_owner(tenant: String, email: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.platform().await?;
    let id: domain::ids::TenantId = tenant.parse().map_err(|_| domain::Error::NotFound)?;
    let invited = invites::create_owner(&mut scope, id, &email).await?;
    scope.commit().await?;
    let done = format!("Invited {} as owner.", invited.email);
    Ok(tell(&cx, (id.0, true), &invited, done, format!("/admin/tenants/{id}")).await)
}

/// Sends an invite again, with a new link; the old one dies.
#[server(endpoint = "team/resend", prefix = "/fn")]
pub async fn resend(tenant: String, id: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let school = scope.tenant().id.0;
    let id = id.parse().map_err(|_| domain::Error::NotFound)?;
    let invited = invites::resend(&mut scope, id).await?;
    scope.commit().await?;
    let done = format!("The invite to {} has a new link; the old one is dead.", invited.email);
    Ok(tell(&cx, (school, false), &invited, done, format!("/t/{tenant}/team")).await)
}

/// Takes an invite back.
#[server(endpoint = "team/revoke", prefix = "/fn")]
pub async fn revoke(tenant: String, id: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id = id.parse().map_err(|_| domain::Error::NotFound)?;
    let email = invites::revoke(&mut scope, id).await?;
    scope.commit().await?;
    let message = format!("The invite to {email} is revoked. Its link no longer works.");
    Ok(Outcome::new(format!("/t/{tenant}/team"), message))
}

/// Accepts an invite: with the account that is signed in, or with a new one that gets this name and password.
#[server(endpoint = "team/accept", prefix = "/fn")]
pub async fn accept(
    token: String,
    #[server(default)] name: String,
    #[server(default)] password: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let password = SecretString::from(password);
    let (site, caller) = (&cx.site, cx.caller());
    let accepted = invites::accept(&site.db, &site.passwords, caller, &token, &name, &password).await?;
    // What they may do has changed, and with it how long their session may rest.
    let signed_in = login::signed_in(&site.db, accepted.user).await?;
    session::renew(&cx.session, &site.db, &signed_in, caller).await?;
    let message = format!("You belong to {} now.", accepted.school);
    Ok(Outcome::new(format!("/t/{}", accepted.slug), message))
}

/// Removes a member.
#[server(endpoint = "team/remove", prefix = "/fn")]
pub async fn remove(tenant: String, user: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let user = user.parse().map_err(|_| domain::Error::NotFound)?;
    let name = members::remove(&mut scope, user, &reason).await?;
    scope.commit().await?;
    let message = format!("{name} is removed. An invite brings them back.");
    Ok(Outcome::new(format!("/t/{tenant}/team"), message))
}

/// Gives a member another role.
#[server(endpoint = "team/set_role", prefix = "/fn")]
pub async fn set_role(
    tenant: String,
    user: String,
    role: String,
    reason: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let user = user.parse().map_err(|_| domain::Error::NotFound)?;
    let name = members::set_role(&mut scope, user, &role, &reason).await?;
    scope.commit().await?;
    Ok(Outcome::new(format!("/t/{tenant}/team"), format!("The role of {name} is changed.")))
}

/// Gives a member permissions or takes them away: of those `offered`, the ones `granted`.
#[server(endpoint = "team/set_permissions", prefix = "/fn")]
pub async fn set_permissions(
    tenant: String,
    user: String,
    #[server(default)] offered: Vec<String>,
    #[server(default)] granted: Vec<String>,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let user = user.parse().map_err(|_| domain::Error::NotFound)?;
    let known =
        |name: &String| GRANTABLE.iter().map(|grant| grant.action).find(|action| action.as_str() == name);
    let wanted: Option<Vec<(Action, bool)>> =
        offered.iter().map(|name| Some((known(name)?, granted.contains(name)))).collect();
    let name = members::set_permissions(&mut scope, user, &wanted.ok_or(domain::Error::NotFound)?).await?;
    scope.commit().await?;
    Ok(Outcome::new(format!("/t/{tenant}/team"), format!("The permissions of {name} are saved.")))
}

/// What became of an invite that is committed: with the link to hand over when its mail has not been sent (TN-09).
#[cfg(feature = "ssr")]
async fn tell(
    cx: &Cx,
    (tenant, platform): (Uuid, bool),
    invited: &Invited,
    done: String,
    next: String,
) -> Outcome {
    // The invite stands whatever becomes of its mail.
    let why = match cx.site.mail.deliver_now(tenant, invited.message).await {
        Ok(delivery) if delivery.sent() => {
            return Outcome::new(next, format!("{done} The mail was sent.")).with_id(invited.id);
        }
        Ok(Delivery { state: State::Dead, error, .. }) => format!("The mail was not sent ({}).", part(error)),
        // Nothing was tried: there is no server of the school's own either.
        Ok(delivery) if delivery.no_server() => "Mail isn't set up, so it waits in the outbox.".to_owned(),
        Ok(Delivery { error, .. }) => format!("The mail was not sent ({}); it is tried again.", part(error)),
        Err(_) => "The mail was not sent (the outbox did not answer); it is tried again.".to_owned(),
    };
    // Whoever holds the link can make a verified account for the address. So a school sees it only on a platform that
    // can't send mail, where nothing is verified by mail anyway.
    if platform || !cx.site.mail.configured() {
        let message = format!("{done} {why} You can hand over this link yourself.");
        let mut outcome = Outcome::new(next, message).with_id(invited.id);
        outcome.link = Some(format!("{}/invite/{}", cx.site.base_url, invited.token));
        return outcome;
    }
    Outcome::new(next, format!("{done} {why}")).with_id(invited.id)
}

/// A reason as part of a sentence.
#[cfg(feature = "ssr")]
fn part(error: Option<String>) -> String {
    let error = error.unwrap_or_else(|| "the mail server has not answered yet".into());
    error.trim_end_matches('.').to_owned()
}
