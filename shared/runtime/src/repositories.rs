//! What a handler can ask for as arguments of the store and of the services beside it: from these come its function's
//! permissions.

use auth::target::Rules;
use contract::Error;
use store::accounts::{Login, Sessions, Signup};
use store::api_keys::ApiKeys;
use store::deliveries::Deliveries;
use store::field_groups::FieldGroups;
use store::global_fields::GlobalFields;
use store::grant::Granted;
use store::jobs::Jobs;
use store::tenant_fields::TenantFields;
use store::tenants::Tenants;
use store::values::Values;
use store::webhooks::Webhooks;

use crate::handler::{Admitted, FromRequest, Start};
use crate::needs::Needs;
use crate::queues::{Queue, Queues};
use crate::vault::Vault;

macro_rules! repositories {
    ($(|$request:ident| $($repository:ty $(where $operation:ident)?),+ => $open:expr;)+) => { $($(
        impl$(<$operation: Send + 'static>)? FromRequest for $repository
        where
            Self: Granted,
        {
            const CONNECTS: bool = true;
            fn take($request: &mut Admitted) -> Result<Self, Error> {
                Ok($open)
            }
            fn needs(needs: &mut Needs) {
                needs.grant(Self::grants());
            }
        }
    )+)+ };
}

repositories! {
    |request| ApiKeys<A> where A, Deliveries<A> where A, FieldGroups<A> where A, GlobalFields<A> where A,
        Jobs<A> where A, Tenants, Webhooks<A> where A => Self::open(request.work()?);
    |request| TenantFields<A> where A, Values<A> where A => Self::open(request.work()?, request.tenant()?);
    |request| Signup, Login => Self::open(request.app.store()?, request.author.clone());
    |request| Sessions<A> where A => Self::open(request.app.store()?);
}

/// Sends first attempts of deliveries.
pub struct Deliver(pub Queues);

/// Sends tasks to the worker of jobs.
pub struct Assign(pub Queues);

macro_rules! sends_to {
    ($($name:ident => $queue:ident;)+) => { $(
        impl FromRequest for $name {
            fn take(request: &mut Admitted) -> Result<Self, Error> {
                Ok(Self(request.app.queues()?.clone()))
            }
            fn prepare(start: &mut Start<'_>) {
                start.app.queues = Some(Queues::of_sdk(start.sdk, start.config.queues.clone()));
            }
            fn needs(needs: &mut Needs) {
                needs.send_to(Queue::$queue);
            }
        }
    )+ };
}

sends_to! {
    Deliver => First;
    Assign => Jobs;
}

impl FromRequest for Vault {
    fn take(request: &mut Admitted) -> Result<Self, Error> {
        Ok(request.app.vault()?.clone())
    }
    fn prepare(start: &mut Start<'_>) {
        start.app.vault = Some(Vault::of_sdk(start.sdk, start.config.secret.clone()));
    }
    fn needs(needs: &mut Needs) {
        needs.open_secrets();
    }
}

impl FromRequest for Rules {
    fn take(request: &mut Admitted) -> Result<Self, Error> {
        Ok(request.app.webhooks.rules.clone())
    }
}
