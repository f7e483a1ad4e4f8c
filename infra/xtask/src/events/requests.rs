//! What the sample events ask for. What is deleted is a spare one, what is made has a key of its own, and what is
//! restored is there, so that the order does not matter; but logging out ends the one sample session.

use contract::route::{Meta, Method};
use samples::Samples;
use serde_json::{Value, json};

use crate::Failure;

/// The parts of a request that are its route's own.
pub(super) struct Request {
    /// The path's parameters.
    pub(super) parameters: Vec<(&'static str, String)>,
    /// The path, where it does not come from the parameters.
    pub(super) path: Option<&'static str>,
    /// The query.
    pub(super) query: Vec<(&'static str, String)>,
    /// The body.
    pub(super) body: Option<Value>,
}

/// The sample request of a route.
pub(super) fn request(meta: &Meta, samples: &Samples) -> Result<Request, Failure> {
    let parameters =
        meta.parameters().map(|name| Ok((name, parameter(meta, name, samples)?))).collect::<Result<_, Failure>>()?;
    let path = (meta.method == Method::Any).then_some("/api/v1/hedgehogs");
    Ok(Request { parameters, path, query: query(meta.id, samples), body: body(meta.id, samples) })
}

fn parameter(meta: &Meta, name: &str, samples: &Samples) -> Result<String, Failure> {
    let which = usize::from(meta.method == Method::Delete);
    Ok(match (meta.package, name) {
        ("api-keys", "id") => samples.shop.api_keys[which].to_string(),
        ("field-groups", "groupId") => samples.shop.groups[which].to_string(),
        ("webhooks", "id") if meta.path.starts_with("/api/v1/deliveries") => samples.delivery.to_string(),
        ("webhooks", "id") => samples.webhooks[which].to_string(),
        ("jobs", "id") => samples.job.to_string(),
        ("fields", "id") => samples.shop.global_fields[which].to_string(),
        ("fields", "fieldId") => samples.shop.tenant_fields[which].to_string(),
        (_, "groupId") => "product".to_owned(),
        (_, "tenantId") => samples.shop.tenant.to_string(),
        (_, "entityId") => samples.shop.entities[which].to_string(),
        _ => return Err(format!("{} has no sample for `{name}`", meta.id).into()),
    })
}

fn query(id: &str, samples: &Samples) -> Vec<(&'static str, String)> {
    match id {
        "list-global-fields" => vec![("fieldGroupId", samples.shop.groups[0].to_string()), ("limit", "10".to_owned())],
        "list-api-keys" | "list-entities" | "list-field-groups" | "list-fields" | "list-tenants" | "list-webhooks" => {
            vec![("limit", "10".to_owned())]
        }
        "list-deliveries" => vec![("event", "test.ping".to_owned()), ("from", "2026-01-01T00:00:00Z".to_owned())],
        _ => Vec::new(),
    }
}

fn body(id: &str, samples: &Samples) -> Option<Value> {
    account(id)
        .or_else(|| api_key(id))
        .or_else(|| field_group(id))
        .or_else(|| field(id, samples))
        .or_else(|| values(id))
        .or_else(|| webhook(id))
}

fn account(id: &str) -> Option<Value> {
    Some(match id {
        "sign-up" => json!({
            "email": "founder@example.org",
            "password": "another sample password",
            "clientName": "Another Shop",
        }),
        "log-in" => json!({ "email": "owner@example.com", "password": "a sample password" }),
        _ => return None,
    })
}

fn api_key(id: &str) -> Option<Value> {
    Some(match id {
        "create-api-key" => json!({
            "name": "Importer",
            "type": "management",
            "permissions": ["values:read", "values:write"],
            "rateLimit": { "requestsPerSecond": 10 },
            "allowedIps": ["203.0.113.0/24"],
        }),
        "update-api-key" => json!({ "name": "Server in Frankfurt" }),
        _ => return None,
    })
}

fn field_group(id: &str) -> Option<Value> {
    Some(match id {
        "create-field-group" => json!({
            "key": "customer",
            "name": "Customer",
            "description": "What a shop knows of its customers.",
            "publishing": "manual",
        }),
        "update-field-group" => json!({ "name": "Products", "description": "What a shop sells." }),
        _ => return None,
    })
}

fn field(id: &str, samples: &Samples) -> Option<Value> {
    Some(match id {
        "create-global-field" => json!({
            "key": "subtitle",
            "label": "Subtitle",
            "schema": {
                "type": "string",
                "validation": { "maxLength": 120 },
                "ui": { "helpText": "Shown below the title.", "order": 2 },
            },
            "fieldGroupIds": [samples.shop.groups[0]],
        }),
        "update-global-field" => json!({
            "label": "Headline",
            "schema": { "type": "string", "validation": { "required": true, "maxLength": 120 } },
        }),
        "create-tenant-field" => json!({
            "key": "size",
            "label": "Size",
            "schema": { "type": "select", "validation": { "options": ["small", "medium", "large"] } },
        }),
        "update-tenant-field" => json!({
            "label": "Colour",
            "schema": { "type": "select", "validation": { "options": ["red", "green", "blue", "black"] } },
        }),
        _ => return None,
    })
}

fn values(id: &str) -> Option<Value> {
    Some(match id {
        "merge-values" => json!({ "color": "green" }),
        "replace-values" => json!({ "title": "Walnut table", "color": "blue" }),
        _ => return None,
    })
}

fn webhook(id: &str) -> Option<Value> {
    Some(match id {
        "create-webhook" => json!({
            "url": "https://example.com/hooks/values",
            "events": ["field_value.*", "field_group.deleted"],
            "tenantIds": ["acme"],
            "headers": { "X-Team": "search" },
            "description": "Tells the search index.",
        }),
        "update-webhook" => json!({ "events": ["*"], "description": null }),
        "rotate-webhook-secret" => json!({ "graceSeconds": 3600 }),
        "recover-webhook" => json!({ "since": "2026-01-01T00:00:00.000Z" }),
        _ => return None,
    })
}
