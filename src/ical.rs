//! What the calendars of feeds and of messages have in common.

use domain::Instant;

/// A moment as calendars write it: `20260330T140000Z`.
pub(crate) fn utc(at: Instant) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}
