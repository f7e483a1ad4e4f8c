//! `rotate-token-keys`

use std::sync::Arc;

use contract::Error;
use runtime::lambda::consumer::{Batch, Working};
use runtime::token_rotation::RotationStep;
use runtime::{TokenRotation, Worker};
use serde_json::Value;
use tokio::time::Instant;

runtime::parts! {
    /// Takes the steps of a rotation.
    pub(crate) struct Rotate {
        rotation: TokenRotation,
    }
}

impl Worker for Rotate {
    fn work(self: Arc<Self>, steps: Vec<Value>, _: Instant) -> Working {
        Box::pin(async move {
            for step in steps {
                let step: RotationStep = serde_json::from_value(step).map_err(Error::internal)?;
                self.rotation.take(&step).await?;
            }
            Ok(Batch::default())
        })
    }
}
