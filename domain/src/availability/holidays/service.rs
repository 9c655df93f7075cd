//! Operations on holidays.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::{
    Holiday, TypedHoliday,
    ics::{self, Skipped},
    last_day, store,
};
use crate::{
    Error, Result, audit,
    authz::{Action, TenantScope},
    availability::{
        Stretch,
        exceptions::{store::lessons, whole_day},
    },
    booking::writes::freed,
    paging::{self, ListQuery, Page},
};

/// A holiday that was added.
#[derive(Clone, Debug)]
pub struct Added {
    /// The day.
    pub holiday: Holiday,
    /// Lessons booked on it. They stay.
    pub lessons: usize,
}

/// What an import did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// New days, in order.
    pub added: Vec<Holiday>,
    /// How many days of the file were there already, by whatever name.
    pub known: usize,
    /// How many are over, or too far ahead.
    pub outside: usize,
    /// What could not be taken, by line.
    pub skipped: Vec<Skipped>,
    /// Lessons booked on the new days. They stay.
    pub lessons: usize,
}

/// The holidays from today on, or, with `past`, those that are over, latest first.
///
/// # Errors
/// [`Error::Forbidden`].
pub async fn list(scope: &mut TenantScope, query: &ListQuery, past: bool) -> Result<Page<Holiday>> {
    scope.require(Action::EditHolidays)?;
    let today = scope.tenant().zone.date(scope.now());
    let (tenant, conn) = scope.conn();
    let (items, total) = store::list(conn, tenant, query, today, past).await?;
    Ok(Page::new(items, total, query))
}

/// Closes the school on a day. Lessons already booked stay.
///
/// # Errors
/// All fields to mend at once; a day that is a holiday already is one.
pub async fn add(scope: &mut TenantScope, typed: TypedHoliday<'_>) -> Result<Added> {
    scope.require(Action::EditHolidays)?;
    let holiday = typed.check(&scope.tenant().zone, scope.now())?;
    let (tenant, conn) = scope.conn();
    if store::insert(conn, tenant, std::slice::from_ref(&holiday)).await?.is_empty() {
        let name = store::name(conn, tenant, holiday.day).await?.unwrap_or_default();
        let message = format!("That day is a holiday already: {name}. Remove it first to rename it.");
        return Err(Error::field("date", message));
    }
    let lessons = count_lessons(scope, &[holiday.day]).await?;
    record(scope, None, Some(as_json(&holiday))).await?;
    Ok(Added { holiday, lessons })
}

/// Opens the school again on a day.
///
/// # Errors
/// [`Error::NotFound`] when the day is no holiday.
pub async fn remove(scope: &mut TenantScope, date: &str) -> Result<Holiday> {
    scope.require(Action::EditHolidays)?;
    let day = paging::day(date).ok_or(Error::NotFound)?;
    let (zone, now) = (scope.tenant().zone.clone(), scope.now());
    let (tenant, conn) = scope.conn();
    let name = store::delete(conn, tenant, day).await?.ok_or(Error::NotFound)?;
    freed(conn, tenant, whole_day(&zone, day), now).await?;
    let holiday = Holiday { day, name };
    record(scope, Some(as_json(&holiday)), None).await?;
    Ok(holiday)
}

/// Adds the days of an ICS file. What can't be read of it is reported; days that are there keep their names.
///
/// # Errors
/// On field `file`, when it is no calendar at all.
pub async fn import(scope: &mut TenantScope, bytes: &[u8]) -> Result<Report> {
    scope.require(Action::EditHolidays)?;
    let zone = scope.tenant().zone.clone();
    let today = zone.date(scope.now());
    let found =
        ics::read(bytes, &zone, today, last_day(today)).map_err(|message| Error::field("file", message))?;
    let asked: Vec<Holiday> = found.days.into_iter().map(|(day, name)| Holiday { day, name }).collect();
    let (tenant, conn) = scope.conn();
    let new = store::insert(conn, tenant, &asked).await?;
    let known = asked.len() - new.len();
    let added: Vec<Holiday> = asked.into_iter().filter(|holiday| new.contains(&holiday.day)).collect();
    let mut report =
        Report { added, known, outside: found.outside, skipped: found.skipped, ..Report::default() };
    if report.added.is_empty() {
        return Ok(report);
    }
    let days: Vec<Date> = report.added.iter().map(|holiday| holiday.day).collect();
    report.lessons = count_lessons(scope, &days).await?;
    let all: Vec<Value> = report.added.iter().map(as_json).collect();
    record(scope, None, Some(json!({ "days": all }))).await?;
    Ok(report)
}

/// How many lessons are still to come on some days.
async fn count_lessons(scope: &mut TenantScope, days: &[Date]) -> Result<usize> {
    let (zone, now) = (scope.tenant().zone.clone(), scope.now());
    let ahead: Vec<Stretch> = days
        .iter()
        .map(|day| whole_day(&zone, *day))
        .map(|day| Stretch { starts_at: day.starts_at.max(now), ..day })
        .collect();
    let (tenant, conn) = scope.conn();
    Ok(lessons(conn, tenant, None, &ahead).await?.len())
}

async fn record(scope: &mut TenantScope, before: Option<Value>, after: Option<Value>) -> Result<()> {
    let entry = audit::Entry {
        action: Action::EditHolidays.as_str(),
        entity: "holiday",
        entity_id: None,
        before,
        after,
        reason: None,
    };
    audit::record(scope, entry).await
}

fn as_json(holiday: &Holiday) -> Value {
    json!({ "date": holiday.day, "name": holiday.name })
}
