//! What tests do to the calls.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// A call as a fault's hook sees it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// `dynamodb`, `sqs`, `secretsmanager`, `ses` or `s3`.
    pub service: &'a str,
    /// The operation, such as `PutItem`.
    pub operation: &'a str,
    /// The request's JSON.
    pub body: &'a [u8],
    /// How many calls of this operation there were since the trace was reset, this one included.
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
