//! The book page: service, instructor, day, time, summary. It fills as one goes, and each step is a link.

use domain::{
    Instant,
    authz::{Actor, TenantScope},
    availability::{
        self, Slot, nearest,
        service::{Catalogue, Guide, Offer},
    },
    ids::{InstructorId, ServiceId},
    tenancy::Tenant,
};
use jiff::{ToSpan, civil::Date};
use leptos::prelude::*;

use super::{a, school, summary, times};
use crate::{
    AppError,
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui,
};

/// With whom.
pub(super) enum With {
    /// Any of those who teach the service.
    Any(Vec<InstructorId>),
    /// One of them.
    One(Guide),
}

impl With {
    /// What the address says; nothing when it makes no sense, so that the step stays open.
    fn choose(catalogue: &Catalogue, offer: &Offer, wanted: Option<&str>) -> Option<Self> {
        let wanted = wanted?;
        if wanted == "any" {
            return (!offer.instructors.is_empty()).then(|| Self::Any(offer.instructors.clone()));
        }
        let id: InstructorId = wanted.parse().ok()?;
        let teaches = offer.instructors.contains(&id);
        catalogue.instructors.iter().find(|guide| teaches && guide.id == id).cloned().map(Self::One)
    }

    fn ids(&self) -> Vec<InstructorId> {
        match self {
            Self::Any(ids) => ids.clone(),
            Self::One(guide) => vec![guide.id],
        }
    }

    /// As the address and the form name it.
    pub(super) fn value(&self) -> String {
        match self {
            Self::Any(_) => "any".into(),
            Self::One(guide) => guide.id.to_string(),
        }
    }
}

/// Seven days with their free times.
pub(super) struct Week {
    /// First day of the strip.
    pub(super) from: Date,
    /// The day whose times are shown: the one asked for, or the first with any.
    pub(super) day: Option<Date>,
    /// The first day of the strip before, if there is one.
    pub(super) previous: Option<Date>,
    /// The first day of the strip after, if it can be booked.
    pub(super) next: Option<Date>,
    /// Free times, one a start.
    pub(super) slots: Vec<Slot>,
}

impl Week {
    async fn load(cx: &Cx, scope: &mut TenantScope, offer: &Offer, with: &With) -> Result<Self, AppError> {
        let zone = scope.tenant().zone.clone();
        let today = zone.date(scope.now());
        let last = today.saturating_add(i64::from(offer.service.horizon_days).days());
        let wanted = cx
            .query("date")
            .and_then(|text| text.parse::<Date>().ok())
            .or_else(|| asked(cx).map(|at| zone.date(at)))
            .filter(|day| (today..=last).contains(day));
        // Strips are counted from today, so that the first one is never half in the past.
        let days = wanted.map_or(0, |day| day.duration_since(today).as_hours() / 24);
        let from = today.saturating_add((days / 7 * 7).days());
        let to = from.saturating_add(7.days());
        let mut slots = availability::service::week(scope, &offer.service, &with.ids(), from, to).await?;
        slots.dedup_by_key(|slot| slot.starts_at);
        let first = slots.first().map(|slot| zone.date(slot.starts_at));
        Ok(Self {
            from,
            day: wanted.or(first),
            previous: (from > today).then(|| from.saturating_sub(7.days())),
            next: (to <= last).then_some(to),
            slots,
        })
    }
}

/// The time in the address.
fn asked(cx: &Cx) -> Option<Instant> {
    cx.query("at")?.parse().ok()
}

/// What stands in the place of the summary.
pub(super) enum Choice {
    /// No time yet.
    Open,
    /// A free time.
    Free(Slot),
    /// A time that isn't free, and the nearest ones that are.
    Gone(Vec<Instant>),
}

/// All that the page shows.
pub(super) struct Book {
    pub(super) tenant: Tenant,
    pub(super) actor: Actor,
    pub(super) catalogue: Catalogue,
    pub(super) offer: Option<Offer>,
    pub(super) with: Option<With>,
    pub(super) week: Option<Week>,
    pub(super) choice: Choice,
}

/// Booking a lesson.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.school(cx.param("tenant")).await?;
    let catalogue = availability::service::catalogue(&mut scope).await?;
    let offer = match cx.query("service").filter(|id| !id.is_empty()) {
        Some(id) => Some(find(&catalogue, id).ok_or(domain::Error::NotFound)?),
        None => None,
    };
    let with = offer.as_ref().and_then(|offer| With::choose(&catalogue, offer, cx.query("instructor")));
    let week = match (&offer, &with) {
        (Some(offer), Some(with)) => Some(Week::load(&cx, &mut scope, offer, with).await?),
        _ => None,
    };
    let choice = choose(&cx, week.as_ref());
    let frame = Frame::school(&scope);
    let (tenant, actor) = (scope.tenant().clone(), scope.actor().clone());
    let title = match &offer {
        Some(offer) => format!("Book {}, {}", offer.service.name, tenant.name),
        None => format!("Book {}, {}", a(&tenant.words().lesson), tenant.name),
    };
    let book = Book { tenant, actor, catalogue, offer, with, week, choice };
    Ok(Doc::new(title, frame, move || draw(&cx, &book)))
}

fn find(catalogue: &Catalogue, id: &str) -> Option<Offer> {
    let id: ServiceId = id.parse().ok()?;
    catalogue.services.iter().find(|offer| offer.service.id == id).cloned()
}

fn choose(cx: &Cx, week: Option<&Week>) -> Choice {
    let (Some(at), Some(week)) = (asked(cx), week) else {
        return Choice::Open;
    };
    if let Some(slot) = week.slots.iter().find(|slot| slot.starts_at == at) {
        return Choice::Free(*slot);
    }
    // The answer to a lost race knows other weeks too; a stale address has this one.
    let mut near = super::nearest(cx, "booking/book");
    if near.is_empty() {
        near = nearest(&week.slots, at, 3);
    }
    Choice::Gone(near)
}

fn draw(cx: &Cx, book: &Book) -> AnyView {
    let words = book.tenant.words();
    let lead = format!("At {}. Times are {} time.", book.tenant.name, book.tenant.zone.city());
    let steps = view! {
        <div class="steps">
            {service_step(cx, book)}
            {book.offer.as_ref().map(|offer| instructor_step(cx, book, offer))}
            {book.week.as_ref().map(|week| times::view(cx, &book.tenant, week, &book.choice))}
        </div>
    };
    let aside = match (&book.offer, &book.with, &book.choice) {
        (Some(offer), Some(with), Choice::Free(slot)) => Some(summary::view(cx, book, offer, with, *slot)),
        (Some(_), Some(_), Choice::Gone(near)) => Some(summary::gone(cx, &book.tenant, near)),
        _ => None,
    };
    let body = match aside {
        Some(aside) => view! { <div class="split">{steps}<aside>{aside}</aside></div> }.into_any(),
        None => steps.into_any(),
    };
    view! {
        {ui::page_head(&format!("Book {}", a(&words.lesson)), Some(lead), ().into_any())}
        {body}
    }
    .into_any()
}

fn service_step(cx: &Cx, book: &Book) -> AnyView {
    if let Some(offer) = &book.offer {
        let chosen = offer.service.name.clone();
        let line = school::service_line(offer);
        let price = ui::capital(&ui::money(offer.service.price_minor, &offer.service.currency));
        let change = cx.link(&[("service", ""), ("date", ""), ("at", "")]);
        let card = view! {
            <div class="choice" aria-current="true">
                <span><strong><bdi>{chosen}</bdi></strong><small>{line}</small></span>
                <span class="price">{price}</span>
            </div>
        };
        return step("Service", Some((change, "Change service")), card.into_any());
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
            let href = cx.link(&[("service", &offer.service.id.to_string()), ("date", ""), ("at", "")]);
            view! { <li>{school::service_card(href, offer)}</li> }.into_any()
        })
        .collect();
    step("Service", None, view! { <ul class="choices">{cards}</ul> }.into_any())
}

fn instructor_step(cx: &Cx, book: &Book, offer: &Offer) -> AnyView {
    let words = book.tenant.words();
    let title = ui::capital(&words.instructor);
    match &book.with {
        Some(with) => {
            let change = cx.link(&[("instructor", ""), ("at", "")]);
            let label = format!("Change {}", words.instructor);
            step(&title, Some((change, label.as_str())), chosen_card(with, &words.instructor))
        }
        None if offer.instructors.is_empty() => {
            let text = format!("No {} offers this service now. Choose another one.", words.instructor);
            step(&title, None, ui::empty("Nobody to book with", &text, ().into_any()))
        }
        None => {
            let any = cx.link(&[("instructor", "any"), ("at", "")]);
            let any_label = format!("Any {}", words.instructor);
            let cards: Vec<AnyView> = book
                .catalogue
                .instructors
                .iter()
                .filter(|guide| offer.instructors.contains(&guide.id))
                .map(|guide| {
                    let href = cx.link(&[("instructor", &guide.id.to_string()), ("at", "")]);
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

/// A step: its name, the way to change what was chosen, and what there is to choose.
pub(super) fn step(title: &str, change: Option<(String, &str)>, body: AnyView) -> AnyView {
    let title = title.to_owned();
    let change = change.map(|(href, label)| {
        let label = label.to_owned();
        view! { <a href=href aria-label=label>"Change"</a> }
    });
    view! {
        <section class="step">
            <div class="row"><h2>{title}</h2>{change}</div>
            {body}
        </section>
    }
    .into_any()
}
