//! The AWS services that Hedgerow uses, embedded in the process.
//!
//! [`Dynamo`] is DynamoDB over a SQLite file. [`Connector`] puts it behind the AWS SDK's own HTTP connector, so that
//! the SDK's clients run unchanged and nothing listens; [`serve`] offers the same engine over plain HTTP to function
//! binaries in other processes. The connector also enforces what AWS would ([`permitted`]), and lets tests count calls
//! ([`Trace`]) and break them ([`Faults`]).
//!
//! A further service is a folder beside `dynamo` and one more prefix of `X-Amz-Target` in `connector`.

mod answer;
mod connector;
mod dynamo;
mod guard;
mod observe;
mod serve;

pub use answer::Answer;
pub use connector::Connector;
pub use dynamo::{Dynamo, OpenError, SweepError};
pub use guard::{Grant, permitted};
pub use observe::{Call, Fault, Faults, Snapshot, Trace};
pub use serve::serve;
