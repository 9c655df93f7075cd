//! What the waiting list offers: what it is, how long it is kept, and the two answers.

use domain::{
    booking::{
        cancel_terms,
        waiting::{self, OfferState, OfferView},
    },
    ids::HoldId,
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::super::{day_and_clock, name};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind},
};

const ACCEPT: &str = "waiting/accept";

/// The offer, to the student or to staff.
pub async fn page(cx: Cx) -> PageResult {
    let id: HoldId = cx.id("id")?;
    let mut scope = cx.member(cx.param("tenant")).await?;
    let offer = waiting::view_offer(&mut scope, id).await?;
    let tenant = scope.tenant().clone();
    let own = scope.actor().student().is_some();
    let span = tenant.zone.span(offer.starts_at, offer.ends_at, cx.now());
    let title = format!("Offer: {}, {span}", offer.service_name);
    let frame = Frame::member(&scope, "waiting");
    Ok(Doc::new(title, frame, move || draw(&cx, &tenant, own, &offer)))
}

fn draw(cx: &Cx, tenant: &Tenant, own: bool, offer: &OfferView) -> AnyView {
    let span = tenant.zone.span(offer.starts_at, offer.ends_at, cx.now());
    let back = ui::link_button(format!("/t/{}/waiting", tenant.slug), "Waiting list", false);
    let answers = match offer.state {
        OfferState::Open => answers(cx, tenant, own, offer),
        _ => over(tenant, offer),
    };
    let title = ui::capital(&tenant.words().lesson);
    view! {
        {ui::page_head(&offer.service_name, Some(span), back)}
        <div class="stack">
            <section class="panel">
                <h2>{title}</h2>
                {facts(cx, tenant, offer)}
            </section>
            {answers}
        </div>
    }
    .into_any()
}

fn facts(cx: &Cx, tenant: &Tenant, offer: &OfferView) -> AnyView {
    let when = tenant.zone.long_span(offer.starts_at, offer.ends_at, cx.now());
    let who = view! { {name(&offer.student_name)}" with "{name(&offer.instructor_name)} }.into_any();
    let price = match offer.pack_left {
        Some(left) => {
            format!("1 of {} in the pack", ui::plural(i64::from(left), &tenant.words().lesson))
        }
        None => ui::capital(&ui::money(offer.price_minor, &offer.currency)),
    };
    let mut rows = vec![
        ("What".to_owned(), name(&offer.service_name)),
        ("Who".to_owned(), who),
        ("When".to_owned(), ui::time(&tenant.zone, offer.starts_at, when)),
        ("Price".to_owned(), view! { <span>{price}</span> }.into_any()),
    ];
    if offer.state == OfferState::Open {
        let until = ui::time(&tenant.zone, offer.until, day_and_clock(tenant, offer.until));
        rows.push(("Kept until".to_owned(), until));
    }
    ui::facts(rows)
}

/// Take it, with what is still to be said, or leave it to the next.
fn answers(cx: &Cx, tenant: &Tenant, own: bool, offer: &OfferView) -> AnyView {
    let words = tenant.words();
    let form = cx.form(ACCEPT, "");
    let hidden = || vec![("tenant", tenant.slug.clone()), ("hold", offer.hold.to_string())];
    let cost = offer
        .terms
        .late_cost(offer.pack_left.is_some(), offer.price_minor, |fee| ui::money(fee, &offer.currency));
    let terms = cancel_terms(&tenant.zone, words, &offer.terms, &cost, offer.starts_at, cx.now());
    let approval = (own && offer.needs_approval)
        .then(|| format!("The {} approves it first; the time is kept for you until then.", words.instructor));
    let pickup = offer.needs_pickup.then(|| {
        Field::text("pickup", "Pickup address")
            .value(offer.pickup.clone())
            .required()
            .autocomplete("street-address")
            .max_length(300)
            .view(&form, "")
    });
    let note_help = format!("What the {} should know. You can leave it empty.", words.instructor);
    let body = view! {
        {pickup}
        {Field::area("note", "Note")
            .value(offer.note.clone())
            .help(note_help)
            .max_length(10_000)
            .rows(3)
            .view(&form, "")}
        {ui::button("Take it", Kind::Main)}
    };
    let title = if own { "It is kept for you" } else { "Answer for them" };
    let decline = ui::button("Decline", Kind::Plain);
    view! {
        <section class="panel">
            <h2>{title}</h2>
            <p>{terms}</p>
            {approval.map(|text| view! { <p>{text}</p> })}
            {ui::post_form(ACCEPT, cx, "", hidden(), body.into_any())}
        </section>
        <section class="panel">
            <h2>"Leave it to the next"</h2>
            <p>"It is offered to the next one who waits, and this entry leaves the list."</p>
            {ui::post_form("waiting/decline", cx, "", hidden(), decline)}
        </section>
    }
    .into_any()
}

/// What became of it.
fn over(tenant: &Tenant, offer: &OfferView) -> AnyView {
    let text = match offer.state {
        OfferState::Taken => "It was taken.".to_owned(),
        OfferState::Declined => "It was declined and went to the next one who waits.".to_owned(),
        OfferState::Open | OfferState::Ended => {
            let ended = day_and_clock(tenant, offer.until);
            format!(
                "This offer ended on {ended} and was passed on. Join the waiting list again for another one."
            )
        }
    };
    let way = match offer.state {
        OfferState::Taken => {
            let label = format!("All {}s", tenant.words().lesson);
            ui::link_button(format!("/t/{}/bookings", tenant.slug), &label, true)
        }
        _ => ui::link_button(format!("/t/{}/waiting", tenant.slug), "To the waiting list", true),
    };
    view! {
        <section class="panel">
            <h2>"It is over"</h2>
            <p>{text}</p>
            <p>{way}</p>
        </section>
    }
    .into_any()
}
