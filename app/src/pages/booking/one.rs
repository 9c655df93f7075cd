//! One lesson: its facts, what happens next, and what can be done with it.

use domain::{
    authz::{Actor, Role},
    booking::{Booking, Status, cancel::canceller, cancel_terms, cancellation, service},
    ids::BookingId,
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::name;
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind},
};

/// The lesson.
pub async fn page(cx: Cx) -> PageResult {
    let id: BookingId = cx.id("id")?;
    let mut scope = cx.member(cx.param("tenant")).await?;
    let booking = service::one(&mut scope, id).await?;
    let (tenant, actor) = (scope.tenant().clone(), scope.actor().clone());
    let when = tenant.zone.span(booking.starts_at, booking.ends_at, cx.now());
    let title = format!("{}, {when}", booking.service_name);
    Ok(Doc::new(title, Frame::member(&scope, "bookings"), move || draw(&cx, &tenant, &actor, &booking)))
}

fn draw(cx: &Cx, tenant: &Tenant, actor: &Actor, booking: &Booking) -> AnyView {
    let words = tenant.words();
    let back =
        ui::link_button(format!("/t/{}/bookings", tenant.slug), &format!("All {}s", words.lesson), false);
    let next = next(tenant, actor.role, booking, cx);
    view! {
        {ui::page_head(&booking.service_name, Some(tenant.zone.span(booking.starts_at, booking.ends_at, cx.now())), back)}
        <div class="stack">
            <section class="panel">
                <h2>{ui::capital(&words.lesson)}</h2>
                {facts(cx, tenant, actor.role, booking)}
            </section>
            <section class="panel">
                <h2>"What happens next"</h2>
                <p>{next}</p>
                {(!cx.site.mail.configured()).then(|| view! {
                    <p class="quiet">"No mail server is set up: messages about this wait in the outbox."</p>
                })}
                {steps(cx, tenant, actor.role, booking)}
            </section>
            {cancel(cx, tenant, actor.role, booking)}
        </div>
    }
    .into_any()
}

fn facts(cx: &Cx, tenant: &Tenant, role: Role, booking: &Booking) -> AnyView {
    let words = tenant.words();
    let runs = matches!(role, Role::Staff | Role::Owner);
    let link = |linked: bool, path: String, text: &str| {
        if linked { view! { <a href=path>{name(text)}</a> }.into_any() } else { name(text) }
    };
    let student = format!("/t/{}/students/{}", tenant.slug, booking.student);
    let instructor = format!("/t/{}/instructors/{}", tenant.slug, booking.instructor);
    let when = tenant.zone.long_span(booking.starts_at, booking.ends_at, cx.now());
    let mut rows = vec![
        ("Status".to_owned(), ui::status_badge(booking.status.as_str())),
        ("When".to_owned(), ui::time(&tenant.zone, booking.starts_at, when)),
        (ui::capital(&words.student), link(runs, student, &booking.student_name)),
        (ui::capital(&words.instructor), link(runs, instructor, &booking.instructor_name)),
    ];
    if !booking.pickup.is_empty() {
        rows.push(("Pickup address".to_owned(), name(&booking.pickup)));
    }
    let price = match booking.pack {
        Some(_) => format!("1 {} of the pack", words.lesson),
        None => ui::capital(&ui::money(booking.price_minor, &booking.currency)),
    };
    rows.push(("Price".to_owned(), view! { <span>{price}</span> }.into_any()));
    if !booking.note.is_empty() {
        rows.push(("Note".to_owned(), lines(&booking.note)));
    }
    if let Some(reason) = &booking.cancel_reason {
        rows.push(("Reason".to_owned(), lines(reason)));
    }
    ui::facts(rows)
}

/// A text with its line breaks.
fn lines(text: &str) -> AnyView {
    let parts: Vec<AnyView> = text
        .lines()
        .map(|line| {
            let line = line.to_owned();
            view! { <bdi>{line}</bdi><br/> }.into_any()
        })
        .collect();
    view! { <span>{parts}</span> }.into_any()
}

/// What comes next, for the one who looks.
fn next(tenant: &Tenant, role: Role, booking: &Booking, cx: &Cx) -> String {
    let words = tenant.words();
    let begun = booking.starts_at <= cx.now();
    match (booking.status, role) {
        (Status::Requested, Role::Student) => {
            format!("The {} approves it first. The time is kept for you until then.", words.instructor)
        }
        (Status::Requested, _) if begun => {
            "Its time has passed without an answer. Cancel it with a reason.".into()
        }
        (Status::Requested, _) => "It waits for approval. The time is kept until then.".into(),
        (Status::Confirmed, Role::Student) if begun => "It has begun.".into(),
        (Status::Confirmed, Role::Student) => {
            let clock = super::day_and_clock(tenant, booking.starts_at);
            format!("Be there on {clock}. If you can't, cancel it below.")
        }
        (Status::Confirmed, _) if begun => format!("Say whether the {} took place.", words.lesson),
        (Status::Confirmed, _) => {
            format!("It takes place. Afterwards, say here how the {} went.", words.lesson)
        }
        (Status::Completed, _) => "It took place. Nothing is left to do.".into(),
        (Status::Cancelled, _) => "It is cancelled, and its time is free for others.".into(),
        (Status::NoShow, _) => {
            format!("The {} did not come; the {} counts as used.", words.student, words.lesson)
        }
    }
}

/// Approve; complete or no-show.
fn steps(cx: &Cx, tenant: &Tenant, role: Role, booking: &Booking) -> AnyView {
    if !matches!(role, Role::Instructor | Role::Staff | Role::Owner) {
        return ().into_any();
    }
    let hidden = || vec![("tenant", tenant.slug.clone()), ("booking", booking.id.to_string())];
    let form = |action: &str, label: &str, kind: Kind| {
        ui::post_form(action, cx, "", hidden(), ui::button(label, kind))
    };
    let begun = booking.starts_at <= cx.now();
    match booking.status {
        Status::Requested if !begun => form("booking/confirm", "Approve", Kind::Main),
        Status::Confirmed if begun => view! {
            <div class="row">
                {form("booking/complete", "Complete", Kind::Main)}
                {form("booking/no_show", "No-show", Kind::Plain)}
            </div>
        }
        .into_any(),
        _ => ().into_any(),
    }
}

/// The form to cancel, apart from the rest; only when it can be cancelled.
fn cancel(cx: &Cx, tenant: &Tenant, role: Role, booking: &Booking) -> AnyView {
    let Ok(in_time) = cancellation(booking, canceller(role), cx.now()) else {
        return ().into_any();
    };
    let lesson = &tenant.words().lesson;
    let terms = match role {
        Role::Student => {
            cancel_terms(&tenant.zone, lesson, booking.starts_at, booking.cancel_notice_min, cx.now())
        }
        _ => format!("When the school cancels, the {lesson} never counts as used."),
    };
    let credit = booking.pack.map(|_| {
        if in_time {
            format!("The {lesson} goes back to the pack.")
        } else {
            format!("The {lesson} does not come back to the pack.")
        }
    });
    let form = cx.form("booking/cancel", "");
    let hidden = vec![("tenant", tenant.slug.clone()), ("booking", booking.id.to_string())];
    let body = view! {
        {Field::area("reason", "Reason").help("Everyone concerned reads it.").required().max_length(1000).rows(2).view(&form, "")}
        {ui::button("Cancel lesson", Kind::Danger)}
    };
    let title = format!("Cancel this {lesson}");
    view! {
        <section class="panel danger-zone">
            <h2>{title}</h2>
            <p>{terms}</p>
            {credit.map(|text| view! { <p>{text}</p> })}
            <p>"This can't be undone: the time is free for others at once."</p>
            {ui::post_form("booking/cancel", cx, "", hidden, body.into_any())}
        </section>
    }
    .into_any()
}
