//! Booking a lesson: one transaction that takes the time, the credit and the word of it, or nothing.

use jiff::ToSpan;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Booking, Status,
    mail::{self, Addresses},
    service::record,
    store::{self, Candidate, Offer},
    writes::{self, NewBooking},
};
use crate::{
    Error, FieldErrors, Instant, Result,
    authz::{Action, TenantScope},
    availability::{self, Rules, Stretch, WhyNot, Window, bookable, free_slots, nearest, service::around},
    identity,
    ids::{BookingId, InstructorId, PackId, ServiceId, StudentId},
    packs,
};

/// How far around a taken time other ones are looked for, in days.
const NEAREST_DAYS: i64 = 14;
/// How many of them are offered.
const NEAREST_COUNT: usize = 3;

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
        if self.starts_at.subsec_nanosecond() != 0 || self.starts_at.as_second() % 60 != 0 {
            errors.add(self.time_field(), "A lesson begins on a whole minute.");
        }
        errors.finish()?;
        Ok(Checked {
            note: note.unwrap_or_default(),
            pickup: pickup.unwrap_or_default(),
            key: key.filter(|key| !key.is_empty()),
        })
    }

    /// What tells this request from others with the same key: all it says, and who says it.
    fn hash(&self, scope: &TenantScope, checked: &Checked) -> Result<Vec<u8>> {
        let student = match self.student {
            Who::Myself => None,
            Who::Student(id) => Some(id),
        };
        let user = scope.actor().user;
        let said =
            (user, self.service, self.instructor, student, self.starts_at, &checked.note, &checked.pickup);
        let json = serde_json::to_vec(&said).map_err(Error::internal)?;
        Ok(Sha256::digest(&json).to_vec())
    }
}

struct Checked {
    note: String,
    pickup: String,
    key: Option<String>,
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
    let checked = request.check()?;
    let hash = request.hash(scope, &checked)?;
    if let Some(key) = &checked.key
        && let Some(booking) = answered(scope, key, &hash).await?
    {
        return Ok(booking);
    }

    let (tenant, conn) = scope.conn();
    let offer = store::offer(conn, tenant, request.service, request.instructor, student).await?;
    let plan = Plan::new(scope, &request, student, offer.ok_or(Error::NotFound)?)?;
    if plan.offer.service.needs_pickup && checked.pickup.is_empty() {
        return Err(Error::field("pickup", "Say where to be picked up."));
    }

    // A look without a lock first: those who come too late for a popular time needn't queue for it.
    let all: Vec<InstructorId> = plan.offer.candidates.iter().map(|candidate| candidate.id).collect();
    let free = plan.free(scope, &all).await?;
    let mut subjects: Vec<Uuid> = free.iter().map(|id| id.0).collect();
    subjects.push(student.0);
    let (tenant, conn) = scope.conn();
    writes::lock_subjects(conn, tenant, &subjects).await?;
    // Whoever removes a person queues for the same lock. A removed instructor has no hours, which `free` sees.
    if !store::has_student(conn, tenant, student).await? {
        return Err(Error::NotFound);
    }
    let instructor = *plan.free(scope, &free).await?.first().ok_or(Error::NotFound)?;

    write(scope, &plan, &checked, &hash, instructor).await
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

/// A request with all it names, found and allowed.
struct Plan {
    student: StudentId,
    by_student: bool,
    starts_at: Instant,
    time_field: &'static str,
    offer: Offer,
    rules: Rules,
}

impl Plan {
    fn new(scope: &TenantScope, request: &BookRequest, student: StudentId, mut offer: Offer) -> Result<Self> {
        let by_student = request.student == Who::Myself;
        let tenant = scope.tenant();
        let words = tenant.words();
        if offer.student.is_none() {
            return Err(Error::NotFound);
        }
        match request.instructor {
            Some(wanted) => offer.candidates.retain(|candidate| candidate.id == wanted),
            None => offer.candidates.retain(|candidate| candidate.teaches && candidate.public),
        }
        let instructor_error = match (offer.candidates.first(), request.instructor) {
            // Who isn't shown to students isn't there for them either.
            (Some(one), Some(_)) if by_student && !one.public => return Err(Error::NotFound),
            (None, Some(_)) => return Err(Error::NotFound),
            (Some(one), _) if !one.teaches => Some(format!("{} doesn't teach this service.", one.name)),
            (None, None) => Some(format!("No {} teaches this service now.", words.instructor)),
            _ => None,
        };
        if offer.service.archived {
            return Err(Error::field("service", "This service is no longer offered. Choose another one."));
        }
        if let Some(message) = instructor_error {
            return Err(Error::field("instructor", message));
        }
        let mut rules = Rules::of(&offer.service);
        if !by_student {
            // Staff know what can still be arranged; what has passed can't.
            rules.notice_min = 0;
        }
        let plan = Self {
            student,
            by_student,
            starts_at: request.starts_at,
            time_field: request.time_field(),
            offer,
            rules,
        };
        plan.rules
            .in_time(&tenant.zone, plan.starts_at, scope.now())
            .map_err(|cause| Error::field(plan.time_field, cause.message(words)))?;
        Ok(plan)
    }

    /// Those of `among` who are free, the one with the fewest lessons that week first. An error when nobody is.
    async fn free(&self, scope: &mut TenantScope, among: &[InstructorId]) -> Result<Vec<InstructorId>> {
        let (zone, now) = (scope.tenant().zone.clone(), scope.now());
        let day = zone.date(self.starts_at);
        let monday = day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days());
        let (from, to) = (monday, monday.saturating_add(7.days()));
        let (tenant, conn) = scope.conn();
        let within = around(&zone, from, to);
        let found = availability::store::diaries(conn, tenant, among, Some(self.student), within).await?;
        let week = Stretch { starts_at: zone.day_start(from), ends_at: zone.day_start(to) };
        let mut free = Vec::new();
        let mut causes = Vec::new();
        for diary in &found.instructors {
            let window = Window { zone: &zone, rules: self.rules, from, to, diary, student: &found.student };
            match bookable(&window, self.starts_at, now) {
                Ok(slot) => {
                    let this_week = |claim: &&Stretch| {
                        week.starts_at <= claim.starts_at && claim.starts_at < week.ends_at
                    };
                    free.push((diary.claims.iter().filter(this_week).count(), slot.instructor));
                }
                Err(cause) => causes.push(cause),
            }
        }
        if free.is_empty() {
            return Err(self.refusal(scope, &causes).await);
        }
        free.sort_unstable();
        Ok(free.into_iter().map(|(_, instructor)| instructor).collect())
    }

    /// The answer when nobody is free: other times when lessons are in the way, else the cause.
    async fn refusal(&self, scope: &mut TenantScope, causes: &[WhyNot]) -> Error {
        match causes.first() {
            Some(cause) if !causes.iter().any(|cause| cause.is_taken()) => {
                Error::field(self.time_field, cause.message(scope.tenant().words()))
            }
            _ => match self.nearest(scope).await {
                Ok(nearest) => Error::SlotTaken { nearest },
                Err(error) => error,
            },
        }
    }

    /// Free starts near the one that is taken, with the same service and the same instructor or any.
    async fn nearest(&self, scope: &mut TenantScope) -> Result<Vec<Instant>> {
        let (zone, now) = (scope.tenant().zone.clone(), scope.now());
        let day = zone.date(self.starts_at);
        let from = day.saturating_sub(NEAREST_DAYS.days());
        let to = day.saturating_add((NEAREST_DAYS + 1).days());
        let all: Vec<InstructorId> = self.offer.candidates.iter().map(|candidate| candidate.id).collect();
        let (tenant, conn) = scope.conn();
        let within = around(&zone, from, to);
        let found = availability::store::diaries(conn, tenant, &all, Some(self.student), within).await?;
        let mut slots = Vec::new();
        for diary in &found.instructors {
            let window = Window { zone: &zone, rules: self.rules, from, to, diary, student: &found.student };
            slots.extend(free_slots(&window, now));
        }
        Ok(nearest(&slots, self.starts_at, NEAREST_COUNT))
    }

    /// The lesson as it will be stored.
    fn booking(
        &self,
        checked: &Checked,
        instructor: &Candidate,
        pack: Option<PackId>,
        now: Instant,
    ) -> Booking {
        let service = &self.offer.service;
        let lesson = self.rules.lesson(self.starts_at);
        Booking {
            id: BookingId::new(now),
            service: service.id,
            service_name: service.name.clone(),
            instructor: instructor.id,
            instructor_name: instructor.name.clone(),
            student: self.student,
            student_name: self.offer.student.as_ref().map(|student| student.name.clone()).unwrap_or_default(),
            starts_at: lesson.starts_at,
            ends_at: lesson.ends_at,
            status: if self.by_student && service.needs_approval {
                Status::Requested
            } else {
                Status::Confirmed
            },
            note: checked.note.clone(),
            pickup: checked.pickup.clone(),
            price_minor: service.price_minor,
            currency: service.currency.clone(),
            cancel_notice_min: service.cancel_notice_min,
            pack,
            cancel_reason: None,
        }
    }
}

/// Writes the lesson and all that follows from it.
async fn write(
    scope: &mut TenantScope,
    plan: &Plan,
    checked: &Checked,
    hash: &[u8],
    instructor: InstructorId,
) -> Result<Booking> {
    let (now, user) = (scope.now(), scope.actor().user);
    let candidate =
        plan.offer.candidates.iter().find(|candidate| candidate.id == instructor).ok_or(Error::NotFound)?;
    let (tenant, conn) = scope.conn();
    let pack = packs::store::usable(conn, tenant, plan.student, instructor, plan.starts_at).await?;
    let booking = plan.booking(checked, candidate, pack.map(|(id, _)| id), now);
    let claim = plan.rules.claim(plan.starts_at);
    let new = NewBooking { booking: &booking, claim, created_by: user, now };
    if !writes::insert(conn, tenant, new).await? {
        // Someone took the time without queueing for it. What was written goes with the transaction; for the look
        // at other times it must be out of the way.
        writes::release(conn, tenant, booking.id).await?;
        return Err(Error::SlotTaken { nearest: plan.nearest(scope).await? });
    }
    if let Some(pack) = booking.pack {
        let posting = packs::Posting {
            pack,
            from: packs::CreditAccount::Pack,
            to: packs::CreditAccount::Used,
            lessons: 1,
            booking: Some(booking.id),
            actor: user,
            reason: "Booked",
        };
        packs::store::post(conn, tenant, now, posting).await?;
    }
    if let Some(key) = &checked.key {
        writes::keep_key(conn, tenant, key, hash, booking.id, now).await?;
    }
    let addresses = Addresses {
        student: plan.offer.student.as_ref().and_then(|student| student.email.clone()),
        instructor: candidate.email.clone(),
    };
    mail::booked(scope, &booking, &addresses).await?;
    let action = if plan.by_student { Action::BookLesson } else { Action::BookForStudent };
    record(scope, action, &booking, None, None).await?;
    Ok(booking)
}
