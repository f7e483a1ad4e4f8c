//! Erasures of tenants (`shared/store/src/tenant_erasure.rs`), with what jobs exported of them.

use contract::Error;
use futures_util::FutureExt as _;
use runtime::Exports;
use store::grant::Delete;
use store::jobs::Running;
use store::sweep::Stopped;
use store::tenant_erasure::{Erased, TenantErasures};

use crate::share::{GoneOn, Share};

runtime::parts! {
    pub(crate) struct EraseTenant {
        erasures: TenantErasures,
        exports: Exports<Delete>,
    }
}

impl EraseTenant {
    pub(crate) async fn run(&self, mut running: Running, share: &Share) -> Result<GoneOn, Error> {
        let (client, job) = (running.client, running.job.id);
        let exported = |job| self.exports.delete(client, job).boxed();
        match self.erasures.erase(&mut running, share.until, &exported).await {
            Ok(Erased::Done) => {
                tracing::info!(operation = crate::RUN_JOBS.id, %client, %job, "a tenant was erased");
                Ok(GoneOn::Over)
            }
            Ok(Erased::NotBefore(due)) => Ok(GoneOn::From(due)),
            Err(Stopped::TimeOver) => Ok(GoneOn::From(share.now)),
            Err(Stopped::Elsewhere | Stopped::Restored) => Ok(GoneOn::Over),
            Err(Stopped::Failed(error)) => Err(error),
        }
    }
}
