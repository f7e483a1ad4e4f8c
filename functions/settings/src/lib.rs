//! What a client sets for itself: who may call from where, and how often.

mod get;
mod update;

use contract::Code;
use contract::permission::{Permission, Role};
use runtime::{Access, Sample};

runtime::routes! {
    /// Get the settings
    Get "/api/v1/settings"
    GET "get-settings" => get::get {
        access: Access::management(&[Permission::SchemaRead]),
    }

    /// Change the settings
    ///
    /// Members left out stay as they are. Every instance goes by the change within 10 seconds. An allow-list in force has
    /// an entry, and one that holds for sessions too admits the address that asks.
    Patch "/api/v1/settings"
    UPDATE "update-settings" => update::update {
        access: Access::member(Role::Admin),
    } about {
        failures: &[Code::IpLockout],
        sample: Sample::body(r#"{ "cors": { "origins": ["https://app.example.com"] } }"#),
    }
}
