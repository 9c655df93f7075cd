//! Registering, and verifying one's address.

use domain::identity::register;
use leptos::prelude::*;

use super::parts::{self, mail_note, narrow, new_password, press, ways};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{Field, Kind, button, post_form},
};

/// The form; `?school=` chooses one.
pub async fn page(cx: Cx) -> PageResult {
    let schools = register::open_schools(&cx.site.db).await?;
    Ok(Doc::new("Register", Frame::Bare, move || register_page(&cx, schools)))
}

/// The link of the mail.
pub async fn verify(cx: Cx) -> PageResult {
    Ok(Doc::new("Verify your e-mail", Frame::Bare, move || {
        let words =
            ("Verify your e-mail", "One press, and the address is known to be yours.", "Verify e-mail");
        press(&cx, "identity/verify", words, &[("/register", "Register again for a new link")])
    }))
}

fn register_page(cx: &Cx, schools: Vec<(String, String)>) -> AnyView {
    let form = cx.form("identity/register", "");
    let kinds = [("student", "I am a student"), ("instructor", "I teach")];
    let kinds = kinds.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec();
    let mut options = vec![(String::new(), "None yet".to_owned())];
    options.extend(schools);
    // A school that isn't open to registration isn't in the list, so nothing is chosen then.
    let chosen = cx.query("school").unwrap_or("").to_owned();
    let body = view! {
        {Field::text("name", "Name").required().autocomplete("name").max_length(100).view(&form, "")}
        {parts::email().view(&form, "")}
        {Field::tel("phone", "Phone")
            .help("Optional; with its country code. You can log in by it too.")
            .autocomplete("tel")
            .max_length(30)
            .view(&form, "")}
        {new_password("Password").view(&form, "")}
        {Field::radio("kind", "What brings you here", kinds).value("student").required().view(&form, "")}
        {Field::select("school", "School", options)
            .value(chosen)
            .help("Students belong to it at once. Those who teach wait until the school says yes.")
            .view(&form, "")}
        {button("Register", Kind::Main)}
    };
    let body = view! {
        {post_form("identity/register", cx, "", vec![], body.into_any())}
        {mail_note(cx)}
        {ways(&[("/login", "Log in instead")])}
    };
    let lead = "A link to verify your e-mail is sent to you. It works for 24 hours.";
    narrow("Register", Some(lead.into()), body.into_any())
}
