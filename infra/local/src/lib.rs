//! Hedgerow on one machine: a gateway that makes API Gateway events, every function behind it, and embedded engines
//! behind the AWS SDK's own connector.

pub mod admin;
mod answer;
pub mod audit;
pub mod backend;
pub mod body;
mod connection;
mod connection_limiter;
pub mod demo;
pub mod dev;
pub mod event;
mod files;
pub mod gateway;
pub mod given;
pub mod host;
pub mod limits;
pub mod listen;
pub mod listen_on;
pub mod options;
pub mod sample_engine;
pub mod services;
pub mod signals;
pub mod verify;
mod watched;
pub mod workers;
