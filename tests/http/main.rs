//! Hedgerow over real HTTP, as a program sees it that was written against the contract.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod admin;
mod api_keys;
mod at_once;
mod bad_bodies;
mod bad_paths;
mod billing;
mod client;
mod connections;
mod credentials;
mod csrf;
mod embed_tokens;
mod end_of_data;
mod entity_pages;
mod every_failure;
mod everywhere;
mod field_groups;
mod field_types;
mod foreign;
mod gates;
mod global_fields;
mod headers;
mod hosts;
mod idempotency;
mod key_rotation;
mod lists;
mod long_work;
mod mail;
mod numbers;
mod operations;
mod people;
mod permissions;
mod processes;
mod queries;
mod refused_bodies;
mod roles;
mod schemas;
mod second_factor;
mod snapshots;
mod tenant_fields;
mod texts;
mod values;
mod versions;
