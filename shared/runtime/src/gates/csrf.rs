//! Whether another site has a browser send a request that changes something.

use auth::csrf::{Proof, Source};
use contract::{Code, Error};
use http::header::{HeaderName, ORIGIN, REFERER};

use crate::request::RequestContext;
use crate::request::caller::Caller;
use crate::request::incoming::Incoming;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Of what comes with a cookie, and of what begins a session. An explicit credential is no browser's doing.
pub(super) fn refuse_other_sites(context: &RequestContext) -> Result<(), Error> {
    let proof = match &context.caller {
        _ if !context.route.method.is_change() => return Ok(()),
        Caller::Session(_) => Proof::Needed,
        Caller::Anonymous => Proof::IfThere,
        Caller::Key(_) | Caller::Token(_) => return Ok(()),
    };
    let incoming = &context.incoming;
    let source = Source {
        fetch_site: said(incoming, &FETCH_SITE),
        origin: said(incoming, &ORIGIN),
        referer: said(incoming, &REFERER),
    };
    if source.is_trusted(context.app.origin()?, proof) {
        return Ok(());
    }
    let message = "A change by a session has to come from a page of this deployment: send its `Origin`, or \
        `Sec-Fetch-Site: same-origin`.";
    Err(Error::saying(Code::OriginNotAllowed, message))
}

/// What a header says; nothing that is right, if it is there twice or not text.
fn said<'i>(incoming: &'i Incoming, name: &HeaderName) -> Option<&'i str> {
    incoming.only(name).unwrap_or(Some(""))
}
