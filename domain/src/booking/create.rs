//! Booking a lesson: one transaction that takes the time, the credit and the word of it, or nothing.

use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Booking, Status, Terms,
    hold::{self, HoldRequest},
    mail::{self, Addresses},
    plan::{Ask, Plan},
    service::record,
    store,
    writes::{self, Claims, NewGroup, Owner, Seat},
};
use crate::{
    Error, FieldErrors, Instant, Result,
    authz::{Action, TenantScope},
    availability::{Slot, Stretch, WhyNot, store::Ignore},
    identity,
    ids::{BookingId, HoldId, InstructorId, PackId, SeriesId, ServiceId, StudentId},
    packs,
};

/// For whom a lesson is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The student who acts.
    Myself,
    /// A student of the school, by staff.
    Student(StudentId),
}

/// A lesson to book.
#[derive(Clone, Debug)]
pub struct BookRequest {
    /// What.
    pub service: ServiceId,
    /// Further services of the same appointment, one after the other.
    pub also: Vec<ServiceId>,
    /// With whom; none for any.
    pub instructor: Option<InstructorId>,
    /// For whom.
    pub student: Who,
    /// When it begins.
    pub starts_at: Instant,
    /// What the instructor should know.
    pub note: String,
    /// Where to pick the student up.
    pub pickup: String,
    /// The same key asks for the same lesson, not for another.
    pub idempotency_key: Option<String>,
    /// The time is kept for the student already.
    pub hold: Option<HoldId>,
}

impl BookRequest {
    /// The field of the form that holds the time.
    fn time_field(&self) -> &'static str {
        match self.student {
            Who::Myself => "starts_at",
            Who::Student(_) => "time",
        }
    }

    /// Note, pickup address and key, trimmed and within their limits.
    fn check(&self) -> Result<Checked> {
        let mut errors = FieldErrors::new();
        let note = errors.check("note", identity::text(&self.note, 10_000));
        let pickup = errors.check("pickup", identity::text(&self.pickup, 300));
        let key = errors
            .check("idempotency_key", identity::text(self.idempotency_key.as_deref().unwrap_or(""), 200));
        errors.check(self.time_field(), whole_minute(self.starts_at));
        errors.finish()?;
        Ok(Checked {
            note: note.unwrap_or_default(),
            pickup: pickup.unwrap_or_default(),
            key: key.filter(|key| !key.is_empty()),
        })
    }

    /// What tells this request from others with the same key: all it says, and who says it. How its time was kept
    /// meanwhile doesn't matter: the second try finds the hold used up.
    fn hash(&self, scope: &TenantScope, checked: &Checked) -> Result<Vec<u8>> {
        let student = match self.student {
            Who::Myself => None,
            Who::Student(id) => Some(id),
        };
        let user = scope.actor().user;
        let said =
            (user, self.service, self.instructor, student, self.starts_at, &checked.note, &checked.pickup);
        let json = match self.also.as_slice() {
            // As the version before had it, so that its keys answer.
            [] => serde_json::to_vec(&said),
            also => serde_json::to_vec(&(said, also)),
        };
        let json = json.map_err(Error::internal)?;
        Ok(Sha256::digest(&json).to_vec())
    }
}

/// Whether a lesson may begin then.
pub(super) fn whole_minute(at: Instant) -> Result<(), &'static str> {
    if at.subsec_nanosecond() != 0 || at.as_second() % 60 != 0 {
        Err("A lesson begins on a whole minute.")
    } else {
        Ok(())
    }
}

struct Checked {
    note: String,
    pickup: String,
    key: Option<String>,
}

impl Checked {
    fn lesson<'a>(&'a self, slot: Slot, units: &'a [Uuid], hold: Option<HoldId>) -> NewLesson<'a> {
        NewLesson { slot, units, note: &self.note, pickup: &self.pickup, series: None, hold }
    }
}

/// Books a lesson. When its time is taken, the answer names the nearest free starts.
pub async fn book(scope: &mut TenantScope, request: BookRequest) -> Result<Booking> {
    let student = match request.student {
        Who::Myself => {
            scope.require(Action::BookLesson)?;
            scope.actor().student().ok_or(Error::NotFound)?
        }
        Who::Student(id) => {
            scope.require(Action::BookForStudent)?;
            id
        }
    };
    let by_student = request.student == Who::Myself;
    let checked = request.check()?;
    let hash = request.hash(scope, &checked)?;
    if let Some(key) = &checked.key
        && let Some(booking) = answered(scope, key, &hash).await?
    {
        return Ok(booking);
    }

    let (tenant, conn) = scope.conn();
    // Whatever the student has kept is in nobody's way when the student books, named or not.
    let kept = if by_student { hold::checkout(conn, tenant, student, request.hold).await? } else { None };
    let ask = Ask {
        service: request.service,
        also: &request.also,
        instructor: request.instructor,
        student,
        by_student,
        pickup: &checked.pickup,
        time_field: request.time_field(),
        ignore: Ignore { hold: kept.as_ref().map(|kept| kept.hold.id), ..Ignore::default() },
    };
    let mut plan = Plan::new(scope, ask).await?;
    if plan.offer.service.needs_pickup && checked.pickup.is_empty() {
        return Err(Error::field("pickup", "Say where to be picked up."));
    }

    let wanted = HoldRequest {
        service: request.service,
        also: request.also.clone(),
        instructor: request.instructor,
        starts_at: request.starts_at,
    };
    let mut booking = None;
    if let Some(kept) = &kept {
        let with = kept.hold.instructor;
        if kept.is_for(&wanted, scope.now()) && plan.candidate(with).is_ok() {
            // Its time is theirs: there is nothing to look for.
            plan.lock(scope, &[with]).await?;
            booking = put(scope, &plan, checked.lesson(kept.slot(), &[], Some(kept.hold.id))).await?;
        }
        plan.ends_seat = kept.group.is_some();
    }
    let booking = match booking {
        Some(booking) => booking,
        None => {
            plan.ends_checkout = by_student;
            let (slot, units) = plan.choose(scope, request.starts_at).await?;
            write(scope, &plan, checked.lesson(slot, &units, None)).await?
        }
    };

    let (now, (tenant, conn)) = (scope.now(), scope.conn());
    if let Some(key) = &checked.key {
        writes::keep_key(conn, tenant, key, &hash, booking.id, now).await?;
    }
    let addresses = Addresses {
        student: plan.offer.student.as_ref().and_then(|student| student.email.clone()),
        instructor: plan.candidate(booking.instructor)?.email.clone(),
    };
    mail::booked(scope, &booking, &addresses).await?;
    let action = if by_student { Action::BookLesson } else { Action::BookForStudent };
    record(scope, action, &booking, None, None).await?;
    Ok(booking)
}

/// What the same key was answered before, if it was.
async fn answered(scope: &mut TenantScope, key: &str, hash: &[u8]) -> Result<Option<Booking>> {
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    match writes::take_key(conn, tenant, key, now).await? {
        None => Err(Error::Conflict("The same request is in progress. Look again in a moment.".into())),
        Some(None) => Ok(None),
        Some(Some(before)) if before.request_hash == hash => {
            let booking = store::find(conn, tenant, before.booking, false).await?.ok_or(Error::NotFound)?;
            Ok(Some(booking))
        }
        Some(Some(_)) => {
            Err(Error::field("idempotency_key", "This key was used for another lesson. Open the page again."))
        }
    }
}

/// A lesson to be written as planned.
pub(crate) struct NewLesson<'a> {
    /// When and with whom.
    pub(crate) slot: Slot,
    /// Units of what it needs; none when it has a hold or joins a group lesson, which have them already.
    pub(crate) units: &'a [Uuid],
    /// What the instructor should know.
    pub(crate) note: &'a str,
    /// Where to pick the student up.
    pub(crate) pickup: &'a str,
    /// The series it belongs to, and its place in that.
    pub(crate) series: Option<(SeriesId, i32)>,
    /// What has kept the time for it.
    pub(crate) hold: Option<HoldId>,
}

/// Writes a lesson with all that it takes: time, a seat, a credit. Those who could be in the way are locked. The word of
/// it is the caller's, to those concerned and to the record.
///
/// # Errors
/// [`Error::SlotTaken`] when the time is gone, or its hold is over.
pub(crate) async fn write(scope: &mut TenantScope, plan: &Plan, new: NewLesson<'_>) -> Result<Booking> {
    let start = new.slot.starts_at;
    match put(scope, plan, new).await? {
        Some(booking) => Ok(booking),
        None => Err(Error::SlotTaken { nearest: plan.nearest(scope, start).await? }),
    }
}

/// Writes a lesson; `None` when its time is gone, or its hold is over.
async fn put(scope: &mut TenantScope, plan: &Plan, new: NewLesson<'_>) -> Result<Option<Booking>> {
    let (now, user) = (scope.now(), scope.actor().user);
    let id = BookingId::new(now);
    let place = plan.place_of(id.0);
    let (tenant, conn) = scope.conn();
    let seat = match new.hold {
        Some(hold) => match hold::spend(conn, tenant, hold, plan, &new.slot, now).await? {
            Some(seat) => seat,
            None => return Ok(None),
        },
        None if plan.rules.capacity > 1 => {
            let found = seat(conn, tenant, plan, new.slot, new.units, &place, now).await?;
            if found.is_none() {
                return Ok(None);
            }
            found
        }
        None => None,
    };
    // A prepaid lesson pays for one service, not for as many as one likes.
    let pack = if plan.also.is_empty() {
        packs::store::usable(conn, tenant, plan.student, new.slot.instructor, new.slot.starts_at).await?
    } else {
        None
    };
    if plan.rules.needs_credit && pack.is_none() {
        return Err(Error::field(plan.time_field, WhyNot::NoCredit.message(scope.tenant().words())));
    }
    let booking = lesson(plan, &new, id, seat, pack.map(|(pack, _)| pack), now)?;
    writes::insert(conn, tenant, &booking, user).await?;
    let claimed = match new.hold {
        Some(hold) => writes::hand_over(conn, tenant, hold, id, &place).await?,
        None => {
            let claims = Claims {
                owner: Owner::Booking(id),
                instructor: seat.is_none().then_some(booking.instructor),
                student: Some(booking.student),
                units: if seat.is_none() { new.units } else { &[] },
                // A group lesson that stands is as long as it was when it was opened.
                lesson: Stretch { starts_at: new.slot.starts_at, ends_at: new.slot.ends_at },
                claim: plan.rules.claim(new.slot.starts_at),
                place: &place,
            };
            writes::claim(conn, tenant, claims, now).await?
        }
    };
    if !claimed {
        // Someone took the time without queueing for it. What was written goes with the transaction; for the look
        // at other times it must be out of the way.
        writes::unclaim(conn, tenant, &[id], now).await?;
        return Ok(None);
    }
    if let Some(pack) = booking.pack {
        let posting = packs::Posting {
            pack,
            from: packs::CreditAccount::Pack,
            to: packs::CreditAccount::Used,
            lessons: 1,
            booking: Some(id),
            actor: user,
            reason: "Booked",
        };
        packs::store::post(conn, tenant, now, posting).await?;
    }
    Ok(Some(booking))
}

/// A seat of the group lesson at a slot, which is opened when there is none; `None` when something is in the way.
pub(super) async fn seat(
    conn: &mut PgConnection,
    tenant: Uuid,
    plan: &Plan,
    slot: Slot,
    units: &[Uuid],
    place: &str,
    now: Instant,
) -> Result<Option<Seat>> {
    if let Some(group) = slot.group {
        return writes::free_seat(conn, tenant, group).await;
    }
    let new = NewGroup {
        service: plan.offer.service.id,
        instructor: slot.instructor,
        units,
        lesson: plan.rules.lesson(slot.starts_at),
        claim: plan.rules.claim(slot.starts_at),
        place,
        capacity: plan.rules.capacity,
    };
    writes::open_group(conn, tenant, new, now).await
}

/// The lesson as it will be stored.
fn lesson(
    plan: &Plan,
    new: &NewLesson<'_>,
    id: BookingId,
    seat: Option<Seat>,
    pack: Option<PackId>,
    now: Instant,
) -> Result<Booking> {
    let service = &plan.offer.service;
    let candidate = plan.candidate(new.slot.instructor)?;
    Ok(Booking {
        id,
        service: service.id,
        also: plan.also.clone(),
        service_name: service.name.clone(),
        colour: service.colour.clone(),
        instructor: candidate.id,
        instructor_name: candidate.name.clone(),
        student: plan.student,
        student_name: plan.offer.student.as_ref().map(|student| student.name.clone()).unwrap_or_default(),
        starts_at: new.slot.starts_at,
        ends_at: new.slot.ends_at,
        status: if plan.by_student && service.needs_approval { Status::Requested } else { Status::Confirmed },
        needs_approval: service.needs_approval,
        note: new.note.to_owned(),
        pickup: new.pickup.to_owned(),
        price_minor: service.price_minor,
        currency: service.currency.clone(),
        cancel_notice_min: service.cancel_notice_min,
        terms: Terms::of(service),
        pack,
        cancel_reason: None,
        fee_minor: None,
        group: seat.map(|seat| seat.group),
        seats: seat.map(|seat| (seat.taken + 1, seat.capacity)),
        series: new.series,
        moves: 0,
        moved_at: None,
        created_at: now,
        attendance: None,
    })
}
