//! What the suite over HTTP leaves for the check that follows it.

pub mod uses;
