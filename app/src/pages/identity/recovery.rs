//! When a password is forgotten, or was never set.

use leptos::prelude::*;

use super::parts::{self, mail_note, narrow, new_password, ways};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{Kind, button, post_form},
};

/// Asks for a link.
pub async fn forgot(cx: Cx) -> PageResult {
    Ok(Doc::new("Forgot your password", Frame::Bare, move || forgot_page(&cx)))
}

/// The link of the mail, or of whoever made the account.
pub async fn reset(cx: Cx) -> PageResult {
    Ok(Doc::new("Set your password", Frame::Bare, move || reset_page(&cx)))
}

fn forgot_page(cx: &Cx) -> AnyView {
    let form = cx.form("identity/forgot", "");
    let body = view! {
        {parts::email().view(&form, "")}
        {button("Send link", Kind::Main)}
    };
    let body = view! {
        {post_form("identity/forgot", cx, "", vec![], body.into_any())}
        {mail_note(cx)}
        {ways(&[("/login", "Back to log in"), ("/login/link", "Log in by a link in the mail")])}
    };
    let lead = "A link to set another password goes to your e-mail. It works once, for an hour.";
    narrow("Forgot your password", Some(lead.into()), body.into_any())
}

fn reset_page(cx: &Cx) -> AnyView {
    let form = cx.form("identity/set_password", "");
    let token = cx.param("token").to_owned();
    let body = view! {
        {new_password("Password").view(&form, "")}
        {button("Set password", Kind::Main)}
    };
    let body = view! {
        {post_form("identity/set_password", cx, "", vec![("token", token)], body.into_any())}
        {ways(&[("/forgot", "Ask for a new link")])}
    };
    let lead =
        "This link works once. After it, log in with your e-mail and the new password. Every session ends.";
    narrow("Set your password", Some(lead.into()), body.into_any())
}
