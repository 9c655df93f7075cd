//! Operations on exceptions.

use serde_json::{Value, json};

use super::{DayException, TypedException, store};
use crate::{
    Error, Result, audit,
    authz::{Action, TenantScope},
    availability::{Stretch, hours::openings_text, rules::allow},
    booking::writes::freed,
    ids::InstructorId,
    paging, people,
};

/// What was saved.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The instructor's name.
    pub name: String,
    /// The day and its hours.
    pub exception: DayException,
    /// Lessons booked on that day outside its hours. They stay.
    pub lessons: usize,
}

/// Sets the hours of one day, in place of those it had. Lessons already booked stay.
///
/// # Errors
/// All fields to mend at once.
pub async fn save(
    scope: &mut TenantScope,
    instructor: InstructorId,
    typed: TypedException<'_>,
) -> Result<Saved> {
    allow(scope, Action::EditHours, instructor)?;
    let (zone, now) = (scope.tenant().zone.clone(), scope.now());
    let exception = typed.check(&zone, now)?;
    let day = exception.whole_day(&zone);
    let (tenant, conn) = scope.conn();
    // One save at a time, so that each record begins with what the one before left.
    let (name, _) = people::store::lock_instructor(conn, tenant, instructor).await?.ok_or(Error::NotFound)?;
    let before = store::find(conn, tenant, instructor, exception.day).await?;
    store::put(conn, tenant, instructor, &exception).await?;
    let ahead = Stretch { starts_at: day.starts_at.max(now), ..day };
    let lessons = store::lessons(conn, tenant, Some(instructor), &[ahead]).await?;
    let lessons = exception.outside(&zone, &lessons);
    // The new openings may be what someone waits for.
    freed(conn, tenant, day, now).await?;
    record(scope, instructor, before.as_ref(), Some(&exception)).await?;
    Ok(Saved { name, exception, lessons })
}

/// Gives a day the hours of each week again. Lessons already booked stay.
///
/// # Errors
/// [`Error::NotFound`] when the day has no hours of its own.
pub async fn remove(
    scope: &mut TenantScope,
    instructor: InstructorId,
    date: &str,
) -> Result<(String, DayException)> {
    allow(scope, Action::EditHours, instructor)?;
    let day = paging::day(date).ok_or(Error::NotFound)?;
    let (zone, now) = (scope.tenant().zone.clone(), scope.now());
    let (tenant, conn) = scope.conn();
    let (name, _) = people::store::lock_instructor(conn, tenant, instructor).await?.ok_or(Error::NotFound)?;
    let before = store::delete(conn, tenant, instructor, day).await?.ok_or(Error::NotFound)?;
    freed(conn, tenant, before.whole_day(&zone), now).await?;
    record(scope, instructor, Some(&before), None).await?;
    Ok((name, before))
}

async fn record(
    scope: &mut TenantScope,
    instructor: InstructorId,
    before: Option<&DayException>,
    after: Option<&DayException>,
) -> Result<()> {
    let entry = audit::Entry {
        action: Action::EditHours.as_str(),
        entity: "instructor",
        entity_id: Some(instructor.0),
        before: before.map(as_json),
        after: after.map(as_json),
        reason: None,
    };
    audit::record(scope, entry).await
}

fn as_json(exception: &DayException) -> Value {
    json!({ "date": exception.day, "hours": openings_text(&exception.openings), "reason": exception.reason })
}
