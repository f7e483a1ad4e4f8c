//! Keys read back: what an item of the main table is about.

use std::str::FromStr;

use contract::Error;
use contract::id::{ClientId, FieldId, GroupId, InvitationId, KeyId, UserId, WebhookId};
use contract::names::{EntityId, TenantId};

use super::{CARD, DELETED, Kind, SETTINGS};
use crate::dynamo::must;

/// What an item of the main table is about, deleted or not.
pub(crate) enum Subject {
    FieldGroup(ClientId),
    GlobalField(ClientId),
    TenantField(ClientId, TenantId),
    Values(ClientId, TenantId, GroupId, EntityId),
    Webhook(ClientId),
    Client(ClientId),
    Settings(ClientId),
    /// The tenant's card.
    Tenant(ClientId, TenantId),
    ApiKey(ClientId),
    Member(ClientId, UserId),
    Invitation(ClientId),
    User(UserId),
    Password(UserId),
    SecondFactor(UserId),
    /// That something was done which no item tells.
    Note,
    /// What stands beside one of these.
    Other,
    /// A kind that is not known here, as one of a newer version.
    Unknown,
}

impl Subject {
    /// The subject of the item under a partition key and a sort key.
    ///
    /// # Errors
    /// `internal` if the key is of a known kind, and not one that is made here.
    pub(crate) fn of(pk: &str, sk: &str) -> Result<Self, Error> {
        let (Some(kind), Some((_, scope))) = (Kind::of(pk), pk.split_once('#')) else { return Ok(Self::Unknown) };
        let (client, rest) = scope.split_once('#').unwrap_or((scope, ""));
        let sk = sk.strip_prefix(DELETED).unwrap_or(sk);
        let (first, second) = sk.split_once('#').unwrap_or((sk, ""));
        Ok(match kind {
            Kind::Definitions if sk == CARD => Self::FieldGroup(part(client)?),
            Kind::GlobalFields if sk.starts_with(FieldId::PREFIX) => Self::GlobalField(part(client)?),
            Kind::TenantFields if second.starts_with(FieldId::PREFIX) && first.starts_with(GroupId::PREFIX) => {
                Self::TenantField(part(client)?, part(rest)?)
            }
            Kind::TenantFields if sk == CARD => Self::Tenant(part(client)?, part(rest)?),
            Kind::ApiKeys if sk.starts_with(KeyId::PREFIX) => Self::ApiKey(part(client)?),
            Kind::Members => Self::Member(part(client)?, part(sk)?),
            Kind::Invitations if sk.starts_with(InvitationId::PREFIX) => Self::Invitation(part(client)?),
            Kind::User => Self::User(part(client)?),
            Kind::Password => Self::Password(part(client)?),
            Kind::SecondFactor => Self::SecondFactor(part(client)?),
            Kind::AuditNotes => Self::Note,
            Kind::Values => Self::Values(part(client)?, part(rest)?, part(first)?, part(second)?),
            Kind::Webhooks if sk.starts_with(WebhookId::PREFIX) => Self::Webhook(part(client)?),
            Kind::Client if sk == CARD => Self::Client(part(client)?),
            Kind::Client if sk == SETTINGS => Self::Settings(part(client)?),
            Kind::Definitions | Kind::GlobalFields | Kind::TenantFields | Kind::Webhooks => Self::Other,
            Kind::ApiKeys | Kind::Invitations | Kind::InvitationTokens | Kind::Key => Self::Other,
            Kind::Client | Kind::Counts | Kind::Slug | Kind::Email | Kind::GroupKeys => Self::Other,
            Kind::Origin | Kind::Tenants | Kind::Purge => Self::Other,
            // Of the other tables.
            Kind::PasswordReset
            | Kind::KeyUses
            | Kind::BillingEvents
            | Kind::Idempotency
            | Kind::WebhookState
            | Kind::Events
            | Kind::Deliveries
            | Kind::Jobs
            | Kind::Audit
            | Kind::AuditHeads
            | Kind::AuditDays
            | Kind::Limits => Self::Unknown,
        })
    }
}

fn part<T: FromStr>(text: &str) -> Result<T, Error> {
    must(text.parse().ok(), "key")
}
