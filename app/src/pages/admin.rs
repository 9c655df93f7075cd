//! The platform: figures, schools, users.

use domain::{Instant, tenancy::TenantStatus, zoned::Zone};
use leptos::prelude::*;

use crate::{
    AppError,
    cx::Cx,
    ui::{self, Field, Kind, PostForm, Tone, badge, capital},
};

pub mod docs;
pub mod overview;
pub mod tenant;
pub mod tenants;
pub mod user;
pub mod users;

/// The platform has no clock of its own.
fn utc() -> Result<Zone, AppError> {
    Ok(Zone::parse("UTC").map_err(domain::Error::internal)?)
}

/// "30 Mar 2026".
fn day(zone: &Zone, at: Instant) -> AnyView {
    ui::time(zone, at, zone.date(at).strftime("%-d %b %Y").to_string())
}

/// "30 Mar 2026, 16:00".
fn moment(zone: &Zone, at: Instant) -> AnyView {
    let day = zone.date(at).strftime("%-d %b %Y");
    ui::time(zone, at, format!("{day}, {}", zone.clock(at)))
}

fn text(value: impl Into<String>) -> AnyView {
    let value: String = value.into();
    view! { <span>{value}</span> }.into_any()
}

fn tenant_badge(status: TenantStatus) -> AnyView {
    let tone = if status == TenantStatus::Active { Tone::Good } else { Tone::Bad };
    badge(tone, capital(status.as_str()))
}

/// `active` is as wished, `pending` waits, all else is shut.
fn tone(status: &str) -> Tone {
    match status {
        "active" => Tone::Good,
        "pending" => Tone::Warn,
        _ => Tone::Bad,
    }
}

/// "Member active", "School suspended".
fn badge_of(what: &str, status: &str) -> AnyView {
    badge(tone(status), format!("{what} {status}"))
}

fn choices(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(value, label)| ((*value).to_owned(), (*label).to_owned())).collect()
}

/// Something that is done with a reason.
struct Act {
    /// `tenancy/suspend`.
    action: &'static str,
    /// On its button.
    label: &'static str,
    kind: Kind,
    /// What it does, and whether it can be undone.
    effect: &'static str,
}

/// What can be done with a thing: one reason, a button each.
fn acts(cx: &Cx, title: AnyView, hidden: Vec<(&str, String)>, acts: Vec<Act>) -> AnyView {
    let actions: Vec<&str> = acts.iter().map(|act| act.action).collect();
    let refused = actions.iter().copied().find(|action| cx.form(action, "").was_refused());
    let shown = refused.or(actions.first().copied()).unwrap_or("");
    let form = cx.form(shown, "");
    let danger = acts.iter().any(|act| act.kind == Kind::Danger);
    let class = if danger { "panel danger-zone" } else { "panel" };
    let effects: Vec<AnyView> = acts.iter().map(|act| view! { <p>{act.effect}</p> }.into_any()).collect();
    let buttons: Vec<AnyView> = acts
        .into_iter()
        .map(|act| {
            let class = match act.kind {
                Kind::Main => "button main",
                Kind::Plain => "button",
                Kind::Danger => "button danger",
            };
            let target = format!("/fn/{}", act.action);
            view! { <button type="submit" class=class formaction=target>{act.label}</button> }.into_any()
        })
        .collect();
    let body = view! {
        {Field::text("reason", "Reason").required().autocomplete("off").max_length(1000).view(&form, "")}
        <div class="row">{buttons}</div>
    };
    view! {
        <section class=class>
            <h2>{title}</h2>
            {effects}
            {PostForm::new(shown, cx, "", hidden).view(body.into_any())}
        </section>
    }
    .into_any()
}
