//! The program over HTTP, on a real Postgres.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod access;
mod accounts;
mod asvs;
mod audit;
mod booking;
mod brute_force;
mod crypto;
mod database;
mod downloads;
mod dst;
mod engine;
mod feeds;
mod harness;
mod history;
mod identity;
mod import;
mod input;
mod isolation;
mod kill;
mod limits;
mod live;
mod mail;
mod people;
mod platform;
mod queries;
mod race;
mod removal;
mod soft_delete;
mod team;
