//! `lessonbook keys rotate`.

use domain::{clock::Clock, vault};
use jiff::SignedDuration;

use super::Failure;
use crate::{config::Config, database::Database};

/// From making a key to writing with it. Running programs read the keys again every 5 s.
const LEAD: SignedDuration = SignedDuration::from_secs(10);

pub(super) async fn rotate(config: &Config, database: &Database) -> Result<(), Failure> {
    let db = database.pool(config).await?;
    let report = vault::rotate(&db, &Clock::system(), LEAD).await?;
    for (column, sealed) in &report.columns {
        println!("{column}: {sealed}");
    }
    if report.rewrapped > 0 {
        eprintln!(
            "{} keys are wrapped by LESSONBOOK_SECRET_KEY now; LESSONBOOK_OLD_SECRET_KEYS isn't needed any more.",
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
