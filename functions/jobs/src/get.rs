//! `GET /api/v1/jobs/{id}`

use contract::Error;
use contract::id::JobId;
use contract::job::{Job, JobResult};
use runtime::bucket::FileName;
use runtime::{Caller, Exports, Found, Now};
use store::grant::Get;
use store::jobs::Jobs;

pub(crate) async fn get(
    jobs: Jobs<Get>,
    exports: Exports<Get>,
    id: JobId,
    caller: Caller,
    now: Now,
) -> Result<Found<Job>, Error> {
    let mut job = jobs.get(id).await?;
    caller.require(job.kind.permissions())?;
    if let Some(JobResult::Export(export)) = &mut job.result
        && now.0 < export.kept_until
    {
        let name = format!("{id}.zip");
        let file = FileName { name: &name, content_type: "application/zip" };
        let signed = exports.sign(jobs.client(), id, &file, now.0).await?;
        (export.url, export.expires_at) = (Some(signed.url), Some(signed.expires_at));
    }
    Ok(Found(job))
}
