//! The headers of an attempt (contract: Webhooks).

use contract::webhook::SignatureFormat;
use contract::{Error, Time};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use signature::{Format, Key, header};
use store::deliveries::{Content, Message, Target};

const AGENT: &str = concat!("Hedgerow-Webhooks/", env!("CARGO_PKG_VERSION"));
const EVENT: &str = "X-Hedgerow-Event";
const REQUEST_ID: &str = "X-Request-Id";

/// The headers of an attempt at this time: those that the webhook's owner chose, and then ours over them.
pub(crate) fn headers(target: &Target, content: &Content, message: &Message, now: Time) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in target.headers.iter() {
        let mut value = HeaderValue::try_from(value.reveal()).map_err(Error::internal)?;
        value.set_sensitive(true);
        headers.insert(HeaderName::try_from(name).map_err(Error::internal)?, value);
    }
    let mut put = |name: &str, value: &str| {
        let name = HeaderName::try_from(name).map_err(Error::internal)?;
        headers.insert(name, HeaderValue::try_from(value).map_err(Error::internal)?);
        Ok::<(), Error>(())
    };
    let keys = target.secrets.iter().map(auth::WebhookSecret::key).collect::<Result<Vec<Key>, _>>();
    let keys =
        keys.map_err(|_| Error::internal("a stored signing secret can't be read: rotate the webhook's secret"))?;
    let (Some(newest), Some(oldest)) = (keys.first(), keys.last()) else {
        return Err(Error::internal("the webhook has no signing secret: rotate its secret"));
    };
    let (id, body, seconds) = (message.event.to_string(), content.body.as_bytes(), now.seconds());
    put(header::ID, &id)?;
    put(header::TIMESTAMP, &seconds.to_string())?;
    put(header::SIGNATURE, &signature::standard(&keys, &id, seconds, body))?;

    // Receivers of this header know one secret: the old one until its grace ends, and who has the new one looks there.
    let (name, format) = match &target.webhook.signature_header {
        None => (header::BODY_SIGNATURE, Format::Sha256Hex),
        Some(renamed) => match renamed.format {
            SignatureFormat::Hex => (renamed.name.as_str(), Format::Hex),
            SignatureFormat::Sha256Hex => (renamed.name.as_str(), Format::Sha256Hex),
        },
    };
    put(name, &signature::body(oldest, format, body))?;
    if keys.len() > 1 {
        put(&format!("{name}{}", header::NEW), &signature::body(newest, format, body))?;
    }
    put(EVENT, &content.event)?;
    put(REQUEST_ID, &content.request_id)?;
    put(USER_AGENT.as_str(), AGENT)?;
    put(CONTENT_TYPE.as_str(), "application/json")?;
    Ok(headers)
}
