//! Routes as data: what the gates go by, and what the description, the template and the sample events are made from.

pub mod access;
pub mod operation;
pub mod route;
pub mod sample;
