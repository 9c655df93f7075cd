//! The last step: what is about to be booked, on which terms, and the button.

use domain::{
    authz::Role,
    availability::service::{Offer, Prepaid},
    booking::{
        cancel_terms,
        policy::{Terms, move_terms},
    },
    ids::InstructorId,
};
use leptos::prelude::*;

use super::{
    book::{BOOK, Book, Chosen, With, give_back},
    name,
};
use crate::{
    cx::Cx,
    ui::{self, Field, Kind},
};

/// What, who, when, where, the price, the terms, and the form.
pub(super) fn view(cx: &Cx, book: &Book, offer: &Offer, with: &With, time: Chosen) -> AnyView {
    let words = book.tenant.words();
    let kept = book.chosen_hold().map(|hold| {
        let zone = &book.tenant.zone;
        let until = ui::time(zone, hold.expires_at, zone.clock(hold.expires_at));
        view! { <p class="quiet">"Kept for you until "{until}"."</p> }.into_any()
    });
    let ended = kept.is_none() && book.names_hold(cx);
    let ended = ended.then(|| view! { <p>"The time is no longer kept for you. It is still free."</p> });
    let free_it = book.chosen_hold().map(|hold| give_back(cx, book, hold));
    let title = format!("Your {}", words.lesson);
    view! {
        <section class="summary">
            <h2>{title}</h2>
            {kept}
            {ended}
            {ui::facts(facts(cx, book, offer, with, time))}
            {terms(cx, book, offer, with, time)}
            {act(cx, book, offer, with, time)}
            {free_it}
            {repeat(book, offer, with, time)}
        </section>
    }
    .into_any()
}

/// With whom it will be, as far as it is known: the one asked for, or the one whose time is kept.
fn instructor(book: &Book, with: &With) -> Option<InstructorId> {
    match with {
        With::One(guide) => Some(guide.id),
        With::Any(_) => book.chosen_hold().map(|hold| hold.instructor),
    }
}

fn facts(cx: &Cx, book: &Book, offer: &Offer, with: &With, time: Chosen) -> Vec<(String, AnyView)> {
    let (tenant, service) = (&book.tenant, &offer.service);
    let what = match book.parts.as_slice() {
        [] | [_] => name(&service.name),
        parts => {
            let parts: Vec<AnyView> =
                parts.iter().map(|part| view! { <li>{name(&part.service.name)}</li> }.into_any()).collect();
            let length = ui::minutes(service.duration_min);
            view! { <ul>{parts}</ul> <small>{length}</small> }.into_any()
        }
    };
    let who = match (with, book.chosen_hold()) {
        (With::One(guide), _) => name(&guide.name),
        (With::Any(_), Some(hold)) => name(&hold.instructor_name),
        (With::Any(_), None) => {
            let text = format!("Any {}", tenant.words().instructor);
            view! { <span>{text}</span> }.into_any()
        }
    };
    let when = tenant.zone.long_span(time.starts_at, time.ends_at, cx.now());
    let mut rows = vec![
        ("What".to_owned(), what),
        ("Who".to_owned(), who),
        ("When".to_owned(), ui::time(&tenant.zone, time.starts_at, when)),
    ];
    if service.needs_pickup {
        rows.push(("Where".to_owned(), view! { <span>"At the pickup address"</span> }.into_any()));
    }
    if service.capacity > 1 {
        let seats = match time.left {
            Some(left) => format!("{left} of {} left", service.capacity),
            None => format!("Up to {}", service.capacity),
        };
        rows.push(("Seats".to_owned(), view! { <span>{seats}</span> }.into_any()));
    }
    let price = price(book, offer, with, time);
    rows.push(("Price".to_owned(), view! { <span>{price}</span> }.into_any()));
    rows
}

/// The student's pack that pays for it, as far as it is known with whom it is.
fn pack<'a>(book: &'a Book, with: &With, time: Chosen) -> Option<&'a Prepaid> {
    let id = instructor(book, with)?;
    // Several services in one appointment are paid by their price.
    let packs = book.catalogue.packs.iter().filter(|_| book.parts.len() < 2);
    packs.into_iter().find(|pack| pack.instructor == id && pays(pack, time))
}

fn pays(pack: &Prepaid, time: Chosen) -> bool {
    pack.expires_at.is_none_or(|end| end > time.starts_at)
}

/// "R 350.00", or what is taken from a pack.
fn price(book: &Book, offer: &Offer, with: &With, time: Chosen) -> String {
    let money = ui::capital(&ui::money(offer.service.price_minor, &offer.service.currency));
    let lesson = &book.tenant.words().lesson;
    if let Some(pack) = pack(book, with, time) {
        return format!("1 of {} in your pack", ui::plural(i64::from(pack.left), lesson));
    }
    let ids = with.ids();
    let perhaps = book.catalogue.packs.iter().any(|pack| ids.contains(&pack.instructor) && pays(pack, time));
    match instructor(book, with) {
        // One of them is given the lesson; all who are free have a pack when the service asks for one.
        None if perhaps && offer.service.needs_credit => format!("1 {lesson} of your pack"),
        None if perhaps => format!("{money}, or 1 {lesson} of your pack when it is with whom you get"),
        _ => money,
    }
}

/// What it asks for, when it can be cancelled and moved, and who approves it.
fn terms(cx: &Cx, book: &Book, offer: &Offer, with: &With, time: Chosen) -> AnyView {
    let (tenant, service) = (&book.tenant, &offer.service);
    let (zone, words) = (&tenant.zone, tenant.words());
    let terms = Terms::of(service);
    let paid = pack(book, with, time).is_some() || service.needs_credit;
    let cost = terms.late_cost(paid, service.price_minor, |minor| ui::money(minor, &service.currency));
    let cancel = cancel_terms(zone, words, &terms, &cost, time.starts_at, cx.now());
    let credit = service.needs_credit.then(|| {
        let mut text = format!("Only with prepaid {}s.", words.lesson);
        if book.lacks_credit() {
            text.push_str(&format!(" You have none left here: ask {} for a pack.", tenant.name));
        }
        view! { <p>{text}</p> }
    });
    let (moving, approval) = if service.needs_approval {
        // Each time is approved, so it is the school that moves it.
        let text =
            format!("The {} approves it first; the time is kept for you until then.", words.instructor);
        (None, Some(view! { <p>{text}</p> }))
    } else {
        (Some(move_terms(zone, words, &terms, 0, time.starts_at, cx.now())), None)
    };
    let moving = moving.map(|text| format!(" {text}"));
    view! {
        {credit}
        <p>{cancel}{moving}</p>
        {approval}
    }
    .into_any()
}

/// The form for students; for others, what to do instead.
fn act(cx: &Cx, book: &Book, offer: &Offer, with: &With, time: Chosen) -> AnyView {
    let tenant = &book.tenant;
    match book.actor.role {
        Role::Student => form(cx, book, offer, time),
        _ if book.actor.user.is_none() => {
            let next = serde_urlencoded::to_string([("next", cx.link(&[]))]).unwrap_or_default();
            ui::link_button(format!("/login?{next}"), "Log in to book", true)
        }
        Role::Staff | Role::Owner if book.parts.len() > 1 => {
            let text =
                format!("Several services at once are booked by {}s themselves.", tenant.words().student);
            view! { <p>{text}</p> }.into_any()
        }
        Role::Staff | Role::Owner => {
            let label = format!("Book for a {}", tenant.words().student);
            let query = query(book, offer, with, time);
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

/// What another form is filled with.
fn query(book: &Book, offer: &Offer, with: &With, time: Chosen) -> String {
    let zone = &book.tenant.zone;
    let fields = [
        ("service", offer.service.id.to_string()),
        ("instructor", with.value()),
        ("date", zone.date(time.starts_at).to_string()),
        ("time", zone.clock(time.starts_at)),
    ];
    serde_urlencoded::to_string(fields).unwrap_or_default()
}

/// The same time again and again, for one service alone with someone named.
fn repeat(book: &Book, offer: &Offer, with: &With, time: Chosen) -> Option<AnyView> {
    let alone = book.parts.len() == 1 && offer.service.capacity == 1;
    if !alone || !book.is_student() || matches!(with, With::Any(_)) {
        return None;
    }
    let href = format!("/t/{}/series?{}", book.tenant.slug, query(book, offer, with, time));
    Some(view! { <p><a href=href>"Repeat it"</a></p> }.into_any())
}

fn form(cx: &Cx, book: &Book, offer: &Offer, time: Chosen) -> AnyView {
    let tenant = &book.tenant;
    let form = cx.form(BOOK, "");
    let pickup = offer.service.needs_pickup.then(|| {
        Field::text("pickup", "Pickup address")
            .required()
            .autocomplete("street-address")
            .max_length(300)
            .view(&form, "")
    });
    let note_help = format!("What the {} should know. You can leave it empty.", tenant.words().instructor);
    let refused = form.error("starts_at").map(str::to_owned);
    let mut hidden = book.hidden();
    hidden.push(("starts_at", tenant.zone.rfc3339(time.starts_at)));
    hidden.extend(book.chosen_hold().map(|hold| ("hold", hold.id.to_string())));
    // Pressing twice books once.
    hidden.push(("idempotency_key", uuid::Uuid::new_v4().to_string()));
    let body = view! {
        {refused.map(|text| view! { <p class="error" id="starts_at">{text}</p> })}
        {pickup}
        {Field::area("note", "Note").help(note_help).max_length(10_000).rows(3).view(&form, "")}
        {ui::button("Book lesson", Kind::Main)}
    };
    ui::post_form(BOOK, cx, "", hidden, body.into_any())
}
