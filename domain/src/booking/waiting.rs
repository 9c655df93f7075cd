//! The waiting list (BK-09): who would like a day or a time that isn't free. When something of it becomes free, it is kept
//! for the first who waits, and offered to them for a while.

mod offers;
mod store;

use jiff::{SignedDuration, civil::Date};
use serde_json::{Value, json};

pub use offers::{AcceptRequest, OfferState, OfferView, accept, decline, view_offer};
pub(super) use offers::{make_offer, next_look};
pub(super) use store::{due, lapse, put_off};

use super::{
    local_time,
    plan::{Ask, Plan},
    staff::student_named,
    writes,
};
use crate::{
    Error, FieldErrors, Instant, Result,
    audit::{self, Entry},
    authz::{Action, Reach, TenantScope},
    availability::{Rules, Stretch, WhyNot, store::Ignore},
    identity,
    ids::{HoldId, InstructorId, ServiceId, StudentId, WaitId},
    paging::{ListQuery, Page},
    zoned::Zone,
};

/// Entries that a student can have open at once.
const MOST_OPEN: i64 = 10;
/// Rows a page at most.
const PAGE: u32 = 50;
/// How long the window of one wished time is: starts lie on whole minutes.
const ONE_TIME: SignedDuration = SignedDuration::from_mins(1);

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing has become free yet.
    Waiting,
    /// Something is kept for the student.
    Offered,
    /// Which was taken.
    Accepted,
    /// The student no longer wants it.
    Left,
    /// Nothing became free in time, or the offer wasn't answered.
    Expired,
}

impl State {
    /// All, in the order of an entry's life.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Offered, Self::Accepted, Self::Left, Self::Expired];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::Left => "left",
            Self::Expired => "expired",
        }
    }

    /// From the database.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What someone waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waited {
    /// Id.
    pub id: WaitId,
    /// Who waits.
    pub student: StudentId,
    /// Their name.
    pub student_name: String,
    /// The service's name.
    pub service_name: String,
    /// With whom; none for any.
    pub instructor_name: Option<String>,
    /// The lesson would begin from then on,
    pub from_at: Instant,
    /// and before that.
    pub to_at: Instant,
}

impl Waited {
    /// Whether it is one wished time, not a day.
    pub fn is_one_time(&self) -> bool {
        self.to_at.duration_since(self.from_at) <= ONE_TIME
    }

    /// "Tue 30 Mar, 16:00" of one time, "Tue 30 Mar" of a day.
    pub fn when(&self, zone: &Zone) -> String {
        let day = zone.short_day(self.from_at);
        if self.is_one_time() { format!("{day}, {}", zone.clock(self.from_at)) } else { day }
    }
}

/// A row of the waiting list.
#[derive(Clone, Debug)]
pub struct WaitingRow {
    /// What is waited for.
    pub waited: Waited,
    /// Where it stands: waiting or offered.
    pub state: State,
    /// Since when.
    pub since: Instant,
    /// Place in the row of those who wait for the same: 1 is the first.
    pub position: i64,
    /// What is kept for the student.
    pub offer: Option<OfferedTime>,
}

/// A time that is kept for someone who waited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedTime {
    /// What keeps it.
    pub hold: HoldId,
    /// Start.
    pub starts_at: Instant,
    /// End.
    pub ends_at: Instant,
    /// With whom.
    pub instructor_name: String,
    /// For how long it is kept.
    pub until: Instant,
}

/// A form to join the list, as typed.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// By staff: an id, an e-mail address or a name. Students wait for themselves.
    pub student: String,
    /// An id.
    pub service: String,
    /// An id, or `any`.
    pub instructor: String,
    /// A local day.
    pub date: String,
    /// A local time; empty for any time of the day.
    pub time: String,
    /// Where to pick the student up.
    pub pickup: String,
    /// What the instructor should know.
    pub note: String,
}

/// What a form says, as far as it shows without looking anything up.
struct Wanted {
    service: ServiceId,
    instructor: Option<InstructorId>,
    when: When,
    student: String,
    pickup: String,
    note: String,
}

/// A day, or a time.
#[derive(Clone, Copy, Debug)]
enum When {
    Day(Date),
    Time(Instant),
}

impl Typed {
    fn check(&self, zone: &Zone, by_staff: bool) -> Result<Wanted> {
        let mut errors = FieldErrors::new();
        if by_staff && self.student.trim().is_empty() {
            errors.add("student", "Say who it is for: a name or an e-mail address.");
        }
        if self.service.trim().is_empty() {
            errors.add("service", "Choose a service.");
        }
        if self.instructor.trim().is_empty() {
            errors.add("instructor", "Choose who gives it, or any.");
        }
        let when = if self.time.trim().is_empty() {
            let day = self.date.trim().parse::<Date>().map_err(|_| "Choose a day.");
            errors.check("date", day).map(When::Day)
        } else {
            // Of a time that the clock shows twice the first will do.
            errors.take(local_time(zone, &self.date, &self.time, "first"))?.map(When::Time)
        };
        let student = errors.check("student", identity::text(&self.student, 320));
        let pickup = errors.check("pickup", identity::text(&self.pickup, 300));
        let note = errors.check("note", identity::text(&self.note, 10_000));
        errors.finish()?;
        Ok(Wanted {
            service: self.service.trim().parse().map_err(|_| Error::NotFound)?,
            instructor: match self.instructor.trim() {
                "any" => None,
                id => Some(id.parse().map_err(|_| Error::NotFound)?),
            },
            when: when.ok_or(Error::NotFound)?,
            student: student.unwrap_or_default(),
            pickup: pickup.unwrap_or_default(),
            note: note.unwrap_or_default(),
        })
    }
}

impl When {
    /// When the lesson may begin, as far as the service lets it.
    ///
    /// # Errors
    /// Why it can't, and the field that says so.
    fn window(self, zone: &Zone, rules: Rules, now: Instant) -> Result<Stretch, (&'static str, WhyNot)> {
        match self {
            Self::Time(start) => {
                rules.in_time(zone, start, now).map_err(|cause| ("time", cause))?;
                let ends_at = start.checked_add(ONE_TIME).unwrap_or(Instant::MAX);
                Ok(Stretch { starts_at: start, ends_at })
            }
            Self::Day(day) => {
                let ends_at = zone.day_start(day.tomorrow().unwrap_or(day));
                let notice = SignedDuration::from_mins(i64::from(rules.notice_min.max(0)));
                let earliest = now.checked_add(notice).unwrap_or(Instant::MAX);
                let starts_at = zone.day_start(day).max(earliest);
                if ends_at <= now {
                    return Err(("date", WhyNot::Past));
                }
                rules.in_time(zone, starts_at, now).map_err(|cause| ("date", cause))?;
                if ends_at <= starts_at {
                    return Err(("date", WhyNot::TooSoon(rules.notice_min)));
                }
                Ok(Stretch { starts_at, ends_at })
            }
        }
    }
}

/// The student whose entries the actor reaches alone; none for all of the school's.
fn own(scope: &TenantScope, action: Action) -> Result<Option<StudentId>> {
    match scope.require(action)? {
        Reach::All => Ok(None),
        _ => scope.actor().student().map(Some).ok_or(Error::NotFound),
    }
}

/// Puts a student on the list: themselves, or by staff. It is looked at soon, so that nobody waits for what is free.
///
/// # Errors
/// Field errors; [`Error::Conflict`] when they wait for it already, or for too much.
pub async fn join(scope: &mut TenantScope, typed: &Typed) -> Result<Waited> {
    let own = own(scope, Action::JoinWaitingList)?;
    let wanted = typed.check(&scope.tenant().zone, own.is_none())?;
    let student = match own {
        Some(student) => student,
        None => student_named(scope, &wanted.student).await?,
    };
    let plan = named(scope, &wanted, student, own.is_none()).await?;
    let tenant = scope.tenant();
    let window = wanted
        .when
        .window(&tenant.zone, plan.rules, scope.now())
        .map_err(|(field, cause)| Error::field(field, cause.message(tenant.words())))?;
    let waited = Waited {
        id: WaitId::new(scope.now()),
        student,
        student_name: plan.offer.student.as_ref().map(|student| student.name.clone()).unwrap_or_default(),
        service_name: plan.offer.service.name.clone(),
        instructor_name: match wanted.instructor {
            Some(id) => Some(plan.candidate(id)?.name.clone()),
            None => None,
        },
        from_at: window.starts_at,
        to_at: window.ends_at,
    };
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    // Entries of a student are counted by one at a time.
    writes::lock_subjects(conn, tenant, &[student.0]).await?;
    let open = store::open(conn, tenant, student, wanted.service, window, now).await?;
    let new = store::New {
        waited: &waited,
        service: wanted.service,
        instructor: wanted.instructor,
        pickup: &wanted.pickup,
        note: &wanted.note,
    };
    if open.passed && own.is_some() {
        // Else the list would keep a time for as long as one likes to ask.
        return Err(Error::Conflict(
            "You let an offer for this time pass. Book it here when it is free, or ask the school.".into(),
        ));
    }
    if !open.same && open.count >= MOST_OPEN {
        let message =
            format!("At most {MOST_OPEN} times can be waited for at once. Leave one of them first.");
        return Err(Error::Conflict(message));
    }
    if open.same || !store::insert(conn, tenant, new, now).await? {
        let who = if own.is_some() { "You are" } else { "They are" };
        return Err(Error::Conflict(format!("{who} on the waiting list for this already.")));
    }
    // Who has waited longer for the same is looked at before.
    store::look_again(conn, tenant, wanted.service, window, now).await?;
    let after = json!({
        "state": State::Waiting.as_str(), "service": wanted.service, "instructor": wanted.instructor,
        "student": student, "from_at": waited.from_at, "to_at": waited.to_at,
    });
    record(scope, waited.id, None, after).await?;
    Ok(waited)
}

/// What is waited for, found and allowed as the student's own booking would be: offers are made on these terms.
async fn named(scope: &mut TenantScope, wanted: &Wanted, student: StudentId, by_staff: bool) -> Result<Plan> {
    let ask = |by_student: bool| Ask {
        service: wanted.service,
        also: &[],
        instructor: wanted.instructor,
        student,
        by_student,
        pickup: &wanted.pickup,
        time_field: "time",
        ignore: Ignore::default(),
    };
    match Plan::new(scope, ask(true)).await {
        // Staff see instructors whom students don't.
        Err(Error::NotFound) if by_staff && wanted.instructor.is_some() => {
            Plan::new(scope, ask(false)).await?;
            let words = scope.tenant().words();
            let message = format!(
                "This {} isn't shown to {}s yet. Choose another one, or any.",
                words.instructor, words.student
            );
            Err(Error::field("instructor", message))
        }
        other => other,
    }
}

/// Takes an entry off the list; what was kept for it goes to the next.
///
/// # Errors
/// [`Error::NotFound`] when it isn't theirs, [`Error::Conflict`] when it is over.
pub async fn leave(scope: &mut TenantScope, id: WaitId) -> Result<Waited> {
    let own = own(scope, Action::JoinWaitingList)?;
    let (tenant, conn) = scope.conn();
    let entry = store::find(conn, tenant, id).await?.ok_or(Error::NotFound)?;
    if own.is_some_and(|own| own != entry.waited.student) {
        return Err(Error::NotFound);
    }
    match (entry.state, entry.hold) {
        (State::Waiting, _) => {
            let left = store::set_state(conn, tenant, id, State::Waiting, State::Left).await?;
            if !left {
                return Err(Error::Conflict("It has just become free. Look at the offer.".into()));
            }
            let before = json!({ "state": State::Waiting.as_str() });
            record(scope, id, Some(before), json!({ "state": State::Left.as_str() })).await?;
        }
        (State::Offered, Some(hold)) => {
            decline(scope, hold).await?;
        }
        (State::Accepted, _) => return Err(Error::Conflict("It has been taken already.".into())),
        _ => return Err(Error::Conflict("It is off the waiting list already.".into())),
    }
    Ok(entry.waited)
}

/// A page of the list, those that end soonest first: a student's own entries, or all of the school.
pub async fn list(scope: &mut TenantScope, query: &ListQuery) -> Result<Page<WaitingRow>> {
    let own = own(scope, Action::ViewWaitingList)?;
    let query = ListQuery { page_size: query.page_size.min(PAGE), ..query.clone() };
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    let (items, total) = store::list(conn, tenant, own, &query, now).await?;
    Ok(Page::new(items, total, &query))
}

/// Audits what was done to an entry.
async fn record(scope: &mut TenantScope, id: WaitId, before: Option<Value>, after: Value) -> Result<()> {
    audit::record(scope, entry(id, before, after)).await
}

fn entry(id: WaitId, before: Option<Value>, after: Value) -> Entry<'static> {
    Entry {
        action: Action::JoinWaitingList.as_str(),
        entity: "waiting_list",
        entity_id: Some(id.0),
        before,
        after: Some(after),
        reason: None,
    }
}

#[cfg(test)]
mod tests;
