//! What feeds the functions that no route reaches, and what becomes of changes that none of them could deal with.

use functions::settings::{CHANGES, CHANGES_WINDOW, MESSAGES, TRIES, at_once};
use runtime::{Consumer, Queue, Source};
use store::tables::Table;

use super::{KEPT, attribute, filled, logical, queues, reference, role, tables};
use crate::map;
use crate::node::Node;

/// The bucket of changes that were given up.
pub(super) const GIVEN_UP: &str = "GivenUpChanges";

/// Batches of one shard that are worked on at once: the changes of an item stay in order, others' need not, and a batch
/// that fails again and again holds up a quarter of the shard's items only.
const AT_ONCE: u64 = 4;

/// The resource of the mapping of a source, a table or a queue, to a function.
pub(super) fn mapping(consumer: &Consumer, word: &str) -> String {
    format!("{}{}Source", logical(consumer.id), logical(word))
}

/// What Lambda does in the function's name to feed it.
pub(super) fn statements(source: Source) -> Vec<Node> {
    match source {
        Source::Stream(table) => vec![
            role::allow(
                ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"],
                tables::arn(table, "/stream/*"),
            ),
            of_account(role::allow(["s3:ListBucket"], attribute(GIVEN_UP, "Arn"))),
            of_account(role::allow(["s3:PutObject"], filled(format!("${{{GIVEN_UP}.Arn}}/*")))),
        ],
        Source::Queues(queues) => {
            let arns = queues.iter().map(|queue| queues::arn(*queue)).collect();
            vec![role::allow(["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], arns)]
        }
        // EventBridge and Secrets Manager call it.
        Source::Schedule(_) | Source::TokenKeysRotation => Vec::new(),
    }
}

/// A bucket's name says nothing of whose it is: if it were deleted, anybody could make another of that name.
fn of_account(statement: Node) -> Node {
    statement
        .with("Condition", map! { "StringEquals" => map! { "aws:ResourceAccount" => reference("AWS::AccountId") } })
}

/// What has a function called by the clock.
pub(super) fn schedule(consumer: &Consumer) -> Vec<(String, Node)> {
    let Source::Schedule(period) = consumer.source else { return Vec::new() };
    let function = logical(consumer.id);
    let (rule, permission) = (format!("{function}Schedule"), format!("{function}Permission"));
    let target = map! { "Id" => consumer.id, "Arn" => attribute(&function, "Arn") };
    let minutes = period.as_secs() / 60;
    let schedule = map! {
        "Type" => "AWS::Events::Rule",
        "Properties" => map! {
            "Description" => consumer.summary,
            "ScheduleExpression" => format!("rate({minutes} minutes)"),
            "Targets" => [target],
        },
    };
    let leave = map! {
        "Type" => "AWS::Lambda::Permission",
        "Properties" => map! {
            "Action" => "lambda:InvokeFunction",
            "FunctionName" => reference(&function),
            "Principal" => "events.amazonaws.com",
            "SourceArn" => attribute(&rule, "Arn"),
        },
    };
    vec![(rule, schedule), (permission, leave)]
}

/// The mappings of sources to a function.
pub(super) fn mappings(consumer: &Consumer) -> Vec<(String, Node)> {
    let function = reference(&logical(consumer.id));
    let resource = |word: &str, properties: Node| {
        let properties = properties
            .with("FunctionName", function.clone())
            .with("FunctionResponseTypes", ["ReportBatchItemFailures"]);
        let of = map! { "Type" => "AWS::Lambda::EventSourceMapping", "Properties" => properties };
        (mapping(consumer, word), of)
    };
    match consumer.source {
        Source::Stream(table) => vec![resource(table.word(), stream(table))],
        Source::Queues(queues) => queues.iter().map(|queue| resource(queue.word(), messages(*queue))).collect(),
        Source::Schedule(_) | Source::TokenKeysRotation => Vec::new(),
    }
}

fn stream(table: Table) -> Node {
    map! {
        "EventSourceArn" => attribute(tables::logical(table), "StreamArn"),
        // Whatever was written before the function was there is announced too.
        "StartingPosition" => "TRIM_HORIZON",
        "BatchSize" => u64::from(CHANGES),
        "MaximumBatchingWindowInSeconds" => CHANGES_WINDOW.as_secs(),
        "ParallelizationFactor" => AT_ONCE,
        "BisectBatchOnFunctionError" => true,
        "MaximumRetryAttempts" => u64::from(TRIES.lambda),
        "DestinationConfig" => map! { "OnFailure" => map! { "Destination" => attribute(GIVEN_UP, "Arn") } },
        // An alarm counts what was given up.
        "MetricsConfig" => map! { "Metrics" => ["EventCount"] },
    }
}

fn messages(queue: Queue) -> Node {
    let at_once = match queue {
        Queue::FirstAttempts | Queue::Retries => reference("DeliveryConcurrency"),
        Queue::Jobs | Queue::Mail => u64::from(at_once(queue).lambda).into(),
    };
    map! {
        "EventSourceArn" => attribute(&queues::logical(queue), "Arn"),
        "BatchSize" => u64::from(MESSAGES),
        "ScalingConfig" => map! { "MaximumConcurrency" => at_once },
    }
}

/// The bucket of changes that were given up. It holds what clients own, and outlives the stack.
pub(super) fn resources() -> Vec<(String, Node)> {
    let encrypted = map! { "ServerSideEncryptionByDefault" => map! { "SSEAlgorithm" => "AES256" } };
    let expires = map! { "Id" => "Expire", "Status" => "Enabled", "ExpirationInDays" => 30_u64 };
    let (deleted, replaced) = KEPT;
    let bucket = map! {
        "Type" => "AWS::S3::Bucket",
        "DeletionPolicy" => deleted,
        "UpdateReplacePolicy" => replaced,
        "Properties" => map! {
            "PublicAccessBlockConfiguration" => map! {
                "BlockPublicAcls" => true,
                "BlockPublicPolicy" => true,
                "IgnorePublicAcls" => true,
                "RestrictPublicBuckets" => true,
            },
            "OwnershipControls" => map! { "Rules" => [map! { "ObjectOwnership" => "BucketOwnerEnforced" }] },
            "BucketEncryption" => map! { "ServerSideEncryptionConfiguration" => [encrypted] },
            "LifecycleConfiguration" => map! { "Rules" => [expires] },
        },
    };
    vec![(GIVEN_UP.to_owned(), bucket), (format!("{GIVEN_UP}Policy"), tls_alone())]
}

/// Nobody reaches the bucket but by TLS.
fn tls_alone() -> Node {
    let statement = map! {
        "Effect" => "Deny",
        "Principal" => "*",
        "Action" => "s3:*",
        "Resource" => [attribute(GIVEN_UP, "Arn"), filled(format!("${{{GIVEN_UP}.Arn}}/*"))],
        "Condition" => map! { "Bool" => map! { "aws:SecureTransport" => "false" } },
    };
    let policy = map! { "Version" => "2012-10-17", "Statement" => [statement] };
    map! {
        "Type" => "AWS::S3::BucketPolicy",
        "Properties" => map! { "Bucket" => reference(GIVEN_UP), "PolicyDocument" => policy },
    }
}

pub(super) fn outputs() -> Vec<(String, Node)> {
    let value = map! { "Description" => "The bucket of changes that were given up", "Value" => reference(GIVEN_UP) };
    vec![(format!("{GIVEN_UP}Name"), value)]
}
