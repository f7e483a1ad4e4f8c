//! The erasing of clients whose 30 days are over.

use std::sync::Arc;
use std::time::Duration;

use contract::Error;
use runtime::Worker;
use runtime::lambda::consumer::{Batch, Working};
use serde_json::Value;
use store::author::Clock;
use store::erasure::{Erasure, Stopped};
use tokio::time::Instant;

/// What the deletion of a page may take.
const RESERVE: Duration = Duration::from_secs(20);

runtime::parts! {
    pub(crate) struct EraseClients {
        erasure: Erasure,
        clock: Clock,
    }
}

impl Worker for EraseClients {
    fn work(self: Arc<Self>, _: Vec<Value>, until: Instant) -> Working {
        Box::pin(async move { self.erase_all(until.checked_sub(RESERVE).unwrap_or(until)).await })
    }
}

impl EraseClients {
    /// One after the other; what time or a fault leaves over is gone on with at the next call.
    async fn erase_all(&self, until: Instant) -> Result<Batch, Error> {
        let operation = crate::ERASE_CLIENTS.id;
        let mut failed = None;
        for due in self.erasure.due(self.clock.now()).await? {
            let client = due.client.to_string();
            match self.erasure.erase(&due, until).await {
                Ok(items) => tracing::info!(operation, client, items, "a client was erased"),
                Err(Stopped::TimeOver) => {
                    tracing::info!(operation, client, "a client is too large to be erased at once: it is gone on with");
                    break;
                }
                Err(Stopped::Restored) => {
                    tracing::info!(
                        operation,
                        client,
                        "a client was restored before it was erased: it is left as it is"
                    );
                }
                Err(Stopped::Failed(error)) => {
                    tracing::error!(operation, client, ?error, "a client could not be erased: it is tried again");
                    failed = Some(error);
                }
            }
        }
        failed.map_or_else(|| Ok(Batch::default()), Err)
    }
}
