//! What a process holds for all of its batches.

use std::time::Duration;

use contract::id::{ClientId, JobId, WebhookId};
use contract::{Error, Time};
use runtime::{Assign, Retry, Vault};
use store::author::{Clock, unique};
use store::deliveries::Attempts;
use store::endpoint_state::EndpointStates;
use store::jobs::{JobStarts, Task};

use crate::concurrency_limiter::ConcurrencyLimiter;
use crate::outbound::{Sender, Settings};

runtime::parts! {
    /// What a process holds for all of its batches.
    pub(crate) struct Services {
        pub(crate) attempts: Attempts,
        pub(crate) states: EndpointStates,
        jobs: JobStarts,
        pub(crate) retry: Retry,
        assign: Assign,
        pub(crate) vault: Vault,
        pub(crate) clock: Clock,
        |app|
        pub(crate) sender: Sender = {
            let settings = Settings::new(app.webhooks.rules.clone());
            Sender::new(Settings { deadline: app.webhooks.deadline, ..settings }).map_err(Error::internal)?
        },
        pub(crate) retries: Vec<Duration> = app.webhooks.retries.clone(),
        /// How long one attempt may take.
        pub(crate) deadline: Duration = app.webhooks.deadline,
        pub(crate) limiter: ConcurrencyLimiter = ConcurrencyLimiter::default(),
    }
}

impl Services {
    /// Has what is held for a webhook sent.
    pub(crate) async fn release(&self, client: ClientId, webhook: WebhookId) -> Result<(), Error> {
        let now = self.clock.now();
        let task = self.jobs.release(client, JobId::new(unique(now)), webhook, now).await?;
        self.assign.send(&task, now).await
    }

    /// Has one of the deliveries that are held for a webhook sent at a time, as a probe.
    pub(crate) async fn probe(&self, client: ClientId, webhook: WebhookId, at: Time) -> Result<(), Error> {
        self.assign.send(&Task::Probe { client, webhook, due: at.millis() }, self.clock.now()).await
    }
}
