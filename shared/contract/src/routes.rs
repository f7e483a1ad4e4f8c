//! The table of routes: from it come the gateway's routes, the functions, their sample events and the API's description.

use crate::permission::Permission::{SchemaRead, SchemaWrite, ValuesRead, ValuesWrite, WebhooksRead, WebhooksWrite};
use crate::permission::Role;
use crate::route::Access::{Management, ManagementAny, Member, Public, Session};
use crate::route::Method::{Any, Delete, Get, Patch, Post, Put};
use crate::route::{Access, Meta, Method};

macro_rules! routes {
    ($($package:literal { $($name:ident $id:literal $method:ident $path:literal $access:expr, $summary:literal;)+ })+) => {
        $($(
            #[doc = $summary]
            pub static $name: Meta = meta($package, $id, $method, $path, $access, $summary);
        )+)+

        /// Every route.
        pub static ROUTES: &[&Meta] = &[$($(&$name),+),+];
    };
}

const fn meta(
    package: &'static str,
    id: &'static str,
    method: Method,
    path: &'static str,
    access: Access,
    summary: &'static str,
) -> Meta {
    Meta { id, package, method, path, access, summary }
}

routes! {
    "accounts" {
        SIGN_UP "sign-up" Post "/api/auth/signup" Public, "Open an account";
        LOG_IN "log-in" Post "/api/auth/login" Public, "Log in";
        LOG_OUT "log-out" Post "/api/auth/logout" Session, "Log out";
        GET_SESSION "get-session" Get "/api/auth/session" Session, "Who is logged in";
    }
    "api-keys" {
        CREATE_API_KEY "create-api-key" Post "/api/v1/api-keys" Member(Role::Admin), "Make an API key";
        LIST_API_KEYS "list-api-keys" Get "/api/v1/api-keys" Member(Role::Admin), "List the API keys";
        GET_API_KEY "get-api-key" Get "/api/v1/api-keys/{id}" Member(Role::Admin), "Get an API key";
        UPDATE_API_KEY "update-api-key" Patch "/api/v1/api-keys/{id}" Member(Role::Admin), "Change an API key";
        DELETE_API_KEY "delete-api-key" Delete "/api/v1/api-keys/{id}" Member(Role::Admin), "Delete an API key for good";
    }
    "field-groups" {
        CREATE_FIELD_GROUP "create-field-group" Post "/api/v1/field-groups" Management(SchemaWrite), "Create a field group";
        LIST_FIELD_GROUPS "list-field-groups" Get "/api/v1/field-groups" Management(SchemaRead), "List the field groups, by key";
        GET_FIELD_GROUP "get-field-group" Get "/api/v1/field-groups/{groupId}" Management(SchemaRead), "Get a field group";
        UPDATE_FIELD_GROUP "update-field-group" Patch "/api/v1/field-groups/{groupId}" Management(SchemaWrite), "Change a field group";
        DELETE_FIELD_GROUP "delete-field-group" Delete "/api/v1/field-groups/{groupId}" Management(SchemaWrite), "Delete a field group and its values";
        RESTORE_FIELD_GROUP "restore-field-group" Post "/api/v1/field-groups/{groupId}/restore" Management(SchemaWrite), "Restore a field group and its values";
    }
    "fields" {
        CREATE_GLOBAL_FIELD "create-global-field" Post "/api/v1/global-fields" Management(SchemaWrite), "Create a global field";
        LIST_GLOBAL_FIELDS "list-global-fields" Get "/api/v1/global-fields" Management(SchemaRead), "List the global fields, oldest first";
        GET_GLOBAL_FIELD "get-global-field" Get "/api/v1/global-fields/{id}" Management(SchemaRead), "Get a global field";
        UPDATE_GLOBAL_FIELD "update-global-field" Patch "/api/v1/global-fields/{id}" Management(SchemaWrite), "Change a global field";
        DELETE_GLOBAL_FIELD "delete-global-field" Delete "/api/v1/global-fields/{id}" Management(SchemaWrite), "Delete a global field";
        RESTORE_GLOBAL_FIELD "restore-global-field" Post "/api/v1/global-fields/{id}/restore" Management(SchemaWrite), "Restore a global field";
        CREATE_TENANT_FIELD "create-tenant-field" Post "/api/v1/tenants/{tenantId}/field-groups/{groupId}/fields" Management(SchemaWrite), "Create a tenant field";
        LIST_FIELDS "list-fields" Get "/api/v1/tenants/{tenantId}/field-groups/{groupId}/fields" Management(SchemaRead), "List global and tenant fields, merged, in order";
        GET_TENANT_FIELD "get-tenant-field" Get "/api/v1/tenants/{tenantId}/field-groups/{groupId}/fields/{fieldId}" Management(SchemaRead), "Get a tenant field";
        UPDATE_TENANT_FIELD "update-tenant-field" Patch "/api/v1/tenants/{tenantId}/field-groups/{groupId}/fields/{fieldId}" Management(SchemaWrite), "Change a tenant field";
        DELETE_TENANT_FIELD "delete-tenant-field" Delete "/api/v1/tenants/{tenantId}/field-groups/{groupId}/fields/{fieldId}" Management(SchemaWrite), "Delete a tenant field";
        RESTORE_TENANT_FIELD "restore-tenant-field" Post "/api/v1/tenants/{tenantId}/field-groups/{groupId}/fields/{fieldId}/restore" Management(SchemaWrite), "Restore a tenant field";
    }
    "tenants" {
        LIST_TENANTS "list-tenants" Get "/api/v1/tenants" Management(ValuesRead), "List the tenants, by identifier";
    }
    "values" {
        LIST_ENTITIES "list-entities" Get "/api/v1/tenants/{tenantId}/field-groups/{groupId}/entities" Management(ValuesRead), "List the entities with values, oldest first";
        GET_VALUES "get-values" Get "/api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values" Management(ValuesRead), "Get an entity's values";
        MERGE_VALUES "merge-values" Post "/api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values" Management(ValuesWrite), "Save some of an entity's values";
        REPLACE_VALUES "replace-values" Put "/api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values" Management(ValuesWrite), "Replace all of an entity's values";
        DELETE_VALUES "delete-values" Delete "/api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values" Management(ValuesWrite), "Delete an entity's values";
        RESTORE_VALUES "restore-values" Post "/api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values/restore" Management(ValuesWrite), "Restore an entity's deleted values; if others were saved since, those are the answer";
    }
    "webhooks" {
        CREATE_WEBHOOK "create-webhook" Post "/api/v1/webhooks" Management(WebhooksWrite), "Create a webhook";
        LIST_WEBHOOKS "list-webhooks" Get "/api/v1/webhooks" Management(WebhooksRead), "List the webhooks, oldest first";
        GET_WEBHOOK "get-webhook" Get "/api/v1/webhooks/{id}" Management(WebhooksRead), "Get a webhook";
        UPDATE_WEBHOOK "update-webhook" Patch "/api/v1/webhooks/{id}" Management(WebhooksWrite), "Change a webhook";
        DELETE_WEBHOOK "delete-webhook" Delete "/api/v1/webhooks/{id}" Management(WebhooksWrite), "Delete a webhook for good";
        ROTATE_WEBHOOK_SECRET "rotate-webhook-secret" Post "/api/v1/webhooks/{id}/rotate-secret" Management(WebhooksWrite), "Replace a webhook's secret";
        TEST_WEBHOOK "test-webhook" Post "/api/v1/webhooks/{id}/test" Management(WebhooksWrite), "Send `test.ping` to a webhook";
        LIST_DELIVERIES "list-deliveries" Get "/api/v1/webhooks/{id}/deliveries" Management(WebhooksRead), "List a webhook's deliveries, newest first";
        RECOVER_WEBHOOK "recover-webhook" Post "/api/v1/webhooks/{id}/recover" Management(WebhooksWrite), "Send again what failed or is held since a time";
        GET_DELIVERY "get-delivery" Get "/api/v1/deliveries/{id}" Management(WebhooksRead), "Get a delivery with its attempts";
        REDELIVER "redeliver" Post "/api/v1/deliveries/{id}/redeliver" Management(WebhooksWrite), "Send a delivery once more";
    }
    "jobs" {
        GET_JOB "get-job" Get "/api/v1/jobs/{id}" ManagementAny(&[WebhooksRead, WebhooksWrite]), "Get a job";
    }
    "operations" {
        GET_HEALTH "get-health" Get "/api/health" Public, "Whether the API answers";
        GET_OPENAPI "get-openapi" Get "/api/openapi.json" Public, "This description";
        ROUTE_NOT_FOUND "route-not-found" Any "$default" Public, "What no other route takes";
    }
}

/// The methods that a path takes, as an `Allow` header lists them; `None` if it is the path of no route.
#[must_use]
pub fn allowed(path: &str) -> Option<String> {
    let routes = ROUTES.iter().filter(|meta| meta.matches(path).is_some());
    let methods: Vec<&str> = routes.flat_map(|meta| meta.method.tokens()).copied().collect();
    (!methods.is_empty()).then(|| methods.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_routes_share_an_id_or_a_place() {
        for (i, a) in ROUTES.iter().enumerate() {
            for b in &ROUTES[i + 1..] {
                assert!(a.id != b.id && (a.method, a.path) != (b.method, b.path), "{} {}", a.id, b.id);
            }
        }
    }

    #[test]
    fn allow_lists_the_methods_of_a_path() {
        assert_eq!(allowed("/api/v1/field-groups").as_deref(), Some("POST, GET, HEAD"));
        assert_eq!(allowed("/nothing"), None);
    }
}
