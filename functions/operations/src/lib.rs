//! Health, the API's description, preflights, and what is at no path.

mod get_health;
mod get_openapi;
mod paths;
mod preflight;
mod route_not_found;

use runtime::Access;

runtime::routes! {
    /// Whether the API answers
    Get "/api/health"
    GET_HEALTH "get-health" => get_health::get_health {
        access: Access::Public,
    }

    /// This description
    Get "/api/openapi.json"
    GET_OPENAPI "get-openapi" => get_openapi::get_openapi {
        access: Access::Public,
    }

    /// What no other route takes
    ///
    /// Preflights are answered here: of pages that a client lists, for what API keys and embed tokens reach.
    Any "$default"
    ROUTE_NOT_FOUND "route-not-found" => route_not_found::route_not_found {
        access: Access::Public,
    }
}
