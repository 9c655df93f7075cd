//! Lessons that are booked: what they are, how they go on, and what cancelling costs.

pub mod attendance;
#[cfg(feature = "server")]
pub mod bulk;
#[cfg(feature = "server")]
pub mod calendar;
#[cfg(feature = "server")]
pub mod cancel;
#[cfg(feature = "server")]
pub mod create;
#[cfg(feature = "server")]
pub mod export;
pub mod group;
#[cfg(feature = "server")]
pub mod hold;
#[cfg(feature = "server")]
pub mod jobs;
#[cfg(feature = "server")]
mod mail;
pub mod moves;
#[cfg(feature = "server")]
pub(crate) mod plan;
pub mod policy;
#[cfg(feature = "server")]
pub mod reminders;
pub mod series;
#[cfg(feature = "server")]
pub mod service;
#[cfg(feature = "server")]
pub mod staff;
#[cfg(feature = "server")]
pub(crate) mod store;
#[cfg(feature = "server")]
pub mod waiting;
#[cfg(feature = "server")]
pub(crate) mod writes;

use jiff::civil::{Date, DateTime, Time};

pub use attendance::Attendance;
pub use policy::{Canceller, Terms, cancel_terms, cancellation, free_until};

use crate::{
    FieldErrors, Instant, Result,
    ids::{BookingId, GroupId, InstructorId, PackId, SeriesId, ServiceId, StudentId},
    paging::{self, ListQuery},
    zoned::{LocalTime, Zone},
};

/// A booked lesson, with the terms in force when it was booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    /// Id.
    pub id: BookingId,
    /// What; the first of them when several services are booked together.
    pub service: ServiceId,
    /// The other ones, in the order in which they take place.
    pub also: Vec<ServiceId>,
    /// What it is called, all services together.
    pub service_name: String,
    /// The first service's colour on calendars, when it has one.
    pub colour: Option<String>,
    /// Who gives it.
    pub instructor: InstructorId,
    /// Their name.
    pub instructor_name: String,
    /// Who takes it.
    pub student: StudentId,
    /// Their name.
    pub student_name: String,
    /// Start.
    pub starts_at: Instant,
    /// End.
    pub ends_at: Instant,
    /// Where it stands.
    pub status: Status,
    /// Lessons of its service are approved first.
    pub needs_approval: bool,
    /// What the one who booked had to say.
    pub note: String,
    /// Where to pick the student up.
    pub pickup: String,
    /// Price in minor units.
    pub price_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// How long before its start it can be cancelled for free.
    pub cancel_notice_min: i32,
    /// All terms of cancelling and moving it.
    pub terms: Terms,
    /// The pack that pays for it.
    pub pack: Option<PackId>,
    /// Why it was cancelled.
    pub cancel_reason: Option<String>,
    /// What cancelling it too late costs, in minor units.
    pub fee_minor: Option<i64>,
    /// The lesson for several that it has a seat in.
    pub group: Option<GroupId>,
    /// How many seats of that are taken, and how many there are.
    pub seats: Option<(i32, i32)>,
    /// The series it belongs to, and its place in that, from 1.
    pub series: Option<(SeriesId, i32)>,
    /// How often its student has moved it.
    pub moves: i32,
    /// When anyone moved it last.
    pub moved_at: Option<Instant>,
    /// When it was booked.
    pub created_at: Instant,
    /// Whether the student came.
    pub attendance: Option<Attendance>,
}

/// Where a lesson stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Waits for approval; its time is taken already.
    Requested,
    /// Will take place.
    Confirmed,
    /// Took place.
    Completed,
    /// Won't take place.
    Cancelled,
    /// The student didn't come.
    NoShow,
}

impl Status {
    /// All, in the order of a lesson's life.
    pub const ALL: [Self; 5] =
        [Self::Requested, Self::Confirmed, Self::Completed, Self::Cancelled, Self::NoShow];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Confirmed => "confirmed",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::NoShow => "no_show",
        }
    }

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Requested => "Requested",
            Self::Confirmed => "Confirmed",
            Self::Completed => "Completed",
            Self::Cancelled => "Cancelled",
            Self::NoShow => "No-show",
        }
    }

    /// From the database or a form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether a lesson may go from here to `next`; the database holds the same rule.
    pub fn may_become(self, next: Self) -> bool {
        use Status::{Cancelled, Completed, Confirmed, NoShow, Requested};
        matches!(
            (self, next),
            (Requested, Confirmed | Cancelled) | (Confirmed, Completed | Cancelled | NoShow)
        )
    }
}

/// A day and a time as typed.
///
/// # Errors
/// A message beside `date` or `time`.
pub fn wall_clock(date: &str, time: &str) -> Result<DateTime> {
    let mut errors = FieldErrors::new();
    let date = errors.check("date", date.trim().parse::<Date>().map_err(|_| "Choose a day."));
    let time = errors.check(
        "time",
        crate::availability::hours::parse_clock(time)
            .ok()
            .filter(|minute| *minute < 1440)
            .and_then(|minute| Time::new((minute / 60) as i8, (minute % 60) as i8, 0, 0).ok())
            .ok_or("Type a time such as 09:30."),
    );
    errors.finish()?;
    Ok(date.unwrap_or_default().to_datetime(time.unwrap_or_default()))
}

/// The moment a local time stands for. Of a time that the clock shows twice, `which` says `first` or `second`.
///
/// # Errors
/// A message beside `date` or `time`.
pub fn local_time(zone: &Zone, date: &str, time: &str, which: &str) -> Result<Instant> {
    let wall = wall_clock(date, time)?;
    let clock = wall.strftime("%H:%M");
    match (zone.resolve(wall), which) {
        (LocalTime::Once(at), _)
        | (LocalTime::Twice(at, _), "first")
        | (LocalTime::Twice(_, at), "second") => Ok(at),
        (LocalTime::Twice(..), _) => {
            let message = format!("The clock shows {clock} twice on that day. Say which one you mean.");
            Err(crate::Error::field("time", message))
        }
        (LocalTime::Never, _) => {
            let message = match zone.jump(wall).map(|jump| zone.clock(jump)) {
                Some(later) => {
                    format!("The clock skips {clock} on that day. Choose {later} or later.")
                }
                None => format!("The clock skips {clock} on that day. Choose another time."),
            };
            Err(crate::Error::field("time", message))
        }
    }
}

/// What a list of lessons is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookingFilter {
    /// Search over the names of student, instructor and service; page, and order by start.
    pub list: ListQuery,
    /// Only these.
    pub status: Option<Status>,
    /// Only theirs.
    pub instructor: Option<InstructorId>,
    /// First local day.
    pub from: Option<Date>,
    /// Last local day.
    pub to: Option<Date>,
    /// Only those of a series.
    pub series: Option<SeriesId>,
}

impl BookingFilter {
    /// Reads the parameters of a list address; nonsense is as good as nothing.
    pub fn parse<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Self {
        let day = |name: &str| get(name).and_then(paging::day);
        Self {
            status: get("status").and_then(Status::parse),
            instructor: get("instructor").and_then(|text| text.parse().ok()),
            from: day("from"),
            to: day("to"),
            series: get("series").and_then(|text| text.parse().ok()),
            list: ListQuery::parse(&get),
        }
    }
}

#[cfg(test)]
mod tests;
