//! Whether the caller's address may use the credential.

use contract::permission::KeyType;
use contract::{Code, Error};

use crate::request::RequestContext;
use crate::request::caller::Caller;

/// Refuses by the client's allow-list, and by the key's own, which narrows it further. Pages with embed tokens are the
/// client's customers', who come from anywhere.
pub(super) fn refuse_addresses(context: &RequestContext) -> Result<(), Error> {
    let (address, Some(standing)) = (context.incoming.info.address, &context.standing) else { return Ok(()) };
    let list = &standing.settings.ip_allowlist;
    let admitted = match &context.caller {
        Caller::Key(key) => {
            (key.key_type != KeyType::Management || list.admits(address)) && key.allows_address(address)
        }
        Caller::Session(_) => !list.apply_to_admin || list.admits(address),
        Caller::Token(_) | Caller::Anonymous => true,
    };
    if admitted { Ok(()) } else { Err(Code::IpNotAllowed.into()) }
}
