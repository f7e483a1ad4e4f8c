//! The way of a request: gates in one order, typed handlers, errors to responses, and the Lambda entry.

pub mod answer;
pub mod app;
pub mod body;
pub mod config;
pub mod consumer;
pub mod credential;
pub mod handler;
pub mod headers;
pub mod incoming;
pub mod log;
pub mod metric;
pub mod needs;
pub mod parameters;
pub mod queues;
pub mod repositories;
pub mod vault;
pub mod way;
pub mod webhook_settings;

mod idempotency;
mod lambda;

pub use answer::{Accepted, Answer, Created, Done, Found, Listed, NoContent, Reply, WithCookie};
pub use app::App;
pub use body::{Body, Given, Patch, Tried};
pub use consumer::{Consumer, Source, Worker};
pub use credential::{Caller, LoggedIn};
pub use handler::{
    Admitted, Erased, FromRequest, Handler, Route, Start, Typed, connects, needs_of, query_of, takes_body,
};
pub use incoming::Incoming;
pub use lambda::{consume, serve};
pub use needs::{Described, Needs, Permissions};
pub use parameters::{New, Now, Query, RequestId, Unrouted};
pub use queues::{Queue, Queues};
pub use repositories::{Assign, Deliver, Retry};
pub use vault::Vault;
pub use webhook_settings::WebhookSettings;

/// What a route's crate is: the routes by name, and the list that pairs them with what their types need.
///
/// `routes! { CREATE: CREATE_FIELD_GROUP => create::create }` makes the static `CREATE` from the table's entry and the
/// handler. A binary that names one route links that handler alone, and none of the descriptions.
#[macro_export]
macro_rules! routes {
    ($($name:ident: $meta:ident => $handler:path),+ $(,)?) => {
        $(
            #[doc = concat!("`", stringify!($handler), "` under the gates.")]
            pub static $name: $crate::Route = $crate::Route {
                meta: &contract::routes::$meta,
                handler: &$crate::Typed::new($handler),
                connects: $crate::connects(&$handler),
                query: $crate::query_of(&$handler),
                takes_body: $crate::takes_body(&$handler),
            };
        )+

        /// The routes of this resource, with what their types need.
        pub static ROUTES: &[$crate::Described] =
            &[$($crate::Described { route: &$name, needs: $crate::needs_of(&$handler) }),+];
    };
}
