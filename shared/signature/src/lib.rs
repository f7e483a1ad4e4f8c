#![doc = include_str!("../README.md")]

mod envelope;
mod explain;
pub mod header;
mod key;
mod make;
mod verify;

pub use envelope::{Envelope, NotAnEnvelope};
pub use explain::{Encoding, Explanation, Finding, Verdict, explain};
pub use key::{EmptyKey, Key, PREFIX};
pub use make::{Format, body, standard};
pub use verify::{Refusal, Verifier};
