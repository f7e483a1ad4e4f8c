//! How many of each there may be, and how large (contract: `limit_reached`): held by counters that change in the same
//! transactions, so that no two processes together make one too many.

use contract::id::ClientId;
use contract::subscription::Limits;
use contract::{Code, Error};

use crate::change::Change;
use crate::dynamo::{Item, get_number, number};
use crate::keys;
use crate::scope::ClientScope;

/// Field groups of a client.
pub const FIELD_GROUPS: u64 = 500;
/// Global fields of a client.
pub const GLOBAL_FIELDS: u64 = 500;
/// Global fields in a group.
pub const GLOBAL_FIELDS_IN_GROUP: u64 = 200;
/// Tenants of a client: a deployment's tables hold any number.
pub const TENANTS: u64 = u64::MAX;
/// Fields that a tenant may define in a group, unless its plan says otherwise (contract: `field_limit_reached`).
pub const TENANT_FIELDS_IN_GROUP: u64 = 100;
/// Fields that a tenant may define.
pub const TENANT_FIELDS: u64 = 2_000;
/// Webhooks of a client: each of its writes is announced to all.
pub const WEBHOOKS: u64 = 100;
/// Members of a client.
pub const MEMBERS: u64 = 200;
/// Open invitations of a client.
pub const INVITATIONS: u64 = 100;
/// API keys of a client.
pub const API_KEYS: u64 = 100;
/// The schemas of a group's fields together, in bytes of JSON: every cold read of its values reads them.
pub const SCHEMA_BYTES: u64 = 1024 * 1024;

/// `limit_reached`: whose limit it is, how many, of what.
pub(crate) fn reached(whose: &str, most: u64, what: &str) -> Error {
    let message = format!("{whose} can have at most {most} {what}. Delete one that is not used to make another.");
    Error::saying(Code::LimitReached, message)
}

/// What is counted of a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    /// The sort key of its counter, and what it is called.
    pub(crate) key: &'static str,
    most: u64,
    /// In a sentence.
    name: &'static str,
}

pub(crate) const COUNTED_FIELD_GROUPS: Counted =
    Counted { key: "field-groups", most: FIELD_GROUPS, name: "field groups" };
pub(crate) const COUNTED_GLOBAL_FIELDS: Counted =
    Counted { key: "global-fields", most: GLOBAL_FIELDS, name: "global fields" };
pub(crate) const COUNTED_TENANTS: Counted = Counted { key: "tenants", most: TENANTS, name: "tenants" };
pub(crate) const COUNTED_MEMBERS: Counted = Counted { key: "members", most: MEMBERS, name: "members" };
pub(crate) const COUNTED_INVITATIONS: Counted =
    Counted { key: "invitations", most: INVITATIONS, name: "open invitations" };
pub(crate) const COUNTED_API_KEYS: Counted = Counted { key: "api-keys", most: API_KEYS, name: "API keys" };
pub(crate) const COUNTED_WEBHOOKS: Counted = Counted { key: "webhooks", most: WEBHOOKS, name: "webhooks" };

/// What holds where neither a plan nor the deployment says anything: a deployment's own word takes its place.
pub(crate) fn caps(deployment: Limits) -> Limits {
    let or = |said: Option<u64>, most| Some(said.unwrap_or(most));
    Limits {
        fields: or(deployment.fields, GLOBAL_FIELDS),
        webhooks: or(deployment.webhooks, WEBHOOKS),
        members: or(deployment.members, MEMBERS),
        ..deployment
    }
}

/// All that is counted of a client.
pub(crate) const COUNTED: [Counted; 6] = [
    COUNTED_FIELD_GROUPS,
    COUNTED_GLOBAL_FIELDS,
    COUNTED_API_KEYS,
    COUNTED_WEBHOOKS,
    COUNTED_MEMBERS,
    COUNTED_INVITATIONS,
];

impl Counted {
    /// How many a client on this plan may have.
    pub(crate) fn of_plan(self, plan: &Limits) -> u64 {
        let own = match self.key {
            "global-fields" => plan.fields,
            "webhooks" => plan.webhooks,
            "members" => plan.members,
            _ => None,
        };
        self.within(own).most
    }

    /// The same where the plan and the deployment allow so many.
    pub(crate) fn within(self, allowed: Option<u64>) -> Self {
        Self { most: allowed.unwrap_or(self.most), ..self }
    }

    /// Where it is counted.
    pub(crate) fn counter(self, client: ClientId) -> keys::Key {
        keys::count(client, self.key)
    }

    /// One more, if there is room.
    pub(crate) fn one_more(self, scope: &ClientScope) -> Change {
        let most = self.most;
        Change::update(keys::count(scope.client(), self.key))
            .add("count", 1)
            .when("(attribute_not_exists(#count) OR #count < :most)")
            .with(":most", number(most))
            .or(reached("A client", most, self.name))
    }

    /// One more in place of so many others, if there is room.
    pub(crate) fn instead_of(self, scope: &ClientScope, others: usize) -> Change {
        let others = i64::try_from(others).unwrap_or(i64::MAX);
        if others == 0 {
            return self.one_more(scope);
        }
        Change::update(keys::count(scope.client(), self.key)).add("count", 1 - others)
    }

    /// One less.
    pub(crate) fn one_less(self, scope: &ClientScope) -> Change {
        Change::update(keys::count(scope.client(), self.key)).add("count", -1)
    }
}

/// What a group's card, or a tenant's card of a group, says of the fields there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) fields: u64,
    pub(crate) schema_bytes: u64,
}

impl Held {
    pub(crate) fn of(card: Option<&Item>) -> Self {
        let count = |name| card.and_then(|card| get_number(card, name)).unwrap_or(0);
        Self { fields: count("fields"), schema_bytes: count("schemaBytes") }
    }
}

/// What is told of schemas that are too large together.
pub(crate) fn schemas_too_large() -> Error {
    let message = "The schemas of a field group's fields can have at most 1 MiB together.";
    Error::saying(Code::LimitReached, message)
}
