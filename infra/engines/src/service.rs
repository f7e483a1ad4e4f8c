//! Which service a call is for.

use crate::{s3, secrets, ses, sqs};

/// A service that is embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Dynamo,
    Sqs,
    Secrets,
    Ses,
    S3,
}

impl Service {
    /// The service that a target (`X-Amz-Target`) names; DynamoDB, if it is none that is known.
    pub(crate) fn of(target: &str) -> Self {
        match () {
            () if target.starts_with(sqs::PREFIX) => Self::Sqs,
            () if target.starts_with(secrets::PREFIX) => Self::Secrets,
            () if target.starts_with(ses::PREFIX) => Self::Ses,
            () if target.starts_with(s3::PREFIX) => Self::S3,
            () => Self::Dynamo,
        }
    }
}

/// The target of a request that has no `X-Amz-Target`, if it is for a service that goes by methods and paths.
pub(crate) fn target(method: &str, path: &str, query: Option<&str>, authorization: Option<&str>) -> Option<String> {
    if s3::is_s3(authorization, query) {
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        return Some(format!("{}{method} {path}{query}", s3::PREFIX));
    }
    path.starts_with(ses::PATH).then(|| format!("{}{method} {path}", ses::PREFIX))
}
