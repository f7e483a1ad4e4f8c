//! Jobs: work that goes on after its request was answered.

mod erase_tenant;
mod export_tenant;
mod get;
mod purge;
mod release;
mod run;
mod share;
mod zip;

use std::time::Duration;

use contract::permission::Permission;
use runtime::{Access, Consumer, GoesOn, Queue, Sample, Source};

runtime::routes! {
    /// Get a job
    Get "/api/v1/jobs/{id}"
    GET "get-job" => get::get {
        access: Access::management(&[Permission::WebhooksRead, Permission::WebhooksWrite, Permission::TenantsErase, Permission::ValuesRead]),
        goes_on: GoesOn::Closed,
    } about {
        sample: Sample::path(&[("id", "$job")]),
    }
}

/// `run-jobs`
pub static RUN_JOBS: Consumer =
    Consumer::of::<run::Jobs>("run-jobs", "Go on with jobs", Source::Queues(&[Queue::Jobs]), Duration::from_secs(60));

/// `purge-deleted`
pub static PURGE_DELETED: Consumer = Consumer::of::<purge::PurgeDeleted>(
    "purge-deleted",
    "Purge what was deleted 30 days ago",
    Source::Schedule(Duration::from_secs(24 * 3600)),
    Duration::from_secs(840),
);
