//! A request's body as it comes in.

use std::pin::pin;

use bytes::{Bytes, BytesMut};
use contract::{Code, Error};
use http::HeaderMap;
use http::header::TRANSFER_ENCODING;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use runtime::Route;
use tokio::time::timeout;

use crate::limits::Limits;

/// Reads a body to its end. One that says itself that it is too large is not read at all, so that a caller who waits
/// for leave (`Expect: 100-continue`) need not send it.
///
/// # Errors
/// `payload_too_large`; `request_timeout` if it stalls; `malformed_request` if it breaks off or has
/// another coding than chunks.
pub async fn read(headers: &HeaderMap, body: Incoming, limits: &Limits) -> Result<Bytes, Error> {
    // A coding besides would be taken for the body itself, and chunks are not chunked again (RFC 9112 §6.1).
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let is_chunked = codings.next().is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    if !is_chunked || codings.next().is_some() {
        let message = "A body may have no other `Transfer-Encoding` than `chunked`, once.";
        return Err(Error::saying(Code::MalformedRequest, message));
    }
    if body.size_hint().lower() > Route::MAX_BODY as u64 {
        return Err(Code::PayloadTooLarge.into());
    }
    let slow = |_| Error::from(Code::RequestTimeout);
    let whole = async {
        let mut body = pin!(Limited::new(body, Route::MAX_BODY));
        let mut whole = BytesMut::new();
        while let Some(frame) = timeout(limits.stall, body.frame()).await.map_err(slow)? {
            match frame {
                Ok(frame) => whole.extend(frame.into_data().ok()),
                Err(error) if error.is::<LengthLimitError>() => return Err(Code::PayloadTooLarge.into()),
                Err(_) => return Err(Error::saying(Code::MalformedRequest, "The body broke off.")),
            }
        }
        Ok(whole.freeze())
    };
    timeout(limits.body, whole).await.map_err(slow)?
}
