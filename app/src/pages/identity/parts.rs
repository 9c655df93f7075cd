//! What several pages of this area share.

use domain::{
    Instant,
    authz::{Account, School},
    zoned::Zone,
};
use leptos::prelude::*;

use crate::{
    AppError, Code,
    cx::Cx,
    ui::{self, Field, Kind, Tone, badge, button, capital, page_head, post_form},
};

const PASSWORD_HELP: &str =
    "10 to 128 characters. A few words that have nothing to do with each other are good.";

/// A password that is being chosen.
pub(super) fn new_password(label: &str) -> Field {
    Field::password("password", label)
        .help(PASSWORD_HELP)
        .required()
        .autocomplete("new-password")
        .max_length(128)
}

/// A password that is known.
pub(super) fn old_password(name: &str, label: &str) -> Field {
    Field::password(name, label).required().autocomplete("current-password").max_length(128)
}

/// A code of the second step.
pub(super) fn code() -> Field {
    Field::text("code", "Code").autocomplete("one-time-code").max_length(40)
}

/// One's own address.
pub(super) fn email() -> Field {
    Field::email("email", "E-mail").required().autocomplete("email").max_length(320)
}

/// The account behind the session. A session whose account is gone counts as none; a failing database doesn't.
pub(super) async fn signed_in(cx: &Cx) -> Result<Option<Account>, AppError> {
    if cx.user().is_none() {
        return Ok(None);
    }
    match cx.account().await {
        Ok(scope) => Ok(Some(scope.account().clone())),
        Err(error) if error.code == Code::Unauthorized => Ok(None),
        Err(error) => Err(error),
    }
}

/// A page of one narrow column: a title, a line, and what is to be done.
pub(super) fn narrow(title: &str, lead: Option<String>, body: AnyView) -> AnyView {
    view! {
        <div class="narrow">
            {page_head(title, lead, ().into_any())}
            {body}
        </div>
    }
    .into_any()
}

/// A page with one button for the link in the mail. Opening the link does nothing yet: scanners of mail open it too.
pub(super) fn press(
    cx: &Cx,
    action: &str,
    (title, lead, verb): (&str, &str, &str),
    links: &[(&str, &str)],
) -> AnyView {
    let token = vec![("token", cx.param("token").to_owned())];
    let body = view! {
        {post_form(action, cx, "", token, button(verb, Kind::Main))}
        {ways(links)}
    };
    narrow(title, Some(lead.to_owned()), body.into_any())
}

/// Other ways on, under a form.
pub(super) fn ways(links: &[(&str, &str)]) -> AnyView {
    let links: Vec<AnyView> = links
        .iter()
        .map(|(href, label)| {
            let (href, label) = ((*href).to_owned(), (*label).to_owned());
            view! { <li><a href=href>{label}</a></li> }.into_any()
        })
        .collect();
    view! { <ul class="ways">{links}</ul> }.into_any()
}

/// Where no mail leaves, those who wait for it learn so.
pub(super) fn mail_note(cx: &Cx) -> Option<AnyView> {
    (!cx.site.mail.configured()).then(|| {
        view! { <p class="quiet">"No mail server is set up here: messages stay in the outbox."</p> }
            .into_any()
    })
}

/// The schools of an account; those that still have to say yes lead nowhere.
pub(super) fn school_list(schools: Vec<School>) -> AnyView {
    if schools.is_empty() {
        return ui::empty(
            "No school yet",
            "Schools you belong to stand here. Open a school's page to join it, or ask the school for an invite.",
            ().into_any(),
        );
    }
    let rows: Vec<AnyView> = schools.into_iter().map(school).collect();
    view! { <ul class="choices">{rows}</ul> }.into_any()
}

fn school(school: School) -> AnyView {
    let picture = ui::initials(&school.name);
    let name = view! {
        <span><strong><bdi>{school.name}</bdi></strong><small>{capital(&school.role)}</small></span>
    };
    if school.status == "pending" {
        let waits = badge(Tone::Warn, "Waits for the school");
        return view! { <li><div class="choice">{picture}{name}{waits}</div></li> }.into_any();
    }
    let href = format!("/t/{}", school.slug);
    view! { <li><a class="choice" href=href>{picture}{name}</a></li> }.into_any()
}

/// An account has no clock of its own.
pub(super) fn utc() -> Result<Zone, AppError> {
    Ok(Zone::parse("UTC").map_err(domain::Error::internal)?)
}

/// "Tue 30 Mar 2027, 16:00".
pub(super) fn moment(zone: &Zone, at: Instant) -> AnyView {
    let text = at.to_zoned(zone.tz().clone()).strftime("%a %-d %b %Y, %H:%M").to_string();
    ui::time(zone, at, text)
}

/// What isn't known.
pub(super) fn or_unknown(text: String) -> String {
    if text.is_empty() { "not known".to_owned() } else { text }
}
