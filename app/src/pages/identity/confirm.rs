//! Proving again who one is, before a sensitive change (AC-24).

use leptos::prelude::*;

use super::parts::{self, narrow, old_password};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    safe_path,
    ui::{Kind, button, post_form},
};

/// Password, and a code where a second step is on.
pub async fn page(cx: Cx) -> PageResult {
    let account = cx.account().await?.account().clone();
    let has_code = account.has_code;
    Ok(Doc::new("Confirm that it is you", Frame::Account { account }, move || draw(&cx, has_code)))
}

fn draw(cx: &Cx, has_code: bool) -> AnyView {
    let form = cx.form("identity/confirm", "");
    let next = cx.query("next").and_then(safe_path).unwrap_or("").to_owned();
    let code =
        has_code.then(|| parts::code().help("From your app, or a backup code.").required().view(&form, ""));
    let body = view! {
        {old_password("password", "Password").view(&form, "")}
        {code}
        {button("Confirm", Kind::Main)}
    };
    let lead = "What comes next concerns the safety of your account. This lasts 15 minutes.";
    let form = post_form("identity/confirm", cx, "", vec![("next", next)], body.into_any());
    narrow("Confirm that it is you", Some(lead.into()), form)
}
