//! Jobs: work that goes on after its request was answered.

mod get;
mod run;

use std::sync::Arc;
use std::time::Duration;

use contract::Error;
use runtime::{App, Consumer, Permissions, Queue, Source, Worker};
use store::deliveries::Releases;
use store::grant::Granted;
use store::jobs::{JobRuns, JobStarts};

runtime::routes! {
    GET: GET_JOB => get::get,
}

/// `run-jobs`
pub static RUN_JOBS: Consumer = Consumer {
    id: "run-jobs",
    summary: "Go on with jobs",
    source: Source::Queues(&[Queue::Jobs]),
    timeout: Duration::from_secs(60),
    start,
    permissions,
};

fn start(app: &App) -> Result<Arc<dyn Worker>, Error> {
    let store = app.store()?;
    Ok(Arc::new(run::Jobs {
        releases: Releases::open(store),
        starts: JobStarts::open(store),
        jobs: JobRuns::open(store),
        queues: app.queues()?.clone(),
        clock: app.clock().clone(),
    }))
}

fn permissions() -> Permissions {
    let items = [Releases::grants(), JobStarts::grants(), JobRuns::grants()].concat();
    Permissions { items: items.into_iter().collect(), sends: [Queue::Retries, Queue::Jobs].into(), data_keys: false }
}
