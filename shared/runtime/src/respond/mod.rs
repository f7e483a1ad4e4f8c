//! Answers: what handlers give, and what goes out.

pub mod headers;
pub mod rate_limit;

use contract::resource::Resource;
use contract::{Code, Error};
use http::header::{CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, WWW_AUTHENTICATE};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::idempotency::Remembered;
use store::page::Page;

use crate::spec::operation::OperationSpec;

/// What goes out, before the headers that all answers carry.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers of this answer.
    pub headers: HeaderMap,
    /// The body; none on 204.
    pub body: Vec<u8>,
    /// Members of `data` that must not be remembered.
    secrets: &'static [&'static str],
}

impl Reply {
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(body).map_err(Error::internal)?;
        let mut reply = Self { status, headers: HeaderMap::new(), body, secrets: &[] };
        reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(reply)
    }

    fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// An error as an answer. It may echo what the caller sent; a credential in that is cut, since answers are logged.
    #[must_use]
    pub fn of_error(error: &Error, request_id: &str) -> Self {
        let reply = Self::json(error.code().status(), &error.body(request_id));
        let Ok(mut reply) = reply else {
            return Self { status: 500, headers: HeaderMap::new(), body: Vec::new(), secrets: &[] };
        };
        reply.body = auth::mask(&String::from_utf8_lossy(&reply.body)).into_owned().into_bytes();
        match (error.code(), error.header()) {
            (Code::Unauthenticated, _) => reply.with(WWW_AUTHENTICATE, "Bearer"),
            (_, Some((name, value))) => reply.with(HeaderName::from_static(name), value),
            (_, None) => reply,
        }
    }

    /// The answer as it may be kept: secrets become `null`.
    ///
    /// # Errors
    /// `internal` if an answer with secrets can't be read again; then it must not be kept.
    pub(crate) fn to_remember(&self) -> Result<Remembered, Error> {
        let etag = self.headers.get(ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned);
        if self.secrets.is_empty() {
            return Ok(Remembered { status: self.status, etag, body: self.body.clone() });
        }
        let mut body: Value = serde_json::from_slice(&self.body).map_err(Error::internal)?;
        for secret in self.secrets {
            if let Some(secret) = body.get_mut("data").and_then(|data| data.get_mut(secret)) {
                *secret = Value::Null;
            }
        }
        Ok(Remembered { status: self.status, etag, body: serde_json::to_vec(&body).map_err(Error::internal)? })
    }

    pub(crate) fn of_remembered(answer: Remembered) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
        if !answer.body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let reply = Self { status: answer.status, headers, body: answer.body, secrets: &[] };
        match answer.etag {
            Some(etag) => reply.with(ETAG, &etag),
            None => reply,
        }
    }
}

/// What a handler may give.
pub trait Answer: Send {
    /// Tells the API's description what it is.
    fn describe(operation: &mut OperationSpec);

    /// What goes out.
    ///
    /// # Errors
    /// `internal` if it can't be written as JSON.
    fn into_reply(self) -> Result<Reply, Error>;
}

/// The envelope of a success.
#[derive(Serialize)]
struct Envelope<'a, T: Serialize + ?Sized> {
    data: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Meta<'a> {
    next_cursor: Option<&'a str>,
}

fn resource<T: Resource>(status: u16, value: &T) -> Result<Reply, Error> {
    let mut reply = Reply::json(status, &Envelope { data: value, meta: None })?;
    reply.secrets = T::SECRETS;
    Ok(match value.version() {
        Some(version) => reply.with(ETAG, &format!("\"{version}\"")),
        None => reply,
    })
}

macro_rules! resources {
    ($($(#[$about:meta])+ $name:ident $status:literal;)+) => { $(
        $(#[$about])+
        pub struct $name<T>(pub T);

        impl<T: Resource + Send> Answer for $name<T> {
            fn describe(operation: &mut OperationSpec) {
                operation.answers::<T>($status);
            }
            fn into_reply(self) -> Result<Reply, Error> {
                resource($status, &self.0)
            }
        }
    )+ };
}

resources! {
    /// 201 with what was made.
    Created 201;
    /// 200 with what was read, changed or restored.
    Found 200;
    /// 202 with what goes on by itself from here.
    Accepted 202;
}

/// 200 with a page of a list.
pub struct Listed<T>(pub Page<T>);

impl<T: Serialize + JsonSchema + Send> Answer for Listed<T> {
    fn describe(operation: &mut OperationSpec) {
        operation.answers_list::<T>();
    }
    fn into_reply(self) -> Result<Reply, Error> {
        let meta = Some(Meta { next_cursor: self.0.next_cursor.as_deref() });
        Reply::json(200, &Envelope { data: self.0.items.as_slice(), meta })
    }
}

/// 204.
pub struct NoContent;

impl Answer for NoContent {
    fn describe(operation: &mut OperationSpec) {
        operation.answers_nothing();
    }
    fn into_reply(self) -> Result<Reply, Error> {
        Ok(Reply { status: 204, headers: HeaderMap::new(), body: Vec::new(), secrets: &[] })
    }
}

/// 200 with a JSON document of our own, byte for byte.
pub struct Done(pub &'static str);

impl Answer for Done {
    fn describe(operation: &mut OperationSpec) {
        operation.answers_document();
    }
    fn into_reply(self) -> Result<Reply, Error> {
        let mut reply = NoContent.into_reply()?;
        reply.status = 200;
        reply.body = self.0.into();
        reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(reply)
    }
}

/// An answer with headers of its own.
pub struct WithHeaders<A>(pub A, pub HeaderMap);

impl<A: Answer> Answer for WithHeaders<A> {
    fn describe(operation: &mut OperationSpec) {
        A::describe(operation);
    }
    fn into_reply(self) -> Result<Reply, Error> {
        let mut reply = self.0.into_reply()?;
        reply.headers.extend(self.1);
        Ok(reply)
    }
}

/// An answer that also sets a cookie.
pub struct WithCookie<A>(pub A, pub String);

impl<A: Answer> Answer for WithCookie<A> {
    fn describe(operation: &mut OperationSpec) {
        A::describe(operation);
    }
    fn into_reply(self) -> Result<Reply, Error> {
        Ok(self.0.into_reply()?.with(SET_COOKIE, &self.1))
    }
}
