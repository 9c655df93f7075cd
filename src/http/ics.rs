//! Calendar feeds (CA-01): `/ics/{token}.ics`, for programs that read calendars.

use std::sync::Arc;

use app::{AppError, cx::Site};
use axum::{
    Router,
    body::Body,
    extract::{Path, Request},
    response::{IntoResponse, Response},
    routing::get,
};
use domain::{
    booking::Status,
    feeds::{Entry, service},
    tenancy::Tenant,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use icalendar::{Calendar, Component, Event, EventLike, EventStatus, Property};
use sha2::{Digest, Sha256};

use super::errors;
use crate::{ical::utc, mail::clean};

/// The feeds.
pub fn router(site: &Arc<Site>) -> Router {
    let site = Arc::clone(site);
    Router::new().route(
        "/ics/{token}",
        get(move |Path(token): Path<String>, request: Request| async move {
            let known = request.headers().get(header::IF_NONE_MATCH).cloned();
            match read(&site, &token).await {
                Ok(calendar) => answer(calendar, known.as_ref()),
                // The address is a secret, and stays out of the answer.
                Err(error) => errors::json(error, "/ics"),
            }
        }),
    )
}

async fn read(site: &Site, token: &str) -> Result<String, AppError> {
    let token = token.strip_suffix(".ics").unwrap_or(token);
    let mut scope = service::open(&site.db, token, site.clock.now()).await?;
    let entries = service::entries(&mut scope).await?;
    Ok(calendar(scope.tenant(), &entries, &site.base_url))
}

fn answer(calendar: String, known: Option<&HeaderValue>) -> Response {
    let hash: String =
        Sha256::digest(calendar.as_bytes())[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{hash}\"");
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(value) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, value);
    }
    if known.is_some_and(|known| names(known, &tag)) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline; filename=\"lessons.ics\""));
    (headers, Body::from(calendar)).into_response()
}

/// Whether `If-None-Match` names the tag. Compression may have made it weak on the way.
fn names(known: &HeaderValue, tag: &str) -> bool {
    let known = known.to_str().unwrap_or("");
    known.split(',').map(|one| one.trim()).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

fn calendar(tenant: &Tenant, entries: &[Entry], base_url: &str) -> String {
    let mut calendar = Calendar::empty();
    let name = clean(&tenant.name).replace('\n', " ");
    for (name, value) in [
        ("VERSION", "2.0"),
        ("PRODID", "-//Lessonbook//Lessonbook//EN"),
        ("CALSCALE", "GREGORIAN"),
        ("METHOD", "PUBLISH"),
        ("NAME", &name),
        ("X-WR-CALNAME", &name),
        ("X-WR-TIMEZONE", tenant.zone.name()),
        ("REFRESH-INTERVAL;VALUE=DURATION", "PT1H"),
        ("X-PUBLISHED-TTL", "PT1H"),
    ] {
        calendar.append_property(Property::new(name, value));
    }
    let host =
        base_url.split("://").nth(1).unwrap_or("lessonbook").split([':', '/']).next().unwrap_or("lessonbook");
    for entry in entries {
        calendar.push(event(entry, base_url, host));
    }
    calendar.done().to_string()
}

fn event(entry: &Entry, base_url: &str, host: &str) -> Event {
    let status = match entry.status {
        Status::Cancelled => EventStatus::Cancelled,
        Status::Requested => EventStatus::Tentative,
        _ => EventStatus::Confirmed,
    };
    let mut event = Event::new();
    event
        // As in the messages about a lesson, so that a program that has both shows one.
        .uid(&format!("{}@{host}", entry.id))
        .add_property("DTSTAMP", utc(entry.changed_at))
        .add_property("LAST-MODIFIED", utc(entry.changed_at))
        .add_property("DTSTART", utc(entry.starts_at))
        .add_property("DTEND", utc(entry.ends_at))
        .summary(&clean(&entry.title))
        .description(&clean(&entry.with))
        .url(&format!("{base_url}{}", entry.path));
    if !entry.place.is_empty() {
        event.location(&clean(&entry.place));
    }
    event.status(status).done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_tag_is_found_in_whatever_form_it_comes_back() {
        let tag = "\"0a\"";
        for known in ["\"0a\"", "W/\"0a\"", "\"x\", W/\"0a\"", "*"] {
            assert!(names(&HeaderValue::from_static(known), tag), "{known}");
        }
        for other in ["", "0a", "\"0b\"", "\"0a"] {
            assert!(!names(&HeaderValue::from_static(other), tag), "{other}");
        }
    }
}
