//! Booking for a student, by staff.

use domain::{
    authz::{Action, Actor, Reach},
    booking::service::{self, Choices},
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::{instructor_field, nearest_free, options, student_field, which_of_two};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind},
};

const ACTION: &str = "booking/book_for_student";

/// The form.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let choices = service::choices(&mut scope).await?;
    let (tenant, actor) = (scope.tenant().clone(), scope.actor().clone());
    let title = format!("Book for a {}", tenant.words().student);
    Ok(Doc::new(title, Frame::member(&scope, "bookings"), move || draw(&cx, &tenant, &actor, choices)))
}

fn draw(cx: &Cx, tenant: &Tenant, actor: &Actor, choices: Choices) -> AnyView {
    let words = tenant.words();
    let links = links(cx, tenant, actor);
    let lead = format!("Times are {} time.", tenant.zone.city());
    let main = if choices.services.is_empty() {
        let new = ui::link_button(format!("/t/{}/services/new", tenant.slug), "New service", true);
        ui::empty("No service to book", "A service says how long it takes and who gives it.", new)
    } else {
        form(cx, tenant, choices)
    };
    view! {
        {ui::page_head(&format!("Book for a {}", words.student), Some(lead), links)}
        <div class="stack">
            {nearest_free(cx, tenant, ACTION, &["student", "instructor", "service", "pickup"])}
            <section class="panel">{main}</section>
        </div>
    }
    .into_any()
}

/// To the list, to the form of a series with what was typed here, and to the one of a lesson for several.
fn links(cx: &Cx, tenant: &Tenant, actor: &Actor) -> AnyView {
    let form = cx.form(ACTION, "");
    let typed: Vec<(&str, String)> = ["student", "instructor", "service", "date", "time", "pickup"]
        .into_iter()
        .map(|field| (field, form.value(field, &given(cx, field))))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let query = serde_urlencoded::to_string(typed).unwrap_or_default();
    let slash = if query.is_empty() { "" } else { "?" };
    let may = |action| actor.reach(action) != Reach::None;
    let repeat = may(Action::BookSeries)
        .then(|| ui::link_button(format!("/t/{}/series{slash}{query}", tenant.slug), "Repeat it", false));
    let group = may(Action::OpenGroup).then(|| {
        let label = format!("Plan a group {}", tenant.words().lesson);
        ui::link_button(format!("/t/{}/groups/new", tenant.slug), &label, false)
    });
    let all = format!("All {}s", tenant.words().lesson);
    view! {
        {repeat}
        {group}
        {ui::link_button(format!("/t/{}/bookings", tenant.slug), &all, false)}
    }
    .into_any()
}

/// The address fills the form, so that other pages can lead here with a student or a time.
fn given(cx: &Cx, field: &str) -> String {
    cx.query(field).unwrap_or("").to_owned()
}

fn form(cx: &Cx, tenant: &Tenant, choices: Choices) -> AnyView {
    let form = cx.form(ACTION, "");
    let pickup = choices.pickup.then(|| {
        Field::text("pickup", "Pickup address")
            .value(given(cx, "pickup"))
            .help("Where the service asks for it.")
            .max_length(300)
            .view(&form, "")
    });
    let typed = (form.value("date", ""), form.value("time", ""));
    let which = which_of_two(&form, "which", &tenant.zone, (&typed.0, &typed.1), "");
    let hidden = vec![("tenant", tenant.slug.clone()), ("idempotency_key", uuid::Uuid::new_v4().to_string())];
    let body = view! {
        {student_field(choices.students).value(given(cx, "student")).required().view(&form, "")}
        {instructor_field(tenant, choices.instructors).value(given(cx, "instructor")).required().view(&form, "")}
        {Field::select("service", "Service", options(choices.services))
            .value(given(cx, "service"))
            .required()
            .view(&form, "")}
        {Field::date("date", "Date").value(given(cx, "date")).required().view(&form, "")}
        {Field::time_of_day("time", "Time").value(given(cx, "time")).required().view(&form, "")}
        {which}
        {Field::area("note", "Note").help("You can leave it empty.").max_length(10_000).rows(3).view(&form, "")}
        {pickup}
        {ui::button("Book lesson", Kind::Main)}
    };
    ui::post_form(ACTION, cx, "", hidden, body.into_any())
}
