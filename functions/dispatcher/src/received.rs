//! Received: messages as the queue handed them over.

use std::time::Duration;

use contract::Time;
use serde_json::Value;

use crate::due::Due;
use crate::log::OPERATION;
use crate::message::QueueMessage;
use crate::not_due::NotDue;

/// A message that comes this much too early is on time.
const TOLERANCE: Duration = Duration::from_millis(500);

/// A batch of messages that could be read.
pub(crate) struct Received {
    messages: Vec<QueueMessage>,
}

impl Received {
    /// The messages of a batch, and the names of the records that hold none, which become dead letters.
    pub(crate) fn read(records: Vec<Value>) -> (Self, Vec<String>) {
        let (mut messages, mut unreadable) = (Vec::new(), Vec::new());
        for record in records {
            let name = record["messageId"].as_str().unwrap_or_default().to_owned();
            match QueueMessage::read(record) {
                Ok(queued) => messages.push(queued),
                Err(error) => {
                    let what = "a message is no delivery and becomes a dead letter: find out who sent it to the queue";
                    tracing::error!(operation = OPERATION, message_id = name, ?error, "{what}");
                    unreadable.push(name);
                }
            }
        }
        (Self { messages }, unreadable)
    }

    /// Those whose time has come, and those that come too early.
    pub(crate) fn at(self, now: Time) -> (Due, NotDue) {
        let soon = now.plus(TOLERANCE).millis();
        let (due, not_due) = self.messages.into_iter().partition(|queued| queued.message.due <= soon);
        (Due::new(due), NotDue::new(not_due))
    }
}
