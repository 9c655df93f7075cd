//! The program over HTTP, on a real Postgres.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod access;
mod booking;
mod database;
mod downloads;
mod dst;
mod harness;
mod identity;
mod import;
mod input;
mod isolation;
mod kill;
mod people;
mod platform;
mod queries;
mod race;
