//! The purge of what was deleted 30 days ago.

use std::sync::Arc;
use std::time::Duration;

use contract::Error;
use runtime::Worker;
use runtime::lambda::consumer::{Batch, Working};
use serde_json::Value;
use store::author::Clock;
use store::purge::Purges;
use store::sweep::Stopped;
use tokio::time::Instant;

/// What the deletion of a page may take.
const RESERVE: Duration = Duration::from_secs(20);

runtime::parts! {
    pub(crate) struct PurgeDeleted {
        purges: Purges,
        clock: Clock,
    }
}

impl Worker for PurgeDeleted {
    fn work(self: Arc<Self>, _: Vec<Value>, until: Instant) -> Working {
        Box::pin(async move { self.purge(until.checked_sub(RESERVE).unwrap_or(until)).await })
    }
}

impl PurgeDeleted {
    /// What time leaves over is gone on with at the next call.
    async fn purge(&self, until: Instant) -> Result<Batch, Error> {
        let operation = crate::PURGE_DELETED.id;
        match self.purges.purge(self.clock.now(), until).await {
            Ok(0) => {}
            Ok(purged) => tracing::info!(operation, purged, "what was deleted 30 days ago was purged"),
            Err(Stopped::TimeOver | Stopped::Elsewhere | Stopped::Restored) => {
                tracing::info!(operation, "more is to be purged than fits into one call: it is gone on with")
            }
            Err(Stopped::Failed(error)) => return Err(error),
        }
        Ok(Batch::default())
    }
}
