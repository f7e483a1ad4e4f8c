//! Settings from the environment: the one place that reads it.

use store::tables::TableNames;

/// What a deployment sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The tables' names.
    pub tables: TableNames,
}

impl Config {
    /// `HEDGEROW_TABLE_PREFIX` (default `hedgerow`): tables are `<prefix>-main`, `<prefix>-log`, `<prefix>-counters`.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the configuration module")]
    pub fn from_env() -> Self {
        let prefix = std::env::var("HEDGEROW_TABLE_PREFIX").unwrap_or_else(|_| "hedgerow".to_owned());
        Self { tables: TableNames::with_prefix(&prefix) }
    }
}
