//! Time that is kept for someone for a while: during checkout (BK-10), and as an offer of the waiting list (BK-09). A
//! hold makes the claims of the lesson that it may become, so nobody else gets that time; when it is over they count
//! for nothing, whether anyone has cleared them away yet or not.
//!
//! Holds aren't audited: nothing is decided by keeping a time for some minutes, students do it with each look at a
//! time, and each would make a link in the school's chain. The lesson that comes of one is audited, and the row of the
//! hold stays.

mod store;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

pub(super) use self::store::{checkout, end_checkout, spend};
use super::{
    create::whole_minute,
    plan::{Ask, Plan},
    writes,
};
use crate::{
    Error, Instant, Result,
    authz::{Action, TenantScope},
    availability::store::Ignore,
    ids::{HoldId, InstructorId, ServiceId},
};

/// How long a time is kept during checkout.
pub const HOLD_MINUTES: i64 = 5;

/// What a time is kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The student is about to book it. One at a time.
    Checkout,
    /// The waiting list offers it.
    Offer,
}

impl Kind {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Offer => "offer",
        }
    }

    /// From the database.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Checkout, Self::Offer].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Time that is kept for a student.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Id.
    pub id: HoldId,
    /// What would be booked; the first of several.
    pub service: ServiceId,
    /// The other ones.
    pub also: Vec<ServiceId>,
    /// With whom.
    pub instructor: InstructorId,
    /// Their name.
    pub instructor_name: String,
    /// Start of the lesson.
    pub starts_at: Instant,
    /// Its end.
    pub ends_at: Instant,
    /// From then on it is free for others.
    pub expires_at: Instant,
    /// What for.
    pub kind: Kind,
}

/// A time to keep.
#[derive(Clone, Debug)]
pub struct HoldRequest {
    /// What.
    pub service: ServiceId,
    /// Further services of the same appointment.
    pub also: Vec<ServiceId>,
    /// With whom; none for any.
    pub instructor: Option<InstructorId>,
    /// When it begins.
    pub starts_at: Instant,
}

/// Keeps a time for the student who acts, for five minutes. What they kept before is free then; asked again for the same
/// time, they have what they have.
///
/// # Errors
/// As for booking.
pub async fn hold(scope: &mut TenantScope, request: &HoldRequest) -> Result<Hold> {
    scope.require(Action::BookLesson)?;
    let student = scope.actor().student().ok_or(Error::NotFound)?;
    whole_minute(request.starts_at).map_err(|message| Error::field("starts_at", message))?;
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    let earlier = checkout(conn, tenant, student, None).await?;
    let ask = Ask {
        service: request.service,
        also: &request.also,
        instructor: request.instructor,
        student,
        by_student: true,
        pickup: "",
        time_field: "starts_at",
        ignore: Ignore { hold: earlier.as_ref().map(|kept| kept.hold.id), ..Ignore::default() },
    };
    let mut plan = Plan::new(scope, ask).await?;
    plan.ends_checkout = true;
    if let Some(kept) = earlier {
        if kept.is_for(request, now) {
            return Ok(kept.hold);
        }
        plan.ends_seat = kept.group.is_some();
    }
    let until = now + SignedDuration::from_mins(HOLD_MINUTES);
    place(scope, &plan, request.starts_at, Kind::Checkout, until).await
}

/// Keeps a time for the student of a plan.
///
/// # Errors
/// As for booking.
pub(crate) async fn place(
    scope: &mut TenantScope,
    plan: &Plan,
    start: Instant,
    kind: Kind,
    until: Instant,
) -> Result<Hold> {
    let (slot, units) = plan.choose(scope, start).await?;
    let now = scope.now();
    let hold = Hold {
        id: HoldId::new(now),
        service: plan.offer.service.id,
        also: plan.also.clone(),
        instructor: slot.instructor,
        instructor_name: plan.candidate(slot.instructor)?.name.clone(),
        starts_at: slot.starts_at,
        ends_at: slot.ends_at,
        expires_at: until,
        kind,
    };
    let (tenant, conn) = scope.conn();
    if !store::insert(conn, tenant, plan, &hold, slot, &units, now).await? {
        // Someone took the time without queueing for it. What was written goes with the transaction; for the look at
        // other times it must be out of the way.
        writes::stop_holds(conn, tenant, &[hold.id.0], "released", now).await?;
        return Err(Error::SlotTaken { nearest: plan.nearest(scope, start).await? });
    }
    Ok(hold)
}

/// A time that is kept for the student who acts, whatever for.
///
/// # Errors
/// [`Error::NotFound`] when it isn't theirs, [`Error::Conflict`] when it is over.
pub async fn mine(scope: &mut TenantScope, id: HoldId) -> Result<Hold> {
    scope.require(Action::BookLesson)?;
    let student = scope.actor().student().ok_or(Error::NotFound)?;
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    let kept = store::find(conn, tenant, student, id).await?.ok_or(Error::NotFound)?;
    if kept.active && kept.hold.expires_at > now {
        Ok(kept.hold)
    } else {
        Err(Error::Conflict("This time is no longer kept for you. Choose a time again.".into()))
    }
}

/// Frees what the student who acts keeps during checkout; says what it was. When it is over already, that is all right.
///
/// # Errors
/// [`Error::NotFound`] when it isn't theirs.
pub async fn release(scope: &mut TenantScope, id: HoldId) -> Result<Hold> {
    scope.require(Action::BookLesson)?;
    let student = scope.actor().student().ok_or(Error::NotFound)?;
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    let kept = store::find(conn, tenant, student, id)
        .await?
        .filter(|kept| kept.hold.kind == Kind::Checkout)
        .ok_or(Error::NotFound)?;
    writes::stop_holds(conn, tenant, &[id.0], "released", now).await?;
    Ok(kept.hold)
}

/// Ends all holds of the school that are over. Answers those, and offers that someone ended before who wanted the time,
/// as long as the waiting list still has them for offered.
pub(crate) async fn expire(scope: &mut TenantScope) -> Result<Vec<Hold>> {
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    let over = store::due(conn, tenant, now).await?;
    writes::stop_holds(conn, tenant, &over, "expired", now).await?;
    // The version before this one leaves an empty group lesson where its last lesson was cancelled.
    let empty = store::empty_groups(conn, tenant, now).await?;
    writes::free_groups(conn, tenant, &empty, now).await?;
    store::expired(conn, tenant, &over).await
}
