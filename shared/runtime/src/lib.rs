//! The way of a request: gates in one order, typed handlers, errors to responses, and the Lambda entry.

pub mod app;
pub mod config;
pub mod endpoint;
pub mod extract;
pub mod gates;
pub mod lambda;
pub mod log;
pub mod metric;
pub mod queues;
pub mod request;
pub mod respond;
pub mod spec;
pub mod start;
pub mod vault;
pub mod webhook_settings;

pub use app::App;
pub use endpoint::{About, Endpoint, RouteSpec};
pub use extract::body::{Body, NotNull, PartialBody, Patch};
pub use extract::parameters::{New, Now, Query, RequestId, Unrouted};
pub use extract::repositories::{Assign, Deliver, Retry};
pub use extract::{FromRequest, LoggedIn};
pub use lambda::consumer::{Consumer, Source, Worker};
pub use lambda::{consume, serve};
pub use queues::{Queue, Queues};
pub use request::RequestContext;
pub use request::caller::Caller;
pub use respond::{Accepted, Answer, Created, Done, Found, Listed, NoContent, Reply, WithCookie};
pub use spec::access::Access;
pub use spec::operation::{OperationSpec, Permissions};
pub use spec::route::{Method, Route};
pub use spec::sample::Sample;
pub use start::Start;
pub use vault::Vault;
pub use webhook_settings::WebhookSettings;
