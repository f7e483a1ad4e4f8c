//! What a request shows as a credential, before it is verified.

use auth::SessionToken;
use contract::{Code, Error};
use http::header::{AUTHORIZATION, COOKIE, HeaderName};

use super::incoming::Incoming;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What was sent as a credential. An explicit one wins over a cookie.
pub(crate) enum Sent {
    Nothing,
    Explicit {
        text: String,
        /// Whether it came in `Authorization`: an embed token comes nowhere else.
        bearer: bool,
    },
    Cookie(SessionToken),
}

impl Sent {
    /// What it is known by without being kept.
    pub(crate) fn hash(&self) -> Option<[u8; 32]> {
        match self {
            Self::Nothing => None,
            Self::Explicit { text, .. } => Some(auth::sha256(text.as_bytes())),
            Self::Cookie(token) => Some(auth::sha256(token.hash().as_bytes())),
        }
    }

    /// Whether a request shows no credential at all.
    pub(crate) fn is_nothing(incoming: &Incoming) -> bool {
        matches!(Self::read(incoming), Ok(Self::Nothing))
    }

    /// What a request shows.
    ///
    /// # Errors
    /// `malformed_request` for two explicit credentials.
    pub(crate) fn read(incoming: &Incoming) -> Result<Self, Error> {
        let explicit: Vec<_> =
            incoming.headers.get_all(&API_KEY).iter().chain(incoming.headers.get_all(AUTHORIZATION)).collect();
        let two = || Error::saying(Code::MalformedRequest, "More than one explicit credential was sent.");
        match explicit.as_slice() {
            // API Gateway joins headers of one name; no credential has a comma in it.
            [one] if one.as_bytes().contains(&b',') => Err(two()),
            [] => Ok(session_cookie(incoming).map_or(Self::Nothing, Self::Cookie)),
            [one] if incoming.headers.contains_key(&API_KEY) => {
                Ok(Self::Explicit { text: one.to_str().unwrap_or_default().to_owned(), bearer: false })
            }
            [one] => {
                let token = one.to_str().ok().and_then(auth::bearer).unwrap_or_default();
                Ok(Self::Explicit { text: token.to_owned(), bearer: true })
            }
            _ => Err(two()),
        }
    }
}

fn session_cookie(incoming: &Incoming) -> Option<SessionToken> {
    let cookies = incoming.headers.get(COOKIE)?;
    SessionToken::from_cookies(&String::from_utf8_lossy(cookies.as_bytes()))
}
