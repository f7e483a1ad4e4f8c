//! What a repository may do, as data: from the types of a handler's arguments come the permissions of its function.

use crate::keys::Kind;
use crate::tables::Table;

/// May only read.
#[derive(Debug, Clone, Copy)]
pub struct Read;

/// May read and write.
#[derive(Debug, Clone, Copy)]
pub struct Write;

/// DynamoDB actions on partitions of some kinds in one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Grant {
    /// The table.
    pub table: Table,
    /// The kinds of partition key.
    pub kinds: &'static [Kind],
    /// The actions, without `dynamodb:`.
    pub actions: &'static [&'static str],
}

impl Grant {
    pub(crate) const fn main(kinds: &'static [Kind], actions: &'static [&'static str]) -> Self {
        Self { table: Table::Main, kinds, actions }
    }

    pub(crate) const fn log(kinds: &'static [Kind], actions: &'static [&'static str]) -> Self {
        Self { table: Table::Log, kinds, actions }
    }
}

/// What hands out a part of the store.
pub trait Granted {
    /// All that it may do.
    fn grants() -> Vec<Grant>;
}
