//! What the audit log is asked for.

use contract::Time;
use contract::audit::{ActionFilter, ActorFilter, ResourceFilter};

runtime::query_names! {
    Actor: ActorFilter, "actor", "Only what this user, key or token did, and what was done by tokens that this key made.";
    Which: ActionFilter, "action", "Only this action, or all of a kind, as `api_key.*`.";
    Resource: ResourceFilter, "resource", "Only what was done to this resource, or to what is below it: its path or any part of that, as `tenants/acme` or `fg_…`; or a kind of resource, as `field_group`.";
    Since: Time, "from", "Only what was done at this time or later.";
    Until: Time, "to", "Only what was done before this time.";
    FirstDay: Time, "from", "The day of this time, in UTC, and those after it.";
    LastDay: Time, "to", "The day of this time, in UTC, and those before it.";
}
