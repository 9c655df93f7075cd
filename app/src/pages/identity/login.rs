//! Logging in: by password, with a code where a second step is on, or by a link in the mail.

use leptos::prelude::*;

use super::parts::{self, narrow, old_password, press, ways};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    safe_path, session,
    ui::{Field, Kind, button, post_form},
};

/// E-mail or phone, and password.
pub async fn page(cx: Cx) -> PageResult {
    Ok(Doc::new("Log in", Frame::Bare, move || login_page(&cx)))
}

/// The code of the second step, for those whose password was right.
pub async fn code(cx: Cx) -> PageResult {
    let half = session::half(&cx.session, cx.now()).await.map_err(domain::Error::internal)?;
    if half.is_none() {
        return Ok(Doc::redirect("/login"));
    }
    Ok(Doc::new("Second step", Frame::Bare, move || code_page(&cx)))
}

/// Asks for a link.
pub async fn ask_link(cx: Cx) -> PageResult {
    Ok(Doc::new("Log in by a link", Frame::Bare, move || ask_page(&cx)))
}

/// The link of the mail.
pub async fn link(cx: Cx) -> PageResult {
    Ok(Doc::new("Log in", Frame::Bare, move || {
        let words = ("Log in", "This link works once, within the minutes that the mail says.", "Log in");
        let links = [("/login/link", "Ask for a new link"), ("/login", "Log in with your password")];
        press(&cx, "identity/use_magic", words, &links)
    }))
}

fn login_page(cx: &Cx) -> AnyView {
    let form = cx.form("identity/login", "");
    let next = cx.query("next").and_then(safe_path).unwrap_or("").to_owned();
    let body = view! {
        {Field::text("login", "E-mail or phone").required().autocomplete("username").max_length(320).view(&form, "")}
        {old_password("password", "Password").view(&form, "")}
        {button("Log in", Kind::Main)}
    };
    let links = [
        ("/forgot", "Forgot your password?"),
        ("/login/link", "Log in by a link in the mail"),
        ("/register", "Register"),
    ];
    let body = view! {
        {post_form("identity/login", cx, "", vec![("next", next)], body.into_any())}
        {ways(&links)}
        {cx.site.demo.then(demo_accounts)}
    };
    narrow("Log in", None, body.into_any())
}

const DEMO_ACCOUNTS: [(&str, &str); 5] = [
    ("sipho@cape-drive.test", "a student"),
    ("thandi@cape-drive.test", "an instructor"),
    ("staff@cape-drive.test", "staff"),
    ("owner@cape-drive.test", "the owner"),
    ("super@lessonbook.test", "runs the platform"),
];

fn demo_accounts() -> AnyView {
    let rows: Vec<AnyView> = DEMO_ACCOUNTS
        .into_iter()
        .map(|(email, who)| view! { <li><code>{email}</code>" "<span>{who}</span></li> }.into_any())
        .collect();
    view! {
        <section class="panel demo">
            <h2>"This is a demo"</h2>
            <p>"Anyone may log in here as one of these. The password of each is " <code>"demo-orchard-kettle-42"</code> "."</p>
            <ul>{rows}</ul>
            <p>"Who runs a platform has to set up a second step; here they need none."</p>
        </section>
    }
    .into_any()
}

/// A backup code has letters, so its page brings up all keys; the field takes either kind on both.
fn code_page(cx: &Cx) -> AnyView {
    let form = cx.form("identity/login_code", "");
    let backup = cx.query("with") == Some("backup");
    let (help, other) = if backup {
        ("One of the backup codes you kept when you set up the second step.", ("/login/code", "Use the app"))
    } else {
        ("From your app, or a backup code.", ("/login/code?with=backup", "Type a backup code"))
    };
    let field = parts::code().help(help).required();
    let field = if backup { field } else { field.digits() };
    let body = view! {
        {field.view(&form, "")}
        {button("Log in", Kind::Main)}
    };
    let body = view! {
        {post_form("identity/login_code", cx, "", vec![], body.into_any())}
        {ways(&[other, ("/login", "Log in as someone else")])}
    };
    narrow("Second step", Some("Your password is right. One step is left.".into()), body.into_any())
}

fn ask_page(cx: &Cx) -> AnyView {
    let form = cx.form("identity/magic", "");
    let body = view! {
        {parts::email().view(&form, "")}
        {button("Send link", Kind::Main)}
    };
    let body = view! {
        {post_form("identity/magic", cx, "", vec![], body.into_any())}
        {parts::mail_note(cx)}
        {ways(&[("/login", "Log in with your password")])}
    };
    let lead = "A link that logs you in goes to your e-mail. It works once, for 10 minutes.";
    narrow("Log in by a link", Some(lead.into()), body.into_any())
}
