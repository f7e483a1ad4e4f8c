//! What no other route takes.

use contract::{Code, Error};
use runtime::spec::route::{matches, pages_may_call};
use runtime::{NoContent, Unrouted, WithHeaders};
use store::settings::OriginIndex;

use crate::paths::PATHS;
use crate::preflight;

pub(crate) async fn route_not_found(request: Unrouted, origins: OriginIndex) -> Result<WithHeaders<NoContent>, Error> {
    let known = PATHS.iter().find(|(path, _)| matches(path, &request.path).is_some());
    match known {
        Some((path, allow)) if request.preflight.is_some() && pages_may_call(path) => {
            let origin = request.preflight.and_then(|asked| asked.origin);
            Ok(WithHeaders(NoContent, preflight::allow(&origins, origin.as_ref(), allow).await?))
        }
        // The path that comes here is decoded: one that would take the method was another before that.
        Some((_, allow)) if allow.split(", ").all(|method| method != request.method) => {
            Err(Error::method_not_allowed((*allow).to_owned()))
        }
        _ => Err(Code::RouteNotFound.into()),
    }
}
