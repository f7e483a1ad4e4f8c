//! Global fields, tenant fields, and the list of both.

mod global;
mod rules;
mod tenant;

use contract::permission::{Permission, TokenPermission};
use runtime::spec::access::TokenAccess;
use runtime::{Access, Sample};

const READERS: Access = Access::management(&[Permission::SchemaRead]);
const WRITERS: Access = Access::management(&[Permission::SchemaWrite]);

/// The fields by which values are read come with every token.
const LISTERS: Access = READERS.and_token(TokenAccess::Fields(None));
const EDITORS: TokenAccess = TokenAccess::Fields(Some(TokenPermission::FieldsWrite));
const TENANT_READERS: Access = READERS.and_token(EDITORS);
const TENANT_WRITERS: Access = WRITERS.and_token(EDITORS);

runtime::routes! {
    /// Create a global field
    Post "/api/v1/global-fields"
    CREATE_GLOBAL "create-global-field" => global::create::create {
        access: WRITERS,
    } about {
        sample: Sample::body(
            r#"{
                "key": "subtitle",
                "label": "Subtitle",
                "schema": {
                    "type": "string",
                    "validation": { "maxLength": 120 },
                    "ui": { "helpText": "Shown below the title.", "order": 2 }
                },
                "fieldGroupIds": ["$group"]
            }"#,
        ),
    }

    /// List the global fields, oldest first
    Get "/api/v1/global-fields"
    LIST_GLOBAL "list-global-fields" => global::list::list {
        access: READERS,
    } about {
        sample: Sample::query(&[("fieldGroupId", "$group"), ("limit", "10")]),
    }

    /// Get a global field
    Get "/api/v1/global-fields/{id}"
    GET_GLOBAL "get-global-field" => global::get::get {
        access: READERS,
    } about {
        sample: Sample::path(&[("id", "$globalField")]),
    }

    /// Change a global field
    Patch "/api/v1/global-fields/{id}"
    UPDATE_GLOBAL "update-global-field" => global::update::update {
        access: WRITERS,
    } about {
        sample: Sample::path(&[("id", "$globalField")]).and_body(
            r#"{
                "label": "Headline",
                "schema": { "type": "string", "validation": { "required": true, "maxLength": 120 } }
            }"#,
        ),
    }

    /// Delete a global field
    Delete "/api/v1/global-fields/{id}"
    DELETE_GLOBAL "delete-global-field" => global::delete::delete {
        access: WRITERS,
    } about {
        sample: Sample::path(&[("id", "$spareGlobalField")]),
    }

    /// Restore a global field
    Post "/api/v1/global-fields/{id}/restore"
    RESTORE_GLOBAL "restore-global-field" => global::restore::restore {
        access: WRITERS,
    } about {
        sample: Sample::path(&[("id", "$globalField")]),
    }

    /// Create a tenant field
    Post "/api/v1/tenants/{tenantId}/field-groups/{groupId}/fields"
    CREATE_TENANT "create-tenant-field" => tenant::create::create {
        access: TENANT_WRITERS,
    } about {
        sample: Sample::body(
            r#"{
                "key": "size",
                "label": "Size",
                "schema": { "type": "select", "validation": { "options": ["small", "medium", "large"] } }
            }"#,
        ),
    }

    /// List global and tenant fields, merged, in order
    Get "/api/v1/tenants/{tenantId}/field-groups/{groupId}/fields"
    LIST "list-fields" => tenant::list::list {
        access: LISTERS,
    } about {
        sample: Sample::query(&[("limit", "10")]),
    }

    /// Get a tenant field
    Get "/api/v1/tenants/{tenantId}/field-groups/{groupId}/fields/{fieldId}"
    GET_TENANT "get-tenant-field" => tenant::get::get {
        access: TENANT_READERS,
    } about {
        sample: Sample::path(&[("fieldId", "$tenantField")]),
    }

    /// Change a tenant field
    Patch "/api/v1/tenants/{tenantId}/field-groups/{groupId}/fields/{fieldId}"
    UPDATE_TENANT "update-tenant-field" => tenant::update::update {
        access: TENANT_WRITERS,
    } about {
        sample: Sample::path(&[("fieldId", "$tenantField")]).and_body(
            r#"{
                "label": "Colour",
                "schema": { "type": "select", "validation": { "options": ["red", "green", "blue", "black"] } }
            }"#,
        ),
    }

    /// Delete a tenant field
    Delete "/api/v1/tenants/{tenantId}/field-groups/{groupId}/fields/{fieldId}"
    DELETE_TENANT "delete-tenant-field" => tenant::delete::delete {
        access: TENANT_WRITERS,
    } about {
        sample: Sample::path(&[("fieldId", "$spareTenantField")]),
    }

    /// Restore a tenant field
    Post "/api/v1/tenants/{tenantId}/field-groups/{groupId}/fields/{fieldId}/restore"
    RESTORE_TENANT "restore-tenant-field" => tenant::restore::restore {
        access: TENANT_WRITERS,
    } about {
        sample: Sample::path(&[("fieldId", "$tenantField")]),
    }
}
