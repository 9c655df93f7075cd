//! The program `lessonbook`: wiring only. Rules and SQL are in `domain`, pages and actions in `app`.

pub mod assets;
pub mod commands;
pub mod config;
pub mod database;
pub mod http;
mod ical;
pub mod mail;
pub mod postgres;
pub mod router;
pub mod session;
