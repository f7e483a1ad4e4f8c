//! What a call touches, as IAM sees it: actions, tables and partition keys.

use std::collections::HashMap;

use serde::Deserialize;

use super::{Dynamo, Operation};

/// The attribute that every table of ours is partitioned by.
pub(crate) const PARTITION: &str = "pk";

/// One action on one table (`main`, or `main/index/by-value`) and all the partition keys that it names there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ItemAccess {
    pub(crate) action: &'static str,
    /// None where the call doesn't say, as with a stream's iterator.
    pub(crate) table: Option<String>,
    pub(crate) keys: Vec<String>,
}

impl ItemAccess {
    /// Everything that a call touches, or nothing if that can't be told, in which case it is to be refused.
    pub(crate) fn by(operation: Operation, body: &[u8], dynamo: &Dynamo) -> Option<Vec<Self>> {
        match operation {
            Operation::BatchGetItem => {
                let batch: Batch<Keys> = serde_json::from_slice(body).ok()?;
                let tables = batch.request_items.into_iter();
                Some(
                    tables
                        .map(|(table, keys)| one("BatchGetItem", table, keys.keys.into_iter().map(Row::key)))
                        .collect(),
                )
            }
            Operation::BatchWriteItem => {
                let batch: Batch<Vec<Write>> = serde_json::from_slice(body).ok()?;
                let tables = batch.request_items.into_iter();
                Some(
                    tables
                        .map(|(table, writes)| one("BatchWriteItem", table, writes.into_iter().map(Write::key)))
                        .collect(),
                )
            }
            Operation::TransactGetItems | Operation::TransactWriteItems => {
                let transaction: Transaction = serde_json::from_slice(body).ok()?;
                Some(transaction.touched())
            }
            _ => {
                let plain: Plain = serde_json::from_slice(body).ok()?;
                plain.touched(operation, dynamo).map(|touched| vec![touched])
            }
        }
    }
}

fn one(action: &'static str, table: String, keys: impl Iterator<Item = Option<String>>) -> ItemAccess {
    ItemAccess { action, table: Some(named(table)), keys: keys.flatten().collect() }
}

/// A table may be named by its ARN, and a stream always is.
fn named(table: String) -> String {
    match table.split_once(":table/") {
        Some((_, rest)) => rest.split('/').next().unwrap_or(rest).to_owned(),
        None => table,
    }
}

/// How many parts a transaction has: as many reasons as AWS gives when it cancels it.
pub(crate) fn transaction_size(body: &[u8]) -> usize {
    serde_json::from_slice::<Transaction>(body).map_or(0, |t| t.transact_items.len())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Plain {
    table_name: Option<String>,
    stream_arn: Option<String>,
    resource_arn: Option<String>,
    index_name: Option<String>,
    key: Option<Row>,
    item: Option<Row>,
    key_condition_expression: Option<String>,
    #[serde(default)]
    expression_attribute_names: HashMap<String, String>,
    #[serde(default)]
    expression_attribute_values: HashMap<String, Text>,
}

impl Plain {
    fn touched(self, operation: Operation, dynamo: &Dynamo) -> Option<ItemAccess> {
        let action = operation.name();
        let table = self.table_name.clone().or(self.stream_arn.clone()).or(self.resource_arn.clone()).map(named);
        if operation != Operation::Query {
            let keys = self.key.or(self.item).and_then(Row::key).into_iter().collect();
            return Some(ItemAccess { action, table, keys });
        }
        let table = table?;
        let (attribute, resource) = match &self.index_name {
            Some(index) => (dynamo.index_key(&table, index)?, format!("{table}/index/{index}")),
            None => (PARTITION.to_owned(), table),
        };
        let key = self.queried(&attribute)?;
        Some(ItemAccess { action, table: Some(resource), keys: vec![key] })
    }

    /// The value that a query's key condition holds `attribute` to.
    fn queried(&self, attribute: &str) -> Option<String> {
        let tokens = tokens(self.key_condition_expression.as_deref()?);
        let value = tokens.windows(3).find_map(|w| {
            let name = self.expression_attribute_names.get(w[0]).map_or(w[0], String::as_str);
            (name == attribute && w[1] == "=").then_some(w[2])
        })?;
        self.expression_attribute_values.get(value)?.s.clone()
    }
}

/// The names, values and comparisons of an expression; brackets and commas don't matter to an equality.
fn tokens(expression: &str) -> Vec<&str> {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '#' | ':');
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let comparison = |c: char| matches!(c, '=' | '<' | '>');
        let end = if word(first) {
            rest.find(|c| !word(c)).unwrap_or(rest.len())
        } else if comparison(first) {
            rest.find(|c| !comparison(c)).unwrap_or(rest.len())
        } else {
            rest = &rest[first.len_utf8()..];
            continue;
        };
        found.push(&rest[..end]);
        rest = &rest[end..];
    }
    found
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", bound = "T: serde::de::DeserializeOwned")]
struct Batch<T> {
    request_items: HashMap<String, T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Keys {
    keys: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Write {
    put_request: Option<Put>,
    delete_request: Option<Delete>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    item: Row,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    key: Row,
}

impl Write {
    fn key(self) -> Option<String> {
        self.put_request.map(|p| p.item).or(self.delete_request.map(|d| d.key)).and_then(Row::key)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Transaction {
    transact_items: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    get: Option<Plain>,
    put: Option<Plain>,
    update: Option<Plain>,
    delete: Option<Plain>,
    condition_check: Option<Plain>,
}

impl Transaction {
    /// A transaction needs the actions of its parts, each with all the keys that it has in a table.
    fn touched(self) -> Vec<ItemAccess> {
        let mut all: Vec<ItemAccess> = Vec::new();
        for part in self.transact_items {
            let parts = [
                ("GetItem", part.get),
                ("PutItem", part.put),
                ("UpdateItem", part.update),
                ("DeleteItem", part.delete),
                ("ConditionCheckItem", part.condition_check),
            ];
            for (action, plain) in parts.into_iter().filter_map(|(action, plain)| Some((action, plain?))) {
                let table = plain.table_name.map(named);
                let key = plain.key.or(plain.item).and_then(Row::key);
                match all.iter_mut().find(|t| t.action == action && t.table == table) {
                    Some(touched) => touched.keys.extend(key),
                    None => all.push(ItemAccess { action, table, keys: key.into_iter().collect() }),
                }
            }
        }
        all
    }
}

/// An item or a key, of which only the partition key matters here.
#[derive(Deserialize)]
struct Row {
    pk: Option<Text>,
}

impl Row {
    /// The partition key. One that isn't text is nobody's, and matches no pattern but `*`.
    fn key(self) -> Option<String> {
        self.pk.map(|text| text.s.unwrap_or_default())
    }
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "S")]
    s: Option<String>,
}

/// A global index as the table's definition has it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Index {
    pub(crate) index_name: String,
    key_schema: Vec<KeyPart>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyPart {
    attribute_name: String,
    key_type: String,
}

impl Index {
    pub(crate) fn partition(self) -> Option<String> {
        self.key_schema.into_iter().find(|k| k.key_type == "HASH").map(|k| k.attribute_name)
    }
}
