//! What one request, or one batch of a queue's or the stream's, asks of AWS: every call that is made for it bears its
//! identifier, and is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextMut, BeforeTransmitInterceptorContextMut, BeforeTransmitInterceptorContextRef,
    FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::batch_write_item::{BatchWriteItemInput, BatchWriteItemOutput};
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemInput, DeleteItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};

tokio::task_local! {
    static CURRENT: Arc<Calls>;
}

/// The calls that were made for one request, or one batch.
#[derive(Debug)]
pub struct Calls {
    request_id: String,
    /// In halves: an eventually consistent read takes one.
    read: AtomicU64,
    written: AtomicU64,
    calls: AtomicU64,
    attempts: AtomicU64,
}

/// What they took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Used {
    /// Read units of DynamoDB.
    pub read_units: f64,
    /// Write units of DynamoDB. Of what it refused it tells none.
    pub write_units: f64,
    /// How often the SDK sent a call again, whatever the service.
    pub retries: u64,
}

impl Calls {
    /// Those of a request, none of which is made yet.
    #[must_use]
    pub fn of(request_id: &str) -> Arc<Self> {
        let none = || AtomicU64::new(0);
        let (read, written, calls, attempts) = (none(), none(), none(), none());
        Arc::new(Self { request_id: request_id.to_owned(), read, written, calls, attempts })
    }

    /// Does work whose calls are these. On the heap: a request's future is large, and moved here.
    pub async fn made_by<T>(self: &Arc<Self>, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self.clone(), Box::pin(work)).await
    }

    /// What they took so far.
    #[must_use]
    pub fn used(&self) -> Used {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let units = |halves| halves as f64 / 2.0;
        Used {
            read_units: units(count(&self.read)),
            write_units: units(count(&self.written)),
            retries: count(&self.attempts).saturating_sub(count(&self.calls)),
        }
    }
}

/// What marks and counts the calls of an SDK client, of whichever service.
#[derive(Debug, Clone, Copy)]
pub struct CallObserver;

fn current(then: impl FnOnce(&Calls)) {
    // What is called outside of any request, as while a process starts, is nobody's.
    let _ = CURRENT.try_with(|calls| then(calls));
}

fn add(to: &AtomicU64, capacity: &[ConsumedCapacity]) {
    let units: f64 = capacity.iter().filter_map(ConsumedCapacity::capacity_units).sum();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a call takes few units, in halves")]
    to.fetch_add((units * 2.0).round() as u64, Ordering::Relaxed);
}

impl Intercept for CallObserver {
    fn name(&self) -> &'static str {
        "CallObserver"
    }

    /// Asks DynamoDB what the call takes.
    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        current(|calls| _ = calls.calls.fetch_add(1, Ordering::Relaxed));
        let input = context.input_mut();
        macro_rules! ask {
            ($($of:ty),+) => { $(
                if let Some(input) = input.downcast_mut::<$of>() {
                    input.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
                    return Ok(());
                }
            )+ };
        }
        ask!(
            GetItemInput,
            BatchGetItemInput,
            QueryInput,
            UpdateItemInput,
            PutItemInput,
            TransactWriteItemsInput,
            DeleteItemInput,
            BatchWriteItemInput
        );
        Ok(())
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        current(|calls| _ = calls.attempts.fetch_add(1, Ordering::Relaxed));
        Ok(())
    }

    /// Says for whom: CloudTrail keeps a call's agent, which no signature covers.
    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        current(|calls| {
            let headers = context.request_mut().headers_mut();
            let agent = headers.get(AGENT).unwrap_or_default();
            let marked = format!("{agent} md/request#{}", calls.request_id);
            headers.insert(AGENT, marked.trim_start().to_owned());
        });
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Ok(output)) = context.output_or_error() else { return Ok(()) };
        macro_rules! count {
            ($($of:ty => $to:ident),+ $(,)?) => { $(
                if let Some(output) = output.downcast_ref::<$of>() {
                    current(|calls| add(&calls.$to, output.consumed_capacity.by_table()));
                    return Ok(());
                }
            )+ };
        }
        count! {
            GetItemOutput => read,
            BatchGetItemOutput => read,
            QueryOutput => read,
            UpdateItemOutput => written,
            PutItemOutput => written,
            TransactWriteItemsOutput => written,
            DeleteItemOutput => written,
            BatchWriteItemOutput => written,
        }
        Ok(())
    }
}

const AGENT: &str = "user-agent";

/// One table's, or several's.
trait Capacity {
    fn by_table(&self) -> &[ConsumedCapacity];
}

impl Capacity for Option<ConsumedCapacity> {
    fn by_table(&self) -> &[ConsumedCapacity] {
        self.as_slice()
    }
}

impl Capacity for Option<Vec<ConsumedCapacity>> {
    fn by_table(&self) -> &[ConsumedCapacity] {
        self.as_deref().unwrap_or_default()
    }
}
