//! `lessonbook keys rotate`.
//!
//! After a change of the master key, every running program must have been restarted with `LESSONBOOK_SECRET_KEY` (the new
//! one) and `LESSONBOOK_OLD_SECRET_KEYS` (the old one) before: what knows the old one alone can't read the keys any more
//! once they are wrapped by the new one.

use domain::{clock::Clock, vault};
use jiff::SignedDuration;

use super::Failure;
use crate::{config::Config, database::Database};

/// From making a key to writing with it. Running programs read the keys again every 5 s.
const LEAD: SignedDuration = SignedDuration::from_secs(10);

pub(super) async fn rotate(config: &Config, database: &Database) -> Result<(), Failure> {
    if !config.old_secret_keys.is_empty() {
        eprintln!(
            "LESSONBOOK_OLD_SECRET_KEYS is set: every running `lessonbook serve` and `lessonbook worker` must have been \
             restarted with the same LESSONBOOK_SECRET_KEY (new) and LESSONBOOK_OLD_SECRET_KEYS (old) before this."
        );
    }
    let db = database.pool(config).await?;
    let report = vault::rotate(&db, &Clock::system(), LEAD).await?;
    for (column, sealed) in &report.columns {
        println!("{column}: {sealed}");
    }
    if report.rewrapped > 0 {
        eprintln!(
            "{} keys are wrapped by LESSONBOOK_SECRET_KEY now; LESSONBOOK_OLD_SECRET_KEYS isn't needed any more, but \
             for backups from before.",
            report.rewrapped
        );
    }
    for value in &report.failed {
        eprintln!("{value} can't be opened and stays as it is");
    }
    if report.failed.is_empty() {
        eprintln!("Everything is encrypted with the key {}.", report.key);
        Ok(())
    } else {
        Err(format!("{} values can't be opened; all others are encrypted anew", report.failed.len()).into())
    }
}
