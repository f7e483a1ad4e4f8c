//! The three tables.

/// A table by its role; its name is the deployment's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// What clients and tenants own. Streams with both images, point-in-time recovery.
    Main,
    /// What passes: sessions, idempotency. TTL, no stream.
    Log,
    /// Limits. TTL, no stream.
    Counters,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 3] = [Self::Main, Self::Log, Self::Counters];

    /// The word for it in names and settings: `main`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Log => "log",
            Self::Counters => "counters",
        }
    }

    /// Whether its changes are streamed, with old and new images.
    #[must_use]
    pub const fn streams(self) -> bool {
        matches!(self, Self::Main)
    }

    /// The attribute after whose time (epoch seconds) items vanish.
    #[must_use]
    pub const fn ttl(self) -> Option<&'static str> {
        match self {
            Self::Main => None,
            Self::Log | Self::Counters => Some("ttl"),
        }
    }
}

/// The names of a deployment's tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames {
    names: [String; 3],
}

impl TableNames {
    /// `prefix-main`, `prefix-log`, `prefix-counters`.
    #[must_use]
    pub fn with_prefix(prefix: &str) -> Self {
        Self { names: Table::ALL.map(|table| format!("{prefix}-{}", table.word())) }
    }

    /// A table's name.
    #[must_use]
    pub fn of(&self, table: Table) -> &str {
        let [main, log, counters] = &self.names;
        match table {
            Table::Main => main,
            Table::Log => log,
            Table::Counters => counters,
        }
    }
}
