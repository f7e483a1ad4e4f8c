//! Values of entities.

mod delete;
mod get;
mod list_entities;
mod merge;
mod replace;
mod restore;
mod sent;

use contract::permission::{Permission, TokenPermission};
use runtime::spec::access::TokenAccess;
use runtime::{Access, Sample};

const READERS: Access =
    Access::management(&[Permission::ValuesRead]).and_token(TokenAccess::Values(TokenPermission::ValuesRead));
const WRITERS: Access =
    Access::management(&[Permission::ValuesWrite]).and_token(TokenAccess::Values(TokenPermission::ValuesWrite));

runtime::routes! {
    /// List the entities with values, by entityId
    Get "/api/v1/tenants/{tenantId}/field-groups/{groupId}/entities"
    LIST_ENTITIES "list-entities" => list_entities::list_entities {
        access: READERS,
    } about {
        sample: Sample::query(&[("limit", "10")]),
    }

    /// Get an entity's values
    Get "/api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values"
    GET "get-values" => get::get {
        access: READERS,
    }

    /// Save some of an entity's values
    Post "/api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values"
    MERGE "merge-values" => merge::merge {
        access: WRITERS,
    } about {
        sample: Sample::body(r#"{ "color": "green" }"#),
    }

    /// Replace all of an entity's values
    Put "/api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values"
    REPLACE "replace-values" => replace::replace {
        access: WRITERS,
    } about {
        sample: Sample::body(r#"{ "title": "Walnut table", "color": "blue" }"#),
    }

    /// Delete an entity's values
    Delete "/api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values"
    DELETE "delete-values" => delete::delete {
        access: WRITERS,
    } about {
        sample: Sample::path(&[("entityId", "$spareEntity")]),
    }

    /// Restore an entity's deleted values; if others were saved since, those are the answer
    Post "/api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values/restore"
    RESTORE "restore-values" => restore::restore {
        access: WRITERS,
    }
}
