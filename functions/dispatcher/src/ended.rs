//! The ends of the path before an attempt is recorded: why messages go no further, and what becomes of them.

use contract::Error;
use contract::id::{ClientId, WebhookId};
use futures_util::future::join_all;
use store::deliveries::{Lease, Message};

use crate::log::{OPERATION, warn};
use crate::message::{self, QueueMessage};
use crate::schedule::Deferral;
use crate::services::Services;

/// What becomes of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing is left to do for them.
    Dropped,
    /// The queue hands them out again.
    Returned,
    /// They go back to the queue, due later.
    Deferred(Deferral),
    /// They are kept until their endpoint is switched on, or answers, again.
    Held,
}

/// Messages that go no further.
#[must_use]
pub(crate) struct Ended {
    messages: Vec<QueueMessage>,
    end: End,
}

impl Ended {
    /// The end of messages where nothing is wrong.
    pub(crate) fn new(messages: Vec<QueueMessage>, end: End, reason: &'static str) -> Self {
        if !messages.is_empty() {
            tracing::debug!(operation = OPERATION, ?end, records = ?message::record_ids(&messages), "{reason}");
        }
        Self { messages, end }
    }

    /// The end of messages because of an error.
    pub(crate) fn failed(messages: Vec<QueueMessage>, end: End, reason: &'static str, error: &Error) -> Self {
        let webhook = messages.first().map(|queued| queued.message.webhook.to_string());
        let deliveries: Vec<String> = messages.iter().map(|queued| queued.message.delivery.to_string()).collect();
        tracing::warn!(operation = OPERATION, ?end, webhook, ?deliveries, ?error, "{reason}");
        Self { messages, end }
    }

    /// What the queue knows the messages by.
    pub(crate) fn record_ids(&self) -> Vec<String> {
        message::record_ids(&self.messages)
    }

    /// Does what the end asks for, and gives the records that the queue hands out again.
    pub(crate) async fn carry_out(self, services: &Services) -> Vec<String> {
        match self.end {
            End::Dropped => Vec::new(),
            End::Returned => self.record_ids(),
            End::Deferred(deferral) => defer(services, &self.messages, deferral).await,
            End::Held => hold_all(services, self.messages).await,
        }
    }
}

/// Sends messages to the queue again, due later; their records come again if that fails.
async fn defer(services: &Services, queued: &[QueueMessage], deferral: Deferral) -> Vec<String> {
    let now = services.clock.now();
    let deferred = |queued: &QueueMessage| {
        let message = &queued.message;
        // This time nothing was begun.
        let received = queued.receive_count.saturating_sub(1);
        Message {
            due: now.plus(deferral.after(message.waits)).millis(),
            waits: message.waits + 1,
            received,
            ..*message
        }
    };
    let messages: Vec<Message> = queued.iter().map(deferred).collect();
    match services.retry.send(&messages, now).await {
        Ok(()) => Vec::new(),
        Err(error) => {
            warn("messages could not be deferred: the queue hands them out again", &error);
            message::record_ids(queued)
        }
    }
}

async fn hold_all(services: &Services, messages: Vec<QueueMessage>) -> Vec<String> {
    let Some((client, webhook)) = messages.first().map(|first| (first.message.client, first.message.webhook)) else {
        return Vec::new();
    };
    let hold = async |queued: QueueMessage| match hold(services, &queued).await {
        Ok(End::Returned) => vec![queued.record_id],
        Ok(_) => Vec::new(),
        Err(error) => {
            warn("a delivery could not be held: its message is deferred", &error);
            defer(services, &[queued], Deferral::FAULT).await
        }
    };
    let again = join_all(messages.into_iter().map(hold)).await.into_iter().flatten().collect();
    if let Err(error) = release_if_open_again(services, client, webhook).await {
        warn("it is unknown whether held deliveries may be sent: they wait for the next release or probe", &error);
    }
    again
}

/// Holds a delivery; if an attempt of it has died, with the attempt after that.
async fn hold(services: &Services, queued: &QueueMessage) -> Result<End, Error> {
    let attempts = &services.attempts;
    if attempts.hold(&queued.message).await? {
        return Ok(End::Held);
    }
    match attempts.moved_on(&queued.message, queued.receive_count).await? {
        Lease::Died(next) | Lease::FollowUp(next) => attempts.hold(&next).await.map(|_| End::Held),
        Lease::Elsewhere => Ok(End::Returned),
        Lease::Taken | Lease::Over => Ok(End::Dropped),
    }
}

/// Has what was just held sent after all, if its webhook was switched on, or answered, while it was written: whoever
/// releases what is held may have come by before.
async fn release_if_open_again(services: &Services, client: ClientId, webhook: WebhookId) -> Result<(), Error> {
    let active = services.attempts.is_active(client, webhook).await?;
    if active && services.states.health(webhook).await?.open_until.is_none() {
        services.release(client, webhook).await?;
    }
    Ok(())
}
