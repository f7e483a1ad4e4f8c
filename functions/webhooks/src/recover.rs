//! `POST /api/v1/webhooks/{id}/recover`

use contract::id::WebhookId;
use contract::job::Job;
use contract::{Error, Precondition, Problems, Time};
use deserr::Deserr;
use runtime::{Accepted, Assign, Body, Now, PartialBody};
use schemars::JsonSchema;
use store::grant::{Create, Get};
use store::jobs::Jobs;
use store::webhooks::Webhooks;

/// What is to be sent again.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RecoverWebhook {
    /// The deliveries of what was committed at this time or later.
    since: Time,
}

impl Body for RecoverWebhook {}

pub(crate) async fn recover(
    (webhooks, jobs, assign): (Webhooks<Get>, Jobs<Create>, Assign),
    id: WebhookId,
    precondition: Option<Precondition>,
    now: Now,
    body: PartialBody<RecoverWebhook>,
) -> Result<Accepted<Job>, Error> {
    let mut problems = Problems::default();
    if body.member("since").is_some_and(|since: Time| since > now.0) {
        problems.add("since", "in_the_future", "Must not lie in the future.");
    }
    let body = body.and(problems)?;
    let webhook = webhooks.get(id).await?;
    precondition.map_or(Ok(()), |precondition| precondition.check(Some(webhook.version)))?;
    let (job, task) = jobs.recover(id, body.since).await?;
    assign.send(&task, now.0).await?;
    Ok(Accepted(job))
}
