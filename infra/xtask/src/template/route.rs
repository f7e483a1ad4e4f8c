//! The function of a route, as the templates have it.

use runtime::{Method, Permissions, Route, RouteSpec};

/// What the templates need to know of it.
#[derive(Debug, Clone)]
pub struct RouteFunction {
    /// Its identifier: `get-values`.
    pub id: String,
    /// The package that holds its route.
    pub package: String,
    /// What it does, in a few words.
    pub summary: String,
    /// What it may do.
    pub permissions: Permissions,
    /// What the gateway calls its route, by method: `GET /api/health`, `HEAD /api/health`.
    pub route_keys: Vec<String>,
}

impl RouteFunction {
    /// Of a route.
    #[must_use]
    pub fn of(spec: &RouteSpec) -> Self {
        let route = spec.route();
        Self {
            id: route.id.to_owned(),
            package: route.package.to_owned(),
            summary: spec.summary().to_owned(),
            permissions: spec.permissions(),
            route_keys: keys(route),
        }
    }
}

fn keys(route: &Route) -> Vec<String> {
    if route.method == Method::Any {
        return vec![route.path.to_owned()];
    }
    route.method.tokens().iter().map(|token| format!("{token} {}", route.path)).collect()
}
