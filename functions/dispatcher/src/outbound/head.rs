//! The head of an answer, as receivers write it and as hyper takes it.
//!
//! The head is the verdict (contract: Webhooks), so nothing in it that does not change the verdict may fail an attempt:
//! folded lines, a blank before a colon, names and values of any bytes, any number of headers, framing that contradicts
//! itself. hyper refuses some of these, so it is handed the status, what frames the body and `Retry-After` alone.

use contract::webhook::AttemptError;
use http::StatusCode;

use super::failure::Failure;

/// Bytes of a head at the most.
pub(super) const MAX_HEAD: usize = 64 * 1024;
const BEGINNING: &[u8] = b"HTTP/1.";

/// Collects a head until all of it is there.
#[derive(Default)]
pub(super) struct HeadReader {
    buffer: Vec<u8>,
    /// No head ends within this many of the first bytes.
    searched: usize,
}

impl HeadReader {
    /// Takes what has arrived. Gives what hyper is to read once that is known: the head in its plainest form with what
    /// came after it, or all bytes as they are if they are no HTTP/1, which hyper refuses.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        self.buffer.extend_from_slice(bytes);
        loop {
            // RFC 9112 §2.2: an empty line before a message is skipped.
            let blank = self.buffer.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.buffer.drain(..blank);
            if !self.buffer.starts_with(BEGINNING) && !BEGINNING.starts_with(&self.buffer) {
                return Ok(Some(std::mem::take(&mut self.buffer)));
            }
            let end = end_of_head(&self.buffer, self.searched);
            if end.unwrap_or(self.buffer.len()) > MAX_HEAD {
                let too_long = || Failure::new(AttemptError::Http, "the head of the answer is too long");
                return self.cut().ok_or_else(too_long).map(Some);
            }
            let Some(end) = end else {
                self.searched = self.buffer.len();
                return Ok(None);
            };
            let Some(head) = Head::parse(&self.buffer[..end]) else {
                return Ok(Some(std::mem::take(&mut self.buffer)));
            };
            let rest = self.buffer.split_off(end);
            if !head.is_interim() {
                return Ok(Some([head.plain().into_bytes(), rest].concat()));
            }
            (self.buffer, self.searched) = (rest, 0);
        }
    }

    /// What hyper is to read if the head goes on for too long, or no more of it comes. Its status line is the verdict
    /// all the same: who wrote it has taken the request or refused it. Nothing if there is none.
    pub(super) fn cut(&mut self) -> Option<Vec<u8>> {
        self.buffer.truncate(MAX_HEAD);
        // What is cut off in the middle of a line may say something else.
        let lines = self.buffer.iter().rposition(|byte| *byte == b'\n')?;
        match Head::parse(&self.buffer[..lines]) {
            Some(head) if head.is_interim() => None,
            Some(head) => Some(head.without_body().plain().into_bytes()),
            None => Some(std::mem::take(&mut self.buffer)),
        }
    }
}

/// Where the empty line after a head ends, if it is there. Lines end with LF, with or without CR (RFC 9112 §2.2).
fn end_of_head(bytes: &[u8], searched: usize) -> Option<usize> {
    (searched.saturating_sub(2)..bytes.len()).find_map(|at| match bytes[at..] {
        [b'\n', b'\n', ..] => Some(at + 2),
        [b'\n', b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

struct Head {
    status: StatusCode,
    is_http_1_0: bool,
    /// Names in lower case and values, unfolded.
    fields: Vec<(String, String)>,
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = bytes.split(|byte| *byte == b'\n').map(String::from_utf8_lossy);
        let first = lines.next()?;
        let (version, rest) = first.trim_end().split_once(' ')?;
        let (code, _) = rest.trim_start().split_once([' ', '\t']).unwrap_or((rest.trim_start(), ""));
        if code.len() != 3 || !version.bytes().skip(BEGINNING.len()).all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in lines {
            // RFC 9112 §5.2: a line that begins with a blank goes on with the one before.
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut() {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                continue;
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
        Some(Self { status: code.parse().ok()?, is_http_1_0: version == "HTTP/1.0", fields })
    }

    /// Whether another head follows (RFC 9110 §15.2). After 101 none does.
    fn is_interim(&self) -> bool {
        self.status.is_informational() && self.status != StatusCode::SWITCHING_PROTOCOLS
    }

    /// The same with nothing after it, on a connection that carries no other.
    fn without_body(mut self) -> Self {
        self.fields.retain(|(name, _)| name == "retry-after");
        let framing = [("content-length", "0"), ("connection", "close")];
        self.fields.extend(framing.map(|(name, value)| (name.to_owned(), value.to_owned())));
        self
    }

    /// The elements of a field that is a list, in lower case.
    fn list(&self, name: &str) -> Vec<String> {
        let values = self.fields.iter().filter(|(other, _)| other == name).flat_map(|(_, value)| value.split(','));
        values.map(|element| element.trim().to_ascii_lowercase()).filter(|element| !element.is_empty()).collect()
    }

    fn plain(&self) -> String {
        let (codings, lengths) = (self.list("transfer-encoding"), self.list("content-length"));
        let connection = self.list("connection");
        let says = |option: &str| connection.iter().any(|said| said == option);
        let mut close = says("close") || (self.is_http_1_0 && !says("keep-alive"));
        let mut plain = format!("HTTP/1.1 {} \r\n", self.status.as_u16());
        // RFC 9112 §6.3: codings overrule the length. A body whose end can't be told ends with its connection.
        if let Some(last) = codings.last() {
            if last == "chunked" && !self.is_http_1_0 {
                plain.push_str("transfer-encoding: chunked\r\n");
            }
            close |= self.is_http_1_0 || !lengths.is_empty();
        } else if let Some(length) = length(&lengths) {
            plain.push_str(&format!("content-length: {length}\r\n"));
        } else {
            close |= !lengths.is_empty();
        }
        if close {
            plain.push_str("connection: close\r\n");
        }
        let visible = |value: &str| value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if let Some((_, value)) = self.fields.iter().find(|(name, value)| name == "retry-after" && visible(value)) {
            plain.push_str(&format!("retry-after: {value}\r\n"));
        }
        plain + "\r\n"
    }
}

/// The length that a body has, if all that is said of it is one number that hyper can count to.
fn length(said: &[String]) -> Option<i64> {
    let (first, others) = said.split_first()?;
    let is_number = first.bytes().all(|byte| byte.is_ascii_digit()) && others.iter().all(|other| other == first);
    if is_number { first.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(bytes: &[u8]) -> Option<String> {
        HeadReader::default().take(bytes).unwrap().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    #[test]
    fn a_head_in_its_plainest_form() {
        for (given, wanted) in [
            ("200 OK\r\ncontent-length: 2\r\n\r\nok", "200 \r\ncontent-length: 2\r\n\r\nok"),
            ("200\ncontent-length: 2\n\nok", "200 \r\ncontent-length: 2\r\n\r\nok"),
            ("200 OK\r\nx: a\r\n\tb\r\nContent-Length:\r\n 2\r\n\r\nok", "200 \r\ncontent-length: 2\r\n\r\nok"),
            ("204 \r\nCONNECTION : Close\r\n\r\n", "204 \r\nconnection: close\r\n\r\n"),
            ("200 OK\r\ncontent-length: 2\r\ncontent-length: 2, 2\r\n\r\n", "200 \r\ncontent-length: 2\r\n\r\n"),
            ("200 OK\r\ncontent-length: 2, 3\r\n\r\n", "200 \r\nconnection: close\r\n\r\n"),
            ("200 OK\r\ncontent-length: +2\r\n\r\n", "200 \r\nconnection: close\r\n\r\n"),
            ("200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n", "200 \r\nconnection: close\r\n\r\n"),
            (
                "200 OK\r\ntransfer-encoding: gzip\r\ntransfer-encoding: Chunked\r\ncontent-length: 2\r\n\r\n",
                "200 \r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n",
            ),
            ("200 OK\r\ntransfer-encoding: gzip\r\n\r\n", "200 \r\n\r\n"),
            ("503 \r\nretry-after : 7\r\n\r\n", "503 \r\nretry-after: 7\r\n\r\n"),
            ("503 \r\nretry-after: 7\x1f\r\n\r\n", "503 \r\n\r\n"),
            ("100 \r\n\r\n\r\nHTTP/1.1 102 X\r\na: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\nok", "200 \r\n\r\nok"),
            ("101 X\r\nupgrade: x\r\n\r\n", "101 \r\n\r\n"),
        ] {
            let (given, wanted) = (format!("HTTP/1.1 {given}"), format!("HTTP/1.1 {wanted}"));
            assert_eq!(plain(given.as_bytes()).as_deref(), Some(&*wanted), "{given:?}");
        }
        let old = |rest: &str| plain(format!("HTTP/1.0 200 OK\r\n{rest}\r\n").as_bytes()).unwrap();
        assert_eq!(old("connection: keep-alive\r\n"), "HTTP/1.1 200 \r\n\r\n");
        assert_eq!(old("transfer-encoding: chunked\r\n"), "HTTP/1.1 200 \r\nconnection: close\r\n\r\n");
    }

    #[test]
    fn what_is_no_head_stays_as_it_is() {
        for given in ["SSH-2.0", "{}", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 2 OK\r\n\r\n", "HTTP/1.1\r\n\r\n"] {
            assert_eq!(plain(given.as_bytes()).as_deref(), Some(given));
        }
        for part in ["", "\r\n", "HT", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n \r\n", "HTTP/1.1 100 X\r\n\r\n"] {
            assert_eq!(plain(part.as_bytes()), None, "{part:?}");
        }
    }

    const CUT: &str = "content-length: 0\r\nconnection: close\r\n";

    #[test]
    fn a_head_that_is_cut_off_has_its_status() {
        let cut = |part: &str| {
            let mut reader = HeadReader::default();
            assert_eq!(reader.take(part.as_bytes()).unwrap(), None, "{part:?}");
            reader.cut().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        for (part, wanted) in [
            ("HTTP/1.1 200 OK\r\n", Some(format!("HTTP/1.1 200 \r\n{CUT}\r\n"))),
            ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\nx", Some(format!("HTTP/1.1 200 \r\n{CUT}\r\n"))),
            ("HTTP/1.0 410\ntransfer-encoding: chunked\n", Some(format!("HTTP/1.1 410 \r\n{CUT}\r\n"))),
            ("HTTP/1.1 503 X\r\nretry-after: 7\r\nx: y", Some(format!("HTTP/1.1 503 \r\n{CUT}retry-after: 7\r\n\r\n"))),
            ("HTTP/1.1 503 X\r\nretry-after: 7", Some(format!("HTTP/1.1 503 \r\n{CUT}\r\n"))),
            ("HTTP/1.1 100 X\r\n\r\nHTTP/1.1 200 OK\r\n", Some(format!("HTTP/1.1 200 \r\n{CUT}\r\n"))),
            ("HTTP/1.1 2 OK\r\n", Some("HTTP/1.1 2 OK\r\n".to_owned())),
            ("HTTP/1.1 100 X\r\n", None),
            ("HTTP/1.1 100 X\r\n\r\n", None),
            ("HTTP/1.1 200 OK", None),
            ("HTTP/1.1 20", None),
            ("", None),
        ] {
            assert_eq!(cut(part), wanted, "{part:?}");
        }
    }

    #[test]
    fn a_head_that_is_too_long_has_its_status() {
        let much = "a".repeat(MAX_HEAD);
        for (given, wanted) in [
            (format!("HTTP/1.1 200 OK\r\nx: {much}"), Some(format!("HTTP/1.1 200 \r\n{CUT}\r\n"))),
            (format!("HTTP/1.1 200 OK\r\nx: {much}\r\n\r\nok"), Some(format!("HTTP/1.1 200 \r\n{CUT}\r\n"))),
            (format!("HTTP/1.1 100 X\r\nx: {much}\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), None),
            (format!("HTTP/1.1 200 {much}"), None),
        ] {
            let read = HeadReader::default().take(given.as_bytes()).ok().flatten();
            assert_eq!(read.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()), wanted);
        }
    }

    proptest! {
        /// However it arrives, it is read as if it had come at once.
        #[test]
        fn a_head_may_come_in_any_pieces(
            head in "(HTTP/1.1 100 X\r?\n\r?\n)?(HTTP/1\\.[019] {1,2}[0-9]{3}( OK)?\r?\n)?([ -~\\PC\t\r]{0,20}(: ?[ -~]{0,9})?\r?\n){0,5}\r?\n.{0,9}",
            cuts in prop::collection::vec(0.0..1.0f64, 0..6),
        ) {
            let bytes = head.as_bytes();
            let at_once = HeadReader::default().take(bytes).unwrap();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| (cut * bytes.len() as f64) as usize).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let (mut reader, mut read): (HeadReader, Option<Vec<u8>>) = Default::default();
            for pair in cuts.windows(2) {
                let piece = &bytes[pair[0]..pair[1]];
                match &mut read {
                    Some(read) => read.extend_from_slice(piece),
                    None => read = reader.take(piece).unwrap(),
                }
            }
            prop_assert_eq!(read, at_once);
        }
    }
}
