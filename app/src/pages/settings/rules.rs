//! What a new service starts with, how much a student may book, how long offers are held, and reminders.

use domain::{
    availability::hours::clock_text,
    services::hours_text,
    tenancy::{
        Tenant,
        settings::{Settings, reminders_text},
    },
};
use leptos::prelude::*;

use crate::{
    cx::Form,
    ui::{Field, capital},
};

/// Notices, limits, offers.
pub(super) fn booking(form: &Form, tenant: &Tenant, settings: &Settings) -> AnyView {
    let words = tenant.words();
    let hours = |name: &str, label: &str, minutes: i32, help: &str| {
        Field::text(name, label)
            .value(hours_text(minutes))
            .help(help)
            .required()
            .autocomplete("off")
            .max_length(16)
            .view(form, "")
    };
    let limit = |name: &str, span: &str, limit: Option<i32>, most: i32| {
        Field::number(name, format!("{}s a {span} (each {})", capital(&words.lesson), words.student))
            .value(limit.map(|limit| limit.to_string()).unwrap_or_default())
            .help("Empty for no limit.")
            .min(1)
            .max(most)
            .view(form, "")
    };
    let rules = &settings.rules;
    view! {
        {hours(
            "notice",
            "Notice (hours)",
            settings.default_notice_min,
            "How long before its start something can still be booked. For new services; those that are there keep their own.",
        )}
        {hours(
            "cancel_notice",
            "Free cancellation until (hours before)",
            settings.default_cancel_notice_min,
            "Later than that it counts as used. For new services; those that are there keep their own.",
        )}
        {limit("student_max_per_day", "day", rules.student_max_per_day, 100)}
        {limit("student_max_per_week", "week", rules.student_max_per_week, 500)}
        {hours(
            "offer_hours",
            "Offers are held (hours)",
            rules.offer_min,
            "A time that becomes free is kept this long for the first one on the waiting list; then it goes to the next.",
        )}
    }
    .into_any()
}

/// When people are reminded, and when not.
pub(super) fn reminders(form: &Form, settings: &Settings) -> AnyView {
    let rules = &settings.rules;
    view! {
        {Field::text("reminders", "Hours before")
            .value(reminders_text(&rules.reminder_offsets))
            .help("Up to five, with commas between them, such as 24, 2. Empty for none.")
            .autocomplete("off")
            .max_length(60)
            .view(form, "")}
        {Field::time_of_day("quiet_from", "Quiet from")
            .value(clock_text(rules.quiet_from))
            .help("In quiet hours nobody is reminded: it happens after them, or before them when that would be too late.")
            .required()
            .view(form, "")}
        {Field::time_of_day("quiet_to", "Quiet until")
            .value(clock_text(rules.quiet_to))
            .help("The same time twice is never quiet.")
            .required()
            .view(form, "")}
    }
    .into_any()
}
