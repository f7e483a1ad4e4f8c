//! `GET /api/v1/jobs/{id}`

use contract::Error;
use contract::id::JobId;
use contract::webhook::Job;
use runtime::{Caller, Found};
use store::grant::Get;
use store::jobs::Jobs;

pub(crate) async fn get(jobs: Jobs<Get>, id: JobId, caller: Caller) -> Result<Found<Job>, Error> {
    let job = jobs.get(id).await?;
    caller.require(job.kind.permissions())?;
    Ok(Found(job))
}
