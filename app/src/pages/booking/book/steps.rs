//! The first two steps: what, and with whom.

use domain::availability::service::Offer;
use leptos::prelude::*;

use super::{Book, With, also, step};
use crate::{cx::Cx, pages::booking::school, ui};

/// The service, and what is added to it.
pub(super) fn service(cx: &Cx, book: &Book) -> AnyView {
    if let (Some(first), Some(all)) = (book.parts.first(), &book.offer) {
        let change = book.link(cx, &[("service", ""), ("also", ""), ("date", "")]);
        let body = view! {
            <div class="choice" aria-current="true">{school::service_words(first)}</div>
            {also::added(cx, book, all)}
            {also::more(cx, book, all)}
        };
        return step("Service", Some((change, "Change service")), body.into_any());
    }
    if book.catalogue.services.is_empty() {
        let text =
            format!("This school has no {}s to book yet. Come back later.", book.tenant.words().lesson);
        return step("Service", None, ui::empty("Nothing to book yet", &text, ().into_any()));
    }
    let cards: Vec<AnyView> = book
        .catalogue
        .services
        .iter()
        .map(|offer| {
            let href = book.link(cx, &[("service", &offer.service.id.to_string()), ("date", "")]);
            view! { <li>{school::service_card(href, offer)}</li> }.into_any()
        })
        .collect();
    step("Service", None, view! { <ul class="choices">{cards}</ul> }.into_any())
}

/// The instructor, or any.
pub(super) fn instructor(cx: &Cx, book: &Book, offer: &Offer) -> AnyView {
    let words = book.tenant.words();
    let title = ui::capital(&words.instructor);
    match &book.with {
        Some(with) => {
            let change = book.link(cx, &[("instructor", "")]);
            let label = format!("Change {}", words.instructor);
            step(&title, Some((change, label.as_str())), chosen_card(with, &words.instructor))
        }
        None if offer.instructors.is_empty() => {
            let text = if book.parts.len() > 1 {
                format!("No {} offers all of these services. Remove one of them.", words.instructor)
            } else {
                format!("No {} offers this service now. Choose another one.", words.instructor)
            };
            step(&title, None, ui::empty("Nobody to book with", &text, ().into_any()))
        }
        None => {
            let any = book.link(cx, &[("instructor", "any")]);
            let any_label = format!("Any {}", words.instructor);
            let cards: Vec<AnyView> = book
                .catalogue
                .instructors
                .iter()
                .filter(|guide| offer.instructors.contains(&guide.id))
                .map(|guide| {
                    let href = book.link(cx, &[("instructor", &guide.id.to_string())]);
                    view! { <li>{school::guide_card(href, guide)}</li> }.into_any()
                })
                .collect();
            let list = view! {
                <ul class="choices">
                    <li>
                        <a class="choice" href=any>
                            {ui::icon("people")}
                            <span><strong>{any_label}</strong><small>"The most free times"</small></span>
                        </a>
                    </li>
                    {cards}
                </ul>
            };
            step(&title, None, list.into_any())
        }
    }
}

fn chosen_card(with: &With, word: &str) -> AnyView {
    match with {
        With::Any(_) => {
            let label = format!("Any {word}");
            view! {
                <div class="choice" aria-current="true">
                    {ui::icon("people")}
                    <span><strong>{label}</strong><small>"Whoever is free, with the fewest that week"</small></span>
                </div>
            }
            .into_any()
        }
        With::One(guide) => {
            let (picture, name) = (ui::initials(&guide.name), guide.name.clone());
            let city = (!guide.city.is_empty()).then(|| guide.city.clone());
            view! {
                <div class="choice" aria-current="true">
                    {picture}
                    <span>
                        <strong><bdi>{name}</bdi></strong>
                        {city.map(|city| view! { <small>{city}</small> })}
                    </span>
                </div>
            }
            .into_any()
        }
    }
}
