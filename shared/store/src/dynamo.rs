//! Calls to DynamoDB. Every read is strongly consistent; there is no Scan.

use std::collections::HashMap;
use std::str::FromStr;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, KeysAndAttributes, PutRequest, WriteRequest};
use contract::Error;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::Store;
use crate::keys::Key;
use crate::tables::Table;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// Greater than whatever sort keys are made of.
pub(crate) const LAST: char = '~';

/// Keys in one BatchGetItem at the most.
const BATCH: usize = 100;
/// Items in one BatchWriteItem at the most.
const WRITES: usize = 25;
/// Calls of it at once.
const WRITES_AT_ONCE: usize = 8;
/// How often what DynamoDB left undone is asked for again.
const ROUNDS: u32 = 6;

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn get_text<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(crate) fn get_bytes<'i>(item: &'i Item, name: &str) -> Option<&'i [u8]> {
    item.get(name)?.as_b().ok().map(AsRef::as_ref)
}

pub(crate) fn get_number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// An attribute that an item of ours always has.
pub(crate) fn must<T>(found: Option<T>, name: &str) -> Result<T, Error> {
    found.ok_or_else(|| Error::internal(format!("a stored item lacks `{name}` or holds it in another form")))
}

/// A text that an item of ours always has, as what it stands for.
pub(crate) fn must_parse<T: FromStr>(item: &Item, name: &str) -> Result<T, Error> {
    must(get_text(item, name).and_then(|text| text.parse().ok()), name)
}

pub(crate) fn key_attributes(key: &Key) -> Item {
    HashMap::from([("pk".to_owned(), text(&key.pk)), ("sk".to_owned(), text(&key.sk))])
}

/// Waits before the `round`th repetition: up to 25 ms, doubled each time up to 200 ms. By chance, so that those who met
/// part.
pub(crate) async fn back_off(round: u32) {
    let most = 25 << round.min(3);
    let millis = u64::from(u16::from_be_bytes(auth::random::bytes())) % (most + 1);
    tokio::time::sleep(std::time::Duration::from_millis(millis)).await;
}

/// A failed call as an error of ours. DynamoDB's message goes to the log, never an item.
pub(crate) fn fault<E: ProvideErrorMetadata, R>(call: &str, error: &SdkError<E, R>) -> Error {
    let Some(service) = error.as_service_error() else {
        // Construction, dispatch, time-out or an unreadable response: nothing of the item is in its Display.
        return Error::unavailable(format!("{call}: {error}"));
    };
    let code = service.code().unwrap_or("unknown");
    let cause = format!("{call}: {code}: {}", service.message().unwrap_or_default());
    match code {
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "InternalServerError"
        | "TransactionInProgressException"
        | "TransactionConflictException" => Error::unavailable(cause),
        _ => Error::internal(cause),
    }
}

/// A range of a partition, in the order of its sort keys.
#[derive(Clone, Copy)]
pub(crate) struct KeyRange<'a> {
    pub(crate) table: Table,
    pub(crate) pk: &'a str,
    /// What sort keys begin with; empty for the whole partition.
    pub(crate) prefix: &'a str,
    /// The sort key after which to begin.
    pub(crate) after: Option<&'a str>,
    /// How many items at the most.
    pub(crate) limit: Option<usize>,
}

/// A range of a partition, against the order of its sort keys.
pub(crate) struct Back<'a> {
    pub(crate) table: Table,
    pub(crate) pk: &'a str,
    /// The first and the last sort key that may be.
    pub(crate) low: &'a str,
    pub(crate) high: &'a str,
    /// The sort key before which to begin.
    pub(crate) before: Option<&'a str>,
    /// How many items at the most.
    pub(crate) limit: usize,
}

impl Store {
    pub(crate) async fn get(&self, key: &Key) -> Result<Option<Item>, Error> {
        let answer = self
            .dynamo()
            .get_item()
            .table_name(self.table(key.table))
            .set_key(Some(key_attributes(key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| fault("GetItem", &error))?;
        Ok(answer.item)
    }

    /// The items at these keys, in the order of `keys`, in one round trip per hundred.
    pub(crate) async fn batch_get<const N: usize>(&self, keys: [&Key; N]) -> Result<[Option<Item>; N], Error> {
        let mut found = self.batch_get_all(&keys).await?;
        Ok(keys.map(|key| found.remove(key)))
    }

    pub(crate) async fn batch_get_all(&self, keys: &[&Key]) -> Result<HashMap<Key, Item>, Error> {
        let mut found = HashMap::with_capacity(keys.len());
        for chunk in keys.chunks(BATCH) {
            self.batch_get_chunk(chunk, &mut found).await?;
        }
        Ok(found)
    }

    async fn batch_get_chunk(&self, keys: &[&Key], found: &mut HashMap<Key, Item>) -> Result<(), Error> {
        let mut wanted: HashMap<String, KeysAndAttributes> = HashMap::new();
        for table in Table::ALL {
            let of_table: Vec<Item> =
                keys.iter().filter(|key| key.table == table).map(|key| key_attributes(key)).collect();
            if !of_table.is_empty() {
                let request = KeysAndAttributes::builder().set_keys(Some(of_table)).consistent_read(true).build();
                let request = request.map_err(|error| Error::internal(error.to_string()))?;
                wanted.insert(self.table(table).to_owned(), request);
            }
        }
        for round in 0..ROUNDS {
            let call = self.dynamo().batch_get_item().set_request_items(Some(wanted));
            let answer = call.send().await.map_err(|error| fault("BatchGetItem", &error))?;
            for (name, items) in answer.responses.unwrap_or_default() {
                let table = Table::ALL.into_iter().find(|table| self.table(*table) == name);
                let table = must(table, "table")?;
                for item in items {
                    let pk = must(get_text(&item, "pk"), "pk")?.to_owned();
                    let sk = must(get_text(&item, "sk"), "sk")?.to_owned();
                    found.insert(Key { table, pk, sk }, item);
                }
            }
            wanted = answer.unprocessed_keys.unwrap_or_default();
            if wanted.is_empty() {
                return Ok(());
            }
            back_off(round).await;
        }
        Err(Error::unavailable("BatchGetItem: keys were left unprocessed"))
    }

    /// Writes whole items, over whatever stands there.
    pub(crate) async fn batch_put(&self, items: Vec<(Table, Item)>) -> Result<(), Error> {
        let put = |(table, item)| {
            let put = PutRequest::builder().set_item(Some(item)).build();
            let put = put.map_err(|error| Error::internal(error.to_string()))?;
            Ok((table, WriteRequest::builder().put_request(put).build()))
        };
        self.batch_write_all(items.into_iter().map(put).collect::<Result<_, Error>>()?).await
    }

    /// Deletes whatever stands at these keys, each of which is named once.
    pub(crate) async fn batch_delete(&self, keys: Vec<Key>) -> Result<(), Error> {
        let delete = |key: Key| {
            let delete = DeleteRequest::builder().set_key(Some(key_attributes(&key))).build();
            let delete = delete.map_err(|error| Error::internal(error.to_string()))?;
            Ok((key.table, WriteRequest::builder().delete_request(delete).build()))
        };
        self.batch_write_all(keys.into_iter().map(delete).collect::<Result<_, Error>>()?).await
    }

    async fn batch_write_all(&self, requests: Vec<(Table, WriteRequest)>) -> Result<(), Error> {
        let mut requests = requests.into_iter().peekable();
        let mut calls = Vec::new();
        while requests.peek().is_some() {
            let mut wanted: HashMap<String, Vec<WriteRequest>> = HashMap::new();
            for (table, request) in requests.by_ref().take(WRITES) {
                wanted.entry(self.table(table).to_owned()).or_default().push(request);
            }
            calls.push(wanted);
        }
        let calls = stream::iter(calls).map(|wanted| self.batch_write(wanted));
        calls.buffer_unordered(WRITES_AT_ONCE).try_collect().await
    }

    async fn batch_write(&self, mut wanted: HashMap<String, Vec<WriteRequest>>) -> Result<(), Error> {
        for round in 0..ROUNDS {
            let call = self.dynamo().batch_write_item().set_request_items(Some(wanted));
            let answer = call.send().await.map_err(|error| fault("BatchWriteItem", &error))?;
            wanted = answer.unprocessed_items.unwrap_or_default();
            if wanted.is_empty() {
                return Ok(());
            }
            back_off(round).await;
        }
        Err(Error::unavailable("BatchWriteItem: items were left unprocessed"))
    }

    /// The items of a range, across DynamoDB's pages of 1 MB.
    pub(crate) async fn query(&self, range: &KeyRange<'_>) -> Result<Vec<Item>, Error> {
        let (mut items, mut more) = self.query_once(range).await?;
        while more && range.limit.is_none_or(|limit| items.len() < limit) {
            let Some(last) = items.last() else { break };
            let after = must(get_text(last, "sk"), "sk")?;
            let limit = range.limit.map(|limit| limit - items.len());
            let (next, goes_on) = self.query_once(&KeyRange { after: Some(after), limit, ..*range }).await?;
            items.extend(next);
            more = goes_on;
        }
        Ok(items)
    }

    /// As much of a range as one call gives, greatest sort key first, and whether there is more.
    pub(crate) async fn query_back(&self, range: &Back<'_>) -> Result<(Vec<Item>, bool), Error> {
        let start = |sk: &str| HashMap::from([("pk".to_owned(), text(range.pk)), ("sk".to_owned(), text(sk))]);
        // From where it begins, as in [`KeyRange`]'s calls.
        let high = range.before.unwrap_or(range.high);
        let values = [(":pk", text(range.pk)), (":low", text(range.low)), (":high", text(high))];
        let answer = self
            .dynamo()
            .query()
            .table_name(self.table(range.table))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(i32::try_from(range.limit).unwrap_or(i32::MAX))
            .key_condition_expression("pk = :pk AND sk BETWEEN :low AND :high")
            .set_expression_attribute_values(Some(values.map(|(name, value)| (name.to_owned(), value)).into()))
            .set_exclusive_start_key(range.before.map(start))
            .send()
            .await
            .map_err(|error| fault("Query", &error))?;
        let more = answer.last_evaluated_key.is_some();
        Ok((answer.items.unwrap_or_default(), more))
    }

    /// As much of a range as one call gives, and whether there is more.
    pub(crate) async fn query_once(&self, range: &KeyRange<'_>) -> Result<(Vec<Item>, bool), Error> {
        let start = |sk: &str| HashMap::from([("pk".to_owned(), text(range.pk)), ("sk".to_owned(), text(sk))]);
        let limit = range.limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX));
        let mut call = self.dynamo().query().table_name(self.table(range.table)).consistent_read(true);
        // From where it begins, not from where the prefix does: the embedded engine would go through all between them.
        let low = range.after.unwrap_or(range.prefix);
        call = if low.is_empty() {
            call.key_condition_expression("pk = :pk")
        } else {
            call.key_condition_expression("pk = :pk AND sk BETWEEN :low AND :high")
                .expression_attribute_values(":low", text(low))
                .expression_attribute_values(":high", text(format!("{}{LAST}", range.prefix)))
        };
        call = call.expression_attribute_values(":pk", text(range.pk)).set_limit(limit);
        let answer = call.set_exclusive_start_key(range.after.map(start)).send().await;
        let answer = answer.map_err(|error| fault("Query", &error))?;
        let more = answer.last_evaluated_key.is_some();
        Ok((answer.items.unwrap_or_default(), more))
    }
}
