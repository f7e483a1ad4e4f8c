//! All engines of a data folder.

use std::path::Path;

use bytes::Bytes;
use http::HeaderMap;

use crate::answer::Answer;
use crate::dynamo::Dynamo;
use crate::file::OpenError;
use crate::s3::S3;
use crate::secrets::Secrets;
use crate::service::Service;
use crate::ses::Ses;
use crate::sqs::Sqs;

/// The embedded services. A clone is another handle on the same ones.
#[derive(Debug, Clone)]
pub struct Engines {
    /// DynamoDB.
    pub dynamo: Dynamo,
    /// SQS.
    pub sqs: Sqs,
    /// Secrets Manager.
    pub secrets: Secrets,
    /// SES.
    pub ses: Ses,
    /// S3.
    pub s3: S3,
}

impl Engines {
    /// Opens the engines of `folder`, which is created for its owner alone if it isn't there. Several processes may
    /// have it open at once, and each sees what the others committed.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Ok(Self {
            dynamo: Dynamo::open(folder)?,
            sqs: Sqs::open(folder)?,
            secrets: Secrets::open(folder)?,
            ses: Ses::open(folder)?,
            s3: S3::open(folder)?,
        })
    }

    /// Engines in memory that last as long as their handles.
    pub fn memory() -> Result<Self, OpenError> {
        Ok(Self {
            dynamo: Dynamo::memory()?,
            sqs: Sqs::memory()?,
            secrets: Secrets::memory()?,
            ses: Ses::memory(),
            s3: S3::memory()?,
        })
    }

    /// Carries out one call: `target` is the `X-Amz-Target` header, or what stands for it where a service has none; the
    /// other `headers` are S3's alone to ask.
    pub async fn call(&self, target: &str, headers: &HeaderMap, body: Bytes) -> Answer {
        match Service::of(target) {
            Service::Dynamo => self.dynamo.call(target, body).await,
            Service::Sqs => self.sqs.call(target, &body).await,
            Service::Secrets => self.secrets.call(target, &body),
            Service::Ses => self.ses.call(target, &body),
            Service::S3 => self.s3.call(target, headers, &body),
        }
    }
}
