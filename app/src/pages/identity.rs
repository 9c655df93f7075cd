//! The front page, coming in, and one's own account.

pub mod account;
pub mod confirm;
pub mod home;
pub mod invite;
pub mod login;
mod parts;
pub mod profile;
pub mod recovery;
pub mod register;
pub mod security;
pub mod sessions;
