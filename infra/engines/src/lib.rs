//! The AWS services that Hedgerow uses, embedded in the process.
//!
//! [`Dynamo`] is DynamoDB, [`Sqs`] SQS, [`Secrets`] Secrets Manager and [`S3`] S3, each over a SQLite file, and [`Ses`] SES,
//! over a folder of mails; [`Engines`] are all of them. [`Connector`] puts them behind the AWS SDK's own HTTP connector, so that
//! the SDK's clients run unchanged and nothing listens; [`serve`] offers the same engines over plain HTTP to function
//! binaries in other processes. The connector also enforces what AWS would ([`Role`]), and lets tests count calls
//! ([`Trace`]) and break them ([`Faults`]). A [`Stream`] is what a table's consumer reads.
//!
//! A further service is a folder beside `dynamo` and one more prefix of targets in `service`.

mod answer;
mod connector;
mod dynamo;
mod engines;
mod fault;
mod file;
mod grant;
mod guard;
pub mod names;
mod operation;
mod role;
mod s3;
mod secrets;
mod serve;
mod service;
mod ses;
mod sqs;
mod trace;

pub use answer::Answer;
pub use connector::Connector;
pub use dynamo::{Dynamo, Stream, SweepError};
pub use engines::Engines;
pub use fault::{Call, Fault, Faults};
pub use file::{EngineError, OpenError};
pub use grant::Grant;
pub use role::{Role, Use, permitted};
pub use s3::{S3, serve_files};
pub use secrets::Secrets;
pub use serve::serve;
pub use ses::{SentMail, Ses};
pub use sqs::Sqs;
pub use trace::{Snapshot, Trace};
