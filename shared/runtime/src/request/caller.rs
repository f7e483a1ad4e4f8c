//! Who asks.

use contract::id::KeyId;
use contract::permission::{KeyType, Permission, Role, TokenPermission};
use contract::{Code, Error};
use store::author::ANONYMOUS;
use store::credentials::KeyCredential;
use store::embed_tokens::TokenCredential;
use store::scope::ClientScope;
use store::sessions::SessionCredential;

/// Who asks.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Nobody in particular.
    Anonymous,
    /// A user of the dashboard.
    Session(SessionCredential),
    /// An API key.
    Key(KeyCredential),
    /// An embed token.
    Token(TokenCredential),
}

impl Caller {
    /// Whose data may be touched.
    #[must_use]
    pub fn scope(&self) -> Option<&ClientScope> {
        match self {
            Self::Anonymous => None,
            Self::Session(session) => Some(&session.scope),
            Self::Key(key) => Some(&key.scope),
            Self::Token(token) => Some(token.scope.client_scope()),
        }
    }

    /// `usr_…`, `key_…`, `tok_…` or `anonymous`.
    #[must_use]
    pub fn actor(&self) -> String {
        match self {
            Self::Anonymous => ANONYMOUS.to_owned(),
            Self::Session(session) => session.user_id().to_string(),
            Self::Key(key) => key.id.to_string(),
            Self::Token(token) => token.id.to_string(),
        }
    }

    /// The API key that is behind it: itself, or the one that made a token.
    #[must_use]
    pub fn key(&self) -> Option<KeyId> {
        match self {
            Self::Anonymous | Self::Session(_) => None,
            Self::Key(key) => Some(key.id),
            Self::Token(token) => Some(token.key),
        }
    }

    /// Who counts as the same caller when a request is repeated (contract: `Idempotency-Key`): a page's token is a new one
    /// every few minutes, so for tokens it is the tenant.
    #[must_use]
    pub(crate) fn repeats_as(&self) -> String {
        match self {
            Self::Token(token) => format!("tenant {}", token.scope.tenant()),
            _ => self.actor(),
        }
    }

    /// Whether a key has one of these permissions, or a session's role allows one.
    ///
    /// # Errors
    /// `forbidden`, which names them; `wrong_key_type` for a key that is not for management.
    pub fn require(&self, any: &[Permission]) -> Result<(), Error> {
        let (has, who) = match self {
            Self::Anonymous => return Err(Code::Unauthenticated.into()),
            Self::Session(session) => (any.iter().any(|one| session.role().allows(*one)), "Your role"),
            Self::Key(key) => {
                self.require_management()?;
                (any.iter().any(|one| key.may(*one)), "This API key")
            }
            Self::Token(_) => return Err(no_token()),
        };
        if has {
            return Ok(());
        }
        let names: Vec<String> = any.iter().map(|permission| format!("`{}`", permission.name())).collect();
        Err(Error::saying(Code::Forbidden, format!("{who} lacks the permission {}.", names.join(" or "))))
    }

    /// Whether it is no key of another type.
    ///
    /// # Errors
    /// `wrong_key_type`
    pub(crate) fn require_management(&self) -> Result<(), Error> {
        match self {
            Self::Key(key) if key.key_type != KeyType::Management => Err(Code::WrongKeyType.into()),
            _ => Ok(()),
        }
    }

    /// Whether it is a session of a member with at least this role.
    ///
    /// # Errors
    /// `forbidden`
    pub(crate) fn require_role(&self, least: Role) -> Result<(), Error> {
        match self.session()?.role() {
            role if role >= least => Ok(()),
            _ => {
                let message = format!("This needs the role `{}` or a higher one.", least.name());
                Err(Error::saying(Code::Forbidden, message))
            }
        }
    }

    /// The session.
    ///
    /// # Errors
    /// `forbidden` if it is none.
    pub(crate) fn session(&self) -> Result<&SessionCredential, Error> {
        match self {
            Self::Session(session) => Ok(session),
            Self::Anonymous => Err(Code::Unauthenticated.into()),
            Self::Key(_) => {
                let message = "An API key may not do that: it needs a session of the dashboard.";
                Err(Error::saying(Code::Forbidden, message))
            }
            Self::Token(_) => Err(no_token()),
        }
    }
}

/// What an embed token is told where none enters.
pub(crate) fn no_token() -> Error {
    let message = "An embed token may not do that: it reaches the values and the fields of its own tenant alone.";
    Error::saying(Code::Forbidden, message)
}

/// What an embed token is told that lacks a permission.
pub(crate) fn lacks(permission: TokenPermission) -> Error {
    let message = format!("This embed token lacks the permission `{}`.", permission.name());
    Error::saying(Code::Forbidden, message)
}
