//! The link of an invite (AC-21).

use domain::{
    authz::Account,
    team::invites::{self, InviteView},
};
use leptos::prelude::*;

use super::parts::{self, narrow, new_password, ways};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{Field, Kind, button, link_button, post_form},
};

/// Who invites whom as what, and the way to accept.
pub async fn page(cx: Cx) -> PageResult {
    let invite = match invites::look_up(&cx.site.db, cx.caller(), cx.param("token")).await {
        Ok(invite) => invite,
        Err(domain::Error::Conflict(why)) => return Ok(gone(why)),
        Err(other) => return Err(other.into()),
    };
    let account = parts::signed_in(&cx).await?;
    let frame = account.clone().map_or(Frame::Bare, |account| Frame::Account { account });
    let title = format!("Join {}", invite.school);
    Ok(Doc::new(title.clone(), frame, move || {
        let lead = format!("{} invites {} to join as {}.", invite.school, invite.email, invite.part);
        narrow(&title, Some(lead), way_in(&cx, &invite, account))
    }))
}

/// A link that can't be used: used, revoked, expired or damaged.
fn gone(why: String) -> Doc {
    let draw = move || {
        let body = view! {
            <p>"If you have joined already, log in. Otherwise ask whoever invited you to send a new invite."</p>
            {ways(&[("/login", "Log in"), ("/", "To the start")])}
        };
        narrow("This invite can't be used", Some(why), body.into_any())
    };
    Doc::new("This invite can't be used", Frame::Bare, draw).with_status(409)
}

fn way_in(cx: &Cx, invite: &InviteView, account: Option<Account>) -> AnyView {
    match account {
        _ if invite.mine => post_form("team/accept", cx, "", vec![token(cx)], button("Join", Kind::Main)),
        Some(account) => someone_else(cx, &account),
        None if invite.has_account => log_in(cx),
        None => new_account(cx, invite),
    }
}

fn token(cx: &Cx) -> (&'static str, String) {
    ("token", cx.param("token").to_owned())
}

/// The login, and back to this page from there.
fn login_link(cx: &Cx) -> String {
    let query = serde_urlencoded::to_string([("next", cx.link(&[]))]).unwrap_or_default();
    format!("/login?{query}")
}

fn log_in(cx: &Cx) -> AnyView {
    view! {
        <p>"This address has an account. Log in with it to join; you come back here."</p>
        <p>{link_button(login_link(cx), "Log in", true)}</p>
    }
    .into_any()
}

fn someone_else(cx: &Cx, account: &Account) -> AnyView {
    let text = format!("You are logged in as {}. Log out to join with the invited address.", account.email);
    let next = vec![("next", cx.link(&[]))];
    view! {
        <p>{text}</p>
        {post_form("identity/logout", cx, "", next, button("Log out and go on", Kind::Main))}
    }
    .into_any()
}

fn new_account(cx: &Cx, invite: &InviteView) -> AnyView {
    let form = cx.form("team/accept", "");
    let email = invite.email.clone();
    let body = view! {
        <p class="quiet">"Your account will have the address " <strong>{email}</strong> "."</p>
        {Field::text("name", "Name").required().autocomplete("name").max_length(100).view(&form, "")}
        {new_password("Password").view(&form, "")}
        {button("Join", Kind::Main)}
    };
    post_form("team/accept", cx, "", vec![token(cx)], body.into_any())
}
