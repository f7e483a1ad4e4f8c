//! The embedded engines behind the AWS SDK's own HTTP connector.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use crate::answer::{Answer, CONTENT_TYPE, request_id};
use crate::dynamo::{Dynamo, Operation};
use crate::guard::{self, Grant};
use crate::observe::{Call, Fault, Faults, Trace};

/// An HTTP client for the SDK (`Config::builder().http_client(connector)`) that reaches the embedded engines without a
/// socket. The endpoint of the client doesn't matter, nor do its timeouts. A clone shares everything.
#[derive(Debug, Clone)]
pub struct Connector {
    dynamo: Dynamo,
    trace: Trace,
    faults: Faults,
}

impl Connector {
    /// A connector to this engine.
    pub fn new(dynamo: Dynamo) -> Self {
        Self { dynamo, trace: Trace::default(), faults: Faults::default() }
    }

    /// The calls that went through it.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What goes wrong with them.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    async fn answer(self, target: String, body: Bytes, grants: Option<Arc<[Grant]>>) -> Result<Answer, ConnectorError> {
        let Some(operation) = Operation::of(&target) else {
            return Ok(Answer::unknown_operation());
        };
        let (_in_flight, nth) = self.trace.begin(operation.name());
        others_first().await;
        if let Some(refused) = grants.and_then(|g| guard::refuse(&g, operation, &body, &self.dynamo)) {
            return Ok(refused);
        }
        let fault = self.faults.strike(&Call { operation: operation.name(), body: &body, nth });
        if let Some(answer) = fault.and_then(|fault| fault.answer(operation, &body)) {
            return Ok(answer);
        }
        let answer = self.dynamo.call(&target, body).await;
        match fault {
            Some(Fault::Lost) => Err(ConnectorError::io("the connection was lost before the answer came".into())),
            _ => Ok(answer),
        }
    }
}

/// Lets what else the task or its thread has to do begin: the engine never waits, so calls that were issued together
/// would otherwise be carried out one by one, and each would count as a round. (`yield_now` costs a system call.)
async fn others_first() {
    let mut waited = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // Read here, in the caller's own task.
        let grants = guard::in_force();
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        let body = request.body().bytes().map(Bytes::copy_from_slice);
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            let body = body.ok_or_else(|| ConnectorError::user("a streaming body is no JSON call".into()))?;
            respond(this.answer(target, body, grants).await?)
        })
    }
}

fn respond(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    let response = http::Response::builder()
        .status(answer.status)
        .header("content-type", CONTENT_TYPE)
        .header("x-amzn-requestid", request_id())
        .body(SdkBody::from(answer.body))
        .map_err(|e| ConnectorError::other(e.into(), None))?;
    HttpResponse::try_from(response).map_err(|e| ConnectorError::other(e.into(), None))
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
