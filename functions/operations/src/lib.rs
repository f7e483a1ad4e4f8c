//! Health, the API's description, and what is at no path.

mod get_health;
mod get_openapi;
mod route_not_found;

runtime::routes! {
    GET_HEALTH: GET_HEALTH => get_health::get_health,
    GET_OPENAPI: GET_OPENAPI => get_openapi::get_openapi,
    ROUTE_NOT_FOUND: ROUTE_NOT_FOUND => route_not_found::route_not_found,
}
