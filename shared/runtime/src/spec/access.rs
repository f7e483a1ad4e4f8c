//! Who may enter a route: a column for each kind of credential.

use contract::permission::{Permission, Role, TokenPermission};

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
        /// Embed tokens.
        token: TokenAccess,
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
    /// None.
    Refused,
    /// All.
    Any,
    /// Those of members with at least this role.
    Role(Role),
    /// Those of members whose role allows one of these permissions, as [`KeyAccess::Management`].
    Permission(&'static [Permission]),
}

/// Which embed tokens enter, each for its own tenant, and its group and entity if it is bound to those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenAccess {
    /// None. They are not verified either, so that few functions have the keys that sign them.
    Refused,
    /// Those with this permission, for values.
    Values(TokenPermission),
    /// All, or those with this permission, for fields: these are the group's, whatever entity a token is bound to.
    Fields(Option<TokenPermission>),
}

impl Access {
    /// A management key with this permission, or a session whose role allows it. With several, whoever has any of them
    /// enters, and the handler asks for the one that what is there has ([`crate::Caller::require`]).
    #[must_use]
    pub const fn management(any: &'static [Permission]) -> Self {
        let (key, session) = (KeyAccess::Management(any), SessionAccess::Permission(any));
        Self::Credential { key, session, token: TokenAccess::Refused }
    }

    /// A member with at least this role, logged in; no key.
    #[must_use]
    pub const fn member(role: Role) -> Self {
        let (key, session) = (KeyAccess::Refused, SessionAccess::Role(role));
        Self::Credential { key, session, token: TokenAccess::Refused }
    }

    /// A management key with this permission; no session.
    #[must_use]
    pub const fn key(any: &'static [Permission]) -> Self {
        let (key, session) = (KeyAccess::Management(any), SessionAccess::Refused);
        Self::Credential { key, session, token: TokenAccess::Refused }
    }

    /// Whoever is logged in; no key.
    #[must_use]
    pub const fn session() -> Self {
        Self::Credential { key: KeyAccess::Refused, session: SessionAccess::Any, token: TokenAccess::Refused }
    }

    /// Embed tokens as well.
    #[must_use]
    pub const fn and_token(self, token: TokenAccess) -> Self {
        match self {
            Self::Credential { key, session, .. } => Self::Credential { key, session, token },
            Self::Public => Self::Public,
        }
    }

    /// Which embed tokens enter; nobody's is looked at where anyone may.
    #[must_use]
    pub const fn token(self) -> TokenAccess {
        match self {
            Self::Credential { token, .. } => token,
            Self::Public => TokenAccess::Refused,
        }
    }

    /// Whether embed tokens are verified.
    #[must_use]
    pub const fn takes_tokens(self) -> bool {
        !matches!(self.token(), TokenAccess::Refused)
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
