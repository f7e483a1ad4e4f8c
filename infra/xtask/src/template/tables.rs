//! The tables.

use store::tables::Table;

use super::{filled, reference};
use crate::map;
use crate::node::Node;

/// The resource of a table.
pub(super) fn logical(table: Table) -> &'static str {
    match table {
        Table::Main => "MainTable",
        Table::Log => "LogTable",
        Table::Counters => "CountersTable",
    }
}

pub(super) fn resources() -> Vec<(String, Node)> {
    Table::ALL.into_iter().map(|table| (logical(table).to_owned(), resource(table))).collect()
}

pub(super) fn outputs() -> Vec<(String, Node)> {
    let output = |table| {
        let description = format!("The name of the table {}", Table::word(table));
        let value = map! { "Description" => description, "Value" => reference(logical(table)) };
        (format!("{}Name", logical(table)), value)
    };
    Table::ALL.into_iter().map(output).collect()
}

/// What clients own outlives the stack; what passes by itself does not.
fn resource(table: Table) -> Node {
    let kept = if table == Table::Main { "Retain" } else { "Delete" };
    map! {
        "Type" => "AWS::DynamoDB::Table",
        "DeletionPolicy" => kept,
        "UpdateReplacePolicy" => kept,
        "Properties" => properties(table),
    }
}

fn properties(table: Table) -> Node {
    let attribute = |name: &str| map! { "AttributeName" => name, "AttributeType" => "S" };
    let key = |name: &str, kind: &str| map! { "AttributeName" => name, "KeyType" => kind };
    let stream = table.streams().then(|| map! { "StreamViewType" => "NEW_AND_OLD_IMAGES" });
    let recovery = (table == Table::Main).then(|| map! { "PointInTimeRecoveryEnabled" => true });
    let ttl = table.ttl().map(|name| map! { "AttributeName" => name, "Enabled" => true });
    map! {
        "TableName" => filled(format!("${{TablePrefix}}-{}", table.word())),
        "BillingMode" => "PAY_PER_REQUEST",
        "AttributeDefinitions" => [attribute("pk"), attribute("sk")],
        "KeySchema" => [key("pk", "HASH"), key("sk", "RANGE")],
        "SSESpecification" => map! { "SSEEnabled" => true },
    }
    .with_some("PointInTimeRecoverySpecification", recovery)
    .with_some("StreamSpecification", stream)
    .with_some("TimeToLiveSpecification", ttl)
}
