//! What the store promises at its repositories, to whoever opens them. Runs on the embedded engine, or on the DynamoDB
//! that `HEDGEROW_DYNAMODB_ENDPOINT` names; what counts calls or breaks them runs on the embedded engine alone.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod accounts;
mod attempts;
mod clients;
mod cost;
mod credentials;
mod cursors;
mod deliveries;
mod embed_tokens;
mod ended_sessions;
mod entities;
mod faults;
mod field_groups;
mod fixture;
mod freshness;
mod global_fields;
mod grants;
mod idempotency;
mod isolation;
mod items;
mod life;
mod limits;
mod members;
mod passwords;

mod releases;
mod retries;
mod rotation;
mod second_factors;
mod sessions;
mod subscriptions;
mod tenant_fields;
mod values;
mod webhooks;
