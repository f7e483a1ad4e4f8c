//! API keys.

mod create;
mod delete;
mod get;
mod list;
mod rotate;
mod rules;
mod shown;
mod update;

use contract::permission::Role;
use runtime::{Access, GoesOn, Sample};

const ADMINS: Access = Access::member(Role::Admin);

runtime::routes! {
    /// Make an API key
    Post "/api/v1/api-keys"
    CREATE "create-api-key" => create::create {
        access: ADMINS,
    } about {
        sample: Sample::body(
            r#"{
                "name": "Importer",
                "type": "management",
                "permissions": ["values:read", "values:write"],
                "rateLimit": { "requestsPerSecond": 10 },
                "allowedIps": ["203.0.113.0/24"]
            }"#,
        ),
    }

    /// List the API keys
    Get "/api/v1/api-keys"
    LIST "list-api-keys" => list::list {
        access: ADMINS,
    } about {
        sample: Sample::query(&[("limit", "10")]),
    }

    /// Get an API key
    Get "/api/v1/api-keys/{id}"
    GET "get-api-key" => get::get {
        access: ADMINS,
    } about {
        sample: Sample::path(&[("id", "$apiKey")]),
    }

    /// Change an API key
    Patch "/api/v1/api-keys/{id}"
    UPDATE "update-api-key" => update::update {
        access: ADMINS,
    } about {
        sample: Sample::path(&[("id", "$apiKey")]).and_body(r#"{ "name": "Server in Frankfurt" }"#),
    }

    /// Replace a key
    ///
    /// The resource stays the same under its identifier; the new key is shown this once. The one before it goes on working
    /// for `graceSeconds`, and `previous` tells whether it is still used. One that was in its grace already ends: of an API
    /// key there are two at the most.
    Post "/api/v1/api-keys/{id}/rotate"
    ROTATE "rotate-api-key" => rotate::rotate {
        access: ADMINS,
    } about {
        sample: Sample::path(&[("id", "$rotatedApiKey")]).and_body(r#"{ "graceSeconds": 86400 }"#),
    }

    /// Delete an API key for good
    Delete "/api/v1/api-keys/{id}"
    DELETE "delete-api-key" => delete::delete {
        access: ADMINS,
        goes_on: GoesOn::Unsubscribed,
    } about {
        sample: Sample::path(&[("id", "$spareApiKey")]),
    }
}
