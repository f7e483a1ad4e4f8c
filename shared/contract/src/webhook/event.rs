//! What is announced.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;

use crate::id::{ClientId, EventId};
use crate::names::{Slug, TenantId};
use crate::{Broken, Time};

macro_rules! events {
    ($($(#[$meta:meta])* $variant:ident $name:literal)+) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum EventName { $($(#[$meta])* $variant),+ }

        impl EventName {
            /// Every name, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As the contract writes it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

events! {
    /// A field group was created.
    FieldGroupCreated "field_group.created"
    /// A field group was changed or restored.
    FieldGroupUpdated "field_group.updated"
    /// A field group was deleted, and its values with it.
    FieldGroupDeleted "field_group.deleted"
    /// A global field was created.
    GlobalFieldCreated "global_field.created"
    /// A global field was changed or restored.
    GlobalFieldUpdated "global_field.updated"
    /// A global field was deleted.
    GlobalFieldDeleted "global_field.deleted"
    /// A tenant field was created.
    TenantFieldCreated "tenant_field.created"
    /// A tenant field was changed or restored.
    TenantFieldUpdated "tenant_field.updated"
    /// A tenant field was deleted.
    TenantFieldDeleted "tenant_field.deleted"
    /// Values were saved or restored.
    FieldValueSaved "field_value.saved"
    /// Values were deleted.
    FieldValueDeleted "field_value.deleted"
    /// Values were published.
    FieldValuePublished "field_value.published"
    /// Values are public no more.
    FieldValueUnpublished "field_value.unpublished"
    /// We switched a webhook off.
    WebhookDisabled "webhook.disabled"
    /// Nothing happened; somebody tries a webhook out.
    TestPing "test.ping"
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EventName {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        let found = Self::ALL.iter().find(|event| event.name() == text).copied();
        found.ok_or_else(|| Broken::new("unknown_event", "Must be the name of an event, like field_value.saved."))
    }
}

impl Serialize for EventName {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for EventName {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|broken: Broken| serde::de::Error::custom(broken.message))
    }
}

impl schemars::JsonSchema for EventName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventName".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = Self::ALL.iter().map(|event| event.name()).collect();
        schemars::json_schema!({ "type": "string", "enum": names })
    }
}

/// Which events a webhook is told: one, all of values, or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventFilter {
    /// `*`
    All,
    /// `field_value.*`
    Values,
    /// One.
    One(EventName),
}

const VALUES: &str = "field_value.*";

impl EventFilter {
    /// Whether an event of this name passes.
    #[must_use]
    pub fn takes(self, event: EventName) -> bool {
        match self {
            Self::All => true,
            Self::Values => event.name().starts_with("field_value."),
            Self::One(one) => one == event,
        }
    }
}

impl fmt::Display for EventFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Values => f.write_str(VALUES),
            Self::One(one) => one.fmt(f),
        }
    }
}

impl FromStr for EventFilter {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        match text {
            "*" => Ok(Self::All),
            VALUES => Ok(Self::Values),
            one => one.parse().map(Self::One).map_err(|_| {
                let names: Vec<&str> = EventName::ALL.iter().map(|event| event.name()).collect();
                Broken::new("unknown_event", format!("Must be one of: *, {VALUES}, {}.", names.join(", ")))
            }),
        }
    }
}

impl Serialize for EventFilter {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

crate::parsed_from_text!(EventFilter, {
    "type": "string",
    "enum": [
        "*", "field_value.*",
        "field_group.created", "field_group.updated", "field_group.deleted",
        "global_field.created", "global_field.updated", "global_field.deleted",
        "tenant_field.created", "tenant_field.updated", "tenant_field.deleted",
        "field_value.saved", "field_value.deleted", "field_value.published", "field_value.unpublished",
        "webhook.disabled", "test.ping"
    ],
});

/// The body of a delivery (contract: Webhooks).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope<'a> {
    /// What happened.
    pub event: EventName,
    /// The same at every attempt, to every webhook.
    pub event_id: EventId,
    /// When it was committed.
    pub timestamp: Time,
    /// Whose it is.
    pub client_id: ClientId,
    /// The client's slug.
    pub project: &'a Slug,
    /// The tenant, if it is a tenant's.
    pub tenant_id: Option<&'a TenantId>,
    /// The resource as the API answers it, after the change.
    pub data: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_take_what_they_name() {
        let takes = |filter: &str, event: EventName| filter.parse::<EventFilter>().is_ok_and(|f| f.takes(event));
        assert!(EventName::ALL.iter().all(|event| takes("*", *event) && takes(event.name(), *event)));
        assert!(takes("field_value.*", EventName::FieldValueDeleted));
        assert!(!takes("field_value.*", EventName::FieldGroupDeleted));
        for bad in ["", "field_group.*", "field_value", "field_value.", "FIELD_VALUE.SAVED", "**", "unknown.event"] {
            let message = bad.parse::<EventFilter>().unwrap_err().message;
            assert!(EventName::ALL.iter().all(|event| message.contains(event.name())), "{bad}: {message}");
        }
    }

    #[test]
    fn the_described_filters_are_those_that_parse() {
        use schemars::JsonSchema as _;
        let schema = EventFilter::json_schema(&mut schemars::SchemaGenerator::default());
        let described = schema.as_value()["enum"].as_array().cloned().unwrap_or_default();
        assert!(described.iter().all(|name| name.as_str().is_some_and(|name| name.parse::<EventFilter>().is_ok())));
        assert_eq!(described.len(), EventName::ALL.len() + 2);
    }
}
