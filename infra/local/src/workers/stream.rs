//! The poller of a table's stream.

use std::pin::pin;
use std::time::Duration;

use contract::Code;
use engines::{EngineError, Stream};
use functions::settings::{self, CHANGES};
use serde_json::Value;
use tokio::time::timeout;

use super::failed_records::FailedRecords;
use super::{GRACE, Poller};

/// Records in a batch at the most.
const BATCH: usize = CHANGES as usize;
/// How often one record is tried before it goes to the failed records.
const TRIES: u16 = settings::TRIES.one_machine;
/// The pauses between tries: the first, and the longest.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Feeds a consumer the stream's records in their order, from where it was left.
///
/// A batch for which the store or a queue does not answer comes again for ever. One with a record that fails is done up
/// to that one, and the rest comes again in halves, until the record is alone; then it is tried some times more, and goes
/// to the failed records.
pub(super) async fn poll(poller: Poller, stream: Stream, readers: Vec<&'static str>, failed_records: FailedRecords) {
    let mut stop = poller.stop.clone();
    let mut reading = Reading { poller, stream, readers, failed_records, most: BATCH, tries: 0, failures: 0 };
    loop {
        let next = {
            let mut step = pin!(reading.step());
            tokio::select! {
                next = &mut step => next,
                // A batch that is cut off comes again: the checkpoint is behind it.
                () = stop.asked() => return drop(timeout(GRACE, step).await),
            }
        };
        tokio::select! {
            () = reading.wait(next) => {}
            () = stop.asked() => return,
        }
    }
}

/// What comes after a batch.
enum Next {
    /// The next one.
    Batch,
    /// The next one, when something was written.
    Change,
    /// The next one, after a pause.
    Pause(Duration),
}

/// Where the poller is.
struct Reading {
    poller: Poller,
    stream: Stream,
    /// All who read it: a record stays until each of them has.
    readers: Vec<&'static str>,
    failed_records: FailedRecords,
    /// How many records the next batch may have: few while a bad one is looked for.
    most: usize,
    /// How often a record alone has failed.
    tries: u16,
    /// Failures of any kind since something was last done: the longer, the longer the pause.
    failures: u32,
}

impl Reading {
    /// One batch, if there is one.
    async fn step(&mut self) -> Next {
        let id = self.poller.consumer.consumer.id;
        let _turn = self.stream.turn(id).await;
        let records = match self.stream.checkpoint(id).and_then(|after| self.stream.read(after.as_deref(), self.most)) {
            Ok(records) => records,
            Err(error) => return self.troubled(&error),
        };
        if records.is_empty() {
            return Next::Change;
        }
        // What the answer can name. The records themselves are the consumer's; they can be read again.
        let numbers: Vec<String> = records.iter().map(|record| number(record).to_owned()).collect();
        let first = match self.poller.consumer.invoke(records).await {
            Ok(batch) => {
                let places = batch.batch_item_failures.iter().map(|failure| {
                    let known = numbers.iter().position(|number| *number == failure.item_identifier);
                    // As Lambda has it: one that is not of the batch fails all of it.
                    known.unwrap_or(0)
                });
                places.min().unwrap_or(numbers.len())
            }
            // The store or a queue does not answer: the same batch again, whatever was written since.
            Err(error) if error.code() == Code::Unavailable => {
                self.most = numbers.len();
                return self.pause();
            }
            // One of them may be the reason, as of a panic.
            Err(_) => 0,
        };
        if let Some(last) = numbers[..first].last()
            && let Err(error) = self.done(last)
        {
            return self.troubled(&error);
        }
        match &numbers[first..] {
            [] => Next::Batch,
            [number] => {
                self.tries += 1;
                self.most = 1;
                if self.tries < TRIES { self.pause() } else { self.give_up(number) }
            }
            rest => {
                self.most = rest.len().div_ceil(2);
                Next::Batch
            }
        }
    }

    async fn wait(&self, next: Next) {
        match next {
            Next::Batch => {}
            Next::Change => self.stream.changed().await,
            Next::Pause(pause) => tokio::time::sleep(pause).await,
        }
    }

    /// What is up to there is done, and never comes again.
    fn done(&mut self, last: &str) -> Result<(), EngineError> {
        self.stream.set_checkpoint(self.poller.consumer.consumer.id, last)?;
        self.stream.prune_behind(&self.readers)?;
        (self.tries, self.failures) = (0, 0);
        self.most = (self.most * 2).min(BATCH);
        Ok(())
    }

    /// The next record, which has this number, is left out.
    fn give_up(&mut self, number: &str) -> Next {
        let id = self.poller.consumer.consumer.id;
        let record = match self.stream.checkpoint(id).and_then(|after| self.stream.read(after.as_deref(), 1)) {
            Ok(records) => records.into_iter().next().unwrap_or_default(),
            Err(error) => return self.troubled(&error),
        };
        if let Err(error) = self.failed_records.keep(id, record) {
            tracing::error!(operation = id, error = %error, "a record that keeps failing can't be written to failed-records; it is tried again");
            return self.pause();
        }
        tracing::error!(
            operation = id,
            sequence_number = number,
            "a record failed {TRIES} times and was written to failed-records: see docs/webhooks.md"
        );
        match self.done(number) {
            Ok(()) => Next::Batch,
            Err(error) => self.troubled(&error),
        }
    }

    fn troubled(&mut self, error: &EngineError) -> Next {
        tracing::error!(operation = self.poller.consumer.consumer.id, error = %error, "the stream can't be read");
        self.pause()
    }

    fn pause(&mut self) -> Next {
        let pause = PAUSE.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        Next::Pause(pause)
    }
}

fn number(record: &Value) -> &str {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default()
}
