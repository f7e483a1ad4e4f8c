//! What the suites share: a running Hedgerow with whoever calls it, what holds for every answer, a receiver of webhooks,
//! and the ways to wait for something.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

pub mod answer;
pub mod app;
mod described;
pub mod person;
pub mod process;
pub mod raw;
pub mod receiver;
pub mod routes;
pub mod uses;
pub mod wait;
