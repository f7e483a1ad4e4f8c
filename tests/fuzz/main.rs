//! What comes from outside, in every form but the right one. A target takes seconds; `PROPTEST_CASES=1000000` makes it take
//! as long as you like: `PROPTEST_CASES=1000000 cargo test --package hedgerow-tests --test fuzz -- webhook_urls`.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod mutations;
mod parsers;
mod requests;
