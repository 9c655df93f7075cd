//! Identifiers: UUIDv7, one type a thing, so that a student's id can't be passed for an instructor's. Never secrets.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// In place of a school's id: the platform itself. Accounts and schools as such have an audit chain and messages of their
/// own under it.
pub const PLATFORM: Uuid = Uuid::nil();

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, ordered by the time it was made.
            pub fn new(now: crate::Instant) -> Self {
                let seconds = u64::try_from(now.as_second()).unwrap_or(0);
                let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
                let stamp = uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos);
                Self(Uuid::new_v7(stamp))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )+};
}

ids! {
    /// A school.
    TenantId,
    /// An account; one person may belong to several schools.
    UserId,
    /// An instructor's record in a school.
    InstructorId,
    /// A student's record in a school.
    StudentId,
    /// A service a school offers.
    ServiceId,
    /// A booked lesson.
    BookingId,
    /// A pack of prepaid lessons.
    PackId,
    /// A blocked stretch of an instructor's time.
    BlockId,
    /// A room, a car or a chair, of which there may be several.
    ResourceId,
    /// A lesson for several.
    GroupId,
    /// Lessons that were booked together and come again and again.
    SeriesId,
    /// Time kept for someone for a while.
    HoldId,
    /// An entry of the waiting list.
    WaitId,
    /// A calendar feed.
    FeedId,
}
