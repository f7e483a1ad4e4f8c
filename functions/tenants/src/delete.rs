//! `DELETE /api/v1/tenants/{tenantId}`

use contract::Error;
use contract::job::Job;
use runtime::{Accepted, Assign, Now};
use store::grant::Delete;
use store::tenants::OneTenant;

pub(crate) async fn delete(tenant: OneTenant<Delete>, assign: Assign, now: Now) -> Result<Accepted<Job>, Error> {
    let (job, task) = tenant.delete().await?;
    assign.send(&task, now.0).await?;
    Ok(Accepted(job))
}
