//! The operations of SQS, from a target's name to what carries them out.

use serde_json::Value;

use super::{PREFIX, Refusal, Sqs};
use crate::answer::Answer;
use crate::fault::Fault;

/// AWS's own operations that aren't here.
const UNSUPPORTED: [&str; 7] = [
    "AddPermission",
    "CancelMessageMoveTask",
    "ListDeadLetterSourceQueues",
    "ListQueueTags",
    "RemovePermission",
    "TagQueue",
    "UntagQueue",
];

/// Expands to the type, its names and its dispatch, so that an operation is written once.
macro_rules! operations {
    ($($name:ident = $method:ident as $action:ident,)*) => {
        /// An operation of SQS that the embedded engine knows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Operation { ReceiveMessage, $($name,)* }

        impl Operation {
            /// The operation that a target names, if there is one.
            pub(crate) fn of(target: &str) -> Option<Self> {
                match target.strip_prefix(PREFIX)? {
                    "ReceiveMessage" => Some(Self::ReceiveMessage),
                    $(stringify!($name) => Some(Self::$name),)*
                    _ => None,
                }
            }

            pub(crate) fn name(self) -> &'static str {
                match self {
                    Self::ReceiveMessage => "ReceiveMessage",
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The IAM action that it takes: that of a batch is that of its entries.
            pub(crate) fn action(self) -> &'static str {
                match self {
                    Self::ReceiveMessage => "ReceiveMessage",
                    $(Self::$name => stringify!($action),)*
                }
            }

            pub(super) fn run(self, sqs: &Sqs, body: &[u8]) -> Result<Value, Refusal> {
                match self {
                    Self::ReceiveMessage => Err(Refusal::internal("it is waited for, and so has a way of its own")),
                    $(Self::$name => sqs.$method(body),)*
                }
            }
        }
    };
}

operations! {
    SendMessage = send as SendMessage,
    SendMessageBatch = send_batch as SendMessage,
    DeleteMessage = delete as DeleteMessage,
    DeleteMessageBatch = delete_batch as DeleteMessage,
    ChangeMessageVisibility = change as ChangeMessageVisibility,
    ChangeMessageVisibilityBatch = change_batch as ChangeMessageVisibility,
    CreateQueue = create_queue as CreateQueue,
    GetQueueUrl = get_queue_url as GetQueueUrl,
    GetQueueAttributes = get_queue_attributes as GetQueueAttributes,
    SetQueueAttributes = set_queue_attributes as SetQueueAttributes,
    ListQueues = list_queues as ListQueues,
    PurgeQueue = purge_queue as PurgeQueue,
    DeleteQueue = delete_queue as DeleteQueue,
    StartMessageMoveTask = start_move as StartMessageMoveTask,
    ListMessageMoveTasks = list_moves as ListMessageMoveTasks,
}

impl Operation {
    /// Whether it is one on several messages.
    pub(crate) fn is_batch(self) -> bool {
        matches!(self, Self::SendMessageBatch | Self::DeleteMessageBatch | Self::ChangeMessageVisibilityBatch)
    }
}

/// What a target is answered that names no operation here.
pub(crate) fn unknown(target: &str) -> Answer {
    let name = target.strip_prefix(PREFIX).unwrap_or(target);
    let refusal = if UNSUPPORTED.contains(&name) {
        Refusal::unsupported(format!("The embedded SQS does not support {name}."))
    } else {
        Refusal::unknown_operation("The action or operation requested is invalid.")
    };
    refusal.answer()
}

/// What IAM says when no statement allows the call. `resource` is a queue's name.
pub(crate) fn denied(action: &str, resource: Option<&str>) -> Answer {
    let resource = resource.map_or_else(|| "*".to_owned(), super::queue::arn);
    Refusal::access(crate::answer::not_authorized("sqs", &action.to_ascii_lowercase(), &resource)).answer()
}

/// What a fault is answered with in place of the call.
pub(crate) fn faulty(fault: Fault) -> Option<Answer> {
    match fault {
        Fault::Lost | Fault::Slow(_) => None,
        Fault::Throughput => Some(Refusal::throttled("The request was denied due to request throttling.").answer()),
        Fault::Throttling => Some(Refusal::busy("Rate exceeded").answer()),
        Fault::Internal | Fault::Partial | Fault::TransactionConflict => {
            Some(Refusal::internal("We encountered an internal error. Please try again.").answer())
        }
    }
}
