//! Every function, for what serves or describes all of them.

use runtime::Described;

/// Every route with what its types need, in the order of the packages.
pub fn all() -> impl Iterator<Item = &'static Described> {
    let packages = [
        accounts::ROUTES,
        api_keys::ROUTES,
        field_groups::ROUTES,
        fields::ROUTES,
        operations::ROUTES,
        tenants::ROUTES,
        values::ROUTES,
    ];
    packages.into_iter().flatten()
}
