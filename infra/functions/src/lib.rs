//! Every function, for what serves or describes all of them.

pub mod settings;

use runtime::{Consumer, RouteSpec};

/// Every route, in the order in which the API's description has them. A new package is listed here.
pub fn routes() -> impl DoubleEndedIterator<Item = &'static RouteSpec> + Clone {
    let packages = [
        accounts::ROUTES,
        clients::ROUTES,
        ::settings::ROUTES,
        members::ROUTES,
        api_keys::ROUTES,
        field_groups::ROUTES,
        fields::ROUTES,
        tenants::ROUTES,
        tokens::ROUTES,
        values::ROUTES,
        webhooks::ROUTES,
        jobs::ROUTES,
        billing::ROUTES,
        audit_log::ROUTES,
        limits::ROUTES,
        operations::ROUTES,
    ];
    packages.into_iter().flatten()
}

/// Every function that no route reaches.
#[must_use]
pub fn consumers() -> [&'static Consumer; 8] {
    [
        &dispatcher::DISPATCHER,
        &fan_out::FAN_OUT,
        &recorder::RECORDER,
        &jobs::RUN_JOBS,
        &jobs::PURGE_DELETED,
        &mail::SEND_MAIL,
        &tokens::ROTATE_TOKEN_KEYS,
        &clients::ERASE_CLIENTS,
    ]
}
