//! Hedgerow over real HTTP, as a program sees it that was written against the contract.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod accounts;
mod answer;
mod api_keys;
mod app;
mod bad_bodies;
mod bad_paths;
mod connections;
mod credentials;
mod delivery;
mod described;
mod embed_tokens;
mod entity_pages;
mod every_failure;
mod everywhere;
mod faults;
mod field_groups;
mod field_types;
mod foreign;
mod gates;
mod global_fields;
mod headers;
mod hosts;
mod idempotency;
mod lists;
mod operations;
mod permissions;
mod process;
mod processes;
mod queries;
mod raw;
mod refused_bodies;
mod roles;
mod routes;
mod schemas;
mod snapshots;
mod tenant_fields;
mod texts;
mod uses;
mod values;
mod versions;
mod webhook_rules;
mod webhooks;
mod workers;
