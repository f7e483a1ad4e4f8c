//! The dispatcher leads the messages of a batch along their path: endpoints are served side by side, and none holds up
//! another.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use runtime::Worker;
use runtime::lambda::consumer::{Batch, Working};
use serde_json::Value;
use tokio::time::Instant;

use crate::addressed::{Addressed, Admitted};
use crate::deadlines::Deadlines;
use crate::due::Due;
use crate::ended::Ended;
use crate::log::warn;
use crate::not_due::NotDue;
use crate::permitted::Permitted;
use crate::received::Received;
use crate::recorded::Recorded;
use crate::services::Services;

runtime::parts! {
    /// The function's worker.
    pub(crate) struct Dispatcher {
        services: Services,
    }
}

impl Worker for Dispatcher {
    fn work(self: Arc<Self>, records: Vec<Value>, until: Instant) -> Working {
        let deadlines = Deadlines::new(until, self.services.deadline);
        Box::pin(async move { Ok(self.dispatch(records, deadlines).await) })
    }
}

impl Dispatcher {
    async fn dispatch(&self, records: Vec<Value>, deadlines: Deadlines) -> Batch {
        let (received, mut again) = Received::read(records);
        let (due, not_due) = received.at(self.services.clock.now());
        let not_due_records = not_due.record_ids();
        let sent_on = in_time(deadlines, not_due_records, self.send_on(not_due, deadlines));
        let (served, sent_on) = tokio::join!(self.serve(due, deadlines), sent_on);
        again.extend(served);
        again.extend(sent_on);
        Batch::failed(again)
    }

    /// Sends on what comes too early, and gives the records that come again.
    async fn send_on(&self, not_due: NotDue, deadlines: Deadlines) -> Vec<String> {
        let (due, ended) = not_due.send_on(&self.services).await;
        let mut again = ended.carry_out(&self.services).await;
        again.extend(self.serve(due, deadlines).await);
        again
    }

    /// Serves endpoints side by side, and gives the records that come again.
    async fn serve(&self, due: Due, deadlines: Deadlines) -> Vec<String> {
        let (addressed, ended) = due.address(&self.services, deadlines).await;
        let served = addressed.into_iter().map(|addressed| {
            let records = addressed.record_ids();
            in_time(deadlines, records, self.serve_endpoint(addressed, deadlines))
        });
        let carried_out = ended.into_iter().map(|ended: Ended| {
            let records = ended.record_ids();
            in_time(deadlines, records, ended.carry_out(&self.services))
        });
        let (served, carried_out) = tokio::join!(join_all(served), join_all(carried_out));
        served.into_iter().chain(carried_out).flatten().collect()
    }

    async fn serve_endpoint(&self, addressed: Addressed, deadlines: Deadlines) -> Vec<String> {
        let services = &self.services;
        let Admitted { permitted, held, admission } = match addressed.permit(services, deadlines).await {
            Ok(admitted) => admitted,
            Err(ended) => return ended.carry_out(services).await,
        };
        let mut again = held.carry_out(services).await;

        // An end is carried out in its turn, so that it holds up no attempt.
        let attempt = async |permitted: Permitted| match self.attempt(permitted, deadlines).await {
            Ok(recorded) => Ok(recorded.outcome),
            Err(ended) => Err(ended.carry_out(services).await),
        };
        let mut attempts = stream::iter(permitted).map(attempt).buffer_unordered(admission.slots());
        let mut outcomes = Vec::new();
        while let Some(ended) = attempts.next().await {
            match ended {
                Ok(outcome) => outcomes.push(outcome),
                Err(records) => again.extend(records),
            }
        }
        drop(attempts);

        admission.conclude(services, &outcomes).await;
        again
    }

    /// Leads one message to its end.
    async fn attempt(&self, permitted: Permitted, deadlines: Deadlines) -> Result<Recorded, Ended> {
        let leased = permitted.lease(&self.services, deadlines).await?;
        let attempted = leased.attempt(&self.services).await?;
        attempted.record(&self.services).await
    }
}

/// The records that come again after some work; all of them if there is no time left for it. What is done already comes
/// again as well then, and turns out to be over.
async fn in_time(deadlines: Deadlines, records: Vec<String>, work: impl Future<Output = Vec<String>>) -> Vec<String> {
    deadlines.before_end(work).await.unwrap_or_else(|error| {
        warn("messages took too long: the queue hands them out again. Look for slow calls to DynamoDB and SQS", &error);
        records
    })
}
