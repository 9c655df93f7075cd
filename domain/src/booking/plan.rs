//! What a request to book names, found and allowed, and who is free for it. Booking, holding, offers and series all go
//! this way.

use jiff::{ToSpan, civil::Date};
use uuid::Uuid;

use super::{
    hold,
    store::{self, Candidate, Offer},
    writes,
};
use crate::{
    Error, Instant, Result,
    authz::TenantScope,
    availability::{
        Diary, Place, Rules, Slot, Stretch, WhyNot, Window, bookable, free_slots, nearest, pick_units,
        place_key,
        service::around,
        store::{Asked, Diaries, Ignore, diaries},
    },
    ids::{InstructorId, ServiceId, StudentId},
    services::MOST_SERVICES,
    tenancy::Words,
    zoned::Zone,
};

/// How far around a taken time other ones are looked for, in days.
const NEAREST_DAYS: i64 = 14;
/// How many of them are offered.
const NEAREST_COUNT: usize = 3;
/// How many days ahead staff can book, whatever the service says.
const STAFF_HORIZON_DAYS: i32 = 730;

/// What a request names.
pub(crate) struct Ask<'a> {
    /// What.
    pub(crate) service: ServiceId,
    /// Further services of the same appointment, one after the other.
    pub(crate) also: &'a [ServiceId],
    /// With whom; none for any.
    pub(crate) instructor: Option<InstructorId>,
    /// For whom.
    pub(crate) student: StudentId,
    /// Whether the student asks. Staff book at shorter notice and further ahead.
    pub(crate) by_student: bool,
    /// Where to pick the student up; empty when it hasn't been said.
    pub(crate) pickup: &'a str,
    /// The field of the form that holds the time.
    pub(crate) time_field: &'static str,
    /// What is taken, but in no one's way.
    pub(crate) ignore: Ignore,
}

/// A request with all it names, found and allowed.
pub(crate) struct Plan {
    /// For whom.
    pub(crate) student: StudentId,
    /// Whether the student asks.
    pub(crate) by_student: bool,
    /// The services as one, and who gives them.
    pub(crate) offer: Offer,
    /// What they ask of a time.
    pub(crate) rules: Rules,
    /// Where it takes place, for those who travel.
    pub(crate) place: Place,
    /// The field of the form that holds the time.
    pub(crate) time_field: &'static str,
    /// What is taken, but in no one's way.
    pub(crate) ignore: Ignore,
    /// Further services of the same appointment.
    pub(crate) also: Vec<ServiceId>,
    /// The student's checkout hold ends when something else is chosen, whichever that is by then.
    pub(super) ends_checkout: bool,
    /// That hold has a seat of a group lesson, which may go with it: what is free shows only when it has ended.
    pub(super) ends_seat: bool,
    zone: Zone,
}

impl Plan {
    /// Finds what a request names. One query.
    ///
    /// # Errors
    /// Why it can't be had, beside the field that says so; [`Error::NotFound`] for what isn't there for them.
    pub(crate) async fn new(scope: &mut TenantScope, ask: Ask<'_>) -> Result<Self> {
        if ask.also.len() >= MOST_SERVICES {
            let message = format!("Choose at most {MOST_SERVICES} services for one appointment.");
            return Err(Error::field("also", message));
        }
        let (now, (tenant, conn)) = (scope.now(), scope.conn());
        let mut offer = store::offer(conn, tenant, ask.service, ask.also, ask.instructor, ask.student, now)
            .await?
            .ok_or(Error::NotFound)?;
        check(&mut offer, &ask, scope.tenant().words())?;
        let mut rules = Rules::of(&offer.service);
        if !ask.by_student {
            // Staff know what can still be arranged; what has passed can't.
            rules.notice_min = 0;
            rules.horizon_days = rules.horizon_days.max(STAFF_HORIZON_DAYS);
        }
        let place = match place_key(ask.pickup) {
            _ if !offer.service.needs_pickup => Place::Nowhere,
            key if key.is_empty() => Place::Unknown,
            key => Place::At(key),
        };
        Ok(Self {
            student: ask.student,
            by_student: ask.by_student,
            offer,
            rules,
            place,
            time_field: ask.time_field,
            ignore: ask.ignore,
            also: ask.also.to_vec(),
            ends_checkout: false,
            ends_seat: false,
            zone: scope.tenant().zone.clone(),
        })
    }

    /// One of those who could give the lesson.
    pub(crate) fn candidate(&self, id: InstructorId) -> Result<&Candidate> {
        self.offer.candidates.iter().find(|candidate| candidate.id == id).ok_or(Error::NotFound)
    }

    fn candidates(&self) -> Vec<InstructorId> {
        self.offer.candidates.iter().map(|candidate| candidate.id).collect()
    }

    /// The place as claims keep it. Where nothing has been said yet it is one of its own, so that whoever books next to
    /// it leaves time to travel.
    pub(super) fn place_of(&self, owner: Uuid) -> String {
        match &self.place {
            Place::Nowhere => String::new(),
            Place::Unknown => format!("?{owner}"),
            Place::At(key) => key.clone(),
        }
    }

    /// The time of all who could give the lesson, on the local days from `from` up to, but without, `to`. One query.
    pub(crate) async fn look(&self, scope: &mut TenantScope, from: Date, to: Date) -> Result<Look> {
        self.look_among(scope, &self.candidates(), from, to).await
    }

    async fn look_among(
        &self,
        scope: &mut TenantScope,
        among: &[InstructorId],
        from: Date,
        to: Date,
    ) -> Result<Look> {
        let asked = Asked {
            service: self.offer.service.id,
            also: &self.also,
            instructors: among,
            student: Some(self.student),
            within: self.rules.reach(around(&self.zone, from, to)),
            now: scope.now(),
            ignore: &self.ignore,
        };
        let (tenant, conn) = scope.conn();
        Ok(Look { found: diaries(conn, tenant, asked).await? })
    }

    /// Makes all who want time of these instructors, of the student or of what the services need queue until the
    /// transaction ends. What is seen from here on stays so.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the student has been removed meanwhile.
    pub(crate) async fn lock(&self, scope: &mut TenantScope, instructors: &[InstructorId]) -> Result<()> {
        let now = scope.now();
        let mut subjects: Vec<Uuid> = instructors.iter().map(|id| id.0).collect();
        subjects.push(self.student.0);
        subjects.extend_from_slice(&self.offer.units);
        let (tenant, conn) = scope.conn();
        writes::lock_subjects(conn, tenant, &subjects).await?;
        // Whoever removes a person queues for the same lock. A removed instructor has no hours, which a look sees.
        if !store::has_student(conn, tenant, self.student).await? {
            return Err(Error::NotFound);
        }
        writes::end_holds(conn, tenant, &subjects, &[], now).await
    }

    /// Ends the student's checkout hold, if it is to end. The lock comes before.
    pub(super) async fn end_checkout(&self, scope: &mut TenantScope) -> Result<()> {
        if !self.ends_checkout {
            return Ok(());
        }
        let (now, (tenant, conn)) = (scope.now(), scope.conn());
        hold::end_checkout(conn, tenant, self.student, now).await
    }

    /// Chooses who gives the lesson that begins at `start`, and units of what it needs; their time is locked then.
    ///
    /// # Errors
    /// [`Error::SlotTaken`] with the nearest free starts when someone or something is in the way, else the cause.
    pub(crate) async fn choose(&self, scope: &mut TenantScope, start: Instant) -> Result<(Slot, Vec<Uuid>)> {
        let now = scope.now();
        // The end of time is nothing to ask a database about.
        self.rules
            .in_time(&self.zone, start, now)
            .map_err(|cause| Error::field(self.time_field, cause.message(scope.tenant().words())))?;
        let day = self.zone.date(start);
        let next = day.saturating_add(1.day());
        let mut among = self.candidates();
        if !self.ends_seat {
            // A look without a lock first: those who come too late for a popular time needn't queue for it.
            let look = self.look_among(scope, &among, day, next).await?;
            match look.at(self, start, now) {
                Ok(free) => among = free.iter().map(|slot| slot.instructor).collect(),
                Err(causes) => return Err(self.refusal(scope, start, &causes).await),
            }
        }
        self.lock(scope, &among).await?;
        self.end_checkout(scope).await?;
        let look = self.look_among(scope, &among, day, next).await?;
        let slot = match look.at(self, start, now) {
            Ok(free) => *free.first().ok_or(Error::NotFound)?,
            Err(causes) => return Err(self.refusal(scope, start, &causes).await),
        };
        if slot.group.is_some() {
            // It has its units already.
            return Ok((slot, Vec::new()));
        }
        match look.units(self, start) {
            Some(units) => Ok((slot, units)),
            None => Err(Error::SlotTaken { nearest: self.nearest(scope, start).await? }),
        }
    }

    /// The answer when nobody is free: other times when something is in the way, else the cause.
    async fn refusal(&self, scope: &mut TenantScope, start: Instant, causes: &[WhyNot]) -> Error {
        match WhyNot::closest(causes.iter().cloned()) {
            Some(cause) if !cause.is_taken() => {
                Error::field(self.time_field, cause.message(scope.tenant().words()))
            }
            _ => match self.nearest(scope, start).await {
                Ok(nearest) => Error::SlotTaken { nearest },
                Err(error) => error,
            },
        }
    }

    /// Free starts near one that is taken, with the same services and the same instructor or any. One query.
    pub(crate) async fn nearest(&self, scope: &mut TenantScope, start: Instant) -> Result<Vec<Instant>> {
        let now = scope.now();
        let day = self.zone.date(start);
        let from = day.saturating_sub(NEAREST_DAYS.days());
        let to = day.saturating_add((NEAREST_DAYS + 1).days());
        let slots = self.look(scope, from, to).await?.slots(self, from, to, now);
        Ok(nearest(&slots, start, NEAREST_COUNT))
    }
}

/// Refuses what isn't offered, and keeps those who could give it: the one asked for, or all whom students see.
/// An appointment ends within a day of its begin: calendars count on it.
const LONGEST_MIN: i32 = 1440;

fn check(offer: &mut Offer, ask: &Ask<'_>, words: &Words) -> Result<()> {
    if offer.student.is_none() {
        return Err(Error::NotFound);
    }
    match ask.instructor {
        Some(wanted) => offer.candidates.retain(|candidate| candidate.id == wanted),
        None => offer.candidates.retain(|candidate| candidate.teaches && candidate.public),
    }
    let several = offer.each.len() > 1;
    let instructor_error = match (offer.candidates.first(), ask.instructor) {
        // Who isn't shown to students isn't there for them either.
        (Some(one), Some(_)) if ask.by_student && !one.public => return Err(Error::NotFound),
        (None, Some(_)) => return Err(Error::NotFound),
        (Some(one), _) if !one.teaches && several => {
            Some(format!("{} doesn't teach all of these services.", one.name))
        }
        (Some(one), _) if !one.teaches => Some(format!("{} doesn't teach this service.", one.name)),
        (None, None) if several => {
            Some(format!("No {} teaches all of these services now.", words.instructor))
        }
        (None, None) => Some(format!("No {} teaches this service now.", words.instructor)),
        _ => None,
    };
    if offer.each.first().is_some_and(|service| service.archived) {
        return Err(Error::field("service", "This service is no longer offered. Choose another one."));
    }
    if let Some(gone) = offer.each.iter().find(|service| service.archived) {
        return Err(Error::field("also", format!("{} is no longer offered. Leave it out.", gone.name)));
    }
    if !offer.parts_active {
        return Err(Error::field(
            "service",
            "A part of this combo is no longer offered. Choose another one.",
        ));
    }
    if several && offer.each.iter().any(|service| service.capacity > 1) {
        return Err(Error::field("also", "A service for several is booked by itself."));
    }
    if several && offer.each.iter().any(|service| service.needs_credit) {
        return Err(Error::field("also", "A service for prepaid lessons is booked by itself."));
    }
    if offer.each.iter().any(|service| service.currency != offer.service.currency) {
        return Err(Error::field(
            "also",
            "These services have prices in different currencies. Book them apart.",
        ));
    }
    if several && offer.service.duration_min > LONGEST_MIN {
        return Err(Error::field("also", "Together they take longer than a day. Leave some out."));
    }
    match instructor_error {
        Some(message) => Err(Error::field("instructor", message)),
        None => Ok(()),
    }
}

/// What is known of the time of all concerned.
pub(crate) struct Look {
    found: Diaries,
}

impl Look {
    fn window<'a>(&'a self, plan: &'a Plan, diary: &'a Diary, from: Date, to: Date) -> Window<'a> {
        self.found.window(&plan.zone, plan.rules, &plan.place, diary, from, to)
    }

    /// Who is free for the lesson that begins at `start`, the best first: who has a group lesson with a free seat then,
    /// else who has the fewest lessons that week for their weight (BK-16).
    ///
    /// # Errors
    /// What is against each of them.
    pub(crate) fn at(&self, plan: &Plan, start: Instant, now: Instant) -> Result<Vec<Slot>, Vec<WhyNot>> {
        let day = plan.zone.date(start);
        let monday = day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days());
        let week = Stretch {
            starts_at: plan.zone.day_start(monday),
            ends_at: plan.zone.day_start(monday.saturating_add(7.days())),
        };
        let mut free = Vec::new();
        let mut causes = Vec::new();
        for diary in &self.found.instructors {
            match bookable(&self.window(plan, diary, day, day.saturating_add(1.day())), start, now) {
                Ok(slot) => {
                    let starts = diary.claims.iter().map(|claim| claim.lesson.starts_at);
                    let lessons = starts.filter(|at| week.starts_at <= *at && *at < week.ends_at).count();
                    free.push((slot, lessons as u64, u64::from(diary.weight.max(1).unsigned_abs())));
                }
                Err(cause) => causes.push(cause),
            }
        }
        if free.is_empty() {
            return Err(causes);
        }
        free.sort_unstable_by(|(one, lessons, weight), (other, more, heavier)| {
            // Lessons for each weight, compared without fractions.
            let load = (lessons * heavier).cmp(&(more * weight));
            let joins = one.group.is_none().cmp(&other.group.is_none());
            joins.then(load).then(one.instructor.cmp(&other.instructor))
        });
        Ok(free.into_iter().map(|(slot, ..)| slot).collect())
    }

    /// All free times on some local days, by time, then by instructor.
    pub(crate) fn slots(&self, plan: &Plan, from: Date, to: Date, now: Instant) -> Vec<Slot> {
        let mut slots: Vec<Slot> = self
            .found
            .instructors
            .iter()
            .flat_map(|diary| free_slots(&self.window(plan, diary, from, to), now))
            .collect();
        slots.sort_unstable();
        slots
    }

    /// Free units of all that the lesson that begins at `start` needs.
    pub(crate) fn units(&self, plan: &Plan, start: Instant) -> Option<Vec<Uuid>> {
        pick_units(&self.found.needs, plan.rules.claim(start))
    }
}

#[cfg(test)]
mod tests;
