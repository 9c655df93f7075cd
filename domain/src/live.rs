//! What has just changed (BK-17): Postgres tells which school, when a transaction that touched its lessons or its time
//! commits. What changed isn't said: whoever hears of it looks again, with the rights they have.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::{Result, db::Db, ids::TenantId};

/// What triggers notify on.
const CHANNEL: &str = "lessonbook_changes";
/// Between tries when the database can't be reached.
const PAUSE: Duration = Duration::from_secs(1);
/// Changes that a slow listener may fall behind.
const BEHIND: usize = 1024;

/// Which schools have changed, as it happens.
#[derive(Clone, Debug)]
pub struct Changes(broadcast::Sender<Uuid>);

impl Default for Changes {
    fn default() -> Self {
        Self(broadcast::Sender::new(BEHIND))
    }
}

/// Waits for the changes of one school.
#[derive(Debug)]
pub struct Watch {
    changes: broadcast::Receiver<Uuid>,
    tenant: Uuid,
}

impl Changes {
    /// From now on, those of a school.
    pub fn watch(&self, tenant: TenantId) -> Watch {
        Watch { changes: self.0.subscribe(), tenant: tenant.0 }
    }

    /// Passes on what the database tells, for as long as the program runs. A connection of its own: those of the pool
    /// are for requests.
    pub async fn listen(self, db: Db) {
        loop {
            if let Err(error) = self.hear(&db).await {
                tracing::warn!(%error, "could not listen for changes");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn hear(&self, db: &Db) -> Result<()> {
        let options = (*db.pool().connect_options()).clone();
        let own = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
        let mut listener = PgListener::connect_with(&own).await?;
        listener.listen(CHANNEL).await?;
        loop {
            // Nobody knows what was missed while there was no connection: all may have changed.
            let school = match listener.try_recv().await? {
                Some(told) => told.payload().parse().unwrap_or_default(),
                None => Uuid::nil(),
            };
            // Nobody may be listening.
            let _ = self.0.send(school);
        }
    }
}

impl Watch {
    /// Waits until something in the school has changed, or may have. `false` when nothing will come any more.
    pub async fn changed(&mut self) -> bool {
        loop {
            match self.changes.recv().await {
                Ok(school) if school == self.tenant || school.is_nil() => return true,
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => return true,
                Err(broadcast::error::RecvError::Closed) => return false,
            }
        }
    }

    /// Forgets what has been told already.
    pub fn catch_up(&mut self) {
        self.changes = self.changes.resubscribe();
    }
}
