//! Permitted: a message that its endpoint has room for.

use std::collections::HashMap;
use std::sync::Arc;

use contract::Error;
use contract::id::EventId;
use store::deliveries::{Content, Lease, Message, Target};
use tokio::time::Instant;

use crate::deadlines::Deadlines;
use crate::ended::{End, Ended};
use crate::leased::Leased;
use crate::message::QueueMessage;
use crate::schedule::Deferral;
use crate::services::Services;

/// What is sent, by event; none for one that is no longer kept.
pub(crate) type Contents = HashMap<EventId, Result<Content, Error>>;

/// A message that may be sent, when a slot is free.
pub(crate) struct Permitted {
    pub(crate) message: QueueMessage,
    pub(crate) target: Arc<Target>,
    pub(crate) contents: Arc<Contents>,
    /// How long it may have waited for a slot that another had before.
    pub(crate) wait_until: Option<Instant>,
}

impl Permitted {
    /// Takes the lease of the attempt that the message is for.
    pub(crate) async fn lease(self, services: &Services, deadlines: Deadlines) -> Result<Leased, Ended> {
        let Self { message: queued, target, contents, wait_until } = self;
        if wait_until.is_some_and(|until| Instant::now() > until) {
            return Err(Ended::new(vec![queued], End::Deferred(Deferral::SLOT), "no slot became free in time"));
        }
        let content = match contents.get(&queued.message.event) {
            Some(Ok(content)) => content.clone(),
            None => return Err(Ended::new(vec![queued], End::Dropped, "the event's 30 days are over")),
            Some(Err(error)) => {
                let reason =
                    "a stored event can't be read and its messages become dead letters: mend it, then redrive them";
                return Err(Ended::failed(vec![queued], End::Returned, reason, error));
            }
        };
        let (end, reason) = match deadlines.before_attempt(begin(services, &queued)).await {
            Ok(Lease::Taken) => return Ok(Leased { message: queued, target, content }),
            Ok(Lease::Elsewhere) => (End::Returned, "the attempt is under way elsewhere"),
            Ok(Lease::Over) => (End::Dropped, "the delivery has moved on"),
            Ok(Lease::Died(_) | Lease::FollowUp(_)) => {
                (End::Dropped, "the attempt ended before: the next one was sent")
            }
            Err(error) => {
                let reason = "an attempt could not begin: look at DynamoDB and SQS";
                return Err(Ended::failed(vec![queued], End::Returned, reason, &error));
            }
        };
        Err(Ended::new(vec![queued], end, reason))
    }
}

/// Takes the lease, or sees to what follows from an attempt that died, or ended without a message after it.
async fn begin(services: &Services, queued: &QueueMessage) -> Result<Lease, Error> {
    let lease = services.attempts.lease(&queued.message, queued.receive_count).await?;
    match &lease {
        Lease::Died(next) if was_the_last(services, next) => services.attempts.give_up(next).await?,
        // Under a message of its own: what is begun under this one and dies as well would look overtaken.
        Lease::Died(next) | Lease::FollowUp(next) => services.retry.send(&[*next], services.clock.now()).await?,
        Lease::Taken | Lease::Elsewhere | Lease::Over => {}
    }
    Ok(lease)
}

/// Whether no attempt is left for a message.
fn was_the_last(services: &Services, next: &Message) -> bool {
    usize::try_from(next.attempt_of_round()).unwrap_or(usize::MAX) > services.retries.len()
}
