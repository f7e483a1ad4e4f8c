//! Embed tokens: their signature, and what they are bound to.

use auth::UnverifiedToken;
use contract::{Code, Error};
use store::embed_tokens::TokenCredential;

use crate::extract::parameters::path_parameter;
use crate::request::RequestContext;
use crate::request::caller::{Caller, lacks, no_token};
use crate::request::incoming::NoOrigin;
use crate::spec::access::TokenAccess;

/// Who sends a token. Of the tenant nothing is read before the signature, the times and the deployment are right.
///
/// # Errors
/// `forbidden` on a route that no token enters: there it is not verified, since its function does not have the keys.
pub(super) async fn verify(context: &RequestContext, text: &str) -> Result<Option<Caller>, Error> {
    let Some(token) = UnverifiedToken::parse(text) else { return Ok(None) };
    if !context.route.access.takes_tokens() {
        return Err(no_token());
    }
    let (app, now) = (&context.app, context.app.clock().now());
    let Some(key) = app.token_vault()?.verifying(token.kid(), now).await? else { return Ok(None) };
    let Some(claims) = token.verify(&key, app.origin()?, now) else { return Ok(None) };
    Ok(app.store()?.verify_token(claims).await?.map(Caller::Token))
}

/// Whether a token may enter: from the page that sends it, for what the path names.
///
/// # Errors
/// `origin_not_allowed`, `forbidden`; what is another tenant's, group's or entity's is as if it were not there.
pub(super) fn admit(context: &RequestContext, token: &TokenCredential, access: TokenAccess) -> Result<(), Error> {
    check_origin(context, token)?;
    let permission = match access {
        TokenAccess::Refused => return Err(no_token()),
        TokenAccess::Values(permission) => Some(permission),
        TokenAccess::Fields(permission) => permission,
    };
    if let Some(permission) = permission.filter(|permission| !token.may(*permission)) {
        return Err(lacks(permission));
    }
    let named = |name| context.route.parameters().any(|known| known == name);
    context.tenant(path_parameter(&context.incoming, "tenantId")?)?;
    context.group(path_parameter(&context.incoming, "groupId")?)?;
    if named("entityId") {
        context.entity(path_parameter(&context.incoming, "entityId")?)?;
    } else if token.entity().is_some() && matches!(access, TokenAccess::Values(_)) {
        let message = "This embed token is for one entity, and this is about several.";
        return Err(Error::saying(Code::Forbidden, message));
    }
    Ok(())
}

/// Pages of other origins than the token's are refused; the deployment's own, or no page at all, passes (contract:
/// `origins`).
fn check_origin(context: &RequestContext, token: &TokenCredential) -> Result<(), Error> {
    if !token.names_origins() {
        return Ok(());
    }
    let own = context.app.origin()?;
    let allowed = match context.incoming.page() {
        Ok(None) => true,
        Ok(Some(page)) => own.is_same_place(&page) || token.allows_origin(&page),
        Err(NoOrigin) => false,
    };
    if allowed { Ok(()) } else { Err(Code::OriginNotAllowed.into()) }
}
