//! Who may enter a route: a column for each kind of credential.

use contract::permission::{Permission, Role};

/// Who may enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone; credentials are not looked at.
    Public,
    /// Whoever has one of these credentials.
    Credential {
        /// API keys.
        key: KeyAccess,
        /// Whoever is logged in.
        session: SessionAccess,
    },
}

/// Which API keys enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAccess {
    /// None.
    Refused,
    /// Management keys with one of these permissions. Which one it has to be is asked of what is there, if there are more.
    Management(&'static [Permission]),
}

/// Which sessions enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionAccess {
    /// All.
    Any,
    /// Those of members with at least this role.
    Role(Role),
    /// Those of members whose role allows one of these permissions, as [`KeyAccess::Management`].
    Permission(&'static [Permission]),
}

impl Access {
    /// A management key with this permission, or a session whose role allows it. With several, whoever has any of them
    /// enters, and the handler asks for the one that what is there has ([`crate::Caller::require`]).
    #[must_use]
    pub const fn management(any: &'static [Permission]) -> Self {
        Self::Credential { key: KeyAccess::Management(any), session: SessionAccess::Permission(any) }
    }

    /// A member with at least this role, logged in; no key.
    #[must_use]
    pub const fn member(role: Role) -> Self {
        Self::Credential { key: KeyAccess::Refused, session: SessionAccess::Role(role) }
    }

    /// Whoever is logged in; no key.
    #[must_use]
    pub const fn session() -> Self {
        Self::Credential { key: KeyAccess::Refused, session: SessionAccess::Any }
    }

    /// The permissions any one of which lets a management key in.
    #[must_use]
    pub const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Credential { key: KeyAccess::Management(any), .. } => any,
            Self::Credential { key: KeyAccess::Refused, .. } | Self::Public => &[],
        }
    }

    /// The role that a session's member needs at the least, if it is asked for by name.
    #[must_use]
    pub const fn role(self) -> Option<Role> {
        match self {
            Self::Credential { session: SessionAccess::Role(role), .. } => Some(role),
            Self::Credential { .. } | Self::Public => None,
        }
    }
}
