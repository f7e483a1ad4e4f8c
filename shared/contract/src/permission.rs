//! What a credential may do: an API key's permissions, a member's role.

use deserr::Deserr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Several;

macro_rules! permissions {
    ($($variant:ident $name:literal)+) => {
        /// One permission of an API key.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Deserr, JsonSchema)]
        #[deserr(error = crate::Problems)]
        pub enum Permission {
            $(#[doc = $name] #[serde(rename = $name)] #[deserr(rename = $name)] $variant),+
        }

        impl Permission {
            /// Every permission, which is what a key has if none are named.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the contract.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

permissions! {
    SchemaRead "schema:read"
    SchemaWrite "schema:write"
    ValuesRead "values:read"
    ValuesWrite "values:write"
    WebhooksRead "webhooks:read"
    WebhooksWrite "webhooks:write"
    SitesWrite "sites:write"
    TenantsErase "tenants:erase"
    TokensCreate "tokens:create"
    AuditRead "audit:read"
}

/// What a management key may do.
pub type Permissions = Several<Permission, 100>;

impl Permissions {
    /// Every permission.
    #[must_use]
    pub fn all() -> Self {
        Self::known(Permission::ALL)
    }
}

macro_rules! token_permissions {
    ($($variant:ident $name:literal $of_key:ident)+) => {
        /// One permission of an embed token.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Deserr, JsonSchema)]
        #[deserr(error = crate::Problems)]
        pub enum TokenPermission {
            $(#[doc = $name] #[serde(rename = $name)] #[deserr(rename = $name)] $variant),+
        }

        impl TokenPermission {
            /// Every permission.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the contract.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What the API key that hands it out has to have itself.
            #[must_use]
            pub const fn of_key(self) -> Permission {
                match self { $(Self::$variant => Permission::$of_key),+ }
            }
        }
    };
}

token_permissions! {
    ValuesRead "values:read" ValuesRead
    ValuesWrite "values:write" ValuesWrite
    FieldsWrite "fields:write" SchemaWrite
}

/// What an embed token may do.
pub type TokenPermissions = Several<TokenPermission, 10>;

/// A member's role in a client, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[deserr(error = crate::Problems, rename_all = lowercase)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads and writes schemas, values, webhooks and sites.
    Editor,
    /// Everything but what is the owner's.
    Admin,
    /// Everything.
    Owner,
}

impl Role {
    /// Its name as the API has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Whether a member of this role may make another one's role, or take it from someone: owners any, admins all but
    /// the owner's.
    #[must_use]
    pub fn may_give(self, role: Self) -> bool {
        match self {
            Self::Owner => true,
            Self::Admin => role != Self::Owner,
            Self::Editor | Self::Viewer => false,
        }
    }

    /// Whether a session of this role may do what an API key needs this permission for.
    #[must_use]
    pub fn allows(self, permission: Permission) -> bool {
        use Permission::{AuditRead, SchemaRead, TenantsErase, TokensCreate, ValuesRead, WebhooksRead};
        match self {
            Self::Owner | Self::Admin => true,
            Self::Editor => !matches!(permission, TenantsErase | TokensCreate | AuditRead),
            Self::Viewer => matches!(permission, SchemaRead | ValuesRead | WebhooksRead),
        }
    }
}

/// What an API key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Deserr, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[deserr(error = crate::Problems, rename_all = lowercase)]
pub enum KeyType {
    /// The API under `/api/v1`.
    Management,
    /// Published values.
    Delivery,
    /// Published values and drafts.
    Preview,
}
