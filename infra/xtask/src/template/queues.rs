//! The queues, each with one for dead letters: what was handed out too often waits there for somebody to look.

use functions::settings::{MAX_RECEIVES, RETENTION, visibility};
use runtime::Queue;

use super::{attribute, filled, named, reference};
use crate::map;
use crate::node::Node;

/// The resource of a queue.
pub(super) fn logical(queue: Queue) -> String {
    super::logical(queue.word()) + "Queue"
}

/// The resource of a queue's dead letters.
pub(super) fn dead(queue: Queue) -> String {
    super::logical(queue.word()) + "DeadLetters"
}

/// What the queues' addresses begin with, as the functions are told it. It names no resource, so that every function
/// need not wait for every queue.
pub(super) fn base() -> Node {
    filled("https://sqs.${AWS::Region}.${AWS::URLSuffix}/${AWS::AccountId}/${TablePrefix}")
}

pub(super) fn resources() -> Vec<(String, Node)> {
    Queue::ALL.into_iter().flat_map(|queue| [(logical(queue), live(queue)), (dead(queue), set_aside(queue))]).collect()
}

pub(super) fn outputs() -> Vec<(String, Node)> {
    let output = |name: String, description: String| {
        let value = map! { "Description" => description, "Value" => reference(&name) };
        (format!("{name}Url"), value)
    };
    let both = |queue: Queue| {
        let word = queue.word();
        [
            output(logical(queue), format!("The address of the queue {word}")),
            output(dead(queue), format!("The address of the dead letters of {word}")),
        ]
    };
    Queue::ALL.into_iter().flat_map(both).collect()
}

fn live(queue: Queue) -> Node {
    let redrive = map! {
        "deadLetterTargetArn" => attribute(&dead(queue), "Arn"),
        "maxReceiveCount" => u64::from(MAX_RECEIVES),
    };
    let properties =
        properties(queue.word()).with("VisibilityTimeout", visibility().as_secs()).with("RedrivePolicy", redrive);
    resource(properties)
}

fn set_aside(queue: Queue) -> Node {
    // By name: the queue itself names this one.
    let allowed = map! { "redrivePermission" => "byQueue", "sourceQueueArns" => [arn(queue)] };
    resource(properties(&format!("{}-dead", queue.word())).with("RedriveAllowPolicy", allowed))
}

/// A queue's ARN.
pub(super) fn arn(queue: Queue) -> Node {
    named("sqs", &name(queue.word()))
}

fn name(word: &str) -> String {
    format!("${{TablePrefix}}-{word}")
}

fn properties(word: &str) -> Node {
    map! {
        "QueueName" => filled(name(word)),
        "MessageRetentionPeriod" => RETENTION.as_secs(),
        "SqsManagedSseEnabled" => true,
    }
}

/// It goes with the stack, as the deliveries do that its messages name.
fn resource(properties: Node) -> Node {
    map! {
        "Type" => "AWS::SQS::Queue",
        "DeletionPolicy" => "Delete",
        "UpdateReplacePolicy" => "Delete",
        "Properties" => properties,
    }
}
