//! Field groups.

mod create;
mod delete;
mod get;
mod list;
mod restore;
mod update;

use contract::permission::Permission;
use runtime::{Access, Sample};

const READERS: Access = Access::management(&[Permission::SchemaRead]);
const WRITERS: Access = Access::management(&[Permission::SchemaWrite]);

runtime::routes! {
    /// Create a field group
    Post "/api/v1/field-groups"
    CREATE "create-field-group" => create::create {
        access: WRITERS,
    } about {
        sample: Sample::body(
            r#"{
                "key": "customer",
                "name": "Customer",
                "description": "What a shop knows of its customers.",
                "publishing": "manual"
            }"#,
        ),
    }

    /// List the field groups, by key
    Get "/api/v1/field-groups"
    LIST "list-field-groups" => list::list {
        access: READERS,
    } about {
        sample: Sample::query(&[("limit", "10")]),
    }

    /// Get a field group
    Get "/api/v1/field-groups/{groupId}"
    GET "get-field-group" => get::get {
        access: READERS,
    } about {
        sample: Sample::path(&[("groupId", "$group")]),
    }

    /// Change a field group
    Patch "/api/v1/field-groups/{groupId}"
    UPDATE "update-field-group" => update::update {
        access: WRITERS,
    } about {
        sample: Sample::path(&[("groupId", "$group")])
            .and_body(r#"{ "name": "Products", "description": "What a shop sells." }"#),
    }

    /// Delete a field group and its values
    Delete "/api/v1/field-groups/{groupId}"
    DELETE "delete-field-group" => delete::delete {
        access: WRITERS,
    } about {
        sample: Sample::path(&[("groupId", "$spareGroup")]),
    }

    /// Restore a field group and its values
    Post "/api/v1/field-groups/{groupId}/restore"
    RESTORE "restore-field-group" => restore::restore {
        access: WRITERS,
    } about {
        sample: Sample::path(&[("groupId", "$group")]),
    }
}
