//! Which lines are asked for.

use std::str::FromStr;

use schemars::JsonSchema;

use super::{Action, Entry};
use crate::Broken;

/// Which actions are asked for: one, or all of a kind of resource, as `field_value.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionFilter {
    /// One.
    One(Action),
    /// All that begin so, up to the dot and with it.
    Kind(String),
}

impl ActionFilter {
    /// Whether an action of this name passes.
    #[must_use]
    pub fn takes(&self, action: &str) -> bool {
        match self {
            Self::One(one) => one.name() == action,
            Self::Kind(kind) => action.starts_with(kind.as_str()),
        }
    }
}

impl FromStr for ActionFilter {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        if let Some(kind) = text.strip_suffix('*').filter(|kind| kind.ends_with('.'))
            && Action::ALL.iter().any(|action| action.name().starts_with(kind))
        {
            return Ok(Self::Kind(kind.to_owned()));
        }
        text.parse().map(Self::One).map_err(|_: Broken| {
            let message = "Must be an action of the audit log, like api_key.created, or all of a kind, like api_key.*.";
            Broken::new("unknown_action", message)
        })
    }
}

impl JsonSchema for ActionFilter {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AuditActionFilter".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut names: Vec<String> = Action::ALL.iter().map(|action| action.name().to_owned()).collect();
        for action in Action::ALL {
            let kind = action.name().split('.').next().unwrap_or_default();
            let all = format!("{kind}.*");
            if !names.contains(&all) {
                names.push(all);
            }
        }
        schemars::json_schema!({ "type": "string", "enum": names })
    }
}

macro_rules! text_filters {
    ($($(#[$meta:meta])+ $name:ident $pattern:literal $what:literal;)+) => { $(
        $(#[$meta])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// As it was asked for.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Broken;
            fn from_str(text: &str) -> Result<Self, Broken> {
                let known = |c: char| c.is_ascii_alphanumeric() || "._:@/-".contains(c);
                if (1..=500).contains(&text.len()) && text.chars().all(known) {
                    return Ok(Self(text.to_owned()));
                }
                Err(Broken::new("invalid_filter", $what))
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "minLength": 1, "maxLength": 500, "pattern": $pattern })
            }
        }
    )+ };
}

text_filters! {
    /// Who did it.
    ActorFilter "^[A-Za-z0-9._:@/-]+$" "Must be an actor, like usr_… or key_….";
    /// What it was done to: the path of a resource, or any part of one, as `tenants/acme` or `fg_…`; or a kind of resource, as
    /// `field_group`.
    ResourceFilter "^[A-Za-z0-9._:@/-]+$" "Must be the path of a resource, or a part of one, like tenants/acme or fg_….";
}

impl ActorFilter {
    /// Whether what this actor did passes: itself, or the API key that is behind it.
    #[must_use]
    pub fn takes(&self, entry: &Entry) -> bool {
        entry.actor == self.0 || entry.key_id.is_some_and(|key| key.to_string() == self.0)
    }
}

impl ResourceFilter {
    /// Whether what was done to this resource passes.
    #[must_use]
    pub fn takes(&self, entry: &Entry) -> bool {
        let asked: Vec<&str> = self.0.trim_matches('/').split('/').collect();
        let path: Vec<&str> = entry.resource.split('/').collect();
        let kind = entry.action.split('.').next();
        path.windows(asked.len()).any(|part| part == asked) || kind == Some(self.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Time;
    use crate::id::{AuditId, KeyId};

    fn entry(action: Action, resource: &str) -> Entry {
        let unique = uuid::Uuid::from_u128(1);
        Entry {
            id: AuditId::new(unique),
            at: Time::from_millis(0),
            client_id: None,
            actor: "tok_1".to_owned(),
            key_id: Some(KeyId::new(unique)),
            action: action.name().to_owned(),
            resource: resource.to_owned(),
            tenant_id: None,
            field_group_id: None,
            field_group_key: None,
            entity_id: None,
            changed: None,
            before: None,
            after: None,
            reason: None,
            count: None,
            address: None,
            agent: String::new(),
            request_id: String::new(),
            event_id: None,
            sequence: 1,
            previous: String::new(),
            hash: String::new(),
        }
    }

    #[test]
    fn a_resource_is_found_by_any_whole_part_of_its_path_and_by_its_kind() {
        let saved = entry(Action::FieldValueSaved, "tenants/acme/field-groups/fg_1/entities/e/values");
        let takes = |text: &str| text.parse::<ResourceFilter>().expect("a filter").takes(&saved);
        for part in ["tenants/acme", "fg_1", "field-groups/fg_1/entities", &saved.resource, "field_value", "e"] {
            assert!(takes(part), "{part}");
        }
        for other in ["tenants/acm", "tenants/acme/entities", "fg", "field_group", "values/tenants", "/"] {
            assert!(!takes(other), "{other}");
        }
        assert!("".parse::<ResourceFilter>().is_err() && "a b".parse::<ResourceFilter>().is_err());
    }

    #[test]
    fn an_actor_is_found_and_who_is_behind_it() {
        let saved = entry(Action::FieldValueSaved, "x");
        let takes = |text: &str| text.parse::<ActorFilter>().expect("a filter").takes(&saved);
        assert!(takes("tok_1") && takes("key_00000000000000000000000000000001") && !takes("tok_"));
    }

    #[test]
    fn filters_of_actions_take_what_they_name() {
        let takes = |filter: &str, action: Action| filter.parse::<ActionFilter>().map(|f| f.takes(action.name()));
        assert!(Action::ALL.iter().all(|action| takes(action.name(), *action) == Ok(true)));
        assert_eq!(takes("api_key.*", Action::ApiKeyRotated), Ok(true));
        assert_eq!(takes("api_key.*", Action::WebhookRotated), Ok(false));
        for bad in ["", "*", ".*", "api_key", "api.*", "api_key.", "unknown.*", "API_KEY.CREATED"] {
            assert!(bad.parse::<ActionFilter>().is_err(), "{bad}");
        }
        let schema = ActionFilter::json_schema(&mut schemars::SchemaGenerator::default());
        let described = schema.as_value()["enum"].as_array().cloned().unwrap_or_default();
        assert!(described.iter().all(|name| name.as_str().is_some_and(|name| name.parse::<ActionFilter>().is_ok())));
    }
}
