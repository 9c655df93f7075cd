//! What can go wrong, as far as a caller can tell the difference.
//!
//! Services return [`Error`]; what is [`Error::Internal`] goes to the log with an id and never to a browser.

use std::collections::BTreeMap;

use crate::Instant;

/// What a service returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Messages beside form fields, by field name. Each says how to mend it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct FieldErrors(pub BTreeMap<String, String>);

impl FieldErrors {
    /// No errors yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One error, for the early way out.
    pub fn one(field: &str, message: impl Into<String>) -> Self {
        let mut errors = Self::new();
        errors.add(field, message);
        errors
    }

    /// Adds a message; the first one for a field stays.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.entry(field.to_owned()).or_insert_with(|| message.into());
    }

    /// Takes the value out of a check, or keeps its message and goes on, so that one answer names every field.
    pub fn check<T>(&mut self, field: &str, result: Result<T, impl Into<String>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(message) => {
                self.add(field, message);
                None
            }
        }
    }

    /// Takes the value out of what a service or a rule answered, or keeps its messages and goes on, as [`Self::check`]
    /// does.
    ///
    /// # Errors
    /// What isn't [`Error::Invalid`]: no field mends it.
    pub fn take<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::Invalid(found)) => {
                for (field, message) in found.0 {
                    self.add(&field, message);
                }
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Err` when anything was found.
    pub fn finish(self) -> Result<()> {
        if self.is_empty() { Ok(()) } else { Err(Error::Invalid(self)) }
    }
}

/// Why an operation was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields to mend; nothing was saved.
    #[error("some fields need another look")]
    Invalid(FieldErrors),
    /// Nobody is signed in, or the credentials are wrong.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// Known, but not for this role.
    #[error("{0}")]
    Forbidden(&'static str),
    /// Not there, or not to be known.
    #[error("not found")]
    NotFound,
    /// The state of things doesn't allow it.
    #[error("{0}")]
    Conflict(String),
    /// The time was taken in between; the nearest free starts, at most three, are still to be had.
    #[error("that time has just been taken")]
    SlotTaken {
        /// Starts of free slots with the same service.
        nearest: Vec<Instant>,
    },
    /// A sensitive change: one has to prove again who one is (AC-24).
    #[error("confirm that it is you")]
    ProofNeeded,
    /// This role needs a second factor, and the account has none yet (AC-10).
    #[error("set up a second step first")]
    CodeNeeded,
    /// Too often.
    #[error("{message}")]
    TooMany {
        /// When to try again.
        seconds: u64,
        /// For people.
        message: &'static str,
    },
    /// The database can't serve now.
    #[error("too busy right now")]
    Unavailable,
    /// Anything else: a bug or a broken machine.
    #[error(transparent)]
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// One field to mend.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(FieldErrors::one(field, message))
    }

    /// An internal failure from any error.
    pub fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }
}

#[cfg(feature = "server")]
impl From<sqlx::Error> for Error {
    /// Named constraints become what they mean; the rest is internal.
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut => return Self::Unavailable,
            sqlx::Error::Database(db) => match (db.constraint(), db.code().as_deref()) {
                (Some("claims_no_overlap" | "group_lessons_full" | "group_lessons_once"), _) => {
                    return Self::SlotTaken { nearest: Vec::new() };
                }
                (Some("waiting_list_once"), _) => {
                    return Self::Conflict("You are on the waiting list for this already.".into());
                }
                (Some("resources_name"), _) => {
                    return Self::field("name", "Another active resource has this name.");
                }
                (Some("packs_not_negative" | "packs_used_not_negative"), _) => {
                    return Self::Conflict("No lessons are left in this pack.".into());
                }
                (Some("bookings_status_flow"), _) => {
                    return Self::Conflict("The lesson is no longer in a state that allows this.".into());
                }
                (Some("seats_none"), _) => {
                    return Self::Forbidden("This school has no seat allocation.");
                }
                (Some("seats_full"), _) => {
                    return Self::Conflict(
                        "All seats are taken. Remove a member or revoke an invite first.".into(),
                    );
                }
                (Some("memberships_last_owner"), _) => {
                    return Self::Conflict(
                        "A school keeps at least one owner. Make someone else owner first.".into(),
                    );
                }
                (Some("users_last_super_admin"), _) => {
                    return Self::Conflict("The platform keeps at least one super-admin.".into());
                }
                (Some("tenants_status_flow"), _) => {
                    return Self::Conflict("The school is no longer in a state that allows this.".into());
                }
                (Some("invites_open"), _) => {
                    return Self::field("email", "There is an open invite for this address already.");
                }
                (Some("users_email"), _) => {
                    return Self::field("email", "Another account has this address.");
                }
                (Some("tenants_slug_key"), _) => {
                    return Self::field("slug", "Another school has this address.");
                }
                (Some("services_name"), _) => {
                    return Self::field("name", "Another active service has this name.");
                }
                (Some("weekly_hours_overlap"), _) => {
                    return Self::field("hours", "These hours overlap others of that day.");
                }
                (_, Some("23505")) => return Self::Conflict("It is there already.".into()),
                (_, Some("40001" | "40P01" | "55P03")) => {
                    return Self::Conflict("Someone else changed this at the same moment. Try again.".into());
                }
                _ => {}
            },
            _ => {}
        }
        Self::internal(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_gather_and_what_no_field_mends_goes_on() {
        let mut errors = FieldErrors::one("name", "Give it a name.");
        assert_eq!(errors.take(Ok(7)).unwrap(), Some(7));
        let more = FieldErrors(BTreeMap::from([
            ("name".to_owned(), "Later ones don't count.".to_owned()),
            ("price".to_owned(), "Type an amount.".to_owned()),
        ]));
        assert_eq!(errors.take::<i32>(Err(Error::Invalid(more))).unwrap(), None);
        assert!(matches!(errors.take::<i32>(Err(Error::NotFound)), Err(Error::NotFound)));
        assert_eq!(errors.0["name"], "Give it a name.");
        assert_eq!(errors.0["price"], "Type an amount.");
    }
}
