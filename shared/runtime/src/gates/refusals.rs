//! What was refused, for the audit log: a credential, an address, an origin, what a credential may not do. Neither slows a
//! request down for long nor fails it.

use std::pin::Pin;
use std::time::Duration;

use contract::audit::Action;
use contract::{Code, Error};
use store::audit::{Refusal, Whose};

use crate::request::RequestContext;
use crate::spec::access::Access;

/// How long an answer waits for it.
const GRACE: Duration = Duration::from_secs(1);

/// Notes a refusal, and what was counted of others before.
pub(super) async fn note(context: &RequestContext, error: Option<&Error>) {
    // A route that anyone enters refuses nobody, and its function may not write.
    let (Access::Credential { .. }, Ok(store)) = (context.route.access, context.app.store()) else { return };
    let refusal = error.and_then(|error| refusal(context, error));
    if refusal.is_none() && !store.has_refusals_to_settle() {
        return;
    }
    // In a box: every answer has the room for it otherwise, and few need it.
    let noting: Pin<Box<dyn Future<Output = Result<(), Error>> + Send>> = match refusal {
        Some(refusal) => Box::pin(async move { store.refused(&refusal).await }),
        None => Box::pin(store.settle_refusals()),
    };
    let noted = match tokio::time::timeout(GRACE, noting).await {
        Ok(noted) => noted,
        Err(late) => Err(Error::unavailable(late)),
    };
    if let Err(error) = noted {
        tracing::error!(?error, "a refusal could not be noted: it is missing in the audit log");
    }
}

fn refusal(context: &RequestContext, error: &Error) -> Option<Refusal> {
    let action = match error.code() {
        Code::Unauthenticated => Action::CredentialRefused,
        Code::IpNotAllowed => Action::AddressRefused,
        Code::OriginNotAllowed => Action::OriginRefused,
        Code::Forbidden | Code::WrongKeyType => Action::PermissionRefused,
        _ => return None,
    };
    // Of what is nobody's credential nothing is told: it costs nothing either.
    let (whose, actor) = match context.caller.scope() {
        Some(scope) => (Whose::Client(scope.client()), context.caller.actor()),
        None => context.refused.clone()?,
    };
    let path = context.route.path;
    let resource = path.strip_prefix("/api/v1/").or_else(|| path.strip_prefix("/api/")).unwrap_or(path).to_owned();
    let from = context.incoming.info.clone();
    Some(Refusal { whose, actor, action, resource, reason: error.code().name(), from })
}
