//! One's own account: name, addresses, password, schools.

use domain::{authz::Account, identity::account as service};
use leptos::prelude::*;

use super::parts::{self, new_password, old_password, press, school_list};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{Field, Kind, button, link_button, page_head, post_form},
};

/// The account.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.account().await?;
    let phone = service::phone(&mut scope).await?.unwrap_or_default();
    let account = scope.account().clone();
    let frame = Frame::Account { account: account.clone() };
    Ok(Doc::new("Account", frame, move || draw(&cx, account, phone)))
}

/// The link that was sent to a new address.
pub async fn confirm_email(cx: Cx) -> PageResult {
    Ok(Doc::new("Change your e-mail", Frame::Bare, move || {
        let words = ("Change your e-mail", "From then on you log in with the new address.", "Change e-mail");
        press(&cx, "identity/confirm_email", words, &[("/account", "To your account")])
    }))
}

fn draw(cx: &Cx, account: Account, phone: String) -> AnyView {
    let links = view! {
        {link_button("/account/security".into(), "Security", false)}
        {link_button("/account/sessions".into(), "Sessions", false)}
        {link_button("/account/profile".into(), "Profile", false)}
    };
    view! {
        {page_head("Account", Some(account.email), links.into_any())}
        <div class="stack measure">
            {name_panel(cx, account.name)}
            {email_panel(cx)}
            {phone_panel(cx, phone)}
            {password_panel(cx)}
            <section class="panel">
                <h2>"Your schools"</h2>
                {school_list(account.schools)}
            </section>
        </div>
    }
    .into_any()
}

fn name_panel(cx: &Cx, name: String) -> AnyView {
    let form = cx.form("identity/update_name", "");
    let body = view! {
        {Field::text("name", "Name").value(name).required().autocomplete("name").max_length(100).view(&form, "")}
        {button("Save name", Kind::Main)}
    };
    view! {
        <section class="panel">
            <h2>"Name"</h2>
            {post_form("identity/update_name", cx, "", vec![], body.into_any())}
        </section>
    }
    .into_any()
}

fn email_panel(cx: &Cx) -> AnyView {
    let form = cx.form("identity/change_email", "");
    let body = view! {
        {Field::email("email", "New e-mail").required().autocomplete("email").max_length(320).view(&form, "")}
        {button("Send link", Kind::Main)}
    };
    view! {
        <section class="panel">
            <h2>"E-mail"</h2>
            <p class="quiet">"A link goes to the new address. The one you have stays until you use it."</p>
            {post_form("identity/change_email", cx, "", vec![], body.into_any())}
            {parts::mail_note(cx)}
        </section>
    }
    .into_any()
}

fn phone_panel(cx: &Cx, phone: String) -> AnyView {
    let form = cx.form("identity/update_phone", "");
    let body = view! {
        {Field::tel("phone", "Phone")
            .value(phone)
            .help("With its country code, like +27 82 123 4567. It logs you in as long as no other account has it. Empty removes it.")
            .autocomplete("tel")
            .max_length(30)
            .view(&form, "")}
        {button("Save phone", Kind::Main)}
    };
    view! {
        <section class="panel">
            <h2>"Phone"</h2>
            <p class="quiet">"You can log in by it. It is kept encrypted."</p>
            {post_form("identity/update_phone", cx, "", vec![], body.into_any())}
        </section>
    }
    .into_any()
}

fn password_panel(cx: &Cx) -> AnyView {
    let form = cx.form("identity/change_password", "");
    let body = view! {
        {old_password("current", "Current password").view(&form, "")}
        {new_password("New password").view(&form, "")}
        {button("Change password", Kind::Main)}
    };
    view! {
        <section class="panel">
            <h2>"Password"</h2>
            <p class="quiet">"Changing it ends every other session of this account."</p>
            {post_form("identity/change_password", cx, "", vec![], body.into_any())}
        </section>
    }
    .into_any()
}
