//! Every route, and paths to try it at.

use runtime::{Route, RouteSpec};

/// Every route.
pub fn routes() -> impl Iterator<Item = &'static Route> + Clone {
    functions::routes().map(RouteSpec::route)
}

/// A path of the route, to things that are not there.
pub fn a_path_of(route: &Route) -> String {
    filled(route.path, route.package)
}

/// A path with its parameters in it.
pub fn filled(path: &str, package: &str) -> String {
    let own = match package {
        "api-keys" => "key_",
        "jobs" => "job_",
        "webhooks" if path.starts_with("/api/v1/deliveries") => "dlv_",
        "webhooks" => "whk_",
        _ => "fld_",
    };
    let own = format!("{own}{}", "0".repeat(32));
    path.replace("{tenantId}", "acme")
        .replace("{groupId}", "product")
        .replace("{entityId}", "sku-1")
        .replace("{fieldId}", &own)
        .replace("{id}", &own)
}
