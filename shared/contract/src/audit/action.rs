//! What is told of.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Broken;

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
    /// Settings were changed.
    SettingsUpdated "settings.updated"
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
