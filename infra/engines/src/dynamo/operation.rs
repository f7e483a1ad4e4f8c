//! The operations of DynamoDB, from a target's name to `dynoxide`'s types and back to JSON.

use bytes::Bytes;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::Answer;

const TABLES: &str = "DynamoDB_20120810.";
const STREAMS: &str = "DynamoDBStreams_20120810.";

/// Expands to the type, its names and its dispatch, so that an operation is written once.
macro_rules! operations {
    ($($prefix:ident { $($name:ident = $method:ident),* $(,)? })*; refused { $($refused:ident),* $(,)? }) => {
        /// An operation of DynamoDB that the embedded engine knows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Operation { $($($name,)*)* $($refused,)* }

        /// The body of a read of a few items by their keys is at most this long.
const FEW_KEYS: usize = 2 * 1024;
/// What takes longer to read than to write.
const MUCH: usize = 64 * 1024;

impl Operation {
    /// Whether it may take milliseconds: it reads a page of items, or there is much to write.
    pub(crate) fn may_be_long(self, body: &[u8]) -> bool {
        match self {
            Self::Query => true,
            Self::BatchGetItem => body.len() > FEW_KEYS,
            _ => body.len() > MUCH,
        }
    }

            /// The operation that a target names, if there is one.
            pub(crate) fn of(target: &str) -> Option<Self> {
                $(if let Some(name) = target.strip_prefix($prefix) {
                    match name { $(stringify!($name) => return Some(Self::$name),)* _ => {} }
                })*
                match target.strip_prefix(TABLES)? {
                    $(stringify!($refused) => Some(Self::$refused),)*
                    _ => None,
                }
            }

            /// Its name, which is its IAM action too, transactions apart.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $($(Self::$name => stringify!($name),)*)*
                    $(Self::$refused => stringify!($refused),)*
                }
            }

            /// Whether it is one that nobody here may use.
            pub(crate) fn is_scan(self) -> bool {
                matches!(self, $(Self::$refused)|*)
            }

            /// Carries it out on this thread.
            pub(crate) fn run(self, database: &Database, body: &[u8]) -> Answer {
                let done = match self {
                    $($(Self::$name => answer(body, |request| database.$method(request)),)*)*
                    $(Self::$refused => return Answer::unknown_operation(),)*
                };
                match done {
                    Ok(body) => Answer::of(200, body),
                    Err(e) => Answer::of(e.status_code(), Bytes::from(e.to_json())),
                }
            }
        }
    };
}

impl Operation {
    /// Whether it may write items.
    pub(crate) fn writes(self) -> bool {
        matches!(
            self,
            Self::PutItem | Self::UpdateItem | Self::DeleteItem | Self::BatchWriteItem | Self::TransactWriteItems
        )
    }
}

operations! {
    TABLES {
        GetItem = get_item,
        BatchGetItem = batch_get_item,
        Query = query,
        TransactGetItems = transact_get_items,
        PutItem = put_item,
        UpdateItem = update_item,
        DeleteItem = delete_item,
        BatchWriteItem = batch_write_item,
        TransactWriteItems = transact_write_items,
        CreateTable = create_table,
        UpdateTable = update_table,
        DeleteTable = delete_table,
        DescribeTable = describe_table,
        ListTables = list_tables,
        UpdateTimeToLive = update_time_to_live,
        DescribeTimeToLive = describe_time_to_live,
        TagResource = tag_resource,
        UntagResource = untag_resource,
        ListTagsOfResource = list_tags_of_resource,
    }
    STREAMS {
        ListStreams = list_streams,
        DescribeStream = describe_stream,
        GetShardIterator = get_shard_iterator,
        GetRecords = get_records,
    };
    refused { Scan, ExecuteStatement, ExecuteTransaction, BatchExecuteStatement }
}

fn answer<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    run: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> dynoxide::Result<Bytes> {
    let request = serde_json::from_slice(body).map_err(|e| refusal(&e))?;
    let answer = serde_json::to_vec(&run(request)?);
    answer.map(Bytes::from).map_err(|e| DynoxideError::InternalServerError(e.to_string()))
}

/// What a body that can't be read is refused with. `dynoxide`'s types put the error's class before the text; its own
/// HTTP server reads them in the same way.
fn refusal(e: &serde_json::Error) -> DynoxideError {
    let text = e.to_string();
    let text = text.rfind(" at line ").map_or(text.as_str(), |at| &text[..at]);
    for marker in ["VALIDATION_REQUEST:", "VALIDATION_AS_READ:", "VALIDATION:"] {
        if let Some(message) = text.strip_prefix(marker) {
            return DynoxideError::ValidationException(message.to_owned());
        }
    }
    for marker in ["SERIALIZATION_AS_READ:", "SERIALIZATION:"] {
        if let Some(message) = text.strip_prefix(marker) {
            return DynoxideError::SerializationException(message.to_owned());
        }
    }
    let missing = ["missing field", "unknown variant", "invalid type: null", "AttributeValue"];
    if missing.iter().any(|part| text.contains(part)) {
        return DynoxideError::ValidationException(text.to_owned());
    }
    DynoxideError::SerializationException(text.to_owned())
}
