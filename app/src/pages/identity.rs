//! The front page, logging in, and one's own account.

use domain::authz::{Account, School};
use leptos::prelude::*;

use crate::{
    Code,
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    safe_path,
    ui::{self, Field, Kind, button, capital, link_button, page_head, post_form},
};

/// What Lessonbook is; the way to one's schools for those who are signed in.
pub async fn home(cx: Cx) -> PageResult {
    match signed_in(&cx).await? {
        Some(account) => {
            let frame = Frame::Account { account: account.clone() };
            Ok(Doc::new("Your schools", frame, move || schools_page(account)))
        }
        None => Ok(Doc::new("Lessons, booked and kept", Frame::Bare, front_page)),
    }
}

/// Logging in.
pub async fn login(cx: Cx) -> PageResult {
    Ok(Doc::new("Log in", Frame::Bare, move || login_page(&cx)))
}

/// Setting a first password by a one-time link.
pub async fn set_password(cx: Cx) -> PageResult {
    Ok(Doc::new("Set your password", Frame::Bare, move || set_password_page(&cx)))
}

/// One's own account.
pub async fn account(cx: Cx) -> PageResult {
    let account = cx.account().await?.account().clone();
    let frame = Frame::Account { account: account.clone() };
    Ok(Doc::new("Account", frame, move || account_page(&cx, account)))
}

/// The account behind the session. A session whose account is gone counts as none; a failing database doesn't.
async fn signed_in(cx: &Cx) -> Result<Option<Account>, crate::AppError> {
    if cx.user.is_none() {
        return Ok(None);
    }
    match cx.account().await {
        Ok(scope) => Ok(Some(scope.account().clone())),
        Err(error) if error.code == Code::Unauthorized => Ok(None),
        Err(error) => Err(error),
    }
}

fn front_page() -> AnyView {
    view! {
        <div class="front">
            <h1>"Lessons, booked and kept"</h1>
            <p class="lead">
                "For driving schools, mentors, academies, clinics and salons: students see which times are free and book one; "
                "instructors see their week; the school sees who teaches whom and how many lessons are left."
            </p>
            <ul class="front-points">
                <li>"A time is booked once. When two people want it, one has it and the other sees the nearest free ones."</li>
                <li>"Prepaid lessons are counted like money: nothing is lost, and every change has a name and a reason."</li>
                <li>"Pages work on an old phone, with a keyboard, and without scripts."</li>
            </ul>
            <p>{link_button("/login".into(), "Log in", true)}</p>
        </div>
    }
    .into_any()
}

fn schools_page(account: Account) -> AnyView {
    let platform = if account.super_admin {
        link_button("/admin".into(), "Run the platform", account.schools.is_empty())
    } else {
        ().into_any()
    };
    view! {
        {page_head("Your schools", Some(account.email), platform)}
        {school_list(account.schools)}
    }
    .into_any()
}

fn school_list(schools: Vec<School>) -> AnyView {
    if schools.is_empty() {
        return ui::empty(
            "No school yet",
            "Schools you belong to stand here. A school that wants you as a member adds you by your e-mail.",
            ().into_any(),
        );
    }
    let rows: Vec<AnyView> = schools
        .into_iter()
        .map(|school| {
            let href = format!("/t/{}", school.slug);
            view! {
                <li>
                    <a class="choice" href=href>
                        {ui::initials(&school.name)}
                        <span><strong><bdi>{school.name}</bdi></strong><small>{capital(&school.role)}</small></span>
                    </a>
                </li>
            }
            .into_any()
        })
        .collect();
    view! { <ul class="choices">{rows}</ul> }.into_any()
}

fn login_page(cx: &Cx) -> AnyView {
    let form = cx.form("identity/login", "");
    let next = cx.query("next").and_then(safe_path).unwrap_or("").to_owned();
    let body = view! {
        {Field::text("login", "E-mail or phone").required().autocomplete("username").max_length(320).view(&form, "")}
        {Field::password("password", "Password")
            .required()
            .autocomplete("current-password")
            .max_length(128)
            .view(&form, "")}
        {button("Log in", Kind::Main)}
    };
    let demo = cx.site.demo.then(demo_accounts);
    view! {
        <div class="narrow">
            {page_head("Log in", None, ().into_any())}
            {post_form("identity/login", cx, "", vec![("next", next)], body.into_any())}
            {demo}
        </div>
    }
    .into_any()
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
        </section>
    }
    .into_any()
}

const PASSWORD_HELP: &str =
    "10 to 128 characters. A few words that have nothing to do with each other are good.";

fn new_password(label: &str) -> Field {
    Field::password("password", label)
        .help(PASSWORD_HELP)
        .required()
        .autocomplete("new-password")
        .max_length(128)
}

fn set_password_page(cx: &Cx) -> AnyView {
    let form = cx.form("identity/set_password", "");
    let token = cx.param("token").to_owned();
    let body = view! {
        {new_password("Password").view(&form, "")}
        {button("Set password", Kind::Main)}
    };
    let lead = "This link works once. After it, log in with your e-mail and the new password.";
    view! {
        <div class="narrow">
            {page_head("Set your password", Some(lead.into()), ().into_any())}
            {post_form("identity/set_password", cx, "", vec![("token", token)], body.into_any())}
        </div>
    }
    .into_any()
}

fn account_page(cx: &Cx, account: Account) -> AnyView {
    view! {
        {page_head("Account", Some(account.email), ().into_any())}
        <div class="stack measure">
            {name_panel(cx, account.name)}
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

fn password_panel(cx: &Cx) -> AnyView {
    let form = cx.form("identity/change_password", "");
    let body = view! {
        {Field::password("current", "Current password")
            .required()
            .autocomplete("current-password")
            .max_length(128)
            .view(&form, "")}
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
