//! The book page: service, instructor, day, time, summary. It fills as one goes, and each step is an address. For a
//! student a chosen time is kept while they look over what they book (BK-10).

mod also;
mod gone;
mod held;
mod steps;
mod wait;
mod why;

use domain::{
    Instant,
    authz::{Actor, Role, TenantScope},
    availability::{
        self, Rules, Slot, Stretch, WhyNot, nearest,
        service::{Catalogue, Days, Guide, Offer},
    },
    booking::hold::Hold,
    ids::{HoldId, InstructorId},
    services::Service,
    tenancy::Tenant,
    zoned::Zone,
};
use jiff::{ToSpan, civil::Date};
use leptos::prelude::*;

pub(super) use self::{
    held::give_back,
    wait::{Wish, waiting},
    why::why,
};
use super::{a, summary, times};
use crate::{
    AppError,
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui,
};

/// The action that keeps a time.
pub(super) const HOLD: &str = "booking/hold";
/// The action that books it.
pub(super) const BOOK: &str = "booking/book";
/// How many free times near another one are offered.
const NEAR: usize = 3;

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

    /// Those it may be.
    pub(super) fn ids(&self) -> Vec<InstructorId> {
        match self {
            Self::Any(ids) => ids.clone(),
            Self::One(guide) => vec![guide.id],
        }
    }

    fn may_be(&self, id: InstructorId) -> bool {
        match self {
            Self::Any(ids) => ids.contains(&id),
            Self::One(guide) => guide.id == id,
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
    /// The last day that can be booked.
    pub(super) last: Date,
    /// Free times, one a start.
    pub(super) slots: Vec<Slot>,
    /// What is known of everyone's time on these days.
    days: Days,
}

impl Week {
    async fn load(
        cx: &Cx,
        scope: &mut TenantScope,
        parts: &[Offer],
        (offer, with): (&Offer, &With),
        hold: Option<HoldId>,
    ) -> Result<Self, AppError> {
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
        let (service, also, ids) = (&offer.service, also::further(parts), with.ids());
        let mut days = availability::service::week(scope, service, &also, &ids, from, to, hold).await?;
        let mut slots = std::mem::take(&mut days.slots);
        // Of those who are free then, the one with a group lesson, as booking has it.
        slots
            .sort_unstable_by_key(|slot| (slot.starts_at, slot.group.is_none(), -slot.left, slot.instructor));
        slots.dedup_by_key(|slot| slot.starts_at);
        let first = slots.first().map(|slot| zone.date(slot.starts_at));
        Ok(Self {
            from,
            day: wanted.or(first),
            previous: (from > today).then(|| from.saturating_sub(7.days())),
            next: (to <= last).then_some(to),
            last,
            slots,
            days,
        })
    }

    /// The day that the page speaks of.
    pub(super) fn shown(&self) -> Date {
        self.day.unwrap_or(self.from)
    }

    /// What is against a time, as far as it is of these days.
    pub(super) fn why(&self, at: Instant, now: Instant) -> Option<WhyNot> {
        self.days.why(at, now)
    }

    /// Free starts near `at`.
    pub(super) fn near(&self, at: Instant) -> Vec<Instant> {
        nearest(&self.slots, at, NEAR)
    }
}

/// The time in the address. Lessons begin on whole minutes.
fn asked(cx: &Cx) -> Option<Instant> {
    cx.query("at")?.parse::<Instant>().ok().filter(whole_minute)
}

fn whole_minute(at: &Instant) -> bool {
    at.subsec_nanosecond() == 0 && at.as_second() % 60 == 0
}

/// What stands in the place of the summary.
pub(super) enum Choice {
    /// No time yet.
    Open,
    /// A free time.
    Free(Chosen),
    /// A time that isn't free.
    Gone(Gone),
}

/// A free time that was chosen.
#[derive(Clone, Copy)]
pub(super) struct Chosen {
    /// Start.
    pub(super) starts_at: Instant,
    /// End.
    pub(super) ends_at: Instant,
    /// Seats left of a group lesson that stands already.
    pub(super) left: Option<i32>,
}

/// A time that isn't free.
pub(super) struct Gone {
    /// Which.
    pub(super) at: Option<Instant>,
    /// Why, when it isn't someone else who was faster.
    pub(super) cause: Option<WhyNot>,
    /// The nearest that are.
    pub(super) near: Vec<Instant>,
}

/// All that the page shows.
pub(super) struct Book {
    pub(super) tenant: Tenant,
    pub(super) actor: Actor,
    pub(super) catalogue: Catalogue,
    /// The services of the appointment, in order; none before one is chosen.
    pub(super) parts: Vec<Offer>,
    /// All of them as one, and those who give them all.
    pub(super) offer: Option<Offer>,
    pub(super) with: Option<With>,
    pub(super) week: Option<Week>,
    pub(super) choice: Choice,
}

impl Book {
    /// Whether a student of the school looks.
    pub(super) fn is_student(&self) -> bool {
        self.actor.role == Role::Student
    }

    /// Ids of the further services, as the address and the forms have them.
    pub(super) fn also(&self) -> String {
        also::value(&self.parts)
    }

    /// What the student keeps, if it is what the page is about.
    pub(super) fn kept(&self) -> Option<&Hold> {
        kept(&self.catalogue, &self.parts, self.with.as_ref())
    }

    /// The hold that keeps the chosen time.
    pub(super) fn chosen_hold(&self) -> Option<&Hold> {
        let Choice::Free(chosen) = &self.choice else { return None };
        self.kept().filter(|hold| hold.starts_at == chosen.starts_at)
    }

    /// Whether the address names a hold that the student who looks may have had.
    pub(super) fn names_hold(&self, cx: &Cx) -> bool {
        self.is_student() && cx.query("hold").is_some_and(|id| id.parse::<HoldId>().is_ok())
    }

    /// Whether the service asks for a prepaid lesson and the student has none with any of those it may be.
    pub(super) fn lacks_credit(&self) -> bool {
        let (Some(offer), Some(with)) = (&self.offer, &self.with) else { return false };
        offer.service.needs_credit
            && self.is_student()
            && !self.catalogue.packs.iter().any(|pack| with.may_be(pack.instructor))
    }

    /// This address with another choice: what was said of one time goes, unless it is given again.
    pub(super) fn link(&self, cx: &Cx, changes: &[(&str, &str)]) -> String {
        let also = self.also();
        let mut all = vec![("also", also.as_str()), ("at", ""), ("hold", ""), ("time", "")];
        all.extend_from_slice(changes);
        cx.link(&all)
    }

    /// The address that chooses a time.
    pub(super) fn link_to(&self, cx: &Cx, at: Instant) -> String {
        let zone = &self.tenant.zone;
        self.link(cx, &[("date", &zone.date(at).to_string()), ("at", &zone.rfc3339(at))])
    }

    /// What every form of the page says of the appointment.
    pub(super) fn hidden(&self) -> Vec<(&'static str, String)> {
        let service = self.parts.first().map(|part| part.service.id.to_string());
        let mut hidden = vec![
            ("tenant", self.tenant.slug.clone()),
            ("service", service.unwrap_or_default()),
            ("also", self.also()),
            ("instructor", self.with.as_ref().map(With::value).unwrap_or_default()),
        ];
        hidden.retain(|(_, value)| !value.is_empty());
        hidden
    }
}

/// What the student keeps, if it is for these services and this instructor.
fn kept<'a>(catalogue: &'a Catalogue, parts: &[Offer], with: Option<&With>) -> Option<&'a Hold> {
    catalogue.hold.as_ref().filter(|hold| {
        parts.first().is_some_and(|part| part.service.id == hold.service)
            && also::further(parts) == hold.also
            && with.is_some_and(|with| with.may_be(hold.instructor))
    })
}

/// Booking a lesson.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.school(cx.param("tenant")).await?;
    let catalogue = availability::service::catalogue(&mut scope).await?;
    let parts = match cx.query("service").filter(|id| !id.is_empty()) {
        Some(id) => also::chosen(&catalogue, id, cx.query("also")).ok_or(domain::Error::NotFound)?,
        None => Vec::new(),
    };
    let offer = also::together(&parts);
    let with = offer.as_ref().and_then(|offer| With::choose(&catalogue, offer, cx.query("instructor")));
    let week = match (&offer, &with) {
        (Some(offer), Some(with)) => {
            let hold = catalogue.hold.as_ref().map(|hold| hold.id);
            Some(Week::load(&cx, &mut scope, &parts, (offer, with), hold).await?)
        }
        _ => None,
    };
    let choice = match (&offer, &week) {
        (Some(offer), Some(week)) => {
            let hold = kept(&catalogue, &parts, with.as_ref());
            choose(&cx, &scope.tenant().zone, &offer.service, week, hold)
        }
        _ => Choice::Open,
    };
    let frame = Frame::school(&scope);
    let (tenant, actor) = (scope.tenant().clone(), scope.actor().clone());
    let title = match &offer {
        Some(offer) => format!("Book {}, {}", offer.service.name, tenant.name),
        None => format!("Book {}, {}", a(&tenant.words().lesson), tenant.name),
    };
    let live = week.is_some();
    let book = Book { tenant, actor, catalogue, parts, offer, with, week, choice };
    let doc = Doc::new(title, frame, move || draw(&cx, &book));
    Ok(if live { doc.with_islands() } else { doc })
}

fn choose(cx: &Cx, zone: &Zone, service: &Service, week: &Week, hold: Option<&Hold>) -> Choice {
    // A time that someone else was faster to keep.
    let near = super::nearest(cx, HOLD);
    if !near.is_empty() {
        let at = cx.flash.as_ref().and_then(|flash| flash.values.get("starts_at")?.parse().ok());
        return Choice::Gone(Gone { at, cause: None, near });
    }
    let Some(at) = asked(cx) else { return Choice::Open };
    if let Some(hold) = hold.filter(|hold| hold.starts_at == at) {
        // Its seat is theirs, so it is among those that are left.
        let slot = week.slots.iter().find(|slot| slot.starts_at == at && slot.instructor == hold.instructor);
        let left = slot.and_then(|slot| slot.group.map(|_| slot.left));
        return Choice::Free(Chosen { starts_at: hold.starts_at, ends_at: hold.ends_at, left });
    }
    if let Some(slot) = week.slots.iter().find(|slot| slot.starts_at == at) {
        let Slot { starts_at, ends_at, group, left, .. } = *slot;
        return Choice::Free(Chosen { starts_at, ends_at, left: group.map(|_| left) });
    }
    let shown = (week.from..week.from.saturating_add(7.days())).contains(&zone.date(at));
    let cause = match week.why(at, cx.now()) {
        Some(cause) => cause,
        // Between the listed times, but free.
        None if shown => {
            let Stretch { starts_at, ends_at } = Rules::of(service).lesson(at);
            return Choice::Free(Chosen { starts_at, ends_at, left: None });
        }
        // What isn't known can't be said: the strip is of other days.
        None => return Choice::Open,
    };
    // The answer to a lost race knows other weeks too; a stale address has this one.
    let mut near = super::nearest(cx, BOOK);
    if near.is_empty() {
        near = week.near(at);
    }
    Choice::Gone(Gone { at: Some(at), cause: Some(cause), near })
}

fn draw(cx: &Cx, book: &Book) -> AnyView {
    let words = book.tenant.words();
    let lead = format!("At {}. Times are {} time.", book.tenant.name, book.tenant.zone.city());
    let days = book.week.as_ref().map(|week| times::view(cx, book, week));
    let steps = view! {
        <div class="steps">
            {held::banner(cx, book)}
            {steps::service(cx, book)}
            {book.offer.as_ref().map(|offer| steps::instructor(cx, book, offer))}
            {days}
        </div>
    };
    let aside = match (&book.offer, &book.with, &book.choice) {
        (Some(offer), Some(with), Choice::Free(time)) => Some(summary::view(cx, book, offer, with, *time)),
        (Some(_), Some(_), Choice::Gone(gone)) => Some(gone::view(cx, book, gone)),
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
