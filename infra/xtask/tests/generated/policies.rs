//! What the roles' statements look like.

use std::collections::BTreeSet;

use serde_json::Value;

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

#[test]
fn every_statement_is_held_to_kinds_of_keys_in_one_table() {
    for function in resources(&template(), "AWS::Serverless::Function") {
        for statement in statements(function) {
            let keys = leading_keys(statement);
            let of_a_kind =
                |key: &&str| key.len() == 3 && key.ends_with("#*") && key.as_bytes()[0].is_ascii_uppercase();
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
        for statement in statements(function) {
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

#[test]
fn what_touches_no_store_may_do_nothing_there() {
    let template = template();
    let without: BTreeSet<_> = resources(&template, "AWS::Serverless::Function")
        .filter(|function| statements(function).is_empty())
        .map(operation)
        .collect();
    assert_eq!(without, BTreeSet::from(["get-health", "get-openapi", "route-not-found"]));
}
