//! What tests see of the calls ([`Trace`]) and do to them ([`Faults`]).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use crate::answer::Answer;
use crate::dynamo::{self, transaction_size};
use crate::operation::Operation;
use crate::role::Use;

/// Counts calls by operation, and rounds: a round begins with a call that is issued while none is in flight, so calls
/// made together are one. A `ReceiveMessage`, which may wait for long, makes none. Exact on a current-thread runtime;
/// tasks on several threads may miss each other.
#[derive(Clone, Default)]
pub struct Trace {
    seen: Arc<Mutex<Seen>>,
    watcher: Arc<RwLock<Option<Arc<Watcher>>>>,
}

type Watcher = dyn Fn(&Use) + Send + Sync;

#[derive(Debug, Default)]
struct Seen {
    snapshot: Snapshot,
    in_flight: usize,
}

/// What a trace has counted since it was reset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// How many calls were made of each operation, retries included.
    pub calls: BTreeMap<String, u64>,
    /// How many round trips they took.
    pub rounds: u64,
}

impl Snapshot {
    /// How many calls were made of one operation.
    pub fn of(&self, operation: &str) -> u64 {
        self.calls.get(operation).copied().unwrap_or(0)
    }

    /// How many calls were made in all.
    pub fn total(&self) -> u64 {
        self.calls.values().sum()
    }
}

impl Trace {
    /// What was counted so far.
    pub fn snapshot(&self) -> Snapshot {
        self.seen().snapshot.clone()
    }

    /// Begins at nothing again.
    pub fn reset(&self) {
        self.seen().snapshot = Snapshot::default();
    }

    /// Tells `watcher` from now on what the functions make of their roles, with every call that is let through.
    pub fn watch(&self, watcher: impl Fn(&Use) + Send + Sync + 'static) {
        *self.watcher.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(watcher));
    }

    pub(crate) fn note(&self, uses: impl FnOnce() -> Vec<Use>) {
        let watcher = self.watcher.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(watcher) = watcher {
            uses().iter().for_each(|used| watcher(used));
        }
    }

    /// Counts a call, which is in flight until what is returned is dropped, and says the how-manieth it is.
    pub(crate) fn begin(&self, operation: Operation) -> (Option<InFlight>, u64) {
        let mut seen = self.seen();
        let waits = operation.waits();
        if !waits {
            if seen.in_flight == 0 {
                seen.snapshot.rounds += 1;
            }
            seen.in_flight += 1;
        }
        let nth = match seen.snapshot.calls.get_mut(operation.name()) {
            Some(count) => {
                *count += 1;
                *count
            }
            None => {
                seen.snapshot.calls.insert(operation.name().to_owned(), 1);
                1
            }
        };
        ((!waits).then(|| InFlight(self.clone())), nth)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Trace").field(&self.snapshot()).finish()
    }
}

/// Ends its call when dropped, and so when the caller gives up as well.
pub(crate) struct InFlight(Trace);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.seen().in_flight -= 1;
    }
}

/// A call as a fault's hook sees it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// `dynamodb`, `sqs` or `secretsmanager`.
    pub service: &'a str,
    /// The operation, such as `PutItem`.
    pub operation: &'a str,
    /// The request's JSON.
    pub body: &'a [u8],
    /// The how-manieth call of this operation it is since the trace was reset, from 1.
    pub nth: u64,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is wrong, but the call takes this long before it is carried out.
    Slow(Duration),
    /// `ProvisionedThroughputExceededException`: a partition is too busy. Of SQS `RequestThrottled`.
    Throughput,
    /// `ThrottlingException`: the table is, or the account.
    Throttling,
    /// Another transaction has the item: a transaction is cancelled, a plain write gets `TransactionConflictException`.
    /// The other services have none: there it is `Internal`.
    TransactionConflict,
    /// A 500: `InternalServerError`, or what the service calls it.
    Internal,
    /// Some entries of a batch fail with `InternalError`, every second one from the first on. Calls that are no batch
    /// of SQS fail as a whole, with `Internal`.
    Partial,
    /// The call is carried out and its answer is lost on the way, so that the SDK makes it again.
    Lost,
}

impl Fault {
    /// What is answered in place of a call of DynamoDB; a lost one is carried out.
    pub(crate) fn answer(self, operation: dynamo::Operation, body: &[u8]) -> Option<Answer> {
        let dynamo = |kind: &str, message: &str| {
            Some(Answer::error(400, &format!("com.amazonaws.dynamodb.v20120810#{kind}"), Some(message)))
        };
        let transaction =
            matches!(operation, dynamo::Operation::TransactWriteItems | dynamo::Operation::TransactGetItems);
        match self {
            Self::Lost | Self::Slow(_) => None,
            Self::Internal | Self::Partial => Some(Answer::broken("Internal server error")),
            Self::Throughput => dynamo(
                "ProvisionedThroughputExceededException",
                "The level of configured provisioned throughput for the table was exceeded. Consider increasing your \
                 provisioning level with the UpdateTable API.",
            ),
            Self::Throttling => {
                dynamo("ThrottlingException", "Throughput exceeds the current capacity for your table or index.")
            }
            Self::TransactionConflict if transaction => Some(conflict(transaction_size(body))),
            Self::TransactionConflict => dynamo("TransactionConflictException", "Transaction is ongoing for the item"),
        }
    }
}

/// A cancelled transaction whose first part is the one in conflict.
fn conflict(parts: usize) -> Answer {
    let reasons: Vec<_> = (0..parts)
        .map(|part| match part {
            0 => serde_json::json!({ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" }),
            _ => serde_json::json!({ "Code": "None" }),
        })
        .collect();
    let codes: Vec<_> = (0..parts).map(|part| if part == 0 { "TransactionConflict" } else { "None" }).collect();
    let message =
        format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", "));
    let body = serde_json::json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": message,
        "CancellationReasons": reasons,
    });
    Answer::json_1_0(400, &body)
}

type Hook = dyn Fn(&Call<'_>) -> Option<Fault> + Send + Sync;

/// Decides which calls go wrong. Shared: it can be set while clients are at work.
#[derive(Clone, Default)]
pub struct Faults {
    hook: Arc<RwLock<Option<Arc<Hook>>>>,
}

impl Faults {
    /// Asks `hook` about every call from now on.
    pub fn set(&self, hook: impl Fn(&Call<'_>) -> Option<Fault> + Send + Sync + 'static) {
        *self.hook.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
    }

    /// Lets every call through again.
    pub fn clear(&self) {
        *self.hook.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn strike(&self, call: &Call<'_>) -> Option<Fault> {
        let hook = self.hook.read().unwrap_or_else(PoisonError::into_inner).clone();
        hook.and_then(|hook| hook(call))
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faults")
    }
}
