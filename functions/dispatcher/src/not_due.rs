//! Not due: messages of retries that are later than a queue can delay, on their way in hops.

use contract::Error;
use store::deliveries::{Message, Standing};

use crate::due::Due;
use crate::ended::{End, Ended};
use crate::message::{self, QueueMessage};
use crate::services::Services;

/// Messages that come too early.
pub(crate) struct NotDue {
    messages: Vec<QueueMessage>,
}

impl NotDue {
    pub(crate) fn new(messages: Vec<QueueMessage>) -> Self {
        Self { messages }
    }

    /// What the queue knows the messages by.
    pub(crate) fn record_ids(&self) -> Vec<String> {
        message::record_ids(&self.messages)
    }

    /// Sends messages on, but for those that have been overtaken. Those whose attempt has begun though they are not due
    /// go on as if they were.
    pub(crate) async fn send_on(self, services: &Services) -> (Due, Ended) {
        let failed = |messages, error: &Error| {
            let reason = "messages that are not due could not be sent on: look at DynamoDB and SQS";
            Ended::failed(messages, End::Returned, reason, error)
        };
        let messages: Vec<Message> = self.messages.iter().map(|queued| queued.message).collect();
        let standings = match services.attempts.standings(&messages).await {
            Ok(standings) => standings,
            Err(error) => return (Due::default(), failed(self.messages, &error)),
        };
        let (mut to_come, mut begun) = (Vec::new(), Vec::new());
        for (queued, standing) in self.messages.into_iter().zip(standings) {
            match standing {
                Standing::ToCome => to_come.push(queued),
                // By one whose clock is ahead, and it may have died.
                Standing::Begun if queued.receive_count > 1 => begun.push(queued),
                Standing::Begun | Standing::Over => {}
            }
        }
        let messages: Vec<Message> = to_come.iter().map(|queued| queued.message).collect();
        let ended = match services.retry.send(&messages, services.clock.now()).await {
            Ok(()) => Ended::new(to_come, End::Dropped, "messages are not due: others stand for them"),
            Err(error) => failed(to_come, &error),
        };
        (Due::new(begun), ended)
    }
}
