//! The part of an answer that is kept: the beginning of the body, and how long the receiver asks to be left alone.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout_at};

/// Bytes of a body that are read, at the most: a shorter body leaves the connection usable.
const MAX_READ: usize = 64 * 1024;
/// Bytes of a body that are kept, at the most.
const MAX_KEPT: usize = 4 * 1024;
/// The longest `Retry-After` that is waited for: as long as the longest of our own waits between attempts.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(12 * 60 * 60);

/// The first 4 KiB of a body. Reads what there is until the deadline. How a body goes on changes nothing: the receiver
/// has said its verdict in the head, and to send again what it took would be worse. With what is not read the connection
/// is dropped.
pub(super) async fn read(mut body: Incoming, deadline: Instant) -> String {
    let (mut kept, mut size) = (Vec::new(), 0);
    while size < MAX_READ && !body.is_end_stream() {
        let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await else { break };
        let Some(data) = frame.data_ref() else { continue };
        size += data.len();
        // A character more, so that one that is cut at 4 KiB is not taken for a broken one.
        let room = (MAX_KEPT + 4).saturating_sub(kept.len());
        kept.extend(data.iter().take(room));
    }
    text(&kept)
}

fn text(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(bytes).replace('\0', "");
    text.truncate(text.floor_char_boundary(MAX_KEPT));
    text
}

/// How long a receiver that is busy asks to be left alone (RFC 9110 §10.2.3).
pub(super) fn retry_after(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let asked = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // So many digits that they are no number are too long a time as well.
        text.parse().map_or(MAX_RETRY_AFTER, Duration::from_secs)
    } else {
        let date = httpdate::parse_http_date(text).ok()?;
        date.duration_since(now).unwrap_or(Duration::ZERO)
    };
    Some(asked.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_at_most_4_kib_of_whole_characters() {
        assert_eq!(text(b"a\0b\xffc"), "ab\u{fffd}c");
        let cut = text("ü".repeat(3000).as_bytes());
        assert!(cut.len() == MAX_KEPT && cut.chars().all(|c| c == 'ü'));
        let cut = text(format!("a{}", "ü".repeat(3000)).as_bytes().get(..MAX_KEPT + 4).unwrap());
        assert!(cut.len() == MAX_KEPT - 1 && !cut.contains('\u{fffd}'));
        assert!(text(&[0xff; MAX_KEPT]).len() <= MAX_KEPT);
        assert_eq!(text(&[0; MAX_KEPT]), "");
    }

    #[test]
    fn retry_after_in_its_forms() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let of = |status: u16, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, http::HeaderValue::from_static(value));
            retry_after(StatusCode::from_u16(status).unwrap(), &headers, now).map(|asked| asked.as_secs())
        };
        for (status, value, wanted) in [
            (429, "120", Some(120)),
            (503, "0", Some(0)),
            (503, " 7 ", Some(7)),
            (429, "99999999", Some(43_200)),
            (429, "99999999999999999999999999", Some(43_200)),
            (429, "Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            (503, "Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
            (429, "Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
            (429, "Fri, 31 Dec 9999 23:59:59 GMT", Some(43_200)),
            (429, "+5", None),
            (429, "-5", None),
            (429, "1.5", None),
            (429, "", None),
            (429, "soon", None),
            (200, "120", None),
            (301, "120", None),
            (500, "120", None),
        ] {
            assert_eq!(of(status, value), wanted, "{status} {value}");
        }
        assert_eq!(retry_after(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), now), None);
    }
}
