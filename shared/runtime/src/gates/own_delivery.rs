//! A delivery of our own: a webhook that leads back here, with a key in its headers, would feed itself for ever.

use contract::{Code, Error};
use http::HeaderName;

use crate::request::RequestContext;

/// What every delivery says of itself.
const WEBHOOK_AGENT: &str = "Hedgerow-Webhooks/";
const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");

pub(super) fn refuse_own_delivery(context: &RequestContext) -> Result<(), Error> {
    let incoming = &context.incoming;
    if incoming.info.agent.starts_with(WEBHOOK_AGENT) && incoming.headers.contains_key(&WEBHOOK_ID) {
        return Err(Error::saying(Code::Forbidden, "A webhook may not lead to this API."));
    }
    Ok(())
}
