//! A school's settings (TN-10): one form for all but its mail server, so that nothing typed is lost between sections.

use domain::{
    availability::hours::{DAYS, day_text},
    locale::Locale,
    tenancy::{
        Tenant,
        settings::{self, MailSettings, Settings},
    },
};
use leptos::prelude::*;

use crate::{
    cx::{Cx, Form},
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind, capital},
};

mod look;
mod mail;
mod rules;

/// The page, for owners.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let settings = settings::get(&mut scope).await?;
    let mail = settings::mail(&mut scope).await?;
    let tenant = scope.tenant().clone();
    let frame = Frame::member(&scope, "settings");
    Ok(Doc::new("Settings", frame, move || draw(&cx, &tenant, &settings, mail)))
}

fn draw(cx: &Cx, tenant: &Tenant, settings: &Settings, mail: Option<MailSettings>) -> AnyView {
    let form = cx.form("tenancy/save_settings", "");
    let body = view! {
        <div class="stack">
            {panel("School", None, school(&form, settings))}
            {panel("Words", Some("What you call things, in the singular. They are used on every page."), words(&form, tenant, settings))}
            {panel("Opening hours", Some("Shown on the public page. Which times are free follows from each calendar."), hours(&form, settings))}
            {panel("Booking rules", None, rules::booking(&form, tenant, settings))}
            {panel("Reminders", Some("Sent to students before what they have booked."), rules::reminders(&form, settings))}
            {panel("Access", None, access(&form, tenant, settings))}
            {panel("Look", None, look::fields(&form, settings.accent.as_deref()))}
            <p>{ui::button("Save settings", Kind::Main)}</p>
        </div>
    };
    let hidden = vec![("tenant", tenant.slug.clone())];
    let public = ui::link_button(format!("/s/{}", tenant.slug), "Public page", false);
    view! {
        {ui::page_head("Settings", None, public)}
        <div class="stack measure">
            {ui::post_form("tenancy/save_settings", cx, "", hidden, body.into_any())}
            {mail::panel(cx, tenant, mail)}
        </div>
    }
    .into_any()
}

fn panel(title: &'static str, lead: Option<&'static str>, fields: AnyView) -> AnyView {
    view! {
        <section class="panel">
            <h2>{title}</h2>
            {lead.map(|lead| view! { <p class="quiet">{lead}</p> })}
            {fields}
        </section>
    }
    .into_any()
}

fn school(form: &Form, settings: &Settings) -> AnyView {
    let locales: Vec<(String, String)> =
        Locale::ALL.map(|locale| (locale.as_str().to_owned(), locale.label().to_owned())).into();
    view! {
        {Field::text("name", "Name").value(settings.name.clone()).required().max_length(100).view(form, "")}
        {Field::text("zone", "Time zone")
            .value(settings.zone.clone())
            .help("By its name, such as Europe/Berlin. Lessons that are booked keep their moment.")
            .required()
            .autocomplete("off")
            .max_length(100)
            .view(form, "")}
        {Field::select("locale", "Numbers and money as in", locales)
            .value(settings.locale.clone())
            .help("How pages write them. Words and dates stay English; downloads stay as they are.")
            .required()
            .view(form, "")}
        {Field::text("currency", "Currency")
            .value(settings.currency.clone())
            .help("Three letters, such as EUR or ZAR. Services that are there keep theirs.")
            .required()
            .autocomplete("off")
            .max_length(3)
            .view(form, "")}
    }
    .into_any()
}

fn words(form: &Form, tenant: &Tenant, settings: &Settings) -> AnyView {
    let preset = tenant.preset.words();
    let field = |name: &str, label: &str, preset: &str| {
        Field::text(name, label)
            .value(settings.words.get(name).cloned().unwrap_or_default())
            .help(format!("Empty for “{preset}”."))
            .autocomplete("off")
            .max_length(30)
            .view(form, "")
    };
    view! {
        {field("lesson", "Lesson", &preset.lesson)}
        {field("student", "Student", &preset.student)}
        {field("instructor", "Instructor", &preset.instructor)}
    }
    .into_any()
}

fn hours(form: &Form, settings: &Settings) -> AnyView {
    let fields: Vec<AnyView> = (1i16..)
        .zip(DAYS)
        .map(|(weekday, (field, label))| {
            Field::text(field, label)
                .value(day_text(&settings.opening_hours, weekday))
                .autocomplete("off")
                .max_length(200)
                .view(form, "")
        })
        .collect();
    view! {
        <p>"For example 09:00-12:00, 13:00-17:00. An empty day is closed."</p>
        {fields}
    }
    .into_any()
}

fn access(form: &Form, tenant: &Tenant, settings: &Settings) -> AnyView {
    let words = tenant.words();
    let join = format!(
        "{}s join at once on the registration page. {}s wait until you have verified them.",
        capital(&words.student),
        capital(&words.instructor)
    );
    let check = |name: &str, label: &str, on: bool, help: String| {
        Field::checkbox(name, label).value(if on { "on" } else { "" }).help(help).view(form, "")
    };
    view! {
        {check("open_registration", "Open registration", settings.open_registration, join)}
        {check(
            "require_code",
            "Require a second step",
            settings.require_code,
            "Owners and staff log in with a code from their phone too. Who has none sets it up at their next page.".into(),
        )}
    }
    .into_any()
}
