//! Rules and storage of Lessonbook.
//!
//! Each area is a module: types and pure rules at its top, `store` (SQL only) and `service` (one function an
//! operation: authorise, check, store, audit, enqueue) behind the `server` feature. Nothing here knows of HTTP or pages.

pub mod authz;
pub mod availability;
pub mod booking;
pub mod clock;
pub mod error;
pub mod identity;
pub mod ids;
pub mod locale;
pub mod packs;
pub mod paging;
pub mod people;
pub mod resources;
pub mod services;
pub mod team;
pub mod tenancy;
pub mod zoned;

#[cfg(feature = "server")]
pub mod audit;
#[cfg(feature = "server")]
pub mod db;
#[cfg(feature = "server")]
pub mod feeds;
#[cfg(feature = "server")]
pub mod limits;
#[cfg(feature = "server")]
pub mod live;
#[cfg(feature = "server")]
pub mod notify;
#[cfg(feature = "server")]
pub mod rows;
#[cfg(feature = "server")]
pub mod seed;
#[cfg(feature = "server")]
pub mod vault;

pub use error::{Error, FieldErrors, Result};
/// A moment in UTC, to the microsecond.
pub use jiff::Timestamp as Instant;

/// The schema's history, run by the owner role.
#[cfg(feature = "server")]
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");
