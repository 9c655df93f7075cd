//! The last step: what is about to be booked, on which terms, and the button.

use domain::{
    Instant,
    authz::Role,
    availability::{
        Slot,
        service::{Offer, Prepaid},
    },
    booking::cancel_terms,
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::{
    book::{Book, With},
    day_and_clock, name,
};
use crate::{
    cx::Cx,
    ui::{self, Field, Kind},
};

/// What, who, when, where, the price, the terms, and the form.
pub(super) fn view(cx: &Cx, book: &Book, offer: &Offer, with: &With, slot: Slot) -> AnyView {
    let (tenant, service) = (&book.tenant, &offer.service);
    let words = tenant.words();
    let who = match with {
        With::Any(_) => {
            let text = format!("Any {}", words.instructor);
            view! { <span>{text}</span> }.into_any()
        }
        With::One(guide) => name(&guide.name),
    };
    let when = tenant.zone.long_span(slot.starts_at, slot.ends_at, cx.now());
    let mut rows = vec![
        ("What".to_owned(), name(&service.name)),
        ("Who".to_owned(), who),
        ("When".to_owned(), ui::time(&tenant.zone, slot.starts_at, when)),
    ];
    if service.needs_pickup {
        rows.push(("Where".to_owned(), view! { <span>"At the pickup address"</span> }.into_any()));
    }
    let price = price(book, offer, with, slot);
    rows.push(("Price".to_owned(), view! { <span>{price}</span> }.into_any()));
    let terms =
        cancel_terms(&tenant.zone, &words.lesson, slot.starts_at, service.cancel_notice_min, cx.now());
    let approval = service
        .needs_approval
        .then(|| format!("The {} approves it first; the time is kept for you until then.", words.instructor));
    let title = format!("Your {}", words.lesson);
    view! {
        <section class="summary">
            <h2>{title}</h2>
            {ui::facts(rows)}
            <p>{terms}</p>
            {approval.map(|text| view! { <p>{text}</p> })}
            {act(cx, book, offer, with, slot)}
        </section>
    }
    .into_any()
}

/// "R 350.00", or what is taken from a pack.
fn price(book: &Book, offer: &Offer, with: &With, slot: Slot) -> String {
    let money = ui::capital(&ui::money(offer.service.price_minor, &offer.service.currency));
    let lesson = &book.tenant.words().lesson;
    let holds = |pack: &&Prepaid| pack.expires_at.is_none_or(|end| end > slot.starts_at);
    let mut packs = book.catalogue.packs.iter().filter(holds);
    match with {
        With::One(guide) => match packs.find(|pack| pack.instructor == guide.id) {
            Some(pack) => format!("1 of {} in your pack", ui::plural(i64::from(pack.left), lesson)),
            None => money,
        },
        With::Any(ids) if packs.any(|pack| ids.contains(&pack.instructor)) => {
            format!("{money}, or 1 {lesson} of your pack when it is with whom you get")
        }
        With::Any(_) => money,
    }
}

/// The form for students; for others, what to do instead.
fn act(cx: &Cx, book: &Book, offer: &Offer, with: &With, slot: Slot) -> AnyView {
    let tenant = &book.tenant;
    match book.actor.role {
        Role::Student => form(cx, tenant, offer, with, slot),
        _ if book.actor.user.is_none() => {
            let next = serde_urlencoded::to_string([("next", cx.link(&[]))]).unwrap_or_default();
            ui::link_button(format!("/login?{next}"), "Log in to book", true)
        }
        Role::Staff | Role::Owner => {
            let zone = &tenant.zone;
            let query = serde_urlencoded::to_string([
                ("service", offer.service.id.to_string()),
                ("instructor", with.value()),
                ("date", zone.date(slot.starts_at).to_string()),
                ("time", zone.clock(slot.starts_at)),
            ])
            .unwrap_or_default();
            let label = format!("Book for a {}", tenant.words().student);
            ui::link_button(format!("/t/{}/bookings/new?{query}", tenant.slug), &label, true)
        }
        _ => {
            let text = format!(
                "You are signed in as {}, who is no {} of this school. Ask the school to add you, or log in with another account.",
                book.actor.name,
                tenant.words().student
            );
            view! { <p>{text}</p> }.into_any()
        }
    }
}

fn form(cx: &Cx, tenant: &Tenant, offer: &Offer, with: &With, slot: Slot) -> AnyView {
    let form = cx.form("booking/book", "");
    let pickup = offer.service.needs_pickup.then(|| {
        Field::text("pickup", "Pickup address")
            .required()
            .autocomplete("street-address")
            .max_length(300)
            .view(&form, "")
    });
    let note_help = format!("What the {} should know. You can leave it empty.", tenant.words().instructor);
    let refused = form.error("starts_at").map(str::to_owned);
    let hidden = vec![
        ("tenant", tenant.slug.clone()),
        ("service", offer.service.id.to_string()),
        ("instructor", with.value()),
        ("starts_at", tenant.zone.rfc3339(slot.starts_at)),
        // Pressing twice books once.
        ("idempotency_key", uuid::Uuid::new_v4().to_string()),
    ];
    let body = view! {
        {refused.map(|text| view! { <p class="error" id="starts_at">{text}</p> })}
        {pickup}
        {Field::area("note", "Note").help(note_help).max_length(10_000).rows(3).view(&form, "")}
        {ui::button("Book lesson", Kind::Main)}
    };
    ui::post_form("booking/book", cx, "", hidden, body.into_any())
}

/// In the place of the summary: the time is taken, these are near.
pub(super) fn gone(cx: &Cx, tenant: &Tenant, near: &[Instant]) -> AnyView {
    let refused = cx.form("booking/book", "").error("starts_at").map(str::to_owned);
    let title = if refused.is_some() { "That time can't be booked" } else { "That time has just been taken" };
    let links: Vec<AnyView> = near
        .iter()
        .map(|at| {
            let day = tenant.zone.date(*at).to_string();
            let href = cx.link(&[("date", &day), ("at", &tenant.zone.rfc3339(*at))]);
            let time = ui::time(&tenant.zone, *at, day_and_clock(tenant, *at));
            view! { <li><a class="slot" href=href>{time}</a></li> }.into_any()
        })
        .collect();
    let text = refused.unwrap_or_else(|| "Nothing was booked.".to_owned());
    let near = if links.is_empty() {
        view! { <p>"No other time is free near it. Choose another day."</p> }.into_any()
    } else {
        view! { <p>"The nearest free times:"</p><ul class="stack tight">{links}</ul> }.into_any()
    };
    view! {
        <section class="summary">
            <h2>{title}</h2>
            <p>{text}</p>
            {near}
        </section>
    }
    .into_any()
}
