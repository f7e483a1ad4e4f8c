//! The embedded engines behind the AWS SDK's own HTTP connector.

use std::future::poll_fn;
use std::task::Poll;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::BodyExt;

use crate::answer::{Answer, request_id};
use crate::engines::Engines;
use crate::fault::{Call, Fault, Faults};
use crate::operation::{self, Operation};
use crate::role::{self, Role};
use crate::service;
use crate::trace::Trace;

/// An HTTP client for the SDK (`Config::builder().http_client(connector)`) that reaches the embedded engines without a
/// socket. The endpoint of the client doesn't matter, nor do its timeouts. A clone shares everything.
#[derive(Debug, Clone)]
pub struct Connector {
    engines: Engines,
    trace: Trace,
    faults: Faults,
}

impl Connector {
    /// What it reaches.
    pub const fn engines(&self) -> &Engines {
        &self.engines
    }

    /// A connector to these engines.
    pub fn new(engines: Engines) -> Self {
        Self { engines, trace: Trace::default(), faults: Faults::default() }
    }

    /// The calls that went through it.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What goes wrong with them.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    async fn answer(
        self,
        target: String,
        headers: HeaderMap,
        body: Bytes,
        role: Option<Role>,
    ) -> Result<Answer, ConnectorError> {
        let operation = match Operation::of(&target) {
            Ok(operation) => operation,
            Err(unknown) => return Ok(unknown),
        };
        let (_in_flight, nth) = self.trace.begin(operation.name(), operation.waits());
        others_first().await;
        if let Some(role) = &role {
            if let Some(refused) = operation.refusal(role, &target, &body, &self.engines) {
                return Ok(refused);
            }
            self.trace.note(|| operation.uses(role, &target, &body, &self.engines));
        }
        let call = Call { service: operation.service(), operation: operation.name(), body: &body, nth };
        let fault = self.faults.strike(&call);
        if let Some(Fault::Slow(span)) = fault {
            tokio::time::sleep(span).await;
        }
        if let Some(answer) = fault.and_then(|fault| operation.faulty(fault, &body)) {
            return Ok(answer);
        }
        if fault == Some(Fault::Partial) {
            return Ok(operation::partial(&self.engines, &target, &body).await);
        }
        let answer = self.engines.call(&target, &headers, body).await;
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
        let role = role::in_force();
        let target = request.headers().get("x-amz-target").map(str::to_owned);
        let authorization = request.headers().get("authorization");
        let of_path = || {
            let uri = request.uri().parse::<http::Uri>().ok()?;
            service::target(request.method(), uri.path(), uri.query(), authorization)
        };
        let target = target.or_else(of_path).unwrap_or_default();
        let headers = request.headers().iter().filter_map(|(name, value)| {
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
        });
        let headers: HeaderMap = headers.collect();
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            // Read as a connection would: the SDK gives up a call whose request it sees nobody read, and a receive may
            // wait for longer than it has patience.
            let body = request.into_body().collect().await.map_err(ConnectorError::user)?;
            respond(this.answer(target, headers, body.to_bytes(), role).await?)
        })
    }
}

fn respond(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    let mut response = http::Response::builder()
        .status(answer.status)
        .header("content-type", &*answer.content_type)
        .header("x-amzn-requestid", request_id());
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let response = response.body(SdkBody::from(answer.body)).map_err(|e| ConnectorError::other(e.into(), None))?;
    HttpResponse::try_from(response).map_err(|e| ConnectorError::other(e.into(), None))
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
