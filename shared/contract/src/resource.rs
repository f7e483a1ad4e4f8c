//! Resources as the API answers them and webhooks announce them.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Time;
use crate::id::{ClientId, FieldId, GroupId, InvitationId, KeyId, SessionId, UserId};
use crate::names::{AllowedIps, Description, Email, EntityId, FieldKey, GroupKey, Name, Slug, TenantId};
use crate::permission::{KeyType, Permissions, Role};
use crate::schema::FieldSchema;

/// What every resource has in common.
pub trait Resource: Serialize + JsonSchema {
    /// Members that are shown once and never remembered.
    const SECRETS: &'static [&'static str] = &[];

    /// Whether an answer with it may have more than 100 KB.
    const LONG: bool = false;

    /// The number in its `ETag`, for what can be changed.
    fn version(&self) -> Option<u64>;
}

macro_rules! versioned {
    ($($name:ty),+) => { $(impl Resource for $name {
        fn version(&self) -> Option<u64> {
            Some(self.version)
        }
    })+ };
}

versioned!(Client, FieldGroup, GlobalField, TenantField, ApiKey, Member);

impl Resource for EntityValues {
    const LONG: bool = true;
    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}

macro_rules! unversioned {
    ($($name:ty),+) => { $(impl Resource for $name {
        fn version(&self) -> Option<u64> {
            None
        }
    })+ };
}

unversioned!(Tenant, Field, SessionInfo, Session, Invitation, Empty);

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// `cl_…`
    pub id: ClientId,
    /// What people call it.
    pub name: Name,
    /// Its part of public addresses.
    pub slug: Slug,
    /// Whether its members need a second factor.
    #[serde(default)]
    pub require_totp: bool,
    /// Since when it is closed: 30 days later it is erased, unless an owner restores it before.
    #[serde(default)]
    pub closed_at: Option<Time>,
    /// 1, then one more a change.
    pub version: u64,
    /// When it was opened.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// A user of the dashboard, with the role in its client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// `usr_…`
    pub id: UserId,
    /// As it was written at signup, in NFC.
    pub email: Email,
    /// The role in the client.
    pub role: Role,
    /// Whether a login needs a code of an authenticator app, too.
    pub second_factor: bool,
    /// When the account was opened.
    pub created_at: Time,
}

/// Who is logged in, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionInfo {
    /// The user.
    pub user: User,
    /// The client that the session is of.
    pub client: Client,
    /// All clients that the user is a member of, to choose from at a login.
    pub clients: Vec<ClientOfUser>,
    /// When the session ends, however it is used; without use it ends before.
    pub expires_at: Time,
}

/// Nothing more than that it was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Empty {}

/// A client that a user is a member of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClientOfUser {
    /// `cl_…`
    pub id: ClientId,
    /// What people call it.
    pub name: Name,
    /// Its part of public addresses.
    pub slug: Slug,
    /// The user's role there.
    pub role: Role,
}

impl Client {
    /// The client as one of a user's.
    #[must_use]
    pub fn of_user(&self, role: Role) -> ClientOfUser {
        ClientOfUser { id: self.id, name: self.name.clone(), slug: self.slug.clone(), role }
    }
}

/// A session of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// `ses_…`
    pub id: SessionId,
    /// When it began.
    pub created_at: Time,
    /// When it was last used, to the minute.
    pub last_used_at: Time,
    /// The address that it was last used from, if it is known.
    pub address: Option<IpAddr>,
    /// The `User-Agent` that it was last used with, cut to 200 characters.
    pub agent: String,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// A member of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// `usr_…`
    pub id: UserId,
    /// The user's address.
    pub email: Email,
    /// The role in the client.
    pub role: Role,
    /// 1, then one more a change.
    pub version: u64,
    /// Since when the user is a member.
    pub created_at: Time,
    /// When the role last changed.
    pub updated_at: Time,
}

/// An invitation that has been sent and not been accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// `inv_…`
    pub id: InvitationId,
    /// The address that it was sent to.
    pub email: Email,
    /// The role that whoever accepts it will have.
    pub role: Role,
    /// Who sent it: `usr_…`
    pub invited_by: UserId,
    /// When it was sent.
    pub created_at: Time,
    /// When it can't be accepted any more.
    pub expires_at: Time,
}

/// How values of a group become public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, deserr::Deserr, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[deserr(error = crate::Problems, rename_all = lowercase)]
pub enum Publishing {
    /// With every save.
    #[default]
    Immediate,
    /// By a publish.
    Manual,
}

/// A category of fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldGroup {
    /// `fg_…`
    pub id: GroupId,
    /// Unique in the client, never changed.
    pub key: GroupKey,
    /// What people call it.
    pub name: Name,
    /// What people say of it.
    pub description: Option<Description>,
    /// How its values become public.
    pub publishing: Publishing,
    /// 1, then one more a change.
    pub version: u64,
    /// When it was created.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// A field that every tenant sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GlobalField {
    /// `fld_…`
    pub id: FieldId,
    /// Unique in each of its groups, never changed.
    pub key: FieldKey,
    /// What people call it.
    pub label: Name,
    /// What values it takes.
    pub schema: FieldSchema,
    /// The groups that it is in.
    pub field_group_ids: Vec<GroupId>,
    /// 1, then one more a change.
    pub version: u64,
    /// When it was created.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// A field that one tenant has in one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantField {
    /// `fld_…`
    pub id: FieldId,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The group.
    pub field_group_id: GroupId,
    /// Unique among the tenant's fields of the group, never changed.
    pub key: FieldKey,
    /// What people call it.
    pub label: Name,
    /// What values it takes.
    pub schema: FieldSchema,
    /// 1, then one more a change.
    pub version: u64,
    /// When it was created.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// Whose field it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The client's, seen by all tenants.
    Global,
    /// One tenant's.
    Tenant,
}

/// A field of the merged list.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// `fld_…`
    pub id: FieldId,
    /// The key under which values are saved.
    pub key: FieldKey,
    /// What people call it.
    pub label: Name,
    /// What values it takes.
    pub schema: FieldSchema,
    /// Whose it is.
    pub scope: Scope,
    /// A tenant's field whose key a global field has taken: it keeps its values and takes no new ones.
    pub shadowed: bool,
    /// Of the field itself.
    pub version: u64,
    /// When it was created.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// One customer of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    /// The client's own identifier for it.
    pub tenant_id: TenantId,
    /// When it was first used.
    pub created_at: Time,
}

/// Whether what was saved is public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Saved, not public.
    Draft,
    /// Public.
    Published,
}

/// What is stored for an entity in a field group.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntityValues {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The group.
    pub field_group_id: GroupId,
    /// The record in the client's own system.
    pub entity_id: EntityId,
    /// Field key to value; a field without a value is left out.
    pub values: Map<String, Value>,
    /// Required fields without a value.
    pub missing: Vec<FieldKey>,
    /// Whether it is public.
    pub status: Status,
    /// 1, then one more a change.
    pub version: u64,
    /// When it last changed.
    pub updated_at: Time,
}

/// An API key, without the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// `key_…`
    pub id: KeyId,
    /// What people call it.
    pub name: Name,
    /// What it is for.
    #[serde(rename = "type")]
    pub key_type: KeyType,
    /// The key's first 12 characters.
    pub prefix: String,
    /// What it may do; `null` for delivery and preview keys.
    pub permissions: Option<Permissions>,
    /// Whether it works.
    pub active: bool,
    /// When it stops working.
    pub expires_at: Option<Time>,
    /// Its own limit, over the client's.
    pub rate_limit: Option<RateLimit>,
    /// Addresses and CIDR blocks that may use it; `null` for all.
    pub allowed_ips: Option<AllowedIps>,
    /// When it was last used, to the minute; `null` if it never was. After a rotation: the new key.
    pub last_used_at: Option<Time>,
    /// The address that it was last used from, if it is known.
    pub last_used_address: Option<IpAddr>,
    /// What the last rotation replaced, as long as it works.
    pub previous: Option<PreviousKey>,
    /// 1, then one more a change.
    pub version: u64,
    /// When it was made.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// The key that a rotation replaced, during its grace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviousKey {
    /// Its first 12 characters.
    pub prefix: String,
    /// When its grace ends.
    pub expires_at: Time,
    /// When it was last used, to the minute; `null` if it never was.
    pub last_used_at: Option<Time>,
    /// The address that it was last used from, if it is known.
    pub last_used_address: Option<IpAddr>,
}

/// A key's own limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, deserr::Deserr, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[deserr(error = crate::Problems, rename_all = camelCase, deny_unknown_fields)]
pub struct RateLimit {
    /// Requests a second.
    pub requests_per_second: RequestsPerSecond,
}

/// Requests a second: 1 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, deserr::Deserr, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, extend("minimum" = 1, "maximum" = 10_000))]
#[deserr(error = crate::Problems, try_from(crate::Whole) = Self::checked -> crate::Broken)]
pub struct RequestsPerSecond(u32);

impl RequestsPerSecond {
    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    fn checked(number: crate::Whole) -> Result<Self, crate::Broken> {
        number.within(1..=10_000).map(Self)
    }
}
