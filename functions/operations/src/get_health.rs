//! `GET /api/health`

use contract::Error;
use contract::resource::Resource;
use runtime::{Found, Now};
use schemars::JsonSchema;
use serde::Serialize;

/// That the API answers.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Health {
    /// Always `ok`: what is not, does not answer.
    status: &'static str,
    version: &'static str,
}

impl Resource for Health {
    fn version(&self) -> Option<u64> {
        None
    }
}

pub(crate) async fn get_health(_now: Now) -> Result<Found<Health>, Error> {
    Ok(Found(Health { status: "ok", version: env!("CARGO_PKG_VERSION") }))
}
