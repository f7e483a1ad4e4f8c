//! Addressed: the messages of a batch that go to one endpoint, with where that is and what they say.

use std::sync::Arc;
use std::time::Duration;

use contract::Error;
use contract::id::WebhookId;
use store::deliveries::Target;
use store::endpoint_state::{CircuitState, Health, Taken};
use tokio::time::Instant;

use crate::circuit_breaker::{self, Admission};
use crate::deadlines::Deadlines;
use crate::ended::{End, Ended};
use crate::message::{self, QueueMessage};
use crate::permitted::{Contents, Permitted};
use crate::schedule::Deferral;
use crate::services::Services;

/// A message that has found no free slot within this is deferred: the batch must not wait for a slow endpoint.
pub(crate) const MAX_SLOT_WAIT: Duration = Duration::from_secs(1);
/// How often one who waits for a slot looks for one.
const POLL_INTERVAL: Duration = Duration::from_millis(150);

/// Messages for one endpoint.
pub(crate) struct Addressed {
    messages: Vec<QueueMessage>,
    target: Arc<Target>,
    contents: Arc<Contents>,
    /// Whether the endpoint is known to answer.
    answers: bool,
}

/// What may go to an endpoint, and what may not.
pub(crate) struct Admitted {
    pub(crate) permitted: Vec<Permitted>,
    pub(crate) held: Ended,
    pub(crate) admission: Admission,
}

impl Addressed {
    pub(crate) fn new(messages: Vec<QueueMessage>, target: Target, contents: Arc<Contents>, answers: bool) -> Self {
        Self { messages, target: Arc::new(target), contents, answers }
    }

    /// What the queue knows the messages by.
    pub(crate) fn record_ids(&self) -> Vec<String> {
        message::record_ids(&self.messages)
    }

    /// Takes permits within this process and slots among all dispatchers, and asks the circuit breaker.
    pub(crate) async fn permit(self, services: &Services, deadlines: Deadlines) -> Result<Admitted, Ended> {
        let Self { mut messages, target, contents, answers } = self;
        let (client, webhook) = (messages[0].message.client, target.webhook.id);

        let permits = async { Ok(services.limiter.acquire(client, webhook, answers, messages.len()).await) };
        let permits = deadlines.before_attempt(permits).await.unwrap_or_default();
        if permits.is_empty() {
            let health = services.states.health(webhook).await.unwrap_or_default();
            return Err(no_room(services, messages, &health, Deferral::PERMIT).await);
        }

        let slots = match deadlines.before_attempt(take_slots(services, webhook, permits.len())).await {
            Ok(slots) => slots,
            Err(error) => {
                let reason = "no slot could be taken at an endpoint: look at DynamoDB";
                return Err(Ended::failed(messages, End::Deferred(Deferral::FAULT), reason, &error));
            }
        };
        if slots.is_empty() {
            drop(permits);
            return Err(no_room(services, messages, &slots.health, Deferral::SLOT).await);
        }

        let admission = Admission::ask(services, client, Arc::clone(&target), permits, slots, deadlines).await;
        let held = match admission.circuit() {
            CircuitState::Closed => Vec::new(),
            CircuitState::HalfOpen => messages.split_off(1),
            CircuitState::Open => std::mem::take(&mut messages),
        };
        let held = Ended::new(held, End::Held, "the circuit breaker is not closed");

        // The others wait for a slot, until then.
        let wait_until = Instant::now() + MAX_SLOT_WAIT;
        let permitted = |(at, message)| Permitted {
            message,
            target: Arc::clone(&target),
            contents: Arc::clone(&contents),
            wait_until: (at >= admission.slots()).then_some(wait_until),
        };
        let permitted = messages.into_iter().enumerate().map(permitted).collect();
        Ok(Admitted { permitted, held, admission })
    }
}

/// The end of messages to one endpoint that find no room: they are deferred, or held if it is not known to answer.
async fn no_room(services: &Services, messages: Vec<QueueMessage>, health: &Health, deferral: Deferral) -> Ended {
    let (client, webhook) = (messages[0].message.client, messages[0].message.webhook);
    match circuit_breaker::open_early(services, client, webhook, health).await {
        Ok(true) => Ended::new(messages, End::Held, "there is no room for an endpoint that is not known to answer"),
        Ok(false) => {
            Ended::new(messages, End::Deferred(deferral), "there is no room in this process or at the endpoint")
        }
        Err(error) => {
            let reason = "an endpoint's circuit could not be opened: look at DynamoDB and SQS";
            Ended::failed(messages, End::Deferred(deferral), reason, &error)
        }
    }
}

/// Takes slots among all dispatchers, and waits a moment for them if all are taken.
async fn take_slots(services: &Services, webhook: WebhookId, want: usize) -> Result<Taken, Error> {
    let started = Instant::now();
    loop {
        let taken = services.states.take(webhook, want).await?;
        let open = taken.health.open_until.is_some();
        if !taken.is_empty() || open || started.elapsed() > MAX_SLOT_WAIT {
            return Ok(taken);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
