//! An operation of any of the services.

use bytes::Bytes;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use crate::answer::Answer;
use crate::engines::Engines;
use crate::fault::Fault;
use crate::guard;
use crate::role::{Role, Use};
use crate::service::Service;
use crate::{dynamo, s3, secrets, ses, sqs};

/// An operation that one of the engines knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Dynamo(dynamo::Operation),
    Sqs(sqs::Operation),
    Secrets(secrets::Operation),
    Ses(ses::Operation),
    S3(s3::Operation),
}

impl Operation {
    /// The operation that a target names, or what it is answered.
    pub(crate) fn of(target: &str) -> Result<Self, Answer> {
        match Service::of(target) {
            Service::Dynamo => dynamo::Operation::of(target).map(Self::Dynamo).ok_or_else(Answer::unknown_operation),
            Service::Sqs => sqs::Operation::of(target).map(Self::Sqs).ok_or_else(|| sqs::unknown(target)),
            Service::Secrets => secrets::Operation::of(target).map(Self::Secrets).ok_or_else(secrets::unknown),
            Service::Ses => ses::Operation::of(target).map(Self::Ses).ok_or_else(ses::unknown),
            Service::S3 => s3::Operation::of(target).map(Self::S3).ok_or_else(s3::unknown),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dynamo(operation) => operation.name(),
            Self::Sqs(operation) => operation.name(),
            Self::Secrets(operation) => operation.name(),
            Self::Ses(operation) => operation.name(),
            Self::S3(operation) => operation.name(),
        }
    }

    pub(crate) fn service(self) -> &'static str {
        match self {
            Self::Dynamo(_) => "dynamodb",
            Self::Sqs(_) => "sqs",
            Self::Secrets(_) => "secretsmanager",
            Self::Ses(_) => "ses",
            Self::S3(_) => "s3",
        }
    }

    /// Whether it may wait for something to happen: no round trip that anybody waits for.
    pub(crate) fn waits(self) -> bool {
        self == Self::Sqs(sqs::Operation::ReceiveMessage)
    }

    /// AWS's refusal of the call, if the role doesn't allow it.
    pub(crate) fn refusal(self, role: &Role, target: &str, body: &[u8], engines: &Engines) -> Option<Answer> {
        let grants = role.grants();
        match self {
            Self::Dynamo(operation) => guard::refuse(grants, operation, body, &engines.dynamo),
            Self::Sqs(operation) => {
                let queue = Named::read(body).queue();
                let allowed = guard::allow_queue(grants, operation.action(), queue.as_deref());
                allowed.is_none().then(|| sqs::denied(operation.action(), queue.as_deref()))
            }
            Self::Secrets(operation) => {
                let id = Named::read(body).secret();
                let allowed = guard::allow_secret(grants, operation.name(), id.as_deref());
                allowed.is_none().then(|| secrets::denied(operation.name(), id.as_deref()))
            }
            Self::Ses(operation) => {
                let from = ses::sender(body);
                let allowed = guard::allow_mail(grants, operation.name(), from.as_deref());
                allowed.is_none().then(|| ses::denied(operation.name(), from.as_deref()))
            }
            Self::S3(operation) => {
                let path = s3::path_of(target);
                let allowed = guard::allow_object(grants, operation.action(), path.as_deref());
                allowed.is_none().then(|| s3::denied(operation.action(), path.as_deref()))
            }
        }
    }

    /// What a call that the role allows makes of it.
    pub(crate) fn uses(self, role: &Role, target: &str, body: &[u8], engines: &Engines) -> Vec<Use> {
        let grants = role.grants();
        let (action, allowed) = match self {
            Self::Dynamo(operation) => return guard::uses(role, operation, body, &engines.dynamo),
            Self::Sqs(operation) => {
                let queue = Named::read(body).queue();
                (operation.action(), guard::allow_queue(grants, operation.action(), queue.as_deref()))
            }
            Self::Secrets(operation) => {
                let id = Named::read(body).secret();
                (operation.name(), guard::allow_secret(grants, operation.name(), id.as_deref()))
            }
            Self::Ses(operation) => {
                let from = ses::sender(body);
                (operation.name(), guard::allow_mail(grants, operation.name(), from.as_deref()))
            }
            Self::S3(operation) => {
                let path = s3::path_of(target);
                (operation.action(), guard::allow_object(grants, operation.action(), path.as_deref()))
            }
        };
        allowed.map(|name| role.made_of((action, name, None))).into_iter().collect()
    }

    /// What a fault is answered with in place of the call; a lost one is carried out.
    pub(crate) fn faulty(self, fault: Fault, body: &[u8]) -> Option<Answer> {
        match self {
            Self::Dynamo(operation) => dynamo::faulty(fault, operation, body),
            Self::Sqs(operation) if fault == Fault::Partial && operation.is_batch() => None,
            Self::Sqs(_) => sqs::faulty(fault),
            Self::Secrets(_) => secrets::faulty(fault),
            Self::Ses(_) => ses::faulty(fault),
            Self::S3(_) => s3::faulty(fault),
        }
    }
}

/// Carries out every second entry of a batch of SQS and fails the others.
pub(crate) async fn partial(engines: &Engines, target: &str, body: &Bytes) -> Answer {
    let Some((rest, failed)) = sqs::fail_some(body) else {
        return engines.call(target, &HeaderMap::new(), body.clone()).await;
    };
    let mut told = match rest {
        None => serde_json::json!({ "Successful": [] }),
        Some(rest) => {
            let answer = engines.call(target, &HeaderMap::new(), rest).await;
            match serde_json::from_slice::<Value>(&answer.body) {
                Ok(told) if answer.status == 200 => told,
                _ => return answer,
            }
        }
    };
    let mut all = told["Failed"].take().as_array().cloned().unwrap_or_default();
    all.extend(failed);
    told["Failed"] = Value::Array(all);
    Answer::json_1_0(200, &told)
}

/// What a call names that grants speak of.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Named {
    queue_url: Option<String>,
    queue_name: Option<String>,
    source_arn: Option<String>,
    secret_id: Option<String>,
    name: Option<String>,
}

impl Named {
    /// Nothing if the body can't be read, which no pattern is like but `*`.
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    fn secret(self) -> Option<String> {
        self.secret_id.or(self.name)
    }

    fn queue(&self) -> Option<String> {
        let by_url = self.queue_url.as_deref().and_then(sqs::name_in_url);
        let name = by_url.or(self.queue_name.as_deref());
        name.or_else(|| self.source_arn.as_deref().and_then(sqs::name_in_arn)).map(str::to_owned)
    }
}
