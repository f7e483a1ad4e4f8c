//! The circuit breaker of an endpoint. Closed, it lets every delivery through; after timeouts in a row it opens, and
//! deliveries are held; when its time is over it is half-open, and lets one through as a probe. An endpoint that has
//! only failed for days is switched off.

use std::sync::Arc;
use std::time::Duration;

use contract::Error;
use contract::Time;
use contract::id::{ClientId, WebhookId};
use contract::webhook::DisabledReason;
use store::deliveries::Target;
use store::endpoint_state::{CircuitState, Health, Report, Taken};

use crate::concurrency_limiter::Permit;
use crate::deadlines::Deadlines;
use crate::log::warn;
use crate::recorded::Outcome;
use crate::schedule;
use crate::services::Services;

/// Attempts in a row that run into the deadline until the circuit opens.
const MAX_TIMEOUTS: u32 = 5;
/// Nothing but failures for this long switches a webhook off (contract: Webhooks).
const MAX_FAILING: Duration = Duration::from_secs(5 * 24 * 3600);

/// What a batch may do at an endpoint: the permits and slots that it has there, under the state of the circuit.
pub(crate) struct Admission {
    client: ClientId,
    target: Arc<Target>,
    slots: Taken,
    circuit: CircuitState,
    _permits: Vec<Permit>,
}

impl Admission {
    /// Finds out the state of the circuit; it is half-open for one batch alone.
    pub(crate) async fn ask(
        services: &Services,
        client: ClientId,
        target: Arc<Target>,
        permits: Vec<Permit>,
        slots: Taken,
        deadlines: Deadlines,
    ) -> Self {
        let circuit = circuit(services, client, target.webhook.id, &slots.health);
        let circuit = deadlines.before_attempt(circuit).await.unwrap_or_else(|error| {
            warn("an endpoint could not be probed: its deliveries are held. Look at DynamoDB and SQS", &error);
            CircuitState::Open
        });
        Self { client, target, slots, circuit, _permits: permits }
    }

    pub(crate) const fn circuit(&self) -> CircuitState {
        self.circuit
    }

    /// How many attempts may be under way.
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Gives the slots back and tells how the endpoint has done, by attempts in the order in which they ended.
    pub(crate) async fn conclude(self, services: &Services, outcomes: &[Outcome]) {
        if let Err(error) = self.report(services, outcomes).await {
            warn("how an endpoint has done could not be recorded: its slots are free again in 75 seconds", &error);
        }
    }

    async fn report(&self, services: &Services, outcomes: &[Outcome]) -> Result<(), Error> {
        let (client, webhook, now) = (self.client, self.target.webhook.id, services.clock.now());
        if outcomes.contains(&Outcome::Gone) {
            services.attempts.disable(client, webhook, DisabledReason::Gone).await?;
        }
        let report = report(outcomes);
        let answers = matches!(report, Report::Answered | Report::Failed { reset: true, .. });
        // Of one that was known to answer nothing is held yet.
        let unknown = !self.slots.health.answers();
        if answers && unknown && services.states.health(webhook).await?.open_until.is_some() {
            // Before the circuit is closed, lest what is held is forgotten.
            services.release(client, webhook).await?;
        }
        let health = services.states.give_back(webhook, &self.slots, report).await?;
        // Whoever changed it, or switched it on again, has five days to see whether that helped.
        let failing = |since: Time| since.max(self.target.webhook.updated_at).plus(MAX_FAILING) <= now;
        if report != Report::Nothing && health.failing_since.is_some_and(failing) {
            services.attempts.disable(client, webhook, DisabledReason::Failing).await?;
        }
        if health.timeouts >= MAX_TIMEOUTS && health.open_until.is_none() {
            open(services, client, webhook, now).await?;
        }
        Ok(())
    }
}

/// The state of the circuit; half-open, once this batch is the one that probes.
async fn circuit(
    services: &Services,
    client: ClientId,
    webhook: WebhookId,
    health: &Health,
) -> Result<CircuitState, Error> {
    let now = services.clock.now();
    let state = health.circuit(now);
    if state != CircuitState::HalfOpen {
        return Ok(state);
    }
    let probes = health.probes + 1;
    // Not before this probe has ended: one at a time.
    let next = now.plus(schedule::open_for(&services.retries, probes).max(services.deadline.mul_f64(1.2)));
    // Before the circuit is opened anew, lest nobody probes the endpoint again.
    services.probe(client, webhook, next).await?;
    let ours = services.states.open_circuit(webhook, health.open_until, next, probes).await?;
    Ok(if ours { CircuitState::HalfOpen } else { CircuitState::Open })
}

/// Opens the circuit of an endpoint that is not known to answer, and for which there is no room: what waits for it is
/// not to be received again and again. False if it is known to, or is to be probed.
pub(crate) async fn open_early(
    services: &Services,
    client: ClientId,
    webhook: WebhookId,
    health: &Health,
) -> Result<bool, Error> {
    let now = services.clock.now();
    match health.circuit(now) {
        CircuitState::Closed if !health.answers() => {
            open(services, client, webhook, now).await?;
            Ok(true)
        }
        CircuitState::Open => Ok(true),
        // What finds no room then is the probe: it comes again.
        CircuitState::Closed | CircuitState::HalfOpen => Ok(false),
    }
}

/// Opens a circuit that is closed.
async fn open(services: &Services, client: ClientId, webhook: WebhookId, now: Time) -> Result<(), Error> {
    let until = now.plus(schedule::open_for(&services.retries, 0));
    // Before the circuit is open, lest nobody probes the endpoint.
    services.probe(client, webhook, until).await?;
    services.states.open_circuit(webhook, None, until, 0).await.map(|_| ())
}

/// What attempts, in the order in which they ended, say of their endpoint.
fn report(outcomes: &[Outcome]) -> Report {
    if outcomes.is_empty() {
        return Report::Nothing;
    }
    if outcomes.contains(&Outcome::Delivered) {
        return Report::Answered;
    }
    let timeouts = outcomes.iter().rev().take_while(|outcome| **outcome == Outcome::TimedOut).count();
    Report::Failed { timeouts: u32::try_from(timeouts).unwrap_or(u32::MAX), reset: timeouts < outcomes.len() }
}

#[cfg(test)]
mod tests {
    use super::Outcome::{Delivered, Failed, TimedOut};
    use super::*;

    #[test]
    fn an_endpoint_answers_if_anything_arrives_and_is_silent_by_deadlines_in_a_row() {
        assert_eq!(report(&[]), Report::Nothing);
        assert_eq!(report(&[TimedOut, Delivered, TimedOut]), Report::Answered);
        assert_eq!(report(&[TimedOut, TimedOut]), Report::Failed { timeouts: 2, reset: false });
        assert_eq!(report(&[TimedOut, Failed, TimedOut]), Report::Failed { timeouts: 1, reset: true });
        assert_eq!(report(&[Failed]), Report::Failed { timeouts: 0, reset: true });
    }
}
