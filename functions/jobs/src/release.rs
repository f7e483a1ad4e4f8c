//! Releases: what is held or has failed is sent again, a page at a time.

use contract::id::{ClientId, WebhookId};
use contract::job::JobStatus;
use contract::webhook::DeliveryStatus;
use contract::{Error, Time};
use runtime::Retry;
use store::deliveries::{HELD, Open, Releases};
use store::jobs::{JobRuns, Noted, Running, Work};

use crate::share::{GoneOn, Share};

const PAGE: usize = 50;

runtime::parts! {
    pub(crate) struct Release {
        releases: Releases,
        jobs: JobRuns,
        retry: Retry,
    }
}

impl Release {
    /// Goes on with a job where it was left, until it is done or its share of time is over.
    pub(crate) async fn run(&self, mut running: Running, share: &Share) -> Result<GoneOn, Error> {
        let Work::Release(mut release) = running.work else { return Err(Error::internal("not a release")) };
        let client = running.client;
        running.job.status = JobStatus::Running;
        loop {
            // There is nobody to send to: what is held stays held, and is released when the webhook is on again.
            if !self.releases.is_active(client, release.webhook).await? {
                running.job.status = JobStatus::Completed;
                return self.jobs.advance(&mut running).await.map(|_| GoneOn::Over);
            }
            let page = self.releases.page(client, release.webhook, release.since, release.after, PAGE).await?;
            let wanted: Vec<&Open> =
                page.iter().filter(|open| release.failed || open.status == DeliveryStatus::Held).collect();
            running.job.progress.done += self.send(client, release.webhook, &wanted, share.now).await?;
            release.after = page.last().map(|open| open.delivery).or(release.after);
            running.work = Work::Release(release);
            if page.len() < PAGE {
                running.job.status = JobStatus::Completed;
                return self.jobs.advance(&mut running).await.map(|_| GoneOn::Over);
            }
            if self.jobs.advance(&mut running).await? != Noted::Done {
                return Ok(GoneOn::Over);
            }
            if share.is_over() {
                return Ok(GoneOn::From(share.now));
            }
        }
    }

    /// Sends the oldest delivery that is held, to see whether the endpoint answers again; not, and says so, if it does.
    pub(crate) async fn probe(&self, client: ClientId, webhook: WebhookId, now: Time) -> Result<bool, Error> {
        if !self.releases.is_circuit_open(webhook).await? {
            return Ok(false);
        }
        self.send_one(client, webhook, now).await.map(|()| true)
    }

    async fn send_one(&self, client: ClientId, webhook: WebhookId, now: Time) -> Result<(), Error> {
        let held = i64::try_from(HELD.as_millis()).unwrap_or(0);
        let since = Time::from_millis(now.millis() - held);
        let mut after = None;
        loop {
            let page = self.releases.page(client, webhook, since, after, PAGE).await?;
            for open in page.iter().filter(|open| open.status == DeliveryStatus::Held) {
                // One that has moved on by itself is passed over.
                if self.send(client, webhook, &[open], now).await? > 0 {
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
    async fn send(&self, client: ClientId, webhook: WebhookId, all: &[&Open], now: Time) -> Result<u64, Error> {
        let (mut messages, mut sent) = (Vec::new(), Vec::new());
        for open in all {
            if let Some(message) = self.releases.release(client, webhook, open).await? {
                messages.push(message);
                sent.push(*open);
            }
        }
        self.retry.send(&messages, now).await?;
        for open in &sent {
            self.releases.forget(client, webhook, open).await?;
        }
        Ok(u64::try_from(sent.len()).unwrap_or(0))
    }
}
