//! What no other route takes.

use contract::{Code, Error, routes};
use runtime::{NoContent, Unrouted};

pub(crate) async fn route_not_found(request: Unrouted) -> Result<NoContent, Error> {
    match routes::allowed(&request.path) {
        Some(allow) => Err(Error::method_not_allowed(allow)),
        None => Err(Code::RouteNotFound.into()),
    }
}
