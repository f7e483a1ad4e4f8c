//! Writes, by condition. One change is a conditional write, several are a transaction; either way a write that was
//! committed and whose answer was lost is recognised by its event, so that its repetition is no conflict.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put, ReturnValue,
    ReturnValuesOnConditionCheckFailure as Returned, TransactWriteItem, Update,
};
use contract::id::EventId;
use contract::{Code, Error, Time};

use crate::Store;
use crate::author::Author;
use crate::dynamo::{Item, back_off, fault, get_text, key_attributes, number, text};
use crate::keys::Key;
use crate::tables::Table;

/// How often a write that met a transaction is tried again.
const ROUNDS: u32 = 10;

enum Action {
    Put(Item),
    Update { set: Vec<String>, remove: Vec<String> },
    Delete,
    Check,
}

/// What a refused condition means, by what stands there.
type Otherwise = Box<dyn FnOnce(Option<&Item>) -> Error + Send + Sync>;

/// One conditional write. In expressions, `#name` stands for the attribute `name`.
pub(crate) struct Change {
    key: Key,
    action: Action,
    condition: Option<String>,
    values: HashMap<String, AttributeValue>,
    otherwise: Option<Otherwise>,
    stamp: Stamp,
}

/// Whether a change says who writes.
#[derive(PartialEq)]
enum Stamp {
    ToCome,
    Set,
    None,
}

/// What became of a set of changes.
pub(crate) enum Outcome {
    /// All are committed.
    Done,
    /// None is: what they were computed from has changed.
    Stale,
}

/// What became of one conditional write.
pub(crate) enum Written {
    Done,
    /// The condition does not hold for what stands there.
    Refused(Option<Item>),
}

impl Change {
    fn new(key: Key, action: Action) -> Self {
        Self { key, action, condition: None, values: HashMap::new(), otherwise: None, stamp: Stamp::ToCome }
    }

    /// Writes the whole item.
    pub(crate) fn put(key: Key) -> Self {
        let item = key_attributes(&key);
        Self::new(key, Action::Put(item))
    }

    /// Writes some attributes of an item.
    pub(crate) fn update(key: Key) -> Self {
        Self::new(key, Action::Update { set: Vec::new(), remove: Vec::new() })
    }

    pub(crate) fn delete(key: Key) -> Self {
        Self::new(key, Action::Delete)
    }

    /// Writes nothing: the others are made on its condition. For transactions.
    pub(crate) fn check(key: Key) -> Self {
        Self { stamp: Stamp::None, ..Self::new(key, Action::Check) }
    }

    pub(crate) fn set(mut self, name: &str, value: AttributeValue) -> Self {
        match &mut self.action {
            Action::Put(item) => {
                item.insert(name.to_owned(), value);
            }
            Action::Update { set, .. } => {
                set.push(format!("#{name} = :set_{name}"));
                self.values.insert(format!(":set_{name}"), value);
            }
            Action::Delete | Action::Check => {}
        }
        self
    }

    /// Sets an attribute that is not there. For updates.
    pub(crate) fn set_once(mut self, name: &str, value: AttributeValue) -> Self {
        if let Action::Update { set, .. } = &mut self.action {
            set.push(format!("#{name} = if_not_exists(#{name}, :set_{name})"));
            self.values.insert(format!(":set_{name}"), value);
        }
        self
    }

    /// Adds to a number, which counts as 0 where there is none. For updates.
    pub(crate) fn add(mut self, name: &str, amount: i64) -> Self {
        if let Action::Update { set, .. } = &mut self.action {
            set.push(format!("#{name} = if_not_exists(#{name}, :zero) + :add_{name}"));
            self.values.insert(":zero".to_owned(), number(0));
            self.values.insert(format!(":add_{name}"), number(amount));
        }
        self
    }

    /// Removes an attribute. For updates.
    pub(crate) fn remove(mut self, name: &str) -> Self {
        if let Action::Update { remove, .. } = &mut self.action {
            remove.push(format!("#{name}"));
        }
        self
    }

    /// Is a change beside the resource, which goes on saying who changed it last, and by which event.
    pub(crate) fn unstamped(self) -> Self {
        Self { stamp: Stamp::None, ..self }
    }

    /// Says who writes, when, and as which event.
    pub(crate) fn stamped(self, author: &Author, event: EventId) -> Self {
        if self.stamp == Stamp::None {
            return self;
        }
        let stamped = Self { stamp: Stamp::Set, ..self };
        stamped
            .set("by", text(author.by()))
            .set("at", text(author.at().to_string()))
            .set("eventId", text(event.to_string()))
    }

    /// Says when it is written, which may be long after `at`, the time of the request: that may have come before.
    fn written(self, at: Time) -> Self {
        match self.stamp {
            Stamp::Set => self.set("writtenAt", number(at.millis())),
            Stamp::ToCome | Stamp::None => self,
        }
    }

    /// Only if this holds; conditions add up.
    pub(crate) fn when(mut self, condition: &str) -> Self {
        self.condition = Some(match self.condition {
            Some(before) => format!("{before} AND {condition}"),
            None => condition.to_owned(),
        });
        self
    }

    /// A value that the condition names.
    pub(crate) fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn when_absent(self) -> Self {
        self.when("attribute_not_exists(#pk)")
    }

    pub(crate) fn when_present(self) -> Self {
        self.when("attribute_exists(#pk)")
    }

    pub(crate) fn when_version(self, version: u64) -> Self {
        self.when("#version = :version").with(":version", number(version))
    }

    /// What to say if the condition does not hold; without it the changes are stale.
    pub(crate) fn or(self, error: impl Into<Error>) -> Self {
        let error = error.into();
        self.or_else(move |_| error)
    }

    /// The same by what stands there.
    pub(crate) fn or_else(mut self, error: impl FnOnce(Option<&Item>) -> Error + Send + Sync + 'static) -> Self {
        self.otherwise = Some(Box::new(error));
        self
    }

    fn update_expression(&self) -> Option<String> {
        let Action::Update { set, remove } = &self.action else { return None };
        let mut parts = Vec::new();
        if !set.is_empty() {
            parts.push(format!("SET {}", set.join(", ")));
        }
        if !remove.is_empty() {
            parts.push(format!("REMOVE {}", remove.join(", ")));
        }
        Some(parts.join(" "))
    }

    fn names(&self) -> Option<HashMap<String, String>> {
        let mut names = HashMap::new();
        for expression in [self.condition.clone(), self.update_expression()].into_iter().flatten() {
            for piece in expression.split('#').skip(1) {
                let end = piece.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(piece.len());
                let name = &piece[..end];
                names.insert(format!("#{name}"), name.to_owned());
            }
        }
        (!names.is_empty()).then_some(names)
    }

    fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }

    /// Whether the item that stands in the way was written by this very event.
    fn is_own(item: Option<&Item>, event: EventId) -> bool {
        item.and_then(|item| get_text(item, "eventId")).is_some_and(|found| found == event.to_string())
    }
}

impl Store {
    /// Carries out all changes or none. A refused condition that has an answer of its own gives that error.
    pub(crate) async fn commit(&self, changes: Vec<Change>, event: EventId) -> Result<Outcome, Error> {
        match <[Change; 1]>::try_from(changes) {
            Ok([change]) if !matches!(change.action, Action::Delete) => self.commit_one(change, event).await,
            Ok([change]) => self.commit_all(vec![change], event).await,
            Err(changes) => self.commit_all(changes, event).await,
        }
    }

    async fn commit_one(&self, mut change: Change, event: EventId) -> Result<Outcome, Error> {
        let otherwise = change.otherwise.take();
        match self.conditional_write(change).await? {
            Written::Done => Ok(Outcome::Done),
            Written::Refused(item) if Change::is_own(item.as_ref(), event) => Ok(Outcome::Done),
            Written::Refused(item) => otherwise.map_or(Ok(Outcome::Stale), |error| Err(error(item.as_ref()))),
        }
    }

    /// Carries out one put, update or deletion; if its condition does not hold, tells what stands there.
    pub(crate) async fn conditional_write(&self, change: Change) -> Result<Written, Error> {
        let change = change.written(self.clock().now());
        for round in 0..ROUNDS {
            if let Some(attempt) = self.attempt_once(&change).await? {
                return Ok(attempt);
            }
            back_off(round).await;
        }
        Err(Error::unavailable("a write met transactions each time"))
    }

    /// Nothing if a transaction has the item, which the SDK does not try again.
    async fn attempt_once(&self, change: &Change) -> Result<Option<Written>, Error> {
        /// One operation: the three have the same settings and failures, under types of their own.
        macro_rules! attempt {
            ($call:expr, $operation:literal, $failure:ident) => {{
                let call = $call
                    .table_name(self.table(change.key.table))
                    .set_condition_expression(change.condition.clone())
                    .set_expression_attribute_names(change.names())
                    .set_expression_attribute_values(change.values())
                    .return_values_on_condition_check_failure(Returned::AllOld);
                match call.send().await {
                    Ok(_) => Ok(Some(Written::Done)),
                    Err(error) => match error.as_service_error() {
                        Some($failure::ConditionalCheckFailedException(e)) => {
                            Ok(Some(Written::Refused(e.item.clone())))
                        }
                        Some($failure::TransactionConflictException(_)) => Ok(None),
                        _ => Err(fault($operation, &error)),
                    },
                }
            }};
        }
        let key = Some(key_attributes(&change.key));
        match &change.action {
            Action::Put(item) => {
                attempt!(self.dynamo().put_item().set_item(Some(item.clone())), "PutItem", PutItemError)
            }
            Action::Update { .. } => {
                let call = self.dynamo().update_item().set_key(key).set_update_expression(change.update_expression());
                attempt!(call, "UpdateItem", UpdateItemError)
            }
            Action::Delete => attempt!(self.dynamo().delete_item().set_key(key), "DeleteItem", DeleteItemError),
            Action::Check => Err(Error::internal("a check is of a transaction")),
        }
    }

    /// Carries out one update and tells the item as it is after it; if its condition does not hold, what stands there.
    pub(crate) async fn update_and_see(&self, change: &Change) -> Result<Result<Item, Option<Item>>, Error> {
        self.update_and_see_by(self.dynamo(), change).await
    }

    /// The same by another client, with patience of its own.
    pub(crate) async fn update_and_see_by(
        &self,
        dynamo: &aws_sdk_dynamodb::Client,
        change: &Change,
    ) -> Result<Result<Item, Option<Item>>, Error> {
        let call = dynamo
            .update_item()
            .table_name(self.table(change.key.table))
            .set_key(Some(key_attributes(&change.key)))
            .set_update_expression(change.update_expression())
            .set_condition_expression(change.condition.clone())
            .set_expression_attribute_names(change.names())
            .set_expression_attribute_values(change.values())
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(Returned::AllOld);
        match call.send().await {
            Ok(answer) => Ok(Ok(answer.attributes.unwrap_or_default())),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(e)) => Ok(Err(e.item.clone())),
                _ => Err(fault("UpdateItem", &error)),
            },
        }
    }

    async fn commit_all(&self, changes: Vec<Change>, event: EventId) -> Result<Outcome, Error> {
        let now = self.clock().now();
        let changes: Vec<_> = changes.into_iter().map(|change| change.written(now)).collect();
        let items = changes.iter().map(|change| self.transact_item(change)).collect::<Result<Vec<_>, _>>()?;
        for round in 0..ROUNDS {
            // The SDK repeats a call under the same token; another try of ours is another call.
            let token = uuid::Builder::from_random_bytes(auth::random::bytes()).into_uuid();
            let call = self.dynamo().transact_write_items().set_transact_items(Some(items.clone()));
            let Err(error) = call.client_request_token(token.to_string()).send().await else {
                return Ok(Outcome::Done);
            };
            let Some(reasons) = cancellation(&error) else { return Err(fault("TransactWriteItems", &error)) };
            if reasons.iter().any(|reason| is_refused(reason) && Change::is_own(reason.item.as_ref(), event)) {
                return Ok(Outcome::Done);
            }
            if reasons.iter().any(is_refused) {
                return answer_to_refusals(changes, reasons);
            }
            let passing = |code: &str| {
                matches!(code, "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
            };
            if !reasons.iter().filter_map(CancellationReason::code).any(passing) {
                return Err(fault("TransactWriteItems", &error));
            }
            back_off(round).await;
        }
        Err(Error::unavailable("TransactWriteItems: met other transactions each time"))
    }

    fn transact_item(&self, change: &Change) -> Result<TransactWriteItem, Error> {
        macro_rules! item {
            ($builder:expr) => {
                $builder
                    .table_name(self.table(change.key.table))
                    .set_condition_expression(change.condition.clone())
                    .set_expression_attribute_names(change.names())
                    .set_expression_attribute_values(change.values())
                    .return_values_on_condition_check_failure(Returned::AllOld)
                    .build()
                    .map_err(|error| Error::internal(error.to_string()))?
            };
        }
        let (item, key) = (TransactWriteItem::builder(), Some(key_attributes(&change.key)));
        let item = match &change.action {
            Action::Put(attributes) => item.put(item!(Put::builder().set_item(Some(attributes.clone())))),
            Action::Update { .. } => {
                item.update(item!(Update::builder().set_key(key).set_update_expression(change.update_expression())))
            }
            Action::Delete => item.delete(item!(Delete::builder().set_key(key))),
            Action::Check => item.condition_check(item!(ConditionCheck::builder().set_key(key))),
        };
        Ok(item.build())
    }

    pub(crate) fn table(&self, table: Table) -> &str {
        self.names().of(table)
    }
}

fn is_refused(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}

fn answer_to_refusals(changes: Vec<Change>, reasons: &[CancellationReason]) -> Result<Outcome, Error> {
    let mut answer: Option<Error> = None;
    for (change, reason) in changes.into_iter().zip(reasons).filter(|(_, reason)| is_refused(reason)) {
        let Some(error) = change.otherwise else { return Ok(Outcome::Stale) };
        let error = error(reason.item.as_ref());
        answer = Some(match answer {
            Some(before) => before.and(error),
            None => error,
        });
    }
    Err(answer.unwrap_or_else(|| Code::Internal.into()))
}

type TransactError = aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;

fn cancellation<R>(error: &SdkError<TransactError, R>) -> Option<&[CancellationReason]> {
    match error.as_service_error()? {
        TransactError::TransactionCanceledException(cancelled) => Some(cancelled.cancellation_reasons()),
        other if other.code() == Some("TransactionInProgressException") => Some(&[]),
        _ => None,
    }
}
