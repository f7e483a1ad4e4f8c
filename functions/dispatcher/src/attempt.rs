//! One attempt, from its lease to its record.

use bytes::Bytes;
use contract::Error;
use contract::webhook::{Attempt, AttemptError};
use store::deliveries::{Content, Lease, Loaded, Message, Next, PERSISTENCE, Target};
use store::persist::persist;

use crate::batch::{Dispatcher, Done, Parcel, warn};
use crate::mask::masked;
use crate::outbound::{Attempted, Request};
use crate::until::Until;
use crate::{schedule, sign};

const GONE: u16 = 410;

/// What an attempt says of its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// None was made.
    Nothing,
    /// It arrived.
    Delivered,
    /// It ran into the deadline.
    TimedOut,
    /// It failed otherwise.
    Failed,
    /// The endpoint is gone for good.
    Gone,
}

impl Dispatcher {
    pub(crate) async fn attempt(
        &self,
        parcel: &Parcel,
        target: &Target,
        loaded: &Loaded,
        until: Until,
    ) -> (Done, Outcome) {
        // After 30 days nobody knows any more what there was to say.
        let content = match loaded.contents.get(&parcel.message.event) {
            None => return (Done::Gone, Outcome::Nothing),
            Some(Ok(content)) => content,
            Some(Err(error)) => {
                warn("what is to be sent can't be read", error);
                return (Done::Again, Outcome::Nothing);
            }
        };
        let message = match until.before(self.begin(parcel)).await {
            Ok(Begun::Ours(message)) => message,
            Ok(Begun::Not(done)) => return (done, Outcome::Nothing),
            Err(error) => {
                warn("an attempt could not begin", &error);
                return (Done::Again, Outcome::Nothing);
            }
        };
        match self.make(&message, target, content).await {
            Ok(outcome) => (Done::Gone, outcome),
            Err(error) => {
                warn("an attempt could not be recorded", &error);
                (Done::Again, Outcome::Nothing)
            }
        }
    }

    async fn begin(&self, parcel: &Parcel) -> Result<Begun, Error> {
        match self.attempts.lease(&parcel.message, parcel.received).await? {
            Lease::Taken => Ok(Begun::Ours(parcel.message)),
            Lease::Over => Ok(Begun::Not(Done::Gone)),
            Lease::Elsewhere => Ok(Begun::Not(Done::Again)),
            Lease::Died(next) if self.was_the_last(&next) => {
                self.attempts.give_up(&next).await?;
                Ok(Begun::Not(Done::Gone))
            }
            // Under a message of its own: what is begun under this one and dies as well would look overtaken.
            Lease::Died(next) | Lease::FollowUp(next) => {
                self.retry.send(&[next], self.clock.now()).await?;
                Ok(Begun::Not(Done::Gone))
            }
        }
    }

    /// Whether no attempt is left for a message.
    fn was_the_last(&self, next: &Message) -> bool {
        usize::try_from(next.attempt_of_round()).unwrap_or(usize::MAX) > self.retries.len()
    }

    async fn make(&self, message: &Message, target: &Target, content: &Content) -> Result<Outcome, Error> {
        let at = self.clock.now();
        let attempted = match sign::headers(target, content, message, at) {
            Ok(headers) => {
                let body = Bytes::from(content.body.clone());
                self.sender.send(Request { url: target.webhook.url.clone(), headers, body }).await
            }
            Err(error) => return Err(error),
        };
        let next = if attempted.delivered() {
            Next::Delivered
        } else {
            schedule::after_failure(&self.retries, message, self.clock.now(), attempted.retry_after)
        };
        let attempt = Attempt {
            at,
            url: Some(target.webhook.url.clone()),
            address: attempted.address.map(|address| address.to_string()),
            status_code: attempted.status,
            duration_ms: Some(u64::try_from(attempted.duration.as_millis()).unwrap_or(u64::MAX)),
            response: attempted.response.as_deref().map(|response| masked(response, &target.headers)),
            error: attempted.error,
        };
        persist(PERSISTENCE, || self.attempts.record(message, &attempt, next)).await?;
        if let Next::Retry(due) = next {
            // If this fails, the message comes again, and finds its attempt ended and nothing sent after it.
            self.retry.send(&[message.next(due)], self.clock.now()).await?;
        }
        Ok(outcome(&attempted))
    }
}

enum Begun {
    /// The attempt that this message is for.
    Ours(Message),
    Not(Done),
}

fn outcome(attempted: &Attempted) -> Outcome {
    match (attempted.error, attempted.status) {
        (None, _) => Outcome::Delivered,
        (Some(AttemptError::Timeout), _) => Outcome::TimedOut,
        (Some(_), Some(GONE)) => Outcome::Gone,
        (Some(_), _) => Outcome::Failed,
    }
}
