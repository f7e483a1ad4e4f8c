//! The credential: who asks.

use auth::ApiKeySecret;
use contract::Code;
use store::audit::Whose;
use store::author::ANONYMOUS;

use super::{Asked, embed_token, rate_limit};
use crate::request::RequestContext;
use crate::request::caller::Caller;
use crate::request::sent::Sent;
use crate::spec::access::Access;

/// Verifies what was sent.
pub(super) fn authenticate(context: &mut RequestContext) -> Asked<'_> {
    Box::pin(async move {
        let sent = Sent::read(&context.incoming)?;
        if context.route.access == Access::Public {
            return Ok(None);
        }
        context.credential = sent.hash();
        rate_limit::refuse_again(context)?;
        let store = context.app.store()?.clone();
        let caller = match sent {
            Sent::Nothing => None,
            Sent::Explicit { text, bearer } => match ApiKeySecret::parse(&text) {
                Some(secret) => {
                    let key = store.verify_key(&secret).await?;
                    if key.is_none() {
                        let dead = store.dead_key(&secret);
                        context.refused =
                            Some(dead.map_or_else(nobodys, |(of, key)| (Whose::Client(of), key.to_string())));
                    }
                    key.map(Caller::Key)
                }
                None if bearer => {
                    let (token, refused) = embed_token::verify(context, &text).await?;
                    context.refused = refused;
                    token
                }
                None => None,
            },
            Sent::Cookie(token) => {
                let session = store.verify_session(&token, &context.incoming.info).await?;
                if session.is_none() {
                    context.refused = Some(nobodys());
                }
                session.map(Caller::Session)
            }
        };
        context.caller = caller.ok_or(Code::Unauthenticated)?;
        Ok(None)
    })
}

/// Of what is known of nobody.
fn nobodys() -> (Whose, String) {
    (Whose::Deployment, ANONYMOUS.to_owned())
}
