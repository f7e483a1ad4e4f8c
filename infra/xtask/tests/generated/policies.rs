//! What the roles' statements look like.

use std::collections::BTreeSet;

use runtime::Queue;
use serde_json::{Value, json};
use xtask::template::logical;

use crate::{operation, resources, template};

/// A function's statements.
pub(crate) fn statements(function: &Value) -> Vec<&Value> {
    let policies = function["Policies"].as_array().map(Vec::as_slice).unwrap_or_default();
    policies.iter().flat_map(|policy| policy["Statement"].as_array().unwrap()).collect()
}

pub(crate) fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

pub(crate) fn leading_keys(statement: &Value) -> Vec<&str> {
    texts(&statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])
}

/// What a statement is about: its actions' service.
fn service(statement: &Value) -> &str {
    texts(&statement["Action"])[0].split_once(':').unwrap().0
}

/// The statements on items of tables, and all others.
fn parted(function: &Value) -> (Vec<&Value>, Vec<&Value>) {
    statements(function)
        .into_iter()
        .partition(|statement| service(statement) == "dynamodb" && statement.get("Condition").is_some())
}

#[test]
fn every_statement_on_items_is_held_to_kinds_of_keys_in_one_table() {
    for function in resources(&template(), "AWS::Serverless::Function") {
        for statement in parted(function).0 {
            let keys = leading_keys(statement);
            let of_a_kind = |key: &&str| {
                let kind = key.strip_suffix("#*").unwrap_or_default();
                !kind.is_empty() && kind.bytes().all(|letter| letter.is_ascii_uppercase())
            };
            assert!(!keys.is_empty() && keys.iter().all(of_a_kind), "{}: {keys:?}", operation(function));
            let table = texts(&statement["Resource"]["Fn::GetAtt"]);
            assert!(matches!(table[..], ["MainTable" | "LogTable" | "CountersTable", "Arn"]), "{table:?}");
            assert_eq!(statement["Effect"], "Allow");
        }
    }
}

/// `ForAllValues` is true where a call names no key, so only actions that always name one may be granted.
#[test]
fn only_actions_on_items_are_granted_each_once_a_table() {
    let on_items = [
        "GetItem",
        "BatchGetItem",
        "Query",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "ConditionCheckItem",
        "BatchWriteItem",
    ];
    for function in resources(&template(), "AWS::Serverless::Function") {
        let mut granted = BTreeSet::new();
        for statement in parted(function).0 {
            for action in texts(&statement["Action"]) {
                let name = action.strip_prefix("dynamodb:").unwrap();
                assert!(on_items.contains(&name), "{}: {action}", operation(function));
                assert!(
                    granted.insert((statement["Resource"].to_string(), action)),
                    "{}: {action}",
                    operation(function)
                );
            }
        }
    }
}

/// What is not about items is about one stream, queue, secret or bucket of the stack, and nothing but what is named here.
#[test]
fn nothing_else_is_granted_but_on_resources_of_the_stack() {
    let template = template();
    for function in resources(&template, "AWS::Serverless::Function") {
        for statement in parted(function).1 {
            let (of, actions, on) = (operation(function), texts(&statement["Action"]), &statement["Resource"]);
            assert_eq!(statement["Effect"], "Allow", "{of}");
            let right = match (service(statement), &actions[..]) {
                ("sqs", ["sqs:SendMessage" | "sqs:ChangeMessageVisibility"])
                | ("sqs", ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]) => {
                    let known = Queue::ALL.map(|queue| format!("{}Queue", logical(queue.word())));
                    let queues = on.as_array().unwrap().iter().map(|queue| texts(&queue["Fn::GetAtt"]));
                    let is_known = |queue: Vec<&str>| known.iter().any(|name| queue == [name, "Arn"]);
                    queues.clone().all(is_known) && queues.count() > 0
                }
                ("secretsmanager", ["secretsmanager:GetSecretValue"]) => {
                    ["DataKeys", "TokenKeys", "StripeKeys"].iter().any(|known| on["Ref"] == *known)
                }
                ("secretsmanager", _) => of == "rotate-token-keys" && on["Ref"] == "TokenKeys",
                // Whose identity it is, is not the stack's; from which address, is.
                ("ses", ["ses:SendEmail"]) => {
                    statement["Condition"] == json!({ "StringEquals": { "ses:FromAddress": { "Ref": "MailFrom" } } })
                        && on["Fn::Sub"] == "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*"
                }
                ("dynamodb", _) => {
                    let of_streams = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"];
                    actions.iter().all(|action| of_streams.contains(&action.strip_prefix("dynamodb:").unwrap()))
                        && on["Fn::Sub"] == "${MainTable.Arn}/stream/*"
                }
                ("s3", ["s3:ListBucket"]) => on["Fn::GetAtt"] == json!(["GivenUpChanges", "Arn"]),
                ("s3", ["s3:PutObject"]) => on["Fn::Sub"] == "${GivenUpChanges.Arn}/*",
                _ => false,
            };
            assert!(right, "{of}: {statement}");
        }
    }
}

/// Whoever has the keys of embed tokens can make any: only what makes or takes tokens, and what rotates the keys.
#[test]
fn few_have_the_keys_of_tokens() {
    let template = template();
    let having: BTreeSet<_> = resources(&template, "AWS::Serverless::Function")
        .filter(|function| statements(function).iter().any(|statement| statement["Resource"]["Ref"] == "TokenKeys"))
        .map(operation)
        .collect();
    let taking = crate::routes().filter(|route| route.access.takes_tokens()).map(|route| route.id);
    let others = ["create-embed-token", "rotate-token-keys"];
    assert_eq!(having, taking.chain(others).collect());
}

#[test]
fn what_touches_nothing_may_do_nothing() {
    let template = template();
    let without: BTreeSet<_> = resources(&template, "AWS::Serverless::Function")
        .filter(|function| statements(function).is_empty())
        .map(operation)
        .collect();
    assert_eq!(without, BTreeSet::from(["get-health", "get-openapi", "route-not-found"]));
}
