//! Registering, and verifying one's address.

use domain::identity::register;
use leptos::prelude::*;

use super::parts::{self, mail_note, narrow, new_password, old_password, ways};
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
    Ok(Doc::new("Verify your e-mail", Frame::Bare, move || verify_page(&cx)))
}

fn verify_page(cx: &Cx) -> AnyView {
    let form = cx.form("identity/verify", "");
    let token = cx.param("token").to_owned();
    let body = view! {
        {old_password("password", "Password").help("The one you registered with.").view(&form, "")}
        {button("Verify e-mail", Kind::Main)}
    };
    let links = [("/forgot", "Forgot your password?"), ("/register", "Register again for a new link")];
    let body = view! {
        {post_form("identity/verify", cx, "", vec![("token", token)], body.into_any())}
        {ways(&links)}
    };
    let lead = "The link shows that the address is yours, the password that it was you who registered.";
    narrow("Verify your e-mail", Some(lead.into()), body.into_any())
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
