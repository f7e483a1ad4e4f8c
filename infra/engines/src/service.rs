//! Which service a call is for.

use crate::{secrets, sqs};

/// A service that is embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Dynamo,
    Sqs,
    Secrets,
}

impl Service {
    /// The service that a target (`X-Amz-Target`) names; DynamoDB, if it is none that is known.
    pub(crate) fn of(target: &str) -> Self {
        match () {
            () if target.starts_with(sqs::PREFIX) => Self::Sqs,
            () if target.starts_with(secrets::PREFIX) => Self::Secrets,
            () => Self::Dynamo,
        }
    }
}
