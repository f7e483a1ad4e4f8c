//! What no other route takes.

use contract::{Code, Error, routes};
use runtime::{NoContent, Unrouted};

pub(crate) async fn route_not_found(request: Unrouted) -> Result<NoContent, Error> {
    match routes::allowed(&request.path) {
        // The path that comes here is decoded: one that would take the method was another before that.
        Some(allow) if allow.split(", ").all(|method| method != request.method) => {
            Err(Error::method_not_allowed(allow))
        }
        _ => Err(Code::RouteNotFound.into()),
    }
}
