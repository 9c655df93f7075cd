//! The lesson as an entry for the reader's calendar. Published, not an invitation: nobody is asked to answer, and no one
//! else's address is in it.

use domain::{
    Instant,
    notify::{BookingMail, Envelope, Mail},
};
use icalendar::{Calendar, Component, Event, EventLike, EventStatus, Property};

use super::render::clean;

/// The entry of a message about a lesson that stands or is cancelled; none for others. `organizer` is whom the message
/// comes from.
pub(super) fn calendar(
    envelope: &Envelope,
    link: &str,
    (organizer, email): (&str, &str),
    host: &str,
) -> Option<String> {
    let (booking, status) = match &envelope.mail {
        Mail::BookingMade(booking) | Mail::BookingConfirmed(booking) | Mail::BookingMoved(booking) => {
            (booking, EventStatus::Confirmed)
        }
        Mail::BookingCancelled(booking) => (booking, EventStatus::Cancelled),
        _ => return None,
    };
    let mut calendar = Calendar::empty();
    for (name, value) in [
        ("VERSION", "2.0"),
        ("PRODID", "-//Lessonbook//Lessonbook//EN"),
        ("CALSCALE", "GREGORIAN"),
        ("METHOD", "PUBLISH"),
        ("X-WR-TIMEZONE", booking.zone.as_str()),
    ] {
        calendar.append_property(Property::new(name, value));
    }
    calendar.push(event(envelope, booking, status, link, (organizer, email), host));
    Some(calendar.done().to_string())
}

fn event(
    envelope: &Envelope,
    booking: &BookingMail,
    status: EventStatus,
    link: &str,
    (organizer, email): (&str, &str),
    host: &str,
) -> Event {
    let mut event = Event::new();
    event
        // The same for every message about a lesson, so that a later one replaces the entry of an earlier one.
        .uid(&format!("{}@{host}", booking.booking))
        .sequence(sequence(envelope.created_at))
        .add_property("DTSTAMP", utc(envelope.created_at))
        .add_property("DTSTART", utc(booking.starts_at))
        .add_property("DTEND", utc(booking.ends_at))
        .summary(&clean(&format!("{}, {}", booking.service, booking.school)))
        .description(&clean(&format!("{} with {}", booking.student, booking.instructor)))
        .url(link);
    if !booking.pickup.is_empty() {
        event.location(&clean(&booking.pickup));
    }
    // A parameter can't hold quotes.
    let name = clean(organizer).replace(['"', '\n'], " ");
    event.append_property(
        Property::new("ORGANIZER", format!("mailto:{email}")).add_parameter("CN", &name).done(),
    );
    event.status(status).done()
}

/// Grows with every message about a lesson: seconds since 2025.
fn sequence(at: Instant) -> u32 {
    u32::try_from(at.as_second() - 1_735_689_600).unwrap_or(0)
}

fn utc(at: Instant) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}
