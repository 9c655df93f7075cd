//! Phone numbers of people: sealed in their row, found by a blind index (PR-02).

use uuid::Uuid;

use crate::{
    Instant, Result,
    identity::Phone,
    vault::{PHONE, Vault},
};

/// What the numbers of instructors are bound to.
pub(crate) const INSTRUCTORS: &str = "instructors.phone";
/// What the numbers of students are bound to.
pub(crate) const STUDENTS: &str = "students.phone";

/// A search that is a phone number.
#[derive(Debug)]
pub(crate) struct Sought {
    /// As it stands in rows from before there was encryption.
    pub(crate) plain: String,
    /// As it stands in all others.
    pub(crate) index: Vec<u8>,
}

/// The number that was searched for, when the whole search is one.
pub(crate) fn sought(vault: &Vault, search: &str) -> Result<Option<Sought>> {
    let Ok(phone) = Phone::parse(search) else {
        return Ok(None);
    };
    Ok(Some(Sought { plain: phone.as_str().to_owned(), index: vault.blind(PHONE, phone.as_str())? }))
}

/// A number as it is stored: sealed, and its index.
pub(crate) fn seal(
    vault: &Vault,
    aad: &str,
    row: Uuid,
    phone: Option<&Phone>,
    now: Instant,
) -> Result<(Option<String>, Option<Vec<u8>>)> {
    let Some(phone) = phone else {
        return Ok((None, None));
    };
    Ok((Some(vault.seal(aad, row, phone.as_str(), now)?), Some(vault.blind(PHONE, phone.as_str())?)))
}
