//! Lessons as entries for the reader's calendar. Published, not invitations: nobody is asked to answer, and no one else's
//! address is in them.

use domain::{
    Instant,
    notify::{BookingMail, Envelope, Mail},
};
use icalendar::{Calendar, Component, Event, EventLike, EventStatus, Property};

use super::render::clean;
use crate::ical::utc;

/// The entries of a message about lessons that stand or are cancelled; none for others. A reminder brings nothing new, and
/// an offer is no lesson yet. `organizer` is whom the message comes from.
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
        // What still waits for an answer is no entry, here as with a single lesson.
        Mail::SeriesBooked { booking, .. } if booking.next.is_empty() => (booking, EventStatus::Confirmed),
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
    let from = (organizer, email);
    if let Mail::SeriesBooked { dates, .. } = &envelope.mail {
        // The link leads to the first lesson; the others differ in its end alone.
        let start = link.strip_suffix(&booking.booking.to_string()).unwrap_or(link);
        for date in dates {
            let lesson = BookingMail {
                booking: date.booking,
                starts_at: date.starts_at,
                ends_at: date.ends_at,
                ..booking.clone()
            };
            let link = format!("{start}{}", date.booking);
            calendar.push(event(envelope, &lesson, status, &link, from, host));
        }
    } else {
        calendar.push(event(envelope, booking, status, link, from, host));
    }
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
