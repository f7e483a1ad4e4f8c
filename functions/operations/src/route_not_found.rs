//! What no other route takes.

use contract::{Code, Error};
use runtime::spec::route::matches;
use runtime::{NoContent, Unrouted};

use crate::paths::PATHS;

pub(crate) async fn route_not_found(request: Unrouted) -> Result<NoContent, Error> {
    let known = PATHS.iter().find(|(path, _)| matches(path, &request.path).is_some());
    match known {
        // The path that comes here is decoded: one that would take the method was another before that.
        Some((_, allow)) if allow.split(", ").all(|method| method != request.method) => {
            Err(Error::method_not_allowed((*allow).to_owned()))
        }
        _ => Err(Code::RouteNotFound.into()),
    }
}
