//! Every function, for what serves or describes all of them.

use runtime::{Consumer, Described};

/// Every route with what its types need, in the order of the packages.
pub fn all() -> impl Iterator<Item = &'static Described> {
    let packages = [
        accounts::ROUTES,
        api_keys::ROUTES,
        field_groups::ROUTES,
        fields::ROUTES,
        jobs::ROUTES,
        operations::ROUTES,
        tenants::ROUTES,
        values::ROUTES,
        webhooks::ROUTES,
    ];
    packages.into_iter().flatten()
}

/// Every function that no route reaches.
#[must_use]
pub fn consumers() -> [&'static Consumer; 3] {
    [&dispatcher::DISPATCHER, &fan_out::FAN_OUT, &jobs::RUN_JOBS]
}
