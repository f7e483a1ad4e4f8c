//! Webhooks while what is below them breaks: what was acknowledged is announced, once by its identifier, and what the
//! API says of attempts is what a receiver counted.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod chance;
mod clocks;
mod deaths;
mod durability;
mod killed;
mod ledger;
mod messages;
mod records;
mod refusals;
mod retries;
mod rig;
mod server;
mod slow;
