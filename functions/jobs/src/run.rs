//! The worker of jobs: releases what is held or has failed, a page at a time.

use std::sync::Arc;
use std::time::Duration;

use contract::id::{ClientId, JobId, WebhookId};
use contract::webhook::{DeliveryStatus, JobStatus};
use contract::{Error, Time};
use runtime::lambda::consumer::{Batch, QueueRecord, Working};
use runtime::{Assign, Retry, Worker};
use serde_json::Value;
use store::author::Clock;
use store::deliveries::{HELD, Open, Releases};
use store::jobs::{JobRuns, JobStarts, Running, Task};
use tokio::time::Instant;

/// How long one message's share of a job may take; what is left then goes on under another message.
const SHARE: Duration = Duration::from_secs(20);
const PAGE: usize = 50;

runtime::parts! {
    pub(crate) struct Jobs {
        releases: Releases,
        starts: JobStarts,
        jobs: JobRuns,
        retry: Retry,
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
            Task::Run { client, job } => match self.jobs.get(client, job).await? {
                Some(running) => self.run(running).await,
                None => Ok(()),
            },
            // A message is delayed for 15 minutes at the most.
            Task::Probe { due, .. } if due > self.clock.now().millis() => {
                self.assign.send(&task, self.clock.now()).await
            }
            Task::Probe { client, webhook, .. } if self.releases.is_circuit_open(webhook).await? => {
                self.send_one(client, webhook).await
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
    async fn run(&self, mut running: Running) -> Result<(), Error> {
        let started = Instant::now();
        let (client, release) = (running.client, running.release);
        running.job.status = JobStatus::Running;
        loop {
            // There is nobody to send to: what is held stays held, and is released when the webhook is on again.
            if !self.releases.is_active(client, release.webhook).await? {
                running.job.status = JobStatus::Completed;
                return self.jobs.advance(&running).await;
            }
            let page = self.releases.page(client, release.webhook, release.since, running.after, PAGE).await?;
            let wanted: Vec<&Open> =
                page.iter().filter(|open| release.failed || open.status == DeliveryStatus::Held).collect();
            running.job.progress.done += self.send(client, release.webhook, &wanted).await?;
            running.after = page.last().map(|open| open.delivery).or(running.after);
            if page.len() < PAGE {
                running.job.status = JobStatus::Completed;
                return self.jobs.advance(&running).await;
            }
            self.jobs.advance(&running).await?;
            if started.elapsed() > SHARE {
                let task = Task::Run { client, job: running.job.id };
                return self.assign.send(&task, self.clock.now()).await;
            }
        }
    }

    /// Sends the oldest delivery that is held, to see whether the endpoint answers again.
    async fn send_one(&self, client: ClientId, webhook: WebhookId) -> Result<(), Error> {
        let held = i64::try_from(HELD.as_millis()).unwrap_or(0);
        let since = Time::from_millis(self.clock.now().millis() - held);
        let mut after = None;
        loop {
            let page = self.releases.page(client, webhook, since, after, PAGE).await?;
            for open in page.iter().filter(|open| open.status == DeliveryStatus::Held) {
                // One that has moved on by itself is passed over.
                if self.send(client, webhook, &[open]).await? > 0 {
                    return Ok(());
                }
            }
            after = page.last().map(|open| open.delivery);
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    /// Raises deliveries into another round, sends them, and forgets that they were open; says how many were sent.
    async fn send(&self, client: ClientId, webhook: WebhookId, all: &[&Open]) -> Result<u64, Error> {
        let (mut messages, mut sent) = (Vec::new(), Vec::new());
        for open in all {
            if let Some(message) = self.releases.release(client, webhook, open).await? {
                messages.push(message);
                sent.push(*open);
            }
        }
        self.retry.send(&messages, self.clock.now()).await?;
        for open in &sent {
            self.releases.forget(client, webhook, open).await?;
        }
        Ok(u64::try_from(sent.len()).unwrap_or(0))
    }
}
