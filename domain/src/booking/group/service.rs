//! Planning group lessons, calling them off, and reading who comes.

use jiff::{ToSpan, civil::Date};
use serde_json::json;

use super::{Attendee, GroupLesson, may_close, store};
use crate::{
    Error, FieldErrors, Instant, Result, audit,
    authz::{Action, Reach, TenantScope},
    availability::{
        Place, Rules, Slot, Stretch, WhyNot, bookable, free_slots, nearest, pick_units,
        service::around,
        store::{Asked, Diaries, Ignore, diaries},
    },
    booking::{
        local_time,
        store::Choice,
        writes::{self, Claims, Owner},
    },
    ids::{GroupId, InstructorId, ServiceId},
    tenancy::parse_reason,
};

/// How far ahead one can be planned.
pub(super) const HORIZON_DAYS: i32 = 730;
/// How far around a taken time other ones are looked for, in days.
const NEAREST_DAYS: i64 = 14;
/// How many of them are offered.
const NEAREST_COUNT: usize = 3;

/// What the form offers.
#[derive(Clone, Debug)]
pub struct GroupChoices {
    /// Active services for several, by name.
    pub services: Vec<Choice>,
    /// Who can give it, by name.
    pub instructors: Vec<Choice>,
}

/// The form as it was typed.
#[derive(Clone, Debug, Default)]
pub struct TypedGroup {
    /// An id.
    pub service: String,
    /// An id; an instructor may leave it empty.
    pub instructor: String,
    /// A local day.
    pub date: String,
    /// A local time.
    pub time: String,
    /// `first` or `second`, of a time that the clock shows twice.
    pub clock: String,
}

/// The form, checked as far as it goes without looking anything up.
#[derive(Clone, Copy)]
struct Wanted {
    service: ServiceId,
    instructor: InstructorId,
    starts_at: Instant,
}

impl TypedGroup {
    fn check(&self, scope: &TenantScope, own: Option<InstructorId>) -> Result<Wanted> {
        let mut errors = FieldErrors::new();
        let (service, instructor) = (self.service.trim(), self.instructor.trim());
        if service.is_empty() {
            errors.add("service", "Choose a service.");
        }
        if instructor.is_empty() && own.is_none() {
            errors.add("instructor", "Choose who gives it.");
        }
        let zone = &scope.tenant().zone;
        let starts_at = errors.take(local_time(zone, &self.date, &self.time, &self.clock))?;
        errors.finish()?;
        let named = match own {
            Some(own) if instructor.is_empty() => own,
            _ => instructor.parse().map_err(|_| Error::NotFound)?,
        };
        // An instructor plans their own time; another's isn't there for them.
        if own.is_some_and(|own| own != named) {
            return Err(Error::NotFound);
        }
        Ok(Wanted {
            service: service.parse().map_err(|_| Error::NotFound)?,
            instructor: named,
            starts_at: starts_at.ok_or(Error::NotFound)?,
        })
    }
}

/// The instructor whose group lessons the actor reaches alone; none for all of the school's.
fn own(scope: &TenantScope) -> Result<Option<InstructorId>> {
    match scope.require(Action::OpenGroup)? {
        Reach::All => Ok(None),
        _ => scope.actor().instructor().map(Some).ok_or(Error::NotFound),
    }
}

/// What the form offers: to an instructor, what they teach.
pub async fn choices(scope: &mut TenantScope) -> Result<GroupChoices> {
    let own = own(scope)?;
    let (tenant, conn) = scope.conn();
    store::choices(conn, tenant, own).await
}

/// A group lesson and who comes to it, by name.
pub async fn one(scope: &mut TenantScope, id: GroupId) -> Result<(GroupLesson, Vec<Attendee>)> {
    let own = own(scope)?;
    let (tenant, conn) = scope.conn();
    let found = store::find(conn, tenant, id).await?.ok_or(Error::NotFound)?;
    if own.is_none_or(|own| own == found.0.instructor) { Ok(found) } else { Err(Error::NotFound) }
}

/// Plans a lesson for several that nobody has booked yet.
pub async fn open(scope: &mut TenantScope, typed: &TypedGroup) -> Result<GroupLesson> {
    let wanted = typed.check(scope, own(scope)?)?;
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    let named =
        store::named(conn, tenant, wanted.service, wanted.instructor).await?.ok_or(Error::NotFound)?;
    let plan = Plan::new(scope, wanted, named)?;

    let (from, to) = plan.day(scope);
    let found = plan.look(scope, from, to).await?;
    let mut subjects = vec![wanted.instructor.0];
    subjects.extend(found.needs.iter().flat_map(|need| need.each.iter().map(|(unit, _)| *unit)));
    let (tenant, conn) = scope.conn();
    writes::lock_subjects(conn, tenant, &subjects).await?;
    writes::end_holds(conn, tenant, &subjects, &[], now).await?;
    let found = plan.look(scope, from, to).await?;
    if let Err(cause) = plan.fits(scope, &found) {
        return Err(plan.refusal(scope, &cause).await);
    }
    let claim = plan.rules.claim(wanted.starts_at);
    let Some(units) = pick_units(&found.needs, claim) else {
        return Err(Error::SlotTaken { nearest: plan.nearest(scope).await? });
    };

    let group = plan.group(now);
    let (tenant, conn) = scope.conn();
    let claims = Claims {
        owner: Owner::Group(group.id),
        instructor: Some(group.instructor),
        student: None,
        units: &units,
        lesson: plan.rules.lesson(wanted.starts_at),
        claim,
        place: "",
    };
    let opened =
        store::insert(conn, tenant, &group, now).await? && writes::claim(conn, tenant, claims, now).await?;
    if !opened {
        // Someone took the time without queueing for it. What was written goes with the transaction; for the look at
        // other times it must be out of the way.
        store::set_cancelled(conn, tenant, group.id, now).await?;
        return Err(Error::SlotTaken { nearest: plan.nearest(scope).await? });
    }
    // Its seats are free: some may wait for just that.
    writes::freed(conn, tenant, Stretch { starts_at: group.starts_at, ends_at: group.ends_at }, now).await?;
    let entry = audit::Entry {
        action: Action::OpenGroup.as_str(),
        entity: "group_lesson",
        entity_id: Some(group.id.0),
        before: None,
        after: Some(json!({
            "service": group.service, "instructor": group.instructor, "starts_at": group.starts_at,
            "ends_at": group.ends_at, "capacity": group.capacity,
        })),
        reason: None,
    };
    audit::record(scope, entry).await?;
    Ok(group)
}

/// A group lesson that is to be, and what it asks of a time.
struct Plan {
    wanted: Wanted,
    rules: Rules,
    service_name: String,
    colour: Option<String>,
    instructor_name: String,
}

impl Plan {
    fn new(scope: &TenantScope, wanted: Wanted, named: store::Named) -> Result<Self> {
        let instructor_name = named.instructor_name.ok_or(Error::NotFound)?;
        let mut errors = FieldErrors::new();
        if named.archived {
            errors.add("service", "This service is no longer offered. Choose another one.");
        }
        if named.rules.capacity <= 1 {
            errors.add("service", "This service is for one. Choose one with more seats.");
        }
        if !named.teaches {
            errors.add("instructor", format!("{instructor_name} doesn't teach this service."));
        }
        // What has passed or lies far off needs no look at a diary.
        let tenant = scope.tenant();
        if let Err(cause) = named.rules.in_time(&tenant.zone, wanted.starts_at, scope.now()) {
            errors.add("time", cause.message(tenant.words()));
        }
        errors.finish()?;
        Ok(Self {
            wanted,
            rules: named.rules,
            service_name: named.service_name,
            colour: named.colour,
            instructor_name,
        })
    }

    /// Its local day, and the one after.
    fn day(&self, scope: &TenantScope) -> (Date, Date) {
        let day = scope.tenant().zone.date(self.wanted.starts_at);
        (day, day.saturating_add(1.days()))
    }

    /// The instructor's time and the resources' on some days.
    async fn look(&self, scope: &mut TenantScope, from: Date, to: Date) -> Result<Diaries> {
        let (now, ignore) = (scope.now(), Ignore::default());
        let within = self.rules.reach(around(&scope.tenant().zone, from, to));
        let asked = Asked {
            service: self.wanted.service,
            also: &[],
            instructors: &[self.wanted.instructor],
            student: None,
            within,
            now,
            ignore: &ignore,
        };
        let (tenant, conn) = scope.conn();
        diaries(conn, tenant, asked).await
    }

    /// Whether its time is free.
    fn fits(&self, scope: &TenantScope, found: &Diaries) -> Result<(), WhyNot> {
        let (from, to) = self.day(scope);
        let zone = &scope.tenant().zone;
        let diary = found.instructors.first().ok_or(WhyNot::OutsideHours)?;
        let window = found.window(zone, self.rules, &Place::Nowhere, diary, from, to);
        match bookable(&window, self.wanted.starts_at, scope.now()) {
            // One of the same service is there, with seats or without.
            Ok(Slot { group: Some(_), .. }) | Err(WhyNot::GroupFull) => Err(WhyNot::GroupFull),
            Ok(_) => Ok(()),
            Err(cause) => Err(cause),
        }
    }

    /// The answer when its time isn't free: other times when something is in the way, else the cause.
    async fn refusal(&self, scope: &mut TenantScope, cause: &WhyNot) -> Error {
        let words = scope.tenant().words();
        match cause {
            WhyNot::GroupFull => {
                let message = format!("This group {} is planned for that time already.", words.lesson);
                Error::field("time", message)
            }
            cause if cause.is_taken() => match self.nearest(scope).await {
                Ok(nearest) => Error::SlotTaken { nearest },
                Err(error) => error,
            },
            cause => Error::field("time", cause.message(words)),
        }
    }

    /// Free starts near the one that is taken.
    async fn nearest(&self, scope: &mut TenantScope) -> Result<Vec<Instant>> {
        let (zone, now) = (scope.tenant().zone.clone(), scope.now());
        let day = zone.date(self.wanted.starts_at);
        let from = day.saturating_sub(NEAREST_DAYS.days());
        let to = day.saturating_add((NEAREST_DAYS + 1).days());
        let found = self.look(scope, from, to).await?;
        let mut slots = Vec::new();
        for diary in &found.instructors {
            let window = found.window(&zone, self.rules, &Place::Nowhere, diary, from, to);
            slots.extend(free_slots(&window, now).into_iter().filter(|slot| slot.group.is_none()));
        }
        Ok(nearest(&slots, self.wanted.starts_at, NEAREST_COUNT))
    }

    /// The group lesson as it will be stored.
    fn group(&self, now: Instant) -> GroupLesson {
        let lesson = self.rules.lesson(self.wanted.starts_at);
        GroupLesson {
            id: GroupId::new(now),
            service: self.wanted.service,
            service_name: self.service_name.clone(),
            colour: self.colour.clone(),
            instructor: self.wanted.instructor,
            instructor_name: self.instructor_name.clone(),
            starts_at: lesson.starts_at,
            ends_at: lesson.ends_at,
            capacity: self.rules.capacity,
            taken: 0,
            waiting: 0,
            cancelled_at: None,
        }
    }
}

/// Calls off a group lesson that nobody is in.
pub async fn close(scope: &mut TenantScope, id: GroupId, reason: &str) -> Result<GroupLesson> {
    let own = own(scope)?;
    let (tenant, conn) = scope.conn();
    let instructor = store::instructor(conn, tenant, id).await?.ok_or(Error::NotFound)?;
    if own.is_some_and(|own| own != instructor) {
        return Err(Error::NotFound);
    }
    let reason = parse_reason(reason)?;
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    // Whoever books a seat queues for its instructor too.
    writes::lock_subjects(conn, tenant, &[instructor.0]).await?;
    writes::end_holds(conn, tenant, &[instructor.0], &[id], now).await?;
    store::lock(conn, tenant, id).await?;
    let (mut group, attendees) = store::find(conn, tenant, id).await?.ok_or(Error::NotFound)?;
    may_close(&group, attendees.len(), &scope.tenant().words().lesson, now).map_err(Error::Conflict)?;
    let (tenant, conn) = scope.conn();
    store::set_cancelled(conn, tenant, id, now).await?;
    writes::freed(conn, tenant, Stretch { starts_at: group.starts_at, ends_at: group.ends_at }, now).await?;
    group.cancelled_at = Some(now);
    let entry = audit::Entry {
        action: Action::OpenGroup.as_str(),
        entity: "group_lesson",
        entity_id: Some(id.0),
        before: Some(json!({ "cancelled_at": null })),
        after: Some(json!({ "cancelled_at": now })),
        reason: Some(&reason),
    };
    audit::record(scope, entry).await?;
    Ok(group)
}
