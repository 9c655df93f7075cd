//! `lessonbook import people`.

use std::path::Path;

use domain::{authz::TenantScope, clock::Clock, people::import};

use super::Failure;
use crate::{config::Config, database::Database};

pub(super) async fn people(
    config: &Config,
    database: &Database,
    tenant: &str,
    file: &Path,
    dry_run: bool,
) -> Result<(), Failure> {
    let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let db = database.pool(config).await?;
    let mut scope = match TenantScope::operator(&db, tenant, Clock::system().now()).await {
        Err(domain::Error::NotFound) => return Err(format!("there is no school {tenant:?}").into()),
        scope => scope?,
    };
    let report = import::import(&mut scope, &bytes, dry_run).await?;
    if !report.errors.is_empty() {
        for error in &report.errors {
            eprintln!("line {}: {}: {}", error.line, error.column, error.message);
        }
        return Err(format!("{} things to mend; nothing was imported", report.errors.len()).into());
    }
    let people = format!("{} instructors and {} students", report.instructors, report.students);
    if dry_run {
        eprintln!("The file is fine: {people}. Nothing was written.");
    } else {
        scope.commit().await?;
        eprintln!("Imported {people}.");
    }
    Ok(())
}
