//! What stands between a socket and a page or action.

pub mod actions;
pub mod client;
pub mod context;
pub mod csv;
pub mod errors;
pub mod headers;
pub mod health;
pub mod holidays;
pub mod ics;
pub mod import;
pub mod limits;
pub mod live;
pub mod pages;
pub mod reload;
mod uploads;
