//! Booking a series: one transaction that takes the time of every lesson that wasn't left out, or of none.

use jiff_sqlx::ToSqlx;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Every,
    plan::{Occurrence, SeriesPlan, Survey},
    typed::{SeriesTyped, Wanted},
};
use crate::{
    Error, Instant, Result,
    authz::{Action, TenantScope},
    booking::{
        Booking, Status,
        create::{NewLesson, write},
        mail,
        plan::Plan,
        service::record,
        store, writes,
    },
    ids::{SeriesId, UserId},
    notify::{BookingMail, Mail, SeriesDate},
    zoned::Zone,
};

/// Lessons that a refusal names; of more it says the number.
const MOST_NAMED: usize = 5;

/// A series that was booked.
#[derive(Clone, Debug)]
pub struct SeriesMade {
    /// Its id.
    pub series: SeriesId,
    /// Its first lesson.
    pub first: Booking,
    /// How many lessons it has.
    pub lessons: i64,
}

/// Books a series as planned.
///
/// # Errors
/// [`Error::Conflict`], which names them, when lessons that weren't left out can't be had: then nothing is booked.
pub async fn create(scope: &mut TenantScope, typed: &SeriesTyped) -> Result<SeriesMade> {
    let wanted = Wanted::new(scope, typed).await?;
    let hash = Sha256::digest(wanted.said(scope)?).to_vec();
    if let Some(key) = &wanted.key
        && let Some(made) = answered(scope, key, &hash).await?
    {
        return Ok(made);
    }
    let plan = wanted.plan(scope).await?;
    // A look without a lock first: it says who gives the lessons, and whether it is worth queueing for them.
    let found = wanted.look(scope, &plan, None).await?;
    let seen = wanted.survey(scope, &plan, &found)?.plan;
    refuse(&scope.tenant().zone, &seen)?;
    plan.lock(scope, &[seen.instructor]).await?;
    plan.end_checkout(scope).await?;
    let found = wanted.look(scope, &plan, Some(seen.instructor)).await?;
    let survey = wanted.survey(scope, &plan, &found)?;
    refuse(&scope.tenant().zone, &survey.plan)?;

    let lessons = write_all(scope, &wanted, &plan, &survey).await?;
    let Some((first, (series, _))) = lessons.first().and_then(|first| Some((first.clone(), first.series?)))
    else {
        return Err(Error::internal("a series without lessons"));
    };
    let (now, (tenant, conn)) = (scope.now(), scope.conn());
    if let Some(key) = &wanted.key {
        writes::keep_key(conn, tenant, key, &hash, first.id, now).await?;
    }
    tell(scope, &plan, &survey.plan, &lessons).await?;
    for lesson in &lessons {
        record(scope, Action::BookSeries, lesson, None, None).await?;
    }
    let lessons = i64::try_from(lessons.len()).unwrap_or(i64::MAX);
    Ok(SeriesMade { series, first, lessons })
}

/// What the same key was answered before, if it was.
async fn answered(scope: &mut TenantScope, key: &str, hash: &[u8]) -> Result<Option<SeriesMade>> {
    let (now, (tenant, conn)) = (scope.now(), scope.conn());
    match writes::take_key(conn, tenant, key, now).await? {
        None => Err(Error::Conflict("The same request is in progress. Look again in a moment.".into())),
        Some(None) => Ok(None),
        Some(Some(before)) if before.request_hash == hash => {
            let first = store::find(conn, tenant, before.booking, false).await?.ok_or(Error::NotFound)?;
            let (series, _) = first.series.ok_or(Error::NotFound)?;
            let lessons = length(conn, tenant, series).await?;
            Ok(Some(SeriesMade { series, first, lessons }))
        }
        Some(Some(_)) => {
            Err(Error::field("idempotency_key", "This key was used for another lesson. Open the page again."))
        }
    }
}

/// Refuses a plan in which something stands against a lesson that wasn't left out.
fn refuse(zone: &Zone, plan: &SeriesPlan) -> Result<()> {
    let conflicts = plan.conflicts();
    if conflicts.is_empty() {
        return if plan.kept() == 0 {
            Err(Error::field("skip", "Keep at least one of them."))
        } else {
            Ok(())
        };
    }
    let named: Vec<String> = conflicts.iter().take(MOST_NAMED).map(|one| when(zone, one)).collect();
    let more = match conflicts.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let are = if conflicts.len() == 1 { "is" } else { "are" };
    Err(Error::Conflict(format!(
        "{} of {} times {are} not free any more: {}{more}. Look over the plan again.",
        conflicts.len(),
        plan.occurrences.len(),
        named.join("; ")
    )))
}

/// "Tue 30 Mar, 16:00"; the day alone when the clock skips the time.
fn when(zone: &Zone, one: &Occurrence) -> String {
    match one.lesson {
        Some(lesson) => format!("{}, {}", zone.short_day(lesson.starts_at), zone.clock(lesson.starts_at)),
        None => one.day.strftime("%a %-d %b").to_string(),
    }
}

/// Writes the series and its lessons, in order; places count from 1 over those that are kept.
async fn write_all(
    scope: &mut TenantScope,
    wanted: &Wanted,
    plan: &Plan,
    survey: &Survey,
) -> Result<Vec<Booking>> {
    let (now, user) = (scope.now(), scope.actor().user);
    let series = SeriesId::new(now);
    let (tenant, conn) = scope.conn();
    insert(conn, tenant, series, wanted.every, user, now).await?;
    let kept = survey.plan.occurrences.iter().zip(&survey.slots).filter(|(one, _)| one.kept());
    let mut lessons = Vec::new();
    for (place, (one, taken)) in (1i32..).zip(kept) {
        let (slot, units) = taken.as_ref().ok_or_else(|| Error::internal("a free time without its slot"))?;
        let new = NewLesson {
            slot: *slot,
            units,
            note: &wanted.note,
            pickup: &wanted.pickup,
            series: Some((series, place)),
            hold: None,
        };
        let lesson = write(scope, plan, new).await.map_err(|error| match error {
            // Someone took the time without queueing for it.
            Error::SlotTaken { .. } => Error::Conflict(format!(
                "1 of {} times is not free any more: {}. Look over the plan again.",
                survey.plan.occurrences.len(),
                when(&scope.tenant().zone, one)
            )),
            other => other,
        })?;
        lessons.push(lesson);
    }
    Ok(lessons)
}

/// One message to the student and one to the instructor.
async fn tell(scope: &mut TenantScope, plan: &Plan, seen: &SeriesPlan, lessons: &[Booking]) -> Result<()> {
    let Some(first) = lessons.first() else { return Ok(()) };
    let (zone, now) = (scope.tenant().zone.clone(), scope.now());
    let dates: Vec<SeriesDate> = lessons
        .iter()
        .map(|lesson| SeriesDate {
            booking: lesson.id,
            starts_at: lesson.starts_at,
            ends_at: lesson.ends_at,
            span: zone.span(lesson.starts_at, lesson.ends_at, now),
        })
        .collect();
    let (heard, asked) = match first.status {
        Status::Requested => ("You will hear when they are approved.", "They wait for your approval."),
        _ => ("", ""),
    };
    let facts = mail::facts(scope, first);
    let told = Mail::SeriesBooked {
        booking: BookingMail { next: heard.into(), terms: seen.terms.clone(), ..facts.clone() },
        dates: dates.clone(),
    };
    let student = plan.offer.student.as_ref().and_then(|student| student.email.as_deref());
    mail::send(scope, student, &told, first).await?;
    let told = Mail::SeriesBooked { booking: BookingMail { next: asked.into(), ..facts }, dates };
    let instructor = plan.candidate(seen.instructor)?.email.as_deref();
    mail::send(scope, instructor, &told, first).await
}

async fn insert(
    conn: &mut PgConnection,
    tenant: Uuid,
    id: SeriesId,
    every: Every,
    created_by: Option<UserId>,
    now: Instant,
) -> Result<()> {
    sqlx::query!(
        "insert into series (tenant_id, id, every, created_by, created_at) values ($1, $2, $3, $4, $5)",
        tenant,
        id.0,
        every.as_str(),
        created_by.map(|id| id.0),
        now.to_sqlx()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How many lessons a series was booked with.
async fn length(conn: &mut PgConnection, tenant: Uuid, id: SeriesId) -> Result<i64> {
    let lessons = sqlx::query_scalar!(
        r#"select count(*) as "lessons!" from bookings where tenant_id = $1 and series_id = $2"#,
        tenant,
        id.0
    )
    .fetch_one(conn)
    .await?;
    Ok(lessons)
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, civil::date};

    use super::*;
    use crate::availability::Stretch;

    fn occurrence(place: i32, free: bool, skip: bool) -> Occurrence {
        let first: Instant = "2026-03-31T14:00:00Z".parse().expect("a moment");
        let starts_at = first + SignedDuration::from_hours(i64::from(place - 1) * 24 * 7);
        let lesson = Stretch { starts_at, ends_at: starts_at + SignedDuration::from_hours(1) };
        Occurrence {
            place,
            day: date(2026, 3, 29),
            // The second is one that the clock skips.
            lesson: (place != 2).then_some(lesson),
            outcome: if free { Ok(()) } else { Err("Taken".into()) },
            skip,
            nearest: Vec::new(),
        }
    }

    fn refusal(occurrences: Vec<Occurrence>) -> Result<()> {
        let zone = Zone::parse("Africa/Johannesburg").expect("a zone");
        refuse(&zone, &SeriesPlan::sample(occurrences))
    }

    fn conflict(occurrences: Vec<Occurrence>) -> String {
        match refusal(occurrences) {
            Err(Error::Conflict(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_not_left_out_must_be_free() {
        let one = |place, free, skip| occurrence(place, free, skip);
        assert!(refusal(vec![one(1, true, false), one(2, false, true)]).is_ok());
        assert_eq!(
            conflict(vec![one(1, false, false), one(2, false, false), one(3, true, false)]),
            "2 of 3 times are not free any more: Tue 31 Mar, 16:00; Sun 29 Mar. Look over the plan again."
        );
        assert_eq!(
            conflict(vec![one(1, false, false), one(3, true, false)]),
            "1 of 2 times is not free any more: Tue 31 Mar, 16:00. Look over the plan again."
        );
    }

    #[test]
    fn of_many_some_are_named() {
        let message = conflict((1..=8).map(|place| occurrence(place, false, false)).collect());
        assert!(message.starts_with("8 of 8 times"), "{message}");
        assert!(message.contains("; and 3 more. Look"), "{message}");
    }

    #[test]
    fn something_must_be_kept() {
        let refused = refusal(vec![occurrence(1, true, true), occurrence(2, false, true)]);
        assert!(matches!(refused, Err(Error::Invalid(fields)) if fields.0.contains_key("skip")));
    }
}
