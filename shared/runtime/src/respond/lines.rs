//! Answers that are longer than anyone wants to hold: JSON lines, piece by piece.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use contract::{Code, Error};
use futures_util::{Stream, StreamExt as _, stream};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use schemars::JsonSchema;
use store::audit::Lines;

use super::{Answer, NoContent, Reply};
use crate::spec::operation::OperationSpec;

/// The pieces of a body, in their order. After an error nothing comes: what was sent is not all.
/// Behind a lock that nobody waits for: an answer may be looked at from any thread.
pub struct Pieces(Mutex<Boxed>);

type Boxed = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

impl Pieces {
    /// Those of a stream.
    pub fn of(stream: impl Stream<Item = Result<Bytes, Error>> + Send + 'static) -> Self {
        Self(Mutex::new(Box::pin(stream)))
    }

    /// The next one.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).next().await
    }
}

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// 200 with a resource a line.
pub struct JsonLines<T>(Pieces, PhantomData<fn() -> T>);

impl<T> JsonLines<T> {
    /// Those of a log.
    #[must_use]
    pub fn of(lines: Lines) -> Self {
        let next = |mut lines: Lines| async move {
            let piece = lines.next().await?;
            Ok(piece.map(|piece| (Bytes::from(piece), lines)))
        };
        Self(Pieces::of(stream::try_unfold(lines, next)), PhantomData)
    }
}

impl<T: JsonSchema> Answer for JsonLines<T> {
    fn describe(operation: &mut OperationSpec) {
        operation.answers_lines::<T>();
    }
    fn into_reply(self) -> Result<Reply, Error> {
        let mut reply = Reply { status: 200, pieces: Some(self.0), ..NoContent.into_reply()? };
        reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/jsonl"));
        let name = HeaderValue::from_static("attachment; filename=\"audit-log.jsonl\"");
        reply.headers.insert(CONTENT_DISPOSITION, name);
        Ok(reply)
    }
}

impl Reply {
    /// The same with its body in one, of at most so many bytes as they stand in JSON.
    ///
    /// # Errors
    /// `payload_too_large` if it has more; whatever keeps it from being made.
    pub(crate) async fn in_one(mut self, most: usize) -> Result<Self, Error> {
        let Some(mut pieces) = self.pieces.take() else { return Ok(self) };
        let mut quoted = 0;
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            quoted += piece.len() + piece.iter().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n')).count();
            if quoted > most {
                let message = "This is too much for one answer. Ask for fewer days, by `from` and `to`.";
                return Err(Error::saying(Code::PayloadTooLarge, message));
            }
            self.body.extend_from_slice(&piece);
        }
        Ok(self)
    }
}
