//! Jobs: work that goes on after its request was answered.

mod get;
mod run;

use std::time::Duration;

use runtime::{Consumer, Queue, Source};

runtime::routes! {
    GET: GET_JOB => get::get,
}

/// `run-jobs`
pub static RUN_JOBS: Consumer =
    Consumer::of::<run::Jobs>("run-jobs", "Go on with jobs", Source::Queues(&[Queue::Jobs]), Duration::from_secs(60));
