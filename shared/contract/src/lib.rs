//! What callers and every other crate agree on: identifiers, field schemas and their validation, resources as the API
//! shows them, and error codes. No I/O.

pub mod audit;
mod email;
pub mod error;
mod grace;
pub mod id;
pub mod job;
pub mod json;
pub mod names;
mod origin;
pub mod patterns;
pub mod permission;
pub mod precondition;
pub mod problem;
pub mod prose;
pub mod rate_limit;
pub mod resource;
mod rfc3339;
pub mod schema;
pub mod settings;
mod several;
pub mod subscription;
pub mod text;
pub mod time;
pub mod webhook;
pub mod whole;

pub use error::{Code, Error};
pub use grace::GraceSeconds;
pub use origin::Origin;
pub use precondition::Precondition;
pub use problem::{Broken, Problem, Problems};
pub use several::{Several, elements};
pub use time::Time;
pub use whole::Whole;
