//! Due: messages whose time has come.

use std::collections::HashMap;
use std::sync::Arc;

use contract::Error;
use contract::id::WebhookId;
use store::deliveries::{Loaded, Message};
use store::endpoint_state::CircuitState;

use crate::addressed::Addressed;
use crate::deadlines::Deadlines;
use crate::ended::{End, Ended};
use crate::message::QueueMessage;
use crate::schedule::Deferral;
use crate::services::Services;

/// Messages whose time has come.
#[derive(Default)]
pub(crate) struct Due {
    messages: Vec<QueueMessage>,
}

impl Due {
    pub(crate) fn new(messages: Vec<QueueMessage>) -> Self {
        Self { messages }
    }

    /// Loads where messages go and what they say, in one round trip, and sorts them by endpoint.
    pub(crate) async fn address(self, services: &Services, deadlines: Deadlines) -> (Vec<Addressed>, Vec<Ended>) {
        let (mut addressed, mut ended) = (Vec::new(), Vec::new());
        if self.messages.is_empty() {
            return (addressed, ended);
        }
        let mut loaded = match deadlines.before_attempt(load(services, &self.messages)).await {
            Ok(loaded) => loaded,
            Err(error) => {
                let reason = "webhooks and events could not be loaded: look at DynamoDB and Secrets Manager";
                ended.push(Ended::failed(self.messages, End::Deferred(Deferral::FAULT), reason, &error));
                return (addressed, ended);
            }
        };
        let contents = Arc::new(loaded.contents);
        let mut by_webhook: HashMap<WebhookId, Vec<QueueMessage>> = HashMap::new();
        for queued in self.messages {
            by_webhook.entry(queued.message.webhook).or_default().push(queued);
        }
        let now = services.clock.now();
        for (webhook, messages) in by_webhook {
            let health = loaded.states.get(&webhook).copied().unwrap_or_default();
            match loaded.targets.remove(&webhook) {
                None => ended.push(Ended::new(messages, End::Dropped, "the webhook was deleted")),
                Some(Ok(target)) if !target.is_on => {
                    ended.push(Ended::new(messages, End::Held, "the webhook is off, or its client is closed"));
                }
                // Before they wait for what they may not use.
                Some(Ok(_)) if health.circuit(now) == CircuitState::Open => {
                    ended.push(Ended::new(messages, End::Held, "the circuit breaker is open"));
                }
                Some(Ok(target)) => {
                    addressed.push(Addressed::new(messages, target, Arc::clone(&contents), health.answers()));
                }
                Some(Err(error)) => {
                    let reason = "a stored webhook can't be read and its messages become dead letters: mend it, then redrive them";
                    ended.push(Ended::failed(messages, End::Returned, reason, &error));
                }
            }
        }
        (addressed, ended)
    }
}

async fn load(services: &Services, due: &[QueueMessage]) -> Result<Loaded, Error> {
    let ring = services.vault.ring().await?;
    let messages: Vec<Message> = due.iter().map(|queued| queued.message).collect();
    services.attempts.load(&messages, &ring).await
}
