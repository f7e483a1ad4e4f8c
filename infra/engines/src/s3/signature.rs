//! Signed addresses, held to what S3 holds them to: signature version 4 in the query, for a time.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use http::request::Parts;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use subtle::ConstantTimeEq as _;

use super::{ACCESS_KEY, Refusal};

/// How far the clock of whoever signs may be ahead.
const SKEW: Duration = Duration::from_secs(15 * 60);
/// How long an address may live: a week.
const LONGEST: u64 = 7 * 24 * 3600;

/// Checks the signature that a request's address carries, and gives its path and query without it.
pub(super) fn check(parts: &Parts, secret: &str, now: SystemTime) -> Result<String, Refusal> {
    let (ours, rest): (Vec<&str>, Vec<&str>) =
        parts.uri.query().unwrap_or_default().split('&').partition(|pair| pair.starts_with("X-Amz-"));
    let of = |name: &str| {
        let found = ours.iter().find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let text = found.and_then(|text| percent_encoding::percent_decode_str(text).decode_utf8().ok());
        text.ok_or_else(|| Refusal::access("Access Denied"))
    };
    if of("X-Amz-Algorithm")? != "AWS4-HMAC-SHA256" {
        return Err(Refusal::argument("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
    }
    let (credential, date, signature) = (of("X-Amz-Credential")?, of("X-Amz-Date")?, of("X-Amz-Signature")?);
    let &[key, day, region, "s3", "aws4_request"] = &credential.split('/').collect::<Vec<_>>()[..] else {
        return Err(Refusal::argument("The credential of the address is none of S3's."));
    };
    let at = DateTime::strptime("%Y%m%dT%H%M%SZ", &*date).and_then(|at| at.to_zoned(TimeZone::UTC));
    let at: Timestamp = at.map_err(|_| Refusal::argument("X-Amz-Date must be in the ISO8601 Long Format"))?.timestamp();
    let expires = of("X-Amz-Expires")?.parse::<u64>().ok().filter(|seconds| (1..=LONGEST).contains(seconds));
    let expires = Duration::from_secs(expires.ok_or_else(|| {
        Refusal::argument(format!("X-Amz-Expires must be a number of seconds, {LONGEST} at the most"))
    })?);
    let at = SystemTime::from(at);
    if at > now + SKEW || at + expires < now {
        return Err(Refusal::access("Request has expired"));
    }
    let wrong = || Refusal::signature("The request signature we calculated does not match the signature you provided.");
    if key != ACCESS_KEY || !date.starts_with(day) {
        return Err(wrong());
    }
    let host = parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).ok_or_else(wrong)?;
    let rest = rest.join("&");
    let target = if rest.is_empty() { parts.uri.path().to_owned() } else { format!("{}?{rest}", parts.uri.path()) };
    let signed = of("X-Amz-SignedHeaders")?.into_owned();
    let names = signed.split(';').filter(|name| *name != "host");
    let headers = names.map(|name| Some((name, parts.headers.get(name)?.to_str().ok()?)));
    let headers = headers.collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
    let expected = signature_of(&Signed {
        method: parts.method.as_str(),
        address: &format!("http://{host}{target}"),
        headers: &headers,
        region,
        secret,
        at,
        expires,
    });
    let same = expected.is_some_and(|expected| bool::from(expected.as_bytes().ct_eq(signature.as_bytes())));
    if same { Ok(target) } else { Err(wrong()) }
}

/// What is signed, and by what.
struct Signed<'s> {
    method: &'s str,
    address: &'s str,
    headers: &'s [(&'s str, &'s str)],
    region: &'s str,
    secret: &'s str,
    at: SystemTime,
    expires: Duration,
}

/// The signature, as the SDK makes it.
fn signature_of(of: &Signed<'_>) -> Option<String> {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(of.expires);
    settings.excluded_headers = None;
    let identity = Credentials::new(ACCESS_KEY, of.secret, None, None, "embedded").into();
    let params = v4::SigningParams::builder().identity(&identity).region(of.region).name("s3").time(of.at);
    let params = params.settings(settings).build().ok()?.into();
    let headers = of.headers.iter().copied();
    let request = SignableRequest::new(of.method, of.address, headers, SignableBody::UnsignedPayload).ok()?;
    Some(sign(request, &params).ok()?.into_parts().1)
}
