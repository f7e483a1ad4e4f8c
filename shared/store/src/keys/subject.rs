//! Keys read back: what an item of the main table is about.

use std::str::FromStr;

use contract::Error;
use contract::id::{ClientId, FieldId, GroupId, WebhookId};
use contract::names::{EntityId, TenantId};

use super::{CARD, DELETED, Kind};
use crate::dynamo::must;

/// What an item of the main table is about, deleted or not.
pub(crate) enum Subject {
    FieldGroup(ClientId),
    GlobalField(ClientId),
    TenantField(ClientId, TenantId),
    Values(ClientId, TenantId, GroupId, EntityId),
    Webhook(ClientId),
    Client(ClientId),
    /// What stands beside one of these, and what only its owner has to do with.
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
            Kind::Values => Self::Values(part(client)?, part(rest)?, part(first)?, part(second)?),
            Kind::Webhooks if sk.starts_with(WebhookId::PREFIX) => Self::Webhook(part(client)?),
            Kind::Definitions | Kind::GlobalFields | Kind::TenantFields | Kind::Webhooks => Self::Other,
            Kind::Client if sk == CARD => Self::Client(part(client)?),
            Kind::Client
            | Kind::Origin
            | Kind::Counts
            | Kind::Members
            | Kind::Invitations
            | Kind::InvitationTokens
            | Kind::ApiKeys
            | Kind::Slug
            | Kind::Email
            | Kind::User => Self::Other,
            Kind::Password | Kind::SecondFactor | Kind::Key | Kind::GroupKeys | Kind::Tenants | Kind::Purge => {
                Self::Other
            }
            // Of the other tables.
            Kind::PasswordReset
            | Kind::KeyUses
            | Kind::BillingEvents
            | Kind::Idempotency
            | Kind::WebhookState
            | Kind::Events
            | Kind::Deliveries
            | Kind::Jobs
            | Kind::Limits => Self::Unknown,
        })
    }
}

fn part<T: FromStr>(text: &str) -> Result<T, Error> {
    must(text.parse().ok(), "key")
}
