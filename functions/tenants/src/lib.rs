//! Tenants.

mod delete;
mod export;
mod get;
mod list;

use contract::permission::Permission;
use runtime::{Access, GoesOn, Sample};

const READERS: Access = Access::management(&[Permission::ValuesRead]);

runtime::routes! {
    /// List the tenants, by identifier
    Get "/api/v1/tenants"
    LIST "list-tenants" => list::list {
        access: READERS,
    } about {
        sample: Sample::query(&[("limit", "10")]),
    }

    /// Get a tenant
    Get "/api/v1/tenants/{tenantId}"
    GET "get-tenant" => get::get {
        access: READERS,
    }

    /// Erase a tenant
    ///
    /// At once it reads as absent, and its embed tokens are refused; then a job erases everything of it, and checks that by
    /// reading again. The job's result is the certificate. The tenant may be used anew when the job is done.
    Delete "/api/v1/tenants/{tenantId}"
    DELETE "delete-tenant" => delete::delete {
        access: Access::management(&[Permission::TenantsErase]),
    }

    /// Export a tenant
    ///
    /// A job writes all of it into a ZIP of JSON files, whose address is the job's result.
    Post "/api/v1/tenants/{tenantId}/export"
    EXPORT "export-tenant" => export::export {
        access: READERS,
        goes_on: GoesOn::Unsubscribed,
    }
}
