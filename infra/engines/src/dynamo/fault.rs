//! What DynamoDB answers when something is wrong with it.

use super::operation::Operation;
use super::transaction_size;
use crate::answer::Answer;
use crate::fault::Fault;

/// What is answered in place of a call; a lost one is carried out.
pub(crate) fn faulty(fault: Fault, operation: Operation, body: &[u8]) -> Option<Answer> {
    let dynamo = |kind: &str, message: &str| {
        Some(Answer::error(400, &format!("com.amazonaws.dynamodb.v20120810#{kind}"), Some(message)))
    };
    let transaction = matches!(operation, Operation::TransactWriteItems | Operation::TransactGetItems);
    match fault {
        Fault::Lost | Fault::Slow(_) => None,
        Fault::Internal | Fault::Partial => Some(Answer::broken("Internal server error")),
        Fault::Throughput => dynamo(
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded. Consider increasing your \
             provisioning level with the UpdateTable API.",
        ),
        Fault::Throttling => {
            dynamo("ThrottlingException", "Throughput exceeds the current capacity for your table or index.")
        }
        Fault::TransactionConflict if transaction => Some(conflict(transaction_size(body))),
        Fault::TransactionConflict => dynamo("TransactionConflictException", "Transaction is ongoing for the item"),
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
