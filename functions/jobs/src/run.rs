//! The worker of jobs: goes on with each where it was left, for its share of time. What a kind of job does is a file.

use std::sync::Arc;
use std::time::Duration;

use contract::Error;
use contract::id::JobId;
use runtime::lambda::consumer::{Batch, QueueRecord, Working};
use runtime::{Assign, Worker};
use serde_json::Value;
use store::author::Clock;
use store::jobs::{JobRuns, JobStarts, Running, Task, Work};
use tokio::time::Instant;

use crate::erase_tenant::EraseTenant;
use crate::export_tenant::ExportTenant;
use crate::release::Release;
use crate::share::{GoneOn, Share};

/// How long one message's share of a job may take; what is left then goes on under another message.
const SHARE: Duration = Duration::from_secs(20);

runtime::parts! {
    pub(crate) struct Jobs {
        releases: Release,
        erasures: EraseTenant,
        exports: ExportTenant,
        starts: JobStarts,
        jobs: JobRuns,
        assign: Assign,
        clock: Clock,
    }
}

impl Worker for Jobs {
    fn work(self: Arc<Self>, records: Vec<Value>, _: Instant) -> Working {
        // Side by side: no client's job waits for another's.
        Box::pin(async move { Ok(Batch::each(crate::RUN_JOBS.id, records, |record| self.work_on(record)).await) })
    }
}

impl Jobs {
    async fn work_on(&self, record: QueueRecord) -> Result<(), Error> {
        let task: Task = serde_json::from_str(&record.body).map_err(Error::internal)?;
        match task {
            // A message is delayed for 15 minutes at the most.
            Task::Run { .. } | Task::Probe { .. } if task.due() > self.clock.now().millis() => {
                self.assign.send(&task, self.clock.now()).await
            }
            Task::Run { client, job, .. } => match self.jobs.get(client, job).await? {
                Some(running) => self.run(running).await,
                None => Ok(()),
            },
            Task::Probe { client, webhook, .. } if self.releases.probe(client, webhook, self.clock.now()).await? => {
                Ok(())
            }
            // It answered, before anybody knew that something was held for it.
            Task::Probe { client, webhook, .. } => {
                let now = self.clock.now();
                let task = self.starts.release(client, JobId::new(store::author::unique(now)), webhook, now).await?;
                self.assign.send(&task, now).await
            }
        }
    }

    /// Goes on with a job where it was left, until it is done or its share of time is over.
    async fn run(&self, running: Running) -> Result<(), Error> {
        let (client, job, until) = (running.client, running.job.id, Instant::now() + SHARE);
        let share = Share { until, now: self.clock.now() };
        let gone_on = match running.work {
            // Each on the heap: futures inside futures are large.
            Work::Release(_) => Box::pin(self.releases.run(running, &share)).await?,
            Work::EraseTenant(_) => Box::pin(self.erasures.run(running, &share)).await?,
            Work::ExportTenant(_) => Box::pin(self.exports.run(running, &share)).await?,
        };
        match gone_on {
            GoneOn::Over => Ok(()),
            GoneOn::From(due) => {
                self.assign.send(&Task::Run { client, job, due: due.millis() }, self.clock.now()).await
            }
        }
    }
}
