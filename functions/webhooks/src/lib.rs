//! Webhooks and their deliveries.

mod create;
mod delete;
mod get;
mod get_delivery;
mod list;
mod list_deliveries;
mod recover;
mod redeliver;
mod rotate_secret;
mod rules;
mod shown;
mod test;
mod update;

use contract::permission::Permission;
use runtime::{Access, Sample};

const READERS: Access = Access::management(&[Permission::WebhooksRead]);
const WRITERS: Access = Access::management(&[Permission::WebhooksWrite]);

runtime::routes! {
    /// Create a webhook
    Post "/api/v1/webhooks"
    CREATE "create-webhook" => create::create {
        access: WRITERS,
    } about {
        sample: Sample::body(
            r#"{
                "url": "https://example.com/hooks/values",
                "events": ["field_value.*", "field_group.deleted"],
                "tenantIds": ["acme"],
                "headers": { "X-Team": "search" },
                "description": "Tells the search index."
            }"#,
        ),
    }

    /// List the webhooks, oldest first
    Get "/api/v1/webhooks"
    LIST "list-webhooks" => list::list {
        access: READERS,
    } about {
        sample: Sample::query(&[("limit", "10")]),
    }

    /// Get a webhook
    Get "/api/v1/webhooks/{id}"
    GET "get-webhook" => get::get {
        access: READERS,
    } about {
        sample: Sample::path(&[("id", "$webhook")]),
    }

    /// Change a webhook
    Patch "/api/v1/webhooks/{id}"
    UPDATE "update-webhook" => update::update {
        access: WRITERS,
    } about {
        sample: Sample::path(&[("id", "$webhook")]).and_body(r#"{ "events": ["*"], "description": null }"#),
    }

    /// Delete a webhook for good
    Delete "/api/v1/webhooks/{id}"
    DELETE "delete-webhook" => delete::delete {
        access: WRITERS,
    } about {
        sample: Sample::path(&[("id", "$spareWebhook")]),
    }

    /// Replace a webhook's secret
    Post "/api/v1/webhooks/{id}/rotate-secret"
    ROTATE_SECRET "rotate-webhook-secret" => rotate_secret::rotate_secret {
        access: WRITERS,
    } about {
        sample: Sample::path(&[("id", "$webhook")]).and_body(r#"{ "graceSeconds": 3600 }"#),
    }

    /// Send `test.ping` to a webhook
    Post "/api/v1/webhooks/{id}/test"
    TEST "test-webhook" => test::test {
        access: WRITERS,
    } about {
        sample: Sample::path(&[("id", "$webhook")]),
    }

    /// List a webhook's deliveries, newest first
    Get "/api/v1/webhooks/{id}/deliveries"
    LIST_DELIVERIES "list-deliveries" => list_deliveries::list {
        access: READERS,
    } about {
        sample: Sample::path(&[("id", "$webhook")])
            .and_query(&[("event", "test.ping"), ("from", "2026-01-01T00:00:00Z")]),
    }

    /// Send again what failed or is held since a time
    Post "/api/v1/webhooks/{id}/recover"
    RECOVER "recover-webhook" => recover::recover {
        access: WRITERS,
    } about {
        sample: Sample::path(&[("id", "$webhook")]).and_body(r#"{ "since": "2026-01-01T00:00:00.000Z" }"#),
    }

    /// Get a delivery with its attempts
    Get "/api/v1/deliveries/{id}"
    GET_DELIVERY "get-delivery" => get_delivery::get {
        access: READERS,
    } about {
        sample: Sample::path(&[("id", "$delivery")]),
    }

    /// Send a delivery once more
    Post "/api/v1/deliveries/{id}/redeliver"
    REDELIVER "redeliver" => redeliver::redeliver {
        access: WRITERS,
    } about {
        sample: Sample::path(&[("id", "$delivery")]),
    }
}
