//! The school's own mail server.

use domain::tenancy::{Tenant, settings::MailSettings};
use leptos::prelude::*;

use crate::{
    cx::Cx,
    ui::{self, Field, Kind, Tone, badge},
};

const KEY: &str = "mail-";

/// Save, remove, and send a test.
pub(super) fn panel(cx: &Cx, tenant: &Tenant, mail: Option<MailSettings>) -> AnyView {
    let hidden = || vec![("tenant", tenant.slug.clone())];
    let platform = cx.site.mail.configured();
    let state = match (&mail, platform) {
        (Some(_), true) => view! {
            <p>
                {badge(Tone::Good, "Own server")}
                " Mail of this school goes out through it. Invites alone go by the platform's server: they carry the key to an account."
            </p>
        }
        .into_any(),
        (Some(_), false) => view! {
            <p>{badge(Tone::Good, "Own server")}" Mail of this school goes out through it, invites too."</p>
        }
        .into_any(),
        (None, true) => view! {
            <p>
                {badge(Tone::Quiet, "Platform")}
                " Mail of this school goes out through the platform's server. Invites do so even when the school has a server of its own: they carry the key to an account."
            </p>
        }
        .into_any(),
        (None, false) => view! {
            <p>{badge(Tone::Warn, "No server")}" Mail stays in the outbox until there is a server."</p>
        }
        .into_any(),
    };
    let acts = mail.is_some().then(|| {
        let test = ui::button("Send a test", Kind::Plain);
        let remove = ui::button("Remove mail server", Kind::Danger);
        let without = if platform {
            "A test goes to your own address. Without a server of its own, the school uses the platform's."
        } else {
            "A test goes to your own address. Without a server of its own, the school's mail stays in the outbox: the platform has none."
        };
        view! {
            <hr/>
            <p>{without}</p>
            <div class="row">
                {ui::post_form("tenancy/test_mail", cx, "", hidden(), test)}
                {ui::post_form("tenancy/remove_mail", cx, "", hidden(), remove)}
            </div>
        }
    });
    view! {
        <section class="panel">
            <h2>"Mail"</h2>
            <div class="stack tight">
                {state}
                {ui::post_form("tenancy/save_mail", cx, KEY, hidden(), fields(cx, mail.as_ref()))}
                {acts}
            </div>
        </section>
    }
    .into_any()
}

fn fields(cx: &Cx, mail: Option<&MailSettings>) -> AnyView {
    let form = cx.form("tenancy/save_mail", KEY);
    let text = |name: &str, label: &str, value: String, max: u32| {
        Field::text(name, label).value(value).autocomplete("off").max_length(max)
    };
    let of = |get: fn(&MailSettings) -> String| mail.map(get).unwrap_or_default();
    let security = [
        ("starttls", "STARTTLS (usually port 587)"),
        ("tls", "TLS (usually port 465)"),
        ("none", "None (not encrypted)"),
    ];
    let security = security.into_iter().map(|(value, label)| (value.to_owned(), label.to_owned())).collect();
    let kept = if mail.is_some_and(|mail| mail.has_password) {
        "Kept encrypted. Empty keeps the saved one; another server needs its own."
    } else {
        "Kept encrypted, and never shown again."
    };
    view! {
        {text("host", "Server", of(|mail| mail.host.clone()), 255)
            .help("Such as smtp.example.org.")
            .required()
            .view(&form, KEY)}
        {Field::number("port", "Port")
            .value(mail.map_or(587, |mail| mail.port).to_string())
            .required()
            .min(1)
            .max(65_535)
            .view(&form, KEY)}
        {Field::select("security", "Encryption", security)
            .value(mail.map_or("starttls", |mail| mail.security.as_str()))
            .required()
            .view(&form, KEY)}
        {text("username", "User name", of(|mail| mail.username.clone()), 320).view(&form, KEY)}
        {Field::password("password", "Password").help(kept).autocomplete("new-password").max_length(1000).view(&form, KEY)}
        {Field::email("from_email", "From e-mail")
            .value(of(|mail| mail.from_email.clone()))
            .help("The address that people see and answer to.")
            .required()
            .autocomplete("off")
            .max_length(320)
            .view(&form, KEY)}
        {text("from_name", "From name", of(|mail| mail.from_name.clone()), 100)
            .help("Empty for the school's name.")
            .view(&form, KEY)}
        {ui::button("Save mail server", Kind::Main)}
    }
    .into_any()
}
