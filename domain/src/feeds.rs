//! Calendar feeds (CA-01): a secret address that a calendar program reads by itself. Nobody logs in there, so what it
//! shows is looked up each time as what its member may see now: who has left, or a school that is closed, has none.

pub mod service;
mod store;

use crate::{Instant, booking::Status, ids::FeedId};

/// Feeds that a member may have at a time.
pub const MOST: i64 = 5;

/// A feed in the list of one's own. Its address isn't kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Id; useless as an address.
    pub id: FeedId,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last read, to the hour.
    pub last_read_at: Option<Instant>,
}

/// An entry of a feed: a lesson, or a lesson for several with all of its seats as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Of the lesson or the group: the same in every reading.
    pub id: uuid::Uuid,
    /// What, in one line.
    pub title: String,
    /// Who is concerned, as far as the reader may know.
    pub with: String,
    /// Where.
    pub place: String,
    /// Start.
    pub starts_at: Instant,
    /// End.
    pub ends_at: Instant,
    /// Where it stands.
    pub status: Status,
    /// When it was made or last moved.
    pub changed_at: Instant,
    /// Its page, as a path.
    pub path: String,
}
