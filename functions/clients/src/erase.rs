//! The erasing of clients whose 30 days are over; and tenants whose erasure nobody is at work on are seen to.

use std::sync::Arc;
use std::time::Duration;

use contract::{Error, Time};
use runtime::lambda::consumer::{Batch, Working};
use runtime::{Assign, Worker};
use serde_json::Value;
use store::author::Clock;
use store::erasure::Erasure;
use store::sweep::Stopped;
use tokio::time::Instant;

/// What the deletion of a page may take.
const RESERVE: Duration = Duration::from_secs(20);

/// How long the erasure of a tenant is left to the message that was sent when it was asked for.
const UNDER_WAY: Duration = Duration::from_secs(1800);

runtime::parts! {
    pub(crate) struct EraseClients {
        erasure: Erasure,
        assign: Assign,
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
        self.see_to_tenants().await?;
        let mut failed = None;
        for due in self.erasure.due(self.clock.now()).await? {
            let client = due.client.to_string();
            match self.erasure.erase(&due, until).await {
                Ok(items) => tracing::info!(operation, client, items, "a client was erased"),
                Err(Stopped::TimeOver | Stopped::Elsewhere) => {
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

    /// Whose message was lost between the request and its queue has another.
    async fn see_to_tenants(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let before = Time::from_millis(now.millis() - i64::try_from(UNDER_WAY.as_millis()).unwrap_or(0));
        for task in self.erasure.open_tenant_erasures(before).await? {
            self.assign.send(&task, now).await?;
        }
        Ok(())
    }
}
