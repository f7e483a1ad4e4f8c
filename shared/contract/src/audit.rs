//! What the audit log tells: who did what, when, from where, by which request. `docs/audit.md` says what is written, and how
//! a line is verified.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{AuditId, ClientId, EventId, GroupId, KeyId};
use crate::names::{EntityId, GroupKey, TenantId};
use crate::{Broken, Time};

macro_rules! actions {
    ($($(#[$meta:meta])* $variant:ident $name:literal)+) => {
        /// What was done, or refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action { $($(#[$meta])* $variant),+ }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As the log writes it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

actions! {
    /// An account was opened, and its client with it.
    ClientCreated "client.created"
    /// A client was changed.
    ClientUpdated "client.updated"
    /// A client was closed.
    ClientClosed "client.closed"
    /// A closed client was opened again.
    ClientRestored "client.restored"
    /// The erasure of a closed client began.
    ClientErased "client.erased"
    /// A plan, or where its subscription stands.
    SubscriptionUpdated "subscription.updated"
    /// Someone became a member.
    MemberCreated "member.created"
    /// A member was given another role.
    MemberUpdated "member.updated"
    /// A membership ended.
    MemberDeleted "member.deleted"
    /// Someone was invited.
    InvitationCreated "invitation.created"
    /// An invitation was accepted.
    InvitationAccepted "invitation.accepted"
    /// An invitation was taken back, or another took its place.
    InvitationDeleted "invitation.deleted"
    /// An API key was made.
    ApiKeyCreated "api_key.created"
    /// An API key was changed.
    ApiKeyUpdated "api_key.updated"
    /// An API key has a new secret.
    ApiKeyRotated "api_key.rotated"
    /// An API key was deleted.
    ApiKeyDeleted "api_key.deleted"
    /// Someone logged in.
    LoginSucceeded "login.succeeded"
    /// Someone did not get in: a wrong password or code, or a locked address.
    LoginFailed "login.failed"
    /// A session was ended by its user.
    SessionDeleted "session.deleted"
    /// All sessions of a user, or all but the one that asked, have ended.
    SessionsEnded "session.all_deleted"
    /// A member's password is another one.
    PasswordUpdated "password.updated"
    /// A second factor is being set up.
    SecondFactorStarted "second_factor.started"
    /// A second factor is in force.
    SecondFactorCreated "second_factor.created"
    /// A second factor was turned off.
    SecondFactorDeleted "second_factor.deleted"
    /// An address was unlocked by whoever runs the deployment.
    LockDeleted "lock.deleted"
    /// A field group was created.
    FieldGroupCreated "field_group.created"
    /// A field group was changed.
    FieldGroupUpdated "field_group.updated"
    /// A field group was deleted.
    FieldGroupDeleted "field_group.deleted"
    /// A field group was restored.
    FieldGroupRestored "field_group.restored"
    /// A global field was created.
    GlobalFieldCreated "global_field.created"
    /// A global field was changed.
    GlobalFieldUpdated "global_field.updated"
    /// A global field was deleted.
    GlobalFieldDeleted "global_field.deleted"
    /// A global field was restored.
    GlobalFieldRestored "global_field.restored"
    /// A tenant was used for the first time.
    TenantCreated "tenant.created"
    /// The embed tokens of a tenant were revoked.
    TenantTokensRevoked "tenant.tokens_revoked"
    /// A tenant was erased.
    TenantErased "tenant.erased"
    /// A tenant field was created.
    TenantFieldCreated "tenant_field.created"
    /// A tenant field was changed.
    TenantFieldUpdated "tenant_field.updated"
    /// A tenant field was deleted.
    TenantFieldDeleted "tenant_field.deleted"
    /// A tenant field was restored.
    TenantFieldRestored "tenant_field.restored"
    /// Values were saved.
    FieldValueSaved "field_value.saved"
    /// Values were deleted.
    FieldValueDeleted "field_value.deleted"
    /// Values were restored.
    FieldValueRestored "field_value.restored"
    /// A webhook was made.
    WebhookCreated "webhook.created"
    /// A webhook was changed.
    WebhookUpdated "webhook.updated"
    /// A webhook has a new secret.
    WebhookRotated "webhook.rotated"
    /// We switched a webhook off.
    WebhookDisabled "webhook.disabled"
    /// A webhook was deleted.
    WebhookDeleted "webhook.deleted"
    /// A webhook was sent a test.
    WebhookTested "webhook.tested"
    /// Failed deliveries of a webhook are sent anew.
    WebhookRecovered "webhook.recovered"
    /// A delivery was sent anew.
    DeliveryRedelivered "delivery.redelivered"
    /// What was deleted 30 days ago is gone for good.
    ResourcePurged "resource.purged"
    /// A credential that is unknown, has expired, was revoked or switched off.
    CredentialRefused "credential.refused"
    /// An address that a credential may not be used from.
    AddressRefused "address.refused"
    /// A page of another origin.
    OriginRefused "origin.refused"
    /// A credential that may not do this.
    PermissionRefused "permission.refused"
    /// The log was exported. The last line of an export.
    AuditLogExported "audit_log.exported"
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Action {
    type Err = Broken;
    fn from_str(text: &str) -> Result<Self, Broken> {
        let found = Self::ALL.iter().find(|action| action.name() == text).copied();
        found.ok_or_else(|| Broken::new("unknown_action", "Must be an action of the audit log, like api_key.created."))
    }
}

impl Serialize for Action {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|broken: Broken| serde::de::Error::custom(broken.message))
    }
}

impl JsonSchema for Action {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AuditAction".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = Self::ALL.iter().map(|action| action.name()).collect();
        schemars::json_schema!({ "type": "string", "enum": names })
    }
}

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

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AuditEntry")]
pub struct Entry {
    /// `aud_…`
    pub id: AuditId,
    /// When it was done.
    pub at: Time,
    /// Whose log it is in. Not there in the log of the deployment itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Who did it: `usr_…`, `key_…`, `tok_…`; `system`, `operator`, `stripe`; `anonymous`, who showed no credential that is known.
    pub actor: String,
    /// The API key that made the embed token by which it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<KeyId>,
    /// What was done.
    #[schemars(with = "Action")]
    pub action: String,
    /// What it was done to: its path under `/api/v1`, as `tenants/acme/field-groups/fg_…/entities/e-1/values`.
    pub resource: String,
    /// The tenant, if it is a tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<TenantId>,
    /// The field group, of a tenant's fields and values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_group_id: Option<GroupId>,
    /// Its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_group_key: Option<GroupKey>,
    /// The entity, of values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<EntityId>,
    /// The keys of the fields whose values are others than before; the identifier of a field that is gone. Never a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Vec<String>>,
    /// The members that changed, as they were. Never a secret, never a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Map<String, Value>>,
    /// The same as they are since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Map<String, Value>>,
    /// Why it was refused: the code that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many refusals of one minute this line stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Where it came from.
    pub address: Option<String>,
    /// By which program, as that says.
    pub agent: String,
    /// By which request.
    pub request_id: String,
    /// The event of the change, the same as its webhooks are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// Which line of the client's day it is, from 1, in the order in which they were written down.
    pub sequence: u64,
    /// The `hash` of the line before; of a day's first line, what `docs/audit.md` says.
    pub previous: String,
    /// SHA-256, in hexadecimal digits, of the line without this member.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(required)]
    pub hash: String,
}

/// How many lines a client's day has, and how they end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DayEnd {
    /// The day, in UTC.
    pub day: String,
    /// How many lines it has.
    pub entries: u64,
    /// The `hash` of the last one.
    pub hash: String,
}

/// The last line of an export: what is in it. It begins as an entry does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportEnd {
    /// `aud_…`
    pub id: AuditId,
    /// When it was exported.
    pub at: Time,
    /// Whose log it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Who exported it.
    pub actor: String,
    /// `audit_log.exported`
    pub action: Action,
    /// `audit-log`
    pub resource: String,
    /// From where.
    pub address: Option<String>,
    /// By which program, as that says.
    pub agent: String,
    /// By which request.
    pub request_id: String,
    /// The days that are in it, oldest first.
    pub days: Vec<DayEnd>,
    /// SHA-256 of all that stands before this line.
    pub previous: String,
    /// SHA-256 of this line without this member.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
}

#[cfg(test)]
mod tests {
    use super::*;

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
