//! `POST /api/v1/tenants/{tenantId}/export`

use contract::Error;
use contract::job::Job;
use runtime::{Accepted, Assign, Now};
use store::grant::Create;
use store::tenants::OneTenant;

pub(crate) async fn export(tenant: OneTenant<Create>, assign: Assign, now: Now) -> Result<Accepted<Job>, Error> {
    let (job, task) = tenant.export().await?;
    assign.send(&task, now.0).await?;
    Ok(Accepted(job))
}
