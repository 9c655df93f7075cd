//! Many lessons taken one step further at once (BK-13), each as it would be alone.

use uuid::Uuid;

use super::{
    cancel::{CancelRequest, cancel},
    moves::Which,
    service::{self, reached},
};
use crate::{
    Error, Instant, Result,
    authz::{Action, TenantScope},
    identity,
    ids::BookingId,
};

/// Lessons at once at most.
pub const MOST: usize = 100;

/// What becomes of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// They are approved.
    Approve,
    /// They took place.
    Complete,
    /// Their students didn't come.
    NoShow,
    /// They are cancelled, for this reason.
    Cancel(String),
}

impl Step {
    /// As forms have them, and what they are called there.
    pub const CHOICES: [(&str, &str); 4] =
        [("approve", "Approve"), ("complete", "Complete"), ("no_show", "No-show"), ("cancel", "Cancel")];

    /// From a form; `reason` is why lessons are cancelled.
    ///
    /// # Errors
    /// A message beside `step` or `reason`.
    pub fn parse(step: &str, reason: &str) -> Result<Self> {
        match step {
            "approve" => Ok(Self::Approve),
            "complete" => Ok(Self::Complete),
            "no_show" => Ok(Self::NoShow),
            "cancel" => {
                let reason =
                    identity::text(reason, 1000).map_err(|message| Error::field("reason", message))?;
                if reason.is_empty() {
                    return Err(Error::field("reason", "Say why, so that everyone knows."));
                }
                Ok(Self::Cancel(reason))
            }
            _ => Err(Error::field("step", "Choose what to do with them.")),
        }
    }

    /// What has happened to a lesson then, in a sentence.
    pub fn done(&self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Complete => "completed",
            Self::NoShow => "marked as no-show",
            Self::Cancel(_) => "cancelled",
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct BulkDone {
    /// How many lessons were changed.
    pub done: usize,
    /// Those that stay as they are: when they are, and why.
    pub refused: Vec<(BookingId, String)>,
}

/// Takes lessons one step further, each by the rules of the single step. One that can't be is left as it is and named.
pub async fn bulk(scope: &mut TenantScope, mut ids: Vec<BookingId>, step: &Step) -> Result<BulkDone> {
    reached(scope, Action::BulkStatus)?;
    // In the order in which everyone locks them.
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        let message = format!("Choose at least one {}.", scope.tenant().words().lesson);
        return Err(Error::field("bookings", message));
    }
    if ids.len() > MOST {
        return Err(Error::field("bookings", format!("Choose at most {MOST} at once.")));
    }
    let mut lessons = lock(scope, &ids).await?;
    if lessons.len() < ids.len() {
        return Err(Error::NotFound);
    }
    lessons.sort_unstable();
    let mut all = BulkDone::default();
    for (starts_at, id) in lessons {
        match alone(scope, id, step).await? {
            None => all.done += 1,
            Some(why) => {
                let zone = &scope.tenant().zone;
                let when = format!("{}, {}", zone.short_day(starts_at), zone.clock(starts_at));
                all.refused.push((id, format!("{when}: {why}")));
            }
        }
    }
    Ok(all)
}

/// One lesson, or why it stays as it is. What a refused step wrote is taken back alone.
async fn alone(scope: &mut TenantScope, lesson: BookingId, step: &Step) -> Result<Option<String>> {
    run(scope, "savepoint lesson").await?;
    let why = match take(scope, lesson, step).await {
        Ok(()) => None,
        Err(Error::Conflict(why)) => Some(why),
        Err(Error::Invalid(fields)) => Some(fields.0.into_values().collect::<Vec<_>>().join(" ")),
        Err(other) => return Err(other),
    };
    if why.is_some() {
        run(scope, "rollback to savepoint lesson").await?;
    }
    run(scope, "release savepoint lesson").await?;
    Ok(why)
}

async fn take(scope: &mut TenantScope, booking: BookingId, step: &Step) -> Result<()> {
    match step {
        Step::Approve => service::confirm(scope, booking).await.map(drop),
        Step::Complete => service::complete(scope, booking).await.map(drop),
        Step::NoShow => service::no_show(scope, booking).await.map(drop),
        Step::Cancel(reason) => {
            let request =
                CancelRequest { booking, reason: reason.clone(), which: Which::This, as_student: false };
            cancel(scope, request).await.map(drop)
        }
    }
}

async fn run(scope: &mut TenantScope, statement: &'static str) -> Result<()> {
    let (_, conn) = scope.conn();
    sqlx::query(statement).execute(conn).await?;
    Ok(())
}

/// Locks all that the steps will write, and says when those of the lessons are that the actor reaches. The first step's
/// audit row holds the school's chain until the end, and whoever waits for that chain must not hold what a later step
/// needs.
async fn lock(scope: &mut TenantScope, ids: &[BookingId]) -> Result<Vec<(Instant, BookingId)>> {
    let whose = reached(scope, Action::BulkStatus)?;
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let (tenant, conn) = scope.conn();
    let rows = sqlx::query!(
        "select id, starts_at, group_id, pack_id from bookings
         where tenant_id = $1 and id = any($2) and ($3::uuid is null or instructor_id = $3)
         order by id for update",
        tenant,
        &ids[..],
        whose.instructor.map(|id| id.0)
    )
    .fetch_all(&mut *conn)
    .await?;
    let groups: Vec<Uuid> = rows.iter().filter_map(|row| row.group_id).collect();
    let packs: Vec<Uuid> = rows.iter().filter_map(|row| row.pack_id).collect();
    sqlx::query!(
        "select id from group_lessons where tenant_id = $1 and id = any($2) order by id for update",
        tenant,
        &groups[..]
    )
    .fetch_all(&mut *conn)
    .await?;
    sqlx::query!(
        "select id from packs where tenant_id = $1 and id = any($2) order by id for update",
        tenant,
        &packs[..]
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.starts_at.to_jiff(), BookingId(row.id))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_those_of_the_form() {
        for (code, _) in Step::CHOICES {
            assert!(Step::parse(code, "Ill").is_ok(), "{code}");
        }
        assert!(
            matches!(Step::parse("cancel", " "), Err(Error::Invalid(fields)) if fields.0.contains_key("reason"))
        );
        assert!(matches!(Step::parse("", ""), Err(Error::Invalid(fields)) if fields.0.contains_key("step")));
        assert_eq!(Step::parse("cancel", " Ill ").map(|step| step.done()).ok(), Some("cancelled"));
    }
}
