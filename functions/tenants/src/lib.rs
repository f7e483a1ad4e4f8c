//! Tenants.

mod list;

use contract::permission::Permission;
use runtime::{Access, Sample};

const READERS: Access = Access::management(&[Permission::ValuesRead]);

runtime::routes! {
    /// List the tenants, by identifier
    Get "/api/v1/tenants"
    LIST "list-tenants" => list::list {
        access: READERS,
    } about {
        sample: Sample::query(&[("limit", "10")]),
    }
}
