//! The stream of changes to the audit log: what was committed is written down, whoever is told of it.
//!
//! Everything here may be done again: a batch that fails half-way comes again, and a line that is there already is left out.

use std::sync::Arc;
use std::time::Duration;

use contract::{Code, Error};
use runtime::lambda::consumer::{Batch, Working};
use runtime::{Consumer, Source, Worker};
use serde_json::Value;
use store::audit::{Recorded, Recorder};
use store::stream::{Definitions, Record};
use store::tables::Table;
use tokio::time::Instant;

/// `recorder`
pub static RECORDER: Consumer = Consumer::of::<Work>(
    "recorder",
    "Write down in the audit log what was committed",
    Source::Stream(Table::Main),
    Duration::from_secs(60),
);

runtime::parts! {
    struct Work {
        recorder: Recorder,
    }
}

impl Worker for Work {
    fn work(self: Arc<Self>, records: Vec<Value>, _: Instant) -> Working {
        Box::pin(async move { self.record(records).await })
    }
}

impl Work {
    /// A record that can't be read fails alone, and the others are written down; the batch fails when the store does not
    /// answer.
    async fn record(&self, records: Vec<Value>) -> Result<Batch, Error> {
        let (mut recorded, mut definitions) = (Recorded::default(), Definitions::default());
        let mut poison = None;
        for record in &records {
            let images = &record["dynamodb"];
            let images = Record::of_images(images.get("OldImage"), images.get("NewImage"));
            match self.recorder.read(&images, &mut definitions, &mut recorded).await {
                Ok(()) => {}
                Err(error) if error.code() == Code::Unavailable => return Err(error),
                Err(error) => {
                    let number = record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default().to_owned();
                    let what = "a change can't be read, and is given up in the end and missing in the audit log: mend it, \
                        then replay it";
                    tracing::error!(operation = RECORDER.id, sequence_number = number, ?error, "{what}");
                    poison.get_or_insert(number);
                }
            }
        }
        self.recorder.write(recorded).await?;
        Ok(Batch::failed(poison))
    }
}
