//! The parts of the store that a handler can ask for as arguments: from these come its function's permissions.

use contract::Error;
use store::accounts::{Login, Sessions, Signup};
use store::api_keys::ApiKeys;
use store::field_groups::FieldGroups;
use store::global_fields::GlobalFields;
use store::grant::{Granted, Read, Write};
use store::tenant_fields::TenantFields;
use store::tenants::Tenants;
use store::values::Values;

use crate::handler::{Admitted, FromRequest};
use crate::needs::Needs;

macro_rules! repositories {
    ($(|$request:ident| $($type:ty),+ => $open:expr;)+) => { $($(
        impl FromRequest for $type {
            const CONNECTS: bool = true;
            fn take($request: &mut Admitted) -> Result<Self, Error> {
                Ok($open)
            }
            fn needs(needs: &mut Needs) {
                needs.grant(<$type>::grants());
            }
        }
    )+)+ };
}

repositories! {
    |request| ApiKeys<Read>, ApiKeys<Write>, FieldGroups<Read>, FieldGroups<Write>, GlobalFields<Read>,
        GlobalFields<Write>, Tenants => Self::open(request.work()?);
    |request| TenantFields<Read>, TenantFields<Write>, Values<Read>, Values<Write>
        => Self::open(request.work()?, request.tenant()?);
    |request| Signup, Login => Self::open(request.app.store()?, request.author.clone());
    |request| Sessions => Self::open(request.app.store()?);
}
