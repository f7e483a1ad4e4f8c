//! A consumer with its worker, called as Lambda calls a function.

use std::sync::Arc;

use contract::Error;
use engines::Role;
use runtime::lambda::consumer::{Batch, run};
use runtime::{App, Consumer, Worker};
use serde_json::{Map, Value};

/// A consumer that runs here.
pub(super) struct Fed {
    pub(super) consumer: &'static Consumer,
    worker: Arc<dyn Worker>,
    role: Role,
}

impl Fed {
    pub(super) fn start(consumer: &'static Consumer, app: &App, role: Role) -> Result<Self, Error> {
        Ok(Self { consumer, worker: (consumer.start)(app)?, role })
    }

    /// Hands it a batch.
    pub(super) async fn invoke(&self, records: Vec<Value>) -> Result<Batch, Error> {
        self.call(Value::Object(Map::from_iter([("Records".to_owned(), Value::Array(records))]))).await
    }

    /// Hands it an event, with no more rights and no more time than its function has in AWS.
    pub(super) async fn call(&self, event: Value) -> Result<Batch, Error> {
        let run = run(self.consumer, &self.worker, event, self.consumer.timeout);
        self.role.hold(run).await
    }
}
