//! `GET /api/v1/tenants`

use contract::Error;
use contract::resource::Tenant;
use runtime::Listed;
use store::page::PageRequest;
use store::tenants::Tenants;

pub(crate) async fn list(tenants: Tenants, page: PageRequest) -> Result<Listed<Tenant>, Error> {
    Ok(Listed(tenants.list(&page).await?))
}
