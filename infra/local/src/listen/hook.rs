//! The webhook that a receiver makes for itself, for as long as it runs.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::given;
use crate::services::StartError;

const WEBHOOKS: &str = "/api/v1/webhooks";

/// A webhook.
pub(super) struct Hook {
    pub(super) id: String,
    pub(super) secret: String,
    authority: String,
    key: String,
}

impl Hook {
    /// Makes one.
    pub(super) async fn create(api: &str, key: &str, url: &str, events: &[String]) -> Result<Self, StartError> {
        let api: Uri = api.parse()?;
        let authority = api.authority().filter(|_| api.scheme_str() == Some("http")).ok_or("--api must be http://…")?;
        let port = authority.port_u16().unwrap_or(80);
        let mut hook = Self {
            id: String::new(),
            secret: String::new(),
            authority: format!("{}:{port}", authority.host()),
            key: given::secret(key)?,
        };
        let body = json!({ "url": url, "events": events, "description": "hedgerow listen" });
        let (status, answer) = hook.call(Method::POST, WEBHOOKS, Some(body)).await?;
        let member = |name: &str| answer["data"][name].as_str().map(str::to_owned);
        match (member("id"), member("secret")) {
            (Some(id), Some(secret)) if status == StatusCode::CREATED => (hook.id, hook.secret) = (id, secret),
            _ => return Err(format!("the webhook could not be made: {status} {answer}").into()),
        }
        Ok(hook)
    }

    /// Deletes it.
    pub(super) async fn delete(&self) -> Result<(), StartError> {
        let (status, answer) = self.call(Method::DELETE, &format!("{WEBHOOKS}/{}", self.id), None).await?;
        if status == StatusCode::NO_CONTENT || status == StatusCode::NOT_FOUND {
            return Ok(());
        }
        Err(format!("the webhook {} could not be deleted: {status} {answer}", self.id).into())
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<(StatusCode, Value), StartError> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", self.authority);
        let stream = TcpStream::connect(&self.authority).await.map_err(|error| failed(&error))?;
        let (mut api, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = Request::builder().method(method).uri(path).header(HOST, &self.authority);
        let request = request.header("x-api-key", &self.key).header(CONTENT_TYPE, "application/json");
        let answer = api.send_request(request.body(Full::new(body))?).await.map_err(|error| failed(&error))?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok((parts.status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}
