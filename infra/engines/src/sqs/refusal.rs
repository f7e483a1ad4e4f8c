//! What SQS refuses with.

use crate::answer::Answer;

/// A call, or an entry of a batch, that is refused or failed.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    /// The qualified type of AWS's JSON.
    kind: &'static str,
    /// The code of the older protocol, by which the SDKs tell errors apart.
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// The errors that are spoken of here, with their types, codes and statuses.
macro_rules! refusals {
    ($($name:ident = $status:literal $kind:literal $code:literal;)*) => {
        impl Refusal {
            $(pub(super) fn $name(message: impl Into<String>) -> Self {
                Self { status: $status, kind: $kind, code: $code, message: message.into() }
            })*
        }
    };
}

refusals! {
    queue = 400 "com.amazonaws.sqs#QueueDoesNotExist" "AWS.SimpleQueueService.NonExistentQueue";
    name_taken = 400 "com.amazonaws.sqs#QueueNameExists" "QueueAlreadyExists";
    deleted_recently = 400 "com.amazonaws.sqs#QueueDeletedRecently" "AWS.SimpleQueueService.QueueDeletedRecently";
    purging = 403 "com.amazonaws.sqs#PurgeQueueInProgress" "AWS.SimpleQueueService.PurgeQueueInProgress";
    attribute_name = 400 "com.amazonaws.sqs#InvalidAttributeName" "InvalidAttributeName";
    attribute_value = 400 "com.amazonaws.sqs#InvalidAttributeValue" "InvalidAttributeValue";
    contents = 400 "com.amazonaws.sqs#InvalidMessageContents" "InvalidMessageContents";
    handle = 404 "com.amazonaws.sqs#ReceiptHandleIsInvalid" "ReceiptHandleIsInvalid";
    not_in_flight = 400 "com.amazonaws.sqs#MessageNotInflight" "AWS.SimpleQueueService.MessageNotInflight";
    empty_batch = 400 "com.amazonaws.sqs#EmptyBatchRequest" "AWS.SimpleQueueService.EmptyBatchRequest";
    batch_size = 400 "com.amazonaws.sqs#TooManyEntriesInBatchRequest"
        "AWS.SimpleQueueService.TooManyEntriesInBatchRequest";
    batch_id = 400 "com.amazonaws.sqs#InvalidBatchEntryId" "AWS.SimpleQueueService.InvalidBatchEntryId";
    batch_ids = 400 "com.amazonaws.sqs#BatchEntryIdsNotDistinct" "AWS.SimpleQueueService.BatchEntryIdsNotDistinct";
    batch_length = 400 "com.amazonaws.sqs#BatchRequestTooLong" "AWS.SimpleQueueService.BatchRequestTooLong";
    unsupported = 400 "com.amazonaws.sqs#UnsupportedOperation" "AWS.SimpleQueueService.UnsupportedOperation";
    resource = 404 "com.amazonaws.sqs#ResourceNotFoundException" "ResourceNotFoundException";
    throttled = 403 "com.amazonaws.sqs#RequestThrottled" "RequestThrottled";
    busy = 400 "com.amazon.coral.availability#ThrottlingException" "ThrottlingException";
    value = 400 "com.amazon.coral.service#InvalidParameterValueException" "InvalidParameterValue";
    missing_parameter = 400 "com.amazon.coral.service#MissingRequiredParameterException" "MissingParameter";
    malformed = 400 "com.amazon.coral.service#SerializationException" "MalformedInput";
    unknown_operation = 400 "com.amazon.coral.service#UnknownOperationException" "InvalidAction";
    access = 403 "com.amazon.coral.service#AccessDeniedException" "AccessDenied";
    internal = 500 "com.amazonaws.sqs#InternalError" "InternalError";
}

impl Refusal {
    pub(super) fn missing(parameter: &str) -> Self {
        Self::missing_parameter(format!("The request must contain the parameter {parameter}."))
    }

    /// A parameter's value that isn't allowed, as AWS words it.
    pub(super) fn invalid(parameter: &str, value: impl std::fmt::Display, reason: &str) -> Self {
        Self::value(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"))
    }

    pub(super) fn no_queue() -> Self {
        Self::queue("The specified queue does not exist.")
    }

    /// Whether the caller is at fault.
    pub(super) fn is_senders(&self) -> bool {
        self.status < 500
    }

    pub(super) fn answer(&self) -> Answer {
        let side = if self.is_senders() { "Sender" } else { "Receiver" };
        Answer::error(self.status, self.kind, Some(&self.message)).with_query_error(format!("{};{side}", self.code))
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(e: rusqlite::Error) -> Self {
        Self::internal(e.to_string())
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(e: serde_json::Error) -> Self {
        Self::malformed(e.to_string())
    }
}
