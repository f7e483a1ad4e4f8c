//! `GET /api/v1/jobs/{id}`

use contract::Error;
use contract::id::JobId;
use contract::webhook::Job;
use runtime::Found;
use store::grant::Get;
use store::jobs::Jobs;

pub(crate) async fn get(jobs: Jobs<Get>, id: JobId) -> Result<Found<Job>, Error> {
    Ok(Found(jobs.get(id).await?))
}
