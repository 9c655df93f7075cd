//! Offers of the waiting list: a time that became free is kept for the first who waits for it. Taking it makes the hold's
//! claims the lesson's, under a lock on the hold: a hold is used or it ends, never both.

mod store;

use jiff::{SignedDuration, ToSpan};
use serde_json::json;

use super::{ONE_TIME, State, entry, own, record};
use crate::{
    Error, FieldErrors, Instant, Result, audit,
    authz::{Action, Caller, Role, TenantScope},
    availability::{Place, Slot, Stretch, WhyNot, place_key, store::Ignore},
    booking::{
        Booking, Terms,
        create::{NewLesson, write},
        hold::{self, Hold, Kind},
        mail::{self, Addresses},
        plan::{Ask, Plan},
        service, writes,
    },
    identity,
    ids::{BookingId, HoldId, InstructorId, ServiceId, StudentId, WaitId},
    notify::{self, BookingMail, Mail},
    zoned::Zone,
};

/// An offer stands at least this long, in minutes.
const LEAST_MIN: i64 = 5;
/// Who waits is looked at again this often, in minutes, whatever happens: new hours make free times too.
const AGAIN_MIN: i64 = 15;

/// Where an offer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferState {
    /// It can be taken.
    Open,
    /// It was taken.
    Taken,
    /// It was declined.
    Declined,
    /// Nobody answered in time.
    Ended,
}

/// An offer, with all that its page shows.
#[derive(Clone, Debug)]
pub struct OfferView {
    /// What keeps the time.
    pub hold: HoldId,
    /// The entry it is for.
    pub entry: WaitId,
    /// Where it stands.
    pub state: OfferState,
    /// What.
    pub service: ServiceId,
    /// Its name.
    pub service_name: String,
    /// Who gives it.
    pub instructor: InstructorId,
    /// Their name.
    pub instructor_name: String,
    /// For whom.
    pub student: StudentId,
    /// Their name.
    pub student_name: String,
    /// Start.
    pub starts_at: Instant,
    /// End.
    pub ends_at: Instant,
    /// How long it is kept.
    pub until: Instant,
    /// Price in minor units.
    pub price_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// On which terms.
    pub terms: Terms,
    /// Whoever takes it says where they are picked up.
    pub needs_pickup: bool,
    /// It is approved by hand then.
    pub needs_approval: bool,
    /// Lessons left in the pack that would pay for it.
    pub pack_left: Option<i32>,
    /// Where to pick the student up, as they said when they joined the list.
    pub pickup: String,
    /// What the instructor should know, likewise.
    pub note: String,
    /// The group lesson it is a seat of.
    group: Option<crate::ids::GroupId>,
}

impl OfferView {
    /// Refuses what can no longer be answered.
    fn must_be_open(&self, zone: &Zone, lesson: &str, now: Instant) -> Result<()> {
        let message = match self.state {
            OfferState::Open => return Ok(()),
            OfferState::Taken => "You have taken this offer already.".to_owned(),
            OfferState::Declined => {
                format!("This offer was declined. Join the waiting list again for the {lesson}.")
            }
            OfferState::Ended => {
                let clock = zone.clock(self.until);
                let day = if zone.date(self.until) == zone.date(now) {
                    String::new()
                } else {
                    format!(" on {}", zone.short_day(self.until))
                };
                format!("This offer ended{day} at {clock} and was passed on.")
            }
        };
        Err(Error::Conflict(message))
    }

    /// The time it keeps.
    fn slot(&self) -> Slot {
        let Self { starts_at, ends_at, instructor, group, .. } = *self;
        Slot { starts_at, ends_at, instructor, group, left: 1 }
    }
}

/// The answer to an offer.
#[derive(Clone, Debug)]
pub struct AcceptRequest {
    /// What keeps the time.
    pub hold: HoldId,
    /// Where to pick the student up.
    pub pickup: String,
    /// What the instructor should know.
    pub note: String,
}

/// An offer to the student who acts, or of the school.
///
/// # Errors
/// [`Error::NotFound`] when it isn't theirs.
pub async fn view_offer(scope: &mut TenantScope, id: HoldId) -> Result<OfferView> {
    let own = own(scope, Action::JoinWaitingList)?;
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    let offer = store::offer(conn, tenant, id, now).await?.ok_or(Error::NotFound)?;
    if own.is_some_and(|own| own != offer.student) {
        return Err(Error::NotFound);
    }
    Ok(offer)
}

/// Takes what is offered.
///
/// # Errors
/// [`Error::Conflict`] when it was answered already, or is over.
pub async fn accept(scope: &mut TenantScope, request: &AcceptRequest) -> Result<Booking> {
    let offer = view_offer(scope, request.hold).await?;
    open(scope, &offer)?;
    let by_student = scope.actor().student().is_some();
    let mut errors = FieldErrors::new();
    let note = errors.check("note", identity::text(&request.note, 10_000)).unwrap_or_default();
    let pickup = errors.check("pickup", identity::text(&request.pickup, 300)).unwrap_or_default();
    if offer.needs_pickup && pickup.is_empty() {
        errors.add("pickup", "Say where to be picked up.");
    }
    errors.finish()?;
    let ask = Ask {
        service: offer.service,
        also: &[],
        instructor: Some(offer.instructor),
        student: offer.student,
        by_student,
        pickup: &pickup,
        time_field: "starts_at",
        ignore: Ignore { hold: Some(offer.hold), ..Ignore::default() },
    };
    let mut plan = Plan::new(scope, ask).await?;
    // The offer was made in time.
    plan.rules.notice_min = 0;
    plan.lock(scope, &[offer.instructor]).await?;
    // Whoever ends it waits from here on, or has ended it.
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    store::lock(conn, tenant, offer.hold).await?;
    let offer = store::offer(conn, tenant, offer.hold, now).await?.ok_or(Error::NotFound)?;
    open(scope, &offer)?;
    check_way(scope, &plan, &offer).await?;

    let new = NewLesson {
        slot: offer.slot(),
        units: &[],
        note: &note,
        pickup: &pickup,
        series: None,
        hold: Some(offer.hold),
    };
    let booking = write(scope, &plan, new).await.map_err(without_a_field)?;
    let (tenant, conn) = scope.conn();
    super::store::set_state(conn, tenant, offer.entry, State::Offered, State::Accepted).await?;
    let to = Addresses {
        student: plan.offer.student.as_ref().and_then(|student| student.email.clone()),
        instructor: plan.candidate(offer.instructor)?.email.clone(),
    };
    mail::booked(scope, &booking, &to).await?;
    let before = json!({ "state": State::Offered.as_str(), "hold": offer.hold });
    let after = json!({ "state": State::Accepted.as_str(), "booking": booking.id });
    record(scope, offer.entry, Some(before), after).await?;
    let action = if by_student { Action::BookLesson } else { Action::BookForStudent };
    service::record(scope, action, &booking, None, None).await?;
    Ok(booking)
}

/// A place other than the one the offer was made for may be too far from the lessons beside it.
async fn check_way(scope: &mut TenantScope, plan: &Plan, offer: &OfferView) -> Result<()> {
    let Place::At(place) = &plan.place else {
        return Ok(());
    };
    // Without a place it was far enough from everything.
    if offer.pickup.is_empty() || place_key(&offer.pickup) == *place {
        return Ok(());
    }
    let (day, now) = (scope.tenant().zone.date(offer.starts_at), scope.now());
    let look = plan.look(scope, day, day.saturating_add(1.day())).await?;
    match look.at(plan, offer.starts_at, now) {
        Err(causes) if causes.iter().any(|cause| matches!(cause, WhyNot::Travel(_))) => {
            let lesson = &scope.tenant().words().lesson;
            let message = format!(
                "Too far from the {lesson} before or after it. Give the address you gave for the waiting list."
            );
            Err(Error::field("pickup", message))
        }
        _ => Ok(()),
    }
}

/// The form of an offer has no field for the time.
fn without_a_field(error: Error) -> Error {
    match error {
        Error::Invalid(fields) => match fields.0.get("starts_at") {
            Some(message) => Error::Conflict(message.clone()),
            None => Error::Invalid(fields),
        },
        other => other,
    }
}

fn open(scope: &TenantScope, offer: &OfferView) -> Result<()> {
    let tenant = scope.tenant();
    offer.must_be_open(&tenant.zone, &tenant.words().lesson, scope.now())
}

/// Declines what is offered: it goes to the next, and the student is off the list.
///
/// # Errors
/// [`Error::Conflict`] when it was answered already, or is over.
pub async fn decline(scope: &mut TenantScope, id: HoldId) -> Result<OfferView> {
    let offer = view_offer(scope, id).await?;
    open(scope, &offer)?;
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    store::lock(conn, tenant, id).await?;
    let offer = store::offer(conn, tenant, id, now).await?.ok_or(Error::NotFound)?;
    open(scope, &offer)?;
    let (tenant, conn) = scope.conn();
    writes::stop_holds(conn, tenant, &[id.0], "released", now).await?;
    super::store::set_state(conn, tenant, offer.entry, State::Offered, State::Left).await?;
    let before = json!({ "state": State::Offered.as_str(), "hold": id });
    record(scope, offer.entry, Some(before), json!({ "state": State::Left.as_str() })).await?;
    Ok(offer)
}

/// Keeps what an entry waits for, when it is free, and offers it; else the entry is looked at again later. Whether it was
/// offered.
///
/// # Errors
/// [`Error::SlotTaken`] when someone was faster: nothing was done, and the entry still is due.
pub(in crate::booking) async fn make_offer(scope: &mut TenantScope, id: WaitId) -> Result<bool> {
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    let Some(waits) = super::store::entry(conn, tenant, id, now).await? else {
        return Ok(false);
    };
    let ask = Ask {
        service: waits.service,
        also: &[],
        instructor: waits.instructor,
        student: waits.student,
        by_student: true,
        pickup: &waits.pickup,
        time_field: "starts_at",
        ignore: Ignore::default(),
    };
    let plan = Plan::new(scope, ask).await?;
    let Some(start) = first_free(scope, &plan, waits.window).await? else {
        let (tenant, conn) = scope.conn();
        super::store::put_off(conn, tenant, id, next_look(now)).await?;
        return Ok(false);
    };
    let until = offered_until(now, waits.offer_min, start, plan.rules.notice_min);
    let hold = hold::place(scope, &plan, start, Kind::Offer, until).await?;
    let (tenant, conn) = scope.conn();
    if !super::store::set_offered(conn, tenant, id, hold.id).await? {
        // The student has left the list meanwhile: what was kept goes with the transaction.
        return Err(Error::SlotTaken { nearest: Vec::new() });
    }
    if let Some(to) = plan.offer.student.as_ref().and_then(|student| student.email.clone()) {
        let mail = message(scope, &plan, &hold, &waits.pickup);
        notify::enqueue(scope, &to, &mail, None, None).await?;
    }
    let after = json!({
        "state": State::Offered.as_str(), "hold": hold.id, "starts_at": hold.starts_at,
        "instructor": hold.instructor, "until": hold.expires_at,
    });
    let before = json!({ "state": State::Waiting.as_str() });
    let (tenant, conn) = scope.conn();
    // Nobody did it: no account, no address.
    let nobody = Caller::visitor(now);
    audit::record_as(conn, tenant, &nobody, Role::Visitor, entry(id, Some(before), after)).await?;
    Ok(true)
}

/// The first time of a window that is free for the student of a plan, and far enough ahead to be answered.
async fn first_free(scope: &mut TenantScope, plan: &Plan, window: Stretch) -> Result<Option<Instant>> {
    let (zone, now) = (scope.tenant().zone.clone(), scope.now());
    let least = now.checked_add(SignedDuration::from_mins(LEAST_MIN)).unwrap_or(Instant::MAX);
    let from = zone.date(window.starts_at);
    // A window ends with its last day, or within it.
    let last = window.ends_at.checked_sub(SignedDuration::from_micros(1)).unwrap_or(window.ends_at);
    let to = zone.date(last).saturating_add(1.day());
    let look = plan.look(scope, from, to).await?;
    if window.ends_at.duration_since(window.starts_at) <= ONE_TIME {
        // A wished time needn't be one of those that are listed.
        let free = window.starts_at >= least && look.at(plan, window.starts_at, now).is_ok();
        return Ok(free.then_some(window.starts_at));
    }
    let starts = look.slots(plan, from, to, now).into_iter().map(|slot| slot.starts_at);
    Ok(starts.filter(|start| window.starts_at <= *start && *start < window.ends_at && least <= *start).min())
}

/// How long an offer stands: as long as the school says, but no longer than the time can be booked at all; some minutes
/// in any case.
fn offered_until(now: Instant, offer_min: i32, start: Instant, notice_min: i32) -> Instant {
    let minutes = |number: i64| SignedDuration::from_mins(number);
    let school = now.checked_add(minutes(i64::from(offer_min))).unwrap_or(Instant::MAX);
    let notice = start.checked_sub(minutes(i64::from(notice_min.max(0)))).unwrap_or(Instant::MIN);
    let least = now.checked_add(minutes(LEAST_MIN)).unwrap_or(Instant::MAX);
    school.min(notice).max(least).min(start)
}

/// When all who wait are looked at again: at the same moment, so that who came first is served first.
pub(in crate::booking) fn next_look(now: Instant) -> Instant {
    let step = AGAIN_MIN * 60;
    let next = (now.as_second().div_euclid(step) + 1).saturating_mul(step);
    Instant::from_second(next).unwrap_or(Instant::MAX)
}

/// What the student is told.
fn message(scope: &TenantScope, plan: &Plan, hold: &Hold, pickup: &str) -> Mail {
    let (tenant, now) = (scope.tenant(), scope.now());
    let zone = &tenant.zone;
    let booking = BookingMail {
        // There is none yet.
        booking: BookingId(uuid::Uuid::nil()),
        school: tenant.name.clone(),
        slug: tenant.slug.clone(),
        lesson: tenant.words().lesson.clone(),
        service: plan.offer.service.name.clone(),
        span: zone.span(hold.starts_at, hold.ends_at, now),
        when: zone.long_span(hold.starts_at, hold.ends_at, now),
        was: String::new(),
        student: plan.offer.student.as_ref().map(|student| student.name.clone()).unwrap_or_default(),
        instructor: hold.instructor_name.clone(),
        pickup: pickup.to_owned(),
        note: String::new(),
        reason: String::new(),
        next: String::new(),
        terms: String::new(),
        starts_at: hold.starts_at,
        ends_at: hold.ends_at,
        zone: zone.name().to_owned(),
    };
    let until = format!("{}, {}", zone.short_day(hold.expires_at), zone.clock(hold.expires_at));
    Mail::Offer { booking, hold: hold.id, until }
}

#[cfg(test)]
mod tests;
