//! One endpoint's share of a batch: at most so many attempts at once, whoever makes them; none while it does not
//! answer; and off when it has failed for days.

use std::time::Duration;

use contract::id::{ClientId, JobId, WebhookId};
use contract::webhook::DisabledReason;
use contract::{Error, Time};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use store::deliveries::{Lease, Loaded, Target};
use store::endpoint_state::{Health, Report, Taken};
use store::jobs::Task;
use tokio::time::Instant;

use crate::attempt::Outcome;
use crate::batch::{Dispatcher, Done, Parcel, warn};
use crate::schedule;
use crate::until::Until;

/// Attempts in a row that run into the deadline until nothing more is sent.
const TIMEOUTS: u32 = 5;
/// Nothing but failures for this long switches a webhook off (contract: Webhooks).
const FAILING: Duration = Duration::from_secs(5 * 24 * 3600);
/// A message that has not found a free place within this is put back: the batch must not wait for a slow endpoint.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// How often one who waits for a place looks for one.
const LOOK: Duration = Duration::from_millis(150);

/// Whether an endpoint may be sent to.
enum Gate {
    Open,
    /// With one delivery, to see whether it answers.
    Trial,
    Closed,
}

impl Dispatcher {
    /// Serves an endpoint, and gives the records that come again.
    pub(crate) async fn serve_endpoint(
        &self,
        webhook: WebhookId,
        parcels: Vec<Parcel>,
        loaded: &Loaded,
        until: Until,
    ) -> Vec<String> {
        // Deleted since then: there is nobody to send to.
        let target = match loaded.targets.get(&webhook) {
            None => return Vec::new(),
            Some(Ok(target)) => target,
            Some(Err(error)) => {
                warn("a webhook can't be read", error);
                return parcels.into_iter().filter_map(|parcel| Self::record(parcel, &Done::Again)).collect();
            }
        };
        if !target.webhook.active {
            return self.hold_all(parcels).await;
        }
        let client = parcels[0].message.client;
        let places = async { Ok(self.places.take(client, webhook, parcels.len()).await) };
        let places = until.before(places).await.unwrap_or_default();
        if places.is_empty() {
            let answers = self.states.health(webhook).await.is_ok_and(|health| health.timeouts == 0);
            return self.put_all_back(parcels, answers).await;
        }
        let taken = match until.before(self.take(webhook, places.len())).await {
            Ok(taken) => taken,
            Err(error) => {
                warn("no place could be taken", &error);
                return self.put_all_back(parcels, false).await;
            }
        };
        if taken.is_empty() {
            return self.put_all_back(parcels, taken.health.timeouts == 0).await;
        }
        self.serve_with(target, parcels, loaded, &taken, until).await
    }

    /// Takes places among all dispatchers, and waits a moment for them if all are taken.
    async fn take(&self, webhook: WebhookId, want: usize) -> Result<Taken, Error> {
        let started = Instant::now();
        loop {
            let taken = self.states.take(webhook, want).await?;
            let closed = taken.health.closed_until.is_some();
            if !taken.is_empty() || closed || started.elapsed() > PATIENCE {
                return Ok(taken);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn serve_with(
        &self,
        target: &Target,
        mut parcels: Vec<Parcel>,
        loaded: &Loaded,
        taken: &Taken,
        until: Until,
    ) -> Vec<String> {
        let (client, webhook) = (parcels[0].message.client, target.webhook.id);
        let gate = match until.before(self.gate(client, webhook, &taken.health)).await {
            Ok(gate) => gate,
            Err(error) => {
                warn("an endpoint could not be tried out", &error);
                Gate::Closed
            }
        };
        let held = match gate {
            Gate::Open => Vec::new(),
            Gate::Trial => parcels.split_off(1),
            Gate::Closed => std::mem::take(&mut parcels),
        };
        let mut again = self.hold_all(held).await;

        let started = Instant::now();
        let attempt = |(at, parcel): (usize, Parcel)| async move {
            if at >= taken.len() && started.elapsed() > PATIENCE {
                return (self.put_back(parcel, false).await, Outcome::Nothing);
            }
            let (done, outcome) = self.attempt(&parcel, target, loaded, until).await;
            (Self::record(parcel, &done), outcome)
        };
        let mut attempts = stream::iter(parcels.into_iter().enumerate()).map(attempt).buffer_unordered(taken.len());
        let mut outcomes = Vec::new();
        while let Some((record, outcome)) = attempts.next().await {
            again.extend(record);
            outcomes.push(outcome);
        }
        drop(attempts);

        if let Err(error) = self.conclude(client, target, taken, &gate, &outcomes).await {
            warn("how an endpoint has done could not be recorded", &error);
        }
        again
    }

    async fn gate(&self, client: ClientId, webhook: WebhookId, health: &Health) -> Result<Gate, Error> {
        let Some(until) = health.closed_until else { return Ok(Gate::Open) };
        let now = self.clock.now();
        if until > now {
            return Ok(Gate::Closed);
        }
        let trials = health.trials + 1;
        // Not before this trial has ended: one at a time.
        let next = now.plus(schedule::closed_for(&self.retries, trials).max(self.deadline.mul_f64(1.2)));
        // Before the endpoint is closed anew, lest nobody tries it out again.
        self.try_out_at(client, webhook, next, now).await?;
        let ours = self.states.close(webhook, Some(until), next, trials).await?;
        Ok(if ours { Gate::Trial } else { Gate::Closed })
    }

    async fn conclude(
        &self,
        client: ClientId,
        target: &Target,
        taken: &Taken,
        gate: &Gate,
        outcomes: &[Outcome],
    ) -> Result<(), Error> {
        let (webhook, now) = (target.webhook.id, self.clock.now());
        if outcomes.contains(&Outcome::Gone) {
            self.attempts.disable(client, webhook, DisabledReason::Gone).await?;
        }
        let report = report(outcomes);
        let answers = matches!(report, Report::Answered | Report::Failed { reset: true, .. });
        if matches!(gate, Gate::Trial) && answers {
            // Before the endpoint is opened, lest what is held is forgotten.
            self.release(client, webhook).await?;
        }
        let health = self.states.give_back(webhook, taken, report).await?;
        // Whoever changed it, or switched it on again, has five days to see whether that helped.
        let failing = |since: Time| since.max(target.webhook.updated_at).plus(FAILING) <= now;
        if report != Report::Nothing && health.failing_since.is_some_and(failing) {
            self.attempts.disable(client, webhook, DisabledReason::Failing).await?;
        }
        if health.timeouts >= TIMEOUTS && health.closed_until.is_none() {
            let until = now.plus(schedule::closed_for(&self.retries, 0));
            self.try_out_at(client, webhook, until, now).await?;
            self.states.close(webhook, None, until, 0).await?;
        }
        Ok(())
    }

    async fn try_out_at(&self, client: ClientId, webhook: WebhookId, at: Time, now: Time) -> Result<(), Error> {
        self.assign.send(&Task::Try { client, webhook, due: at.millis() }, now).await
    }

    /// Has what is held for a webhook sent.
    async fn release(&self, client: ClientId, webhook: WebhookId) -> Result<(), Error> {
        let now = self.clock.now();
        let task = self.jobs.release(client, JobId::new(store::author::unique(now)), webhook, now).await?;
        self.assign.send(&task, now).await
    }

    /// Has what was just held sent after all, if its webhook was switched on, or answered, while it was written: whoever
    /// releases what is held may have come by before.
    async fn look_again(&self, client: ClientId, webhook: WebhookId) -> Result<(), Error> {
        let active = self.attempts.is_active(client, webhook).await?;
        if active && self.states.health(webhook).await?.closed_until.is_none() {
            self.release(client, webhook).await?;
        }
        Ok(())
    }

    async fn hold_all(&self, parcels: Vec<Parcel>) -> Vec<String> {
        let Some((client, webhook)) = parcels.first().map(|first| (first.message.client, first.message.webhook)) else {
            return Vec::new();
        };
        let hold = async |parcel: Parcel| match self.hold(&parcel).await {
            Ok(done) => Self::record(parcel, &done),
            Err(error) => {
                warn("a delivery could not be held", &error);
                self.put_back(parcel, false).await
            }
        };
        let again: Vec<String> = join_all(parcels.into_iter().map(hold)).await.into_iter().flatten().collect();
        if let Err(error) = self.look_again(client, webhook).await {
            warn("whether what was held may be sent can't be read", &error);
        }
        again
    }

    /// Holds a delivery; if an attempt of it has died, with the attempt after that.
    async fn hold(&self, parcel: &Parcel) -> Result<Done, Error> {
        if self.attempts.hold(&parcel.message).await? {
            return Ok(Done::Gone);
        }
        match self.attempts.moved_on(&parcel.message, parcel.received).await? {
            Lease::Died(next) | Lease::FollowUp(next) => self.attempts.hold(&next).await.map(|_| Done::Gone),
            Lease::Elsewhere => Ok(Done::Again),
            Lease::Taken | Lease::Over => Ok(Done::Gone),
        }
    }

    pub(crate) async fn put_all_back(&self, parcels: Vec<Parcel>, answers: bool) -> Vec<String> {
        join_all(parcels.into_iter().map(|parcel| self.put_back(parcel, answers))).await.into_iter().flatten().collect()
    }
}

/// What attempts, in the order in which they ended, say of their endpoint.
fn report(outcomes: &[Outcome]) -> Report {
    if outcomes.contains(&Outcome::Delivered) {
        return Report::Answered;
    }
    let failures = outcomes.iter().filter(|outcome| **outcome != Outcome::Nothing);
    let (mut timeouts, mut reset, mut any) = (0, false, false);
    for failure in failures {
        any = true;
        if *failure == Outcome::TimedOut {
            timeouts += 1;
        } else {
            (timeouts, reset) = (0, true);
        }
    }
    if any { Report::Failed { timeouts, reset } } else { Report::Nothing }
}

#[cfg(test)]
mod tests {
    use super::Outcome::{Delivered, Failed, Nothing, TimedOut};
    use super::*;

    #[test]
    fn an_endpoint_answers_if_anything_arrives_and_is_silent_by_deadlines_in_a_row() {
        assert_eq!(report(&[]), Report::Nothing);
        assert_eq!(report(&[Nothing, Nothing]), Report::Nothing);
        assert_eq!(report(&[TimedOut, Delivered, TimedOut]), Report::Answered);
        assert_eq!(report(&[TimedOut, TimedOut]), Report::Failed { timeouts: 2, reset: false });
        assert_eq!(report(&[TimedOut, Failed, TimedOut]), Report::Failed { timeouts: 1, reset: true });
        assert_eq!(report(&[Failed]), Report::Failed { timeouts: 0, reset: true });
    }
}
