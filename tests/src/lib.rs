//! What tests and benchmarks share: a stand-in for Lambda around a function's own binary.

pub mod runtime_api;
pub mod uses;
