//! `GET /api/v1/tenants/{tenantId}`

use contract::Error;
use contract::resource::Tenant;
use runtime::Found;
use store::grant::Get;
use store::tenants::OneTenant;

pub(crate) async fn get(tenant: OneTenant<Get>) -> Result<Found<Tenant>, Error> {
    Ok(Found(tenant.get().await?))
}
