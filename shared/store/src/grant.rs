//! What a repository may do, as data. A repository is opened for one operation, which is in its type and gives it the
//! methods of that operation alone: from the types of a handler's arguments come the permissions of its function.

use crate::keys::Kind;
use crate::tables::Table;

/// Operations that a repository can be opened for.
macro_rules! operations {
    ($($(#[$meta:meta])* $name:ident)+) => { $(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;
    )+ };
}

operations! {
    /// Reads one.
    Get
    /// Reads a page of them.
    List
    /// Makes one.
    Create
    /// Changes one that is there.
    Update
    /// Writes one, whether it is there or not.
    Write
    /// Puts a new secret in place of one's.
    Rotate
    /// Deletes one.
    Delete
    /// Takes back a deletion.
    Restore
    /// Sends a delivery once more.
    Redeliver
    /// Sends a webhook a test.
    Ping
}

/// Actions of DynamoDB on items. A transaction needs those of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "DynamoDB's own names")]
pub enum Action {
    GetItem,
    BatchGetItem,
    Query,
    PutItem,
    UpdateItem,
    DeleteItem,
    ConditionCheckItem,
    BatchWriteItem,
}

impl Action {
    /// The name, without `dynamodb:`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GetItem => "GetItem",
            Self::BatchGetItem => "BatchGetItem",
            Self::Query => "Query",
            Self::PutItem => "PutItem",
            Self::UpdateItem => "UpdateItem",
            Self::DeleteItem => "DeleteItem",
            Self::ConditionCheckItem => "ConditionCheckItem",
            Self::BatchWriteItem => "BatchWriteItem",
        }
    }
}

/// An action on partitions of some kinds in one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Grant {
    /// The table.
    pub table: Table,
    /// What may be done.
    pub action: Action,
    /// The kinds of partition key.
    pub kinds: &'static [Kind],
}

/// What hands out a part of the store.
pub trait Granted {
    /// All that it may do.
    fn grants() -> Vec<Grant>;
}

/// An array of grants: `grants![Main GetItem [Key, User]; Log PutItem [User]]`.
macro_rules! grants {
    ($($table:ident $action:ident [$($kind:ident),+]);* $(;)?) => {
        [$($crate::grant::Grant {
            table: $crate::tables::Table::$table,
            action: $crate::grant::Action::$action,
            kinds: &[$($crate::keys::Kind::$kind),+],
        }),*]
    };
}

/// What each repository may do, beside what `..OTHER` names.
macro_rules! granted {
    ($($of:ty { $(..$other:path;)? $($table:ident $action:ident [$($kind:ident),+];)* })+) => { $(
        impl $crate::grant::Granted for $of {
            fn grants() -> Vec<$crate::grant::Grant> {
                let own: &[$crate::grant::Grant] =
                    &$crate::grant::grants![$($table $action [$($kind),+]);*];
                [own $(, &$other[..])?].concat()
            }
        }
    )+ };
}

pub(crate) use {granted, grants};
