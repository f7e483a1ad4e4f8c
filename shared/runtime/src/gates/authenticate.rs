//! The credential: who asks.

use auth::{ApiKeySecret, SessionToken};
use contract::{Code, Error};
use http::header::{AUTHORIZATION, COOKIE, HeaderName};

use super::{Asked, embed_token, rate_limit};
use crate::request::RequestContext;
use crate::request::caller::Caller;
use crate::request::incoming::Incoming;
use crate::spec::access::Access;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Verifies what was sent.
pub(super) fn authenticate(context: &mut RequestContext) -> Asked<'_> {
    Box::pin(async move {
        let sent = sent(&context.incoming)?;
        if context.route.access == Access::Public {
            return Ok(None);
        }
        context.credential = sent.hash();
        rate_limit::refuse_again(context)?;
        let store = context.app.store()?;
        let caller = match sent {
            Sent::Nothing => None,
            Sent::Explicit { text, bearer } => match ApiKeySecret::parse(&text) {
                Some(secret) => store.verify_key(&secret).await?.map(Caller::Key),
                None if bearer => embed_token::verify(context, &text).await?,
                None => None,
            },
            Sent::Cookie(token) => store.verify_session(&token, &context.incoming.info).await?.map(Caller::Session),
        };
        context.caller = caller.ok_or(Code::Unauthenticated)?;
        Ok(None)
    })
}

/// What was sent as a credential. An explicit one wins over a cookie.
enum Sent {
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
    fn hash(&self) -> Option<[u8; 32]> {
        match self {
            Self::Nothing => None,
            Self::Explicit { text, .. } => Some(auth::sha256(text.as_bytes())),
            Self::Cookie(token) => Some(auth::sha256(token.hash().as_bytes())),
        }
    }
}

/// Whether a request shows no credential at all.
pub(super) fn shows_none(incoming: &Incoming) -> bool {
    matches!(sent(incoming), Ok(Sent::Nothing))
}

fn sent(incoming: &Incoming) -> Result<Sent, Error> {
    let explicit: Vec<_> =
        incoming.headers.get_all(&API_KEY).iter().chain(incoming.headers.get_all(AUTHORIZATION)).collect();
    let two = || Error::saying(Code::MalformedRequest, "More than one explicit credential was sent.");
    match explicit.as_slice() {
        // API Gateway joins headers of one name; no credential has a comma in it.
        [one] if one.as_bytes().contains(&b',') => Err(two()),
        [] => Ok(session_cookie(incoming).map_or(Sent::Nothing, Sent::Cookie)),
        [one] if incoming.headers.contains_key(&API_KEY) => {
            Ok(Sent::Explicit { text: one.to_str().unwrap_or_default().to_owned(), bearer: false })
        }
        [one] => {
            let token = one.to_str().ok().and_then(auth::bearer).unwrap_or_default();
            Ok(Sent::Explicit { text: token.to_owned(), bearer: true })
        }
        _ => Err(two()),
    }
}

fn session_cookie(incoming: &Incoming) -> Option<SessionToken> {
    let cookies = incoming.headers.get(COOKIE)?;
    SessionToken::from_cookies(&String::from_utf8_lossy(cookies.as_bytes()))
}
