//! Webhooks while what is below them breaks: what was acknowledged is announced, once by its identifier, and what the
//! API says of attempts is what a receiver counted.

mod chance;
mod clocks;
mod deaths;
mod durability;
mod killed;
mod ledger;
mod messages;
mod receiver;
mod records;
mod refusals;
mod retries;
mod rig;
mod server;
mod slow;
