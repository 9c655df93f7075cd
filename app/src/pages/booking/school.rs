//! The public side of a school: what it offers, and who teaches there.

use domain::{
    authz::{Role, TenantScope},
    availability::service::{self, Catalogue, Guide, Offer},
    ids::InstructorId,
    tenancy::{Tenant, settings},
};
use leptos::prelude::*;

use super::opening::opening;
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, Kind, button, post_form},
};

/// The school.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.school(cx.param("tenant")).await?;
    let catalogue = service::catalogue(&mut scope).await?;
    let tenant = scope.tenant().clone();
    let frame = Frame::school(&scope);
    let hours = settings::opening_hours(&mut scope).await?;
    let way_in = WayIn::of(&scope);
    Ok(Doc::new(tenant.name.clone(), frame, move || {
        let way_in = way_in.draw(&cx, &tenant);
        school(&tenant, &catalogue, opening(&hours), way_in)
    }))
}

/// How who looks at the school may come to belong to it.
enum WayIn {
    /// They do, or it takes nobody.
    None,
    /// They have no account here, or aren't signed in.
    Register,
    /// They are signed in.
    Join,
    /// They have applied to teach.
    Waits,
}

impl WayIn {
    fn of(scope: &TenantScope) -> Self {
        let actor = scope.actor();
        match (actor.user, actor.role) {
            _ if actor.applied => Self::Waits,
            (_, Role::Visitor) if !scope.tenant().open_registration => Self::None,
            (None, _) => Self::Register,
            (Some(_), Role::Visitor) => Self::Join,
            _ => Self::None,
        }
    }

    fn draw(self, cx: &Cx, tenant: &Tenant) -> Option<AnyView> {
        let body = match self {
            Self::None => return None,
            Self::Register => {
                let href = format!("/register?school={}", tenant.slug);
                let text = "With an account you book in your own name and see what you have booked.";
                view! {
                    <p>{text}</p>
                    <p>{ui::link_button(href, "Register", false)}</p>
                }
                .into_any()
            }
            Self::Waits => {
                let text = format!("Your application to teach waits for {}.", tenant.name);
                view! { <p>{text}</p> }.into_any()
            }
            Self::Join => join(cx, tenant),
        };
        Some(
            view! {
                <section class="panel">
                    <h2>"Belong to this school"</h2>
                    {body}
                </section>
            }
            .into_any(),
        )
    }
}

fn join(cx: &Cx, tenant: &Tenant) -> AnyView {
    let words = tenant.words();
    let form = |kind: &str, verb: &str| {
        let hidden = vec![("tenant", tenant.slug.clone()), ("kind", kind.to_owned())];
        post_form("identity/join", cx, &format!("{kind}-"), hidden, button(verb, Kind::Plain))
    };
    let student = format!("Join as {}", words.student);
    view! {
        <p>"Whoever teaches waits until the school says yes."</p>
        <div class="row">
            {form("student", &student)}
            {form("instructor", "Teach here")}
        </div>
    }
    .into_any()
}

/// An instructor of the school.
pub async fn instructor(cx: Cx) -> PageResult {
    let id: InstructorId = cx.id("id")?;
    let mut scope = cx.school(cx.param("tenant")).await?;
    let catalogue = service::catalogue(&mut scope).await?;
    let tenant = scope.tenant().clone();
    // Who isn't verified isn't in the catalogue, so they aren't here either.
    let guide =
        catalogue.instructors.into_iter().find(|guide| guide.id == id).ok_or(domain::Error::NotFound)?;
    let offers: Vec<Offer> =
        catalogue.services.into_iter().filter(|offer| offer.instructors.contains(&id)).collect();
    let title = format!("{}, {}", guide.name, tenant.words().instructor);
    Ok(Doc::new(title, Frame::school(&scope), move || profile(&tenant, &guide, &offers)))
}

fn school(tenant: &Tenant, catalogue: &Catalogue, opening: AnyView, way_in: Option<AnyView>) -> AnyView {
    let words = tenant.words();
    let lead = format!(
        "Choose what you want to book, then who with and when. Times are {} time.",
        tenant.zone.city()
    );
    let services = if catalogue.services.is_empty() {
        let text = format!("This school has no {}s to book yet. Come back later.", words.lesson);
        ui::empty("Nothing to book yet", &text, ().into_any())
    } else {
        let cards: Vec<AnyView> = catalogue
            .services
            .iter()
            .map(|offer| {
                let href = format!("/s/{}/book?service={}", tenant.slug, offer.service.id);
                view! { <li>{service_card(href, offer)}</li> }.into_any()
            })
            .collect();
        view! { <ul class="choices">{cards}</ul> }.into_any()
    };
    let guides = (!catalogue.instructors.is_empty()).then(|| {
        let title = format!("{}s", ui::capital(&words.instructor));
        let cards: Vec<AnyView> = catalogue
            .instructors
            .iter()
            .map(|guide| {
                let href = format!("/s/{}/instructors/{}", tenant.slug, guide.id);
                view! { <li>{guide_card(href, guide)}</li> }.into_any()
            })
            .collect();
        view! {
            <section class="step">
                <h2>{title}</h2>
                <ul class="choices">{cards}</ul>
            </section>
        }
    });
    view! {
        {ui::page_head(&tenant.name, Some(lead), ().into_any())}
        <div class="steps">
            <section class="step">
                <h2>"Services"</h2>
                {services}
            </section>
            {guides}
            {opening}
            {way_in}
        </div>
    }
    .into_any()
}

fn profile(tenant: &Tenant, guide: &Guide, offers: &[Offer]) -> AnyView {
    let words = tenant.words();
    let city = (!guide.city.is_empty()).then(|| guide.city.clone());
    let bio: Vec<AnyView> = guide
        .bio
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let line = line.to_owned();
            view! { <p>{line}</p> }.into_any()
        })
        .collect();
    let services = if offers.is_empty() {
        let text = format!("This {} teaches nothing that can be booked now.", words.instructor);
        let back = ui::link_button(format!("/s/{}", tenant.slug), "All services", false);
        ui::empty("Nothing to book now", &text, back)
    } else {
        let cards: Vec<AnyView> = offers
            .iter()
            .map(|offer| {
                let href =
                    format!("/s/{}/book?service={}&instructor={}", tenant.slug, offer.service.id, guide.id);
                view! { <li>{service_card(href, offer)}</li> }.into_any()
            })
            .collect();
        view! { <ul class="choices">{cards}</ul> }.into_any()
    };
    let back = ui::link_button(format!("/s/{}", tenant.slug), "All services", false);
    let picture = ui::initials(&guide.name);
    let guide_name = guide.name.clone();
    view! {
        <div class="page-head">
            <div class="page-title">
                <h1>{picture} " " <bdi>{guide_name}</bdi></h1>
                {city.map(|city| view! { <p class="lead">{city}</p> })}
            </div>
            <div class="page-actions">{back}</div>
        </div>
        <div class="steps">
            {(!bio.is_empty()).then(|| view! { <div class="measure stack tight">{bio}</div> })}
            <section class="step">
                <h2>"Services"</h2>
                {services}
            </section>
        </div>
    }
    .into_any()
}

/// A service as a card that leads on.
pub(super) fn service_card(href: String, offer: &Offer) -> AnyView {
    view! { <a class="choice" href=href>{service_words(offer)}</a> }.into_any()
}

/// What a card says of a service: its colour and name, what it is, its price.
pub(super) fn service_words(offer: &Offer) -> AnyView {
    let service = &offer.service;
    let (name, line) = (service.name.clone(), service_line(offer));
    let price = ui::capital(&ui::money(service.price_minor, &service.currency));
    view! {
        <span>
            <strong>{ui::swatch(service.colour.as_deref())}<bdi>{name}</bdi></strong>
            <small>{line}</small>
        </span>
        <span class="price">{price}</span>
    }
    .into_any()
}

/// "60 min · For up to 8 · one line of what it is".
fn service_line(offer: &Offer) -> String {
    let service = &offer.service;
    let mut said = vec![ui::minutes(service.duration_min)];
    if service.capacity > 1 {
        said.push(format!("For up to {}", service.capacity));
    }
    let line = service.description.lines().map(str::trim).find(|line| !line.is_empty());
    said.extend(line.map(shortened));
    said.join(" · ")
}

/// A line that fits a card.
fn shortened(line: &str) -> String {
    const MOST: usize = 140;
    if line.chars().count() <= MOST {
        return line.to_owned();
    }
    let cut: String = line.chars().take(MOST).collect();
    format!("{}…", cut.trim_end())
}

/// An instructor as a card that leads on.
pub(super) fn guide_card(href: String, guide: &Guide) -> AnyView {
    let (picture, name) = (ui::initials(&guide.name), guide.name.clone());
    let city = (!guide.city.is_empty()).then(|| guide.city.clone());
    view! {
        <a class="choice" href=href>
            {picture}
            <span><strong><bdi>{name}</bdi></strong>{city.map(|city| view! { <small>{city}</small> })}</span>
        </a>
    }
    .into_any()
}
