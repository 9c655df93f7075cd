//! Several services in one appointment: which go together, and the way to add and remove them.

use domain::{
    availability::service::{Catalogue, Offer},
    ids::ServiceId,
    services::{MOST_SERVICES, Service, ServiceKind},
};
use leptos::prelude::*;

use super::Book;
use crate::{cx::Cx, pages::booking::school, ui};

/// The services that the address names: the first, and those added to it that can be. `None` when the first isn't
/// there; of the others, what makes no sense is left out.
pub(super) fn chosen(catalogue: &Catalogue, service: &str, also: Option<&str>) -> Option<Vec<Offer>> {
    let find = |text: &str| {
        let id: ServiceId = text.trim().parse().ok()?;
        catalogue.services.iter().find(|offer| offer.service.id == id)
    };
    let mut chosen = vec![find(service)?.clone()];
    for offer in also.unwrap_or("").split(',').filter_map(find) {
        if fits(&chosen, offer) {
            chosen.push(offer.clone());
        }
    }
    Some(chosen)
}

/// Whether a service can be added: once, and neither it nor the others are for several people.
fn fits(chosen: &[Offer], other: &Offer) -> bool {
    let goes_with = |offer: &Offer| {
        offer.service.id != other.service.id
            && offer.service.capacity == 1
            && offer.service.currency == other.service.currency
    };
    chosen.len() < MOST_SERVICES && other.service.capacity == 1 && chosen.iter().all(goes_with)
}

/// All as one appointment, with those who teach all of them.
pub(super) fn together(chosen: &[Offer]) -> Option<Offer> {
    let mut all = chosen.first()?.clone();
    let services: Vec<Service> = chosen.iter().map(|offer| offer.service.clone()).collect();
    all.service = Service::together(&services);
    all.instructors.retain(|id| chosen.iter().all(|offer| offer.instructors.contains(id)));
    Some(all)
}

/// Ids of all but the first.
pub(super) fn further(chosen: &[Offer]) -> Vec<ServiceId> {
    chosen.iter().skip(1).map(|offer| offer.service.id).collect()
}

/// The same as the address and the forms have them.
pub(super) fn value(chosen: &[Offer]) -> String {
    let ids: Vec<String> = further(chosen).iter().map(ToString::to_string).collect();
    ids.join(",")
}

/// What was added, and what all of it takes.
pub(super) fn added(cx: &Cx, book: &Book, all: &Offer) -> Option<AnyView> {
    let (_, further) = book.parts.split_first().filter(|(_, further)| !further.is_empty())?;
    let items: Vec<AnyView> = further
        .iter()
        .map(|offer| {
            let others: Vec<String> = further
                .iter()
                .filter(|other| other.service.id != offer.service.id)
                .map(|other| other.service.id.to_string())
                .collect();
            let href = book.link(cx, &[("also", &others.join(","))]);
            let label = format!("Remove {}", offer.service.name);
            view! {
                <li>
                    <div class="choice" aria-current="true">
                        {school::service_words(offer)}
                        <a class="choice-act" href=href aria-label=label>"Remove"</a>
                    </div>
                </li>
            }
            .into_any()
        })
        .collect();
    let service = &all.service;
    let price = ui::money(service.price_minor, &service.currency);
    let total = format!("Together: {}, {price}", ui::minutes(service.duration_min));
    Some(
        view! {
            <ul class="choices">{items}</ul>
            <p>{total}</p>
        }
        .into_any(),
    )
}

/// The way to add another service that one of those in question teaches too.
pub(super) fn more(cx: &Cx, book: &Book, all: &Offer) -> Option<AnyView> {
    let teaches = |offer: &Offer| offer.instructors.iter().any(|id| all.instructors.contains(id));
    let cards: Vec<AnyView> = book
        .catalogue
        .services
        .iter()
        .filter(|offer| {
            offer.service.kind == ServiceKind::Single && fits(&book.parts, offer) && teaches(offer)
        })
        .map(|offer| {
            let mut ids = book.also();
            if !ids.is_empty() {
                ids.push(',');
            }
            ids.push_str(&offer.service.id.to_string());
            let href = book.link(cx, &[("also", &ids)]);
            view! { <li>{school::service_card(href, offer)}</li> }.into_any()
        })
        .collect();
    (!cards.is_empty()).then(|| {
        view! {
            <details>
                <summary>"Add another service"</summary>
                <ul class="choices">{cards}</ul>
            </details>
        }
        .into_any()
    })
}
