//! Whether who asks may enter the route.

use contract::{Code, Error};

use super::embed_token;
use crate::request::RequestContext;
use crate::request::caller::Caller;
use crate::spec::access::{Access, KeyAccess, SessionAccess};

pub(super) fn authorize(context: &RequestContext) -> Result<(), Error> {
    let Access::Credential { key, session, token: of_token } = context.route.access else { return Ok(()) };
    let caller = &context.caller;
    match caller {
        Caller::Anonymous => Err(Code::Unauthenticated.into()),
        Caller::Token(token) => embed_token::admit(context, token, of_token),
        Caller::Session(_) => match session {
            SessionAccess::Refused => {
                let message = "A session may not do that: it needs an API key.";
                Err(Error::saying(Code::Forbidden, message))
            }
            SessionAccess::Any => Ok(()),
            SessionAccess::Role(least) => caller.require_role(least),
            SessionAccess::Permission(any) => caller.require(any),
        },
        Caller::Key(_) => {
            let KeyAccess::Management(any) = key else { return caller.session().map(|_| ()) };
            caller.require_management()?;
            caller.require(any)
        }
    }
}
