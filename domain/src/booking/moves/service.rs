//! Operations on the time of lessons.

use serde_json::json;
use uuid::Uuid;

use super::{
    InSeries, MovePlan, MoveRequest, Sheet, View, Wanted, Which,
    look::{self, Asker, Taken},
    store,
};
use crate::{
    Error, FieldErrors, Instant, Result, audit,
    authz::{Action, TenantScope},
    availability::Place,
    booking::{
        Booking,
        cancel::canceller,
        hold, mail,
        policy::{Canceller, Standing},
        service::reached,
        store as bookings, writes,
    },
    identity,
    ids::{BookingId, GroupId, InstructorId},
};

/// Days that a refusal names.
const MOST_NAMED: usize = 5;

/// What a move did.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The lesson that was named, as it is now.
    pub booking: Booking,
    /// How many more of its series were moved with it.
    pub more: usize,
}

/// All that moving a lesson depends on, but for diaries; the lessons are those that `which` means. One query.
pub async fn sheet(scope: &mut TenantScope, named: BookingId, which: Which) -> Result<Sheet> {
    let whose = reached(scope, Action::MoveBooking)?;
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    store::sheet(conn, tenant, named, which, whose, now).await?.ok_or(Error::NotFound)
}

/// Free times, and what a move would do. One query; nothing is saved.
pub async fn view(scope: &mut TenantScope, sheet: &Sheet, wanted: &Wanted) -> Result<View> {
    scope.require(Action::MoveBooking)?;
    let asker = asker(scope);
    let mut found = look::look(scope, sheet, wanted, asker).await?;
    let tenant = scope.tenant();
    let free = look::free(tenant, sheet, wanted, &found, asker);
    let plan = wanted.starts_at.map(|at| look::plan(tenant, sheet, wanted, at, &mut found, asker));
    Ok(View { plan, free })
}

/// What a move would do: every lesson concerned with its new time, and what is against it. Nothing is saved.
pub async fn preview(scope: &mut TenantScope, request: &MoveRequest) -> Result<MovePlan> {
    let sheet = sheet(scope, request.booking, request.which).await?;
    let wanted = request.wanted(scope);
    let view = view(scope, &sheet, &wanted).await?;
    view.plan.ok_or(Error::NotFound)
}

/// The series of a lesson that the actor reaches; none when it has none.
pub async fn in_series(scope: &mut TenantScope, booking: &Booking) -> Result<Option<InSeries>> {
    scope.require(Action::ViewBookings)?;
    let Some((series, _)) = booking.series else {
        return Ok(None);
    };
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    store::series(conn, tenant, series, now).await
}

fn asker(scope: &TenantScope) -> Asker {
    Asker { by: canceller(scope.actor().role), now: scope.now() }
}

impl MoveRequest {
    fn wanted(&self, scope: &TenantScope) -> Wanted {
        Wanted {
            starts_at: Some(self.starts_at),
            instructor: self.instructor,
            day: scope.tenant().zone.date(self.starts_at),
        }
    }

    /// The reason, trimmed and within its limit; the time, and who gives the lesson then.
    fn check(&self, scope: &TenantScope, sheet: &Sheet) -> Result<String> {
        let mut errors = FieldErrors::new();
        let reason = errors.check("reason", identity::text(&self.reason, 1000));
        let named = &sheet.named;
        if self.starts_at.subsec_nanosecond() != 0 || self.starts_at.as_second() % 60 != 0 {
            errors.add(self.time_field, "A lesson begins on a whole minute.");
        } else if self.starts_at == named.starts_at && self.instructor.is_none_or(|id| id == named.instructor)
        {
            errors.add(self.time_field, "It is at that time already.");
        }
        match self.instructor {
            Some(id) if id != named.instructor && asker(scope).by != Canceller::Staff => {
                errors.add("instructor", "Only the school can change who gives it.");
            }
            Some(id) if sheet.teacher(id).is_none() && id != named.instructor => {
                let word = &scope.tenant().words().instructor;
                errors.add(
                    "instructor",
                    format!("This {word} doesn't teach this service. Choose another one."),
                );
            }
            _ => {}
        }
        errors.finish()?;
        Ok(reason.unwrap_or_default())
    }
}

/// Gives a lesson another time, and those of its series that go with it: all of them or none.
pub async fn move_lesson(scope: &mut TenantScope, request: MoveRequest) -> Result<Moved> {
    let whose = reached(scope, Action::MoveBooking)?;
    let asker = asker(scope);
    let (tenant, conn) = scope.conn();
    let ids = store::lock(conn, tenant, request.booking, request.which, whose, asker.now).await?;
    let sheet = sheet(scope, request.booking, request.which).await?;
    let reason = request.check(scope, &sheet)?;
    sheet.named.standing.may_move(asker.by, asker.now).map_err(Error::Conflict)?;
    let wanted = request.wanted(scope);

    // A look without a lock first: those who come too late for a popular time needn't queue for it.
    let mut found = look::look(scope, &sheet, &wanted, asker).await?;
    let plan = look::plan(scope.tenant(), &sheet, &wanted, request.starts_at, &mut found, asker);
    refuse(scope, &plan, request.time_field)?;
    let mut subjects: Vec<Uuid> = plan.lessons.iter().map(|moving| moving.instructor.0).collect();
    subjects.push(sheet.student.0);
    subjects.extend(found.needs.iter().flat_map(|need| need.each.iter().map(|(unit, _)| *unit)));
    let groups: Vec<GroupId> =
        plan.lessons.iter().filter_map(|moving| moving.taken.as_ref()?.slot.group).collect();
    let (tenant, conn) = scope.conn();
    writes::lock_subjects(conn, tenant, &subjects).await?;
    // Whoever removes a person queues for the same lock. A removed instructor has no hours, which a look sees.
    if !bookings::has_student(conn, tenant, sheet.student).await? {
        return Err(Error::NotFound);
    }
    writes::end_holds(conn, tenant, &subjects, &groups, asker.now).await?;
    if asker.by == Canceller::Student {
        // They have chosen something else.
        hold::end_checkout(conn, tenant, sheet.student, asker.now).await?;
    }

    let before = bookings::each(conn, tenant, &ids).await?;
    // All of them leave their times first: lessons of a series may move to where others of it have been.
    writes::unclaim(conn, tenant, &ids, asker.now).await?;
    let mut found = look::look(scope, &sheet, &wanted, asker).await?;
    let plan = look::plan(scope.tenant(), &sheet, &wanted, request.starts_at, &mut found, asker);
    refuse(scope, &plan, request.time_field)?;
    let after = write(scope, &plan, &before, asker).await?;

    tell(scope, request.booking, &before, &after, &reason).await?;
    for (was, is) in before.iter().zip(&after) {
        record(scope, was, is, &reason, asker).await?;
    }
    let more = after.len() - 1;
    let booking = after.into_iter().find(|booking| booking.id == request.booking).ok_or(Error::NotFound)?;
    Ok(Moved { booking, more })
}

/// Refuses a plan with a conflict: of one lesson it is a lost race or a field to mend, of several their days are named.
fn refuse(scope: &TenantScope, plan: &MovePlan, time_field: &str) -> Result<()> {
    let against: Vec<_> =
        plan.lessons.iter().filter_map(|moving| Some((moving, moving.conflict.as_ref()?))).collect();
    let Some((_, conflict)) = against.first() else {
        return Ok(());
    };
    if plan.lessons.len() == 1 {
        return Err(if conflict.taken {
            Error::SlotTaken { nearest: conflict.nearest.clone() }
        } else {
            Error::field(time_field, conflict.message.clone())
        });
    }
    let tenant = scope.tenant();
    let mut named: Vec<String> = against
        .iter()
        .take(MOST_NAMED)
        .map(|(moving, conflict)| {
            let (day, clock) = (tenant.zone.short_day(moving.starts_at), tenant.zone.clock(moving.starts_at));
            format!("{day}, {clock} ({})", conflict.label.to_lowercase())
        })
        .collect();
    if against.len() > MOST_NAMED {
        named.push(format!("{} more", against.len() - MOST_NAMED));
    }
    Err(Error::Conflict(format!(
        "{} of {} {}s can't be moved there: {}. Nothing was moved.",
        against.len(),
        plan.lessons.len(),
        tenant.words().lesson,
        named.join("; ")
    )))
}

/// Writes the new times. The lessons as they are then, in the order of `before`.
async fn write(
    scope: &mut TenantScope,
    plan: &MovePlan,
    before: &[Booking],
    asker: Asker,
) -> Result<Vec<Booking>> {
    let (tenant, conn) = scope.conn();
    for booking in before {
        let moving = plan.lessons.iter().find(|moving| moving.lesson.id == booking.id);
        let taken = moving.and_then(|moving| moving.taken.as_ref()).ok_or(Error::NotFound)?;
        let place = place(taken, booking.id);
        if !writes::swap(conn, tenant, booking, taken.slot, &taken.units, &place, asker.now).await? {
            // Someone took the time without queueing for it. What was written goes with the transaction.
            return Err(Error::SlotTaken { nearest: Vec::new() });
        }
    }
    let ids: Vec<BookingId> = before.iter().map(|booking| booking.id).collect();
    store::note_moved(conn, tenant, &ids, asker.by == Canceller::Student).await?;
    bookings::each(conn, tenant, &ids).await
}

/// The place as claims keep it: what hasn't been said yet is one of its own, so that there is time to travel.
fn place(taken: &Taken, booking: BookingId) -> String {
    match &taken.place {
        Place::Nowhere => String::new(),
        Place::Unknown => format!("?{booking}"),
        Place::At(key) => key.clone(),
    }
}

/// Writes to the student, and to those who gave the lessons or give them now, once each.
async fn tell(
    scope: &mut TenantScope,
    named: BookingId,
    before: &[Booking],
    after: &[Booking],
    reason: &str,
) -> Result<()> {
    let mut moved: Vec<Booking> = after.to_vec();
    moved.sort_by_key(|booking| (booking.id != named, booking.starts_at));
    let was: Option<(Instant, Instant)> =
        before.iter().find(|booking| booking.id == named).map(|booking| (booking.starts_at, booking.ends_at));
    let (Some(first), Some(was)) = (moved.first(), was) else {
        return Ok(());
    };
    let mut instructors: Vec<InstructorId> =
        before.iter().chain(after).map(|booking| booking.instructor).collect();
    instructors.sort_unstable();
    instructors.dedup();
    let (tenant, conn) = scope.conn();
    let (student, _) = bookings::addresses(conn, tenant, first.student, first.instructor).await?;
    let instructors = store::emails(conn, tenant, &instructors).await?;
    mail::moved(scope, &moved, was, reason, student.as_deref(), &instructors).await
}

/// Audits one moved lesson. Where the school moves what its student could not move any more, it says so.
async fn record(
    scope: &mut TenantScope,
    was: &Booking,
    is: &Booking,
    reason: &str,
    asker: Asker,
) -> Result<()> {
    let json = |booking: &Booking| {
        json!({
            "starts_at": booking.starts_at, "ends_at": booking.ends_at, "instructor": booking.instructor,
        })
    };
    let mut after = json(is);
    if asker.by != Canceller::Student && Standing::from(was).keeps_terms(asker.now).is_err() {
        after["override"] = json!(true);
    }
    let entry = audit::Entry {
        action: Action::MoveBooking.as_str(),
        entity: "booking",
        entity_id: Some(was.id.0),
        before: Some(json(was)),
        after: Some(after),
        reason: (!reason.is_empty()).then_some(reason),
    };
    audit::record(scope, entry).await
}
