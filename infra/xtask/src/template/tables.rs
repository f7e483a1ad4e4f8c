//! The tables.

use store::tables::Table;

use super::{KEPT, filled, named, reference};
use crate::map;
use crate::node::Node;

/// Those that outlive the stack.
pub(super) const KEPT_TABLES: [Table; 2] = [Table::Main, Table::Log];

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

/// The ARN of a table, or of what is below it.
pub(super) fn arn(table: Table, below: &str) -> Node {
    named("dynamodb", &format!("table/${{TablePrefix}}-{}{below}", table.word()))
}

/// What clients own, and what was done, outlives the stack, unless its making failed; what only limits does not.
pub(super) fn resource(table: Table) -> Node {
    let (deleted, replaced) = if KEPT_TABLES.contains(&table) { KEPT } else { ("Delete", "Delete") };
    map! {
        "Type" => "AWS::DynamoDB::Table",
        "DeletionPolicy" => deleted,
        "UpdateReplacePolicy" => replaced,
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
