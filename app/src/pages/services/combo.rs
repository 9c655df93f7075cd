//! The form of a combo: what it is called, what it costs, and what it is made of.

use domain::{
    ids::ServiceId,
    services::{MOST_SERVICES, Part, price_text, service::Sheet},
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::{problem, terms::in_words};
use crate::{
    cx::{Cx, Form},
    ui::{self, Field, Kind},
};

/// Empty rows below the parts there are.
const MORE: usize = 3;

/// What stands in the form.
pub(super) fn fields(cx: &Cx, tenant: &Tenant, id: Option<ServiceId>, sheet: &Sheet) -> AnyView {
    let form = cx.form("services/save_combo", "");
    let service = &sheet.service;
    let price = if id.is_some() { price_text(service.price_minor, &service.currency) } else { String::new() };
    view! {
        {Field::text("name", "Name").value(service.name.clone()).required().max_length(100).view(&form, "")}
        {Field::area("description", "Description")
            .value(service.description.clone())
            .help("The first line stands on the card that is chosen.")
            .max_length(10_000)
            .rows(3)
            .view(&form, "")}
        {Field::text("price", "Price")
            .value(price)
            .help(price_help(sheet))
            .required()
            .autocomplete("off")
            .max_length(16)
            .view(&form, "")}
        {parts(&form, sheet)}
        {id.map(|_| summary(tenant, sheet))}
        {ui::button("Save combo", Kind::Main)}
    }
    .into_any()
}

fn price_help(sheet: &Sheet) -> String {
    let currency = &sheet.service.currency;
    let sum: i64 = sheet.parts.iter().map(|part| part.price_minor).sum();
    if sum == 0 {
        return format!("One price for all of it, in {currency}.");
    }
    format!("One price for all of it, in {currency}. One by one its parts cost {}.", ui::money(sum, currency))
}

/// One choice a part, in order, and some to spare.
fn parts(form: &Form, sheet: &Sheet) -> AnyView {
    let currency = &sheet.service.currency;
    let mut options = vec![(String::new(), "None".to_owned())];
    options.extend(sheet.choices.iter().map(|part| (part.id.to_string(), label(part, currency))));
    for part in &sheet.parts {
        let id = part.id.to_string();
        // What can't be chosen any more still is what it is made of.
        if !options.iter().any(|(known, _)| *known == id) {
            let state = if part.archived { "archived" } else { "can't be a part any more" };
            options.push((id, format!("{} ({state})", part.name)));
        }
    }
    let typed = (0..MOST_SERVICES).rev().find(|n| !form.value(&name(*n), "").is_empty()).map_or(0, |n| n + 1);
    let rows = (sheet.parts.len().max(typed) + MORE).min(MOST_SERVICES);
    let fields: Vec<AnyView> = (0..rows)
        .map(|n| {
            let value = sheet.parts.get(n).map(|part| part.id.to_string()).unwrap_or_default();
            Field::select(name(n), format!("Part {}", n + 1), options.clone()).value(value).view(form, "")
        })
        .collect();
    view! {
        <fieldset id="parts">
            <legend>"Parts"</legend>
            <p class="quiet">
                "Two to 20 services for one, in the order in which they are given. Save the combo to get more rows."
            </p>
            {problem(form, "parts")}
            {fields}
        </fieldset>
    }
    .into_any()
}

fn name(n: usize) -> String {
    format!("parts[{n}]")
}

/// "Driving lesson, 60 min, R 420.00".
fn label(part: &Part, currency: &str) -> String {
    format!("{}, {}, {}", part.name, ui::minutes(part.duration_min), ui::money(part.price_minor, currency))
}

/// What follows from the parts: length, who gives it, terms.
fn summary(tenant: &Tenant, sheet: &Sheet) -> AnyView {
    let words = tenant.words();
    let names: Vec<&str> = sheet
        .teachers
        .iter()
        .filter(|teacher| teacher.teaches)
        .map(|teacher| teacher.name.as_str())
        .collect();
    let who = if names.is_empty() {
        format!("Nobody: no {} teaches all of its parts", words.instructor)
    } else {
        names.join(", ")
    };
    let gone: Vec<&str> =
        sheet.parts.iter().filter(|part| part.archived).map(|part| part.name.as_str()).collect();
    let broken = (!gone.is_empty()).then(|| {
        let text = format!("Nobody can book it as long as a part is archived: {}.", gone.join(", "));
        view! { <p><strong>{text}</strong></p> }
    });
    let facts = vec![
        ("Length".to_owned(), ui::minutes(sheet.service.duration_min).into_any()),
        ("Who teaches it".to_owned(), view! { <bdi>{who}</bdi> }.into_any()),
    ];
    view! {
        {broken}
        {ui::facts(facts)}
        <p class="terms">
            <strong>"In words: "</strong>
            {in_words(&sheet.service, words)}
            " Its terms are the strictest of its parts."
        </p>
    }
    .into_any()
}
