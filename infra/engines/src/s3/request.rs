//! A request to S3: the bucket and the key in its path, and what its query says.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Uri};

use super::{BUCKET, PREFIX, Refusal};

/// A key has at most so many bytes.
const LONGEST_KEY: usize = 1024;

/// A request, taken apart.
pub(super) struct Request<'r> {
    pub(super) method: &'r str,
    /// The key of an object; empty, if it is about the bucket.
    pub(super) key: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: &'r HeaderMap,
    pub(super) body: &'r Bytes,
}

impl Request<'_> {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Whether a request is signed for S3, in its header or its address: it has no path of its own to be known by.
pub(crate) fn is_s3(authorization: Option<&str>, query: Option<&str>) -> bool {
    let scope = |text: &str, between: &str| text.contains(&format!("{between}s3{between}aws4_request"));
    authorization.is_some_and(|text| scope(text, "/"))
        || query.is_some_and(|text| scope(text, "%2F") || scope(text, "/"))
}

/// The bucket and what lies in it that a target names, as grants have it: `bucket/key`, of a list its prefix.
pub(crate) fn path_of(target: &str) -> Option<String> {
    let (method, uri) = target.strip_prefix(PREFIX)?.split_once(' ')?;
    let uri: Uri = uri.parse().ok()?;
    let (bucket, key) = split(uri.path())?;
    let below =
        if key.is_empty() && method == "GET" { query_of(&uri).remove("prefix").unwrap_or_default() } else { key };
    Some(format!("{bucket}/{below}"))
}

pub(super) fn read<'r>(target: &'r str, headers: &'r HeaderMap, body: &'r Bytes) -> Result<Request<'r>, Refusal> {
    let parts = target.strip_prefix(PREFIX).and_then(|target| target.split_once(' '));
    let (method, uri) = parts.ok_or_else(Refusal::unknown_operation)?;
    let uri: Uri = uri.parse().map_err(|_| Refusal::argument("The address can't be read."))?;
    let (bucket, key) = split(uri.path()).ok_or_else(|| Refusal::argument("The key is not UTF-8."))?;
    if bucket != BUCKET {
        return Err(Refusal::bucket("The specified bucket does not exist"));
    }
    if key.len() > LONGEST_KEY {
        return Err(Refusal::key_length("Your key is too long"));
    }
    Ok(Request { method, key, query: query_of(&uri), headers, body })
}

/// `/bucket/key`, decoded.
fn split(path: &str) -> Option<(String, String)> {
    let decoded = percent_encoding::percent_decode_str(path.strip_prefix('/')?).decode_utf8().ok()?.into_owned();
    let (bucket, key) = decoded.split_once('/').unwrap_or((&decoded, ""));
    Some((bucket.to_owned(), key.to_owned()))
}

fn query_of(uri: &Uri) -> BTreeMap<String, String> {
    let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}
