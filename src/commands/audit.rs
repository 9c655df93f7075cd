//! `lessonbook audit verify`.

use domain::audit::verify;

use super::Failure;
use crate::{config::Config, database::Database};

/// Each chain is a line on standard output, to be kept: whoever rewrites a whole chain can't rewrite that.
pub(super) async fn verify(
    config: &Config,
    database: &Database,
    tenant: Option<&str>,
) -> Result<(), Failure> {
    let db = database.pool(config).await?;
    let report = match verify::verify(&db, tenant).await {
        Err(domain::Error::NotFound) => {
            return Err(format!("there is no school {:?}", tenant.unwrap_or_default()).into());
        }
        report => report?,
    };
    for chain in &report.chains {
        println!("{chain}");
    }
    for problem in &report.problems {
        eprintln!("{problem}");
    }
    match report.problems.len() {
        0 => Ok(()),
        1 => Err("one problem found; the audit isn't as it was written".into()),
        count => Err(format!("{count} problems found; the audit isn't as it was written").into()),
    }
}
