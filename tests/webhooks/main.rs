//! Webhooks, from how they are managed and the write that is announced to what a receiver gets.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod again;
mod events;
mod failures;
mod filters;
mod hanging;
mod held;
mod lists;
mod many_hanging;
mod receivers;
mod rotation;
mod switched_off;
mod webhook_rules;
mod webhooks;
mod wire;
mod workers;
mod world;
