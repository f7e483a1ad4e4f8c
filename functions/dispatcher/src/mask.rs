//! The part of an answer that may be recorded: a receiver that echoes requests, or what it checks them by, must not show
//! the values of the webhook's headers and its secrets to everyone who may read its deliveries.
//!
//! One rule: what holds [`RUN`] bytes in a row of one, however often and in whichever way it was encoded, is masked.
//! So it does not matter whether a value is echoed whole, without its scheme, or cut off.

use std::collections::HashSet;
use std::ops::Range;

use self::escape::escape;

mod escape;

/// Fewer bytes of a value tell little, and stand in many answers by chance.
const RUN: usize = 8;
/// Encodings within each other that are looked through: JSON in base64 in a URL, say.
const MAX_DEPTH: usize = 3;
/// What stands for what was masked.
const MASK: &str = "…";

/// An answer without the secrets in it.
pub(crate) fn masked<'a>(response: &str, secrets: impl Iterator<Item = &'a str>) -> String {
    // What a secret itself encodes is one as well: `Basic` has a password.
    let secret: HashSet<u64> = secrets
        .flat_map(|secret| readings(secret, 1))
        .flat_map(|reading| reading.runs().map(|(run, _)| run).collect::<Vec<_>>())
        .collect();
    if secret.is_empty() {
        return response.to_owned();
    }
    let mut hidden = vec![false; response.len()];
    for reading in readings(response, MAX_DEPTH) {
        for (_, range) in reading.runs().filter(|(run, _)| secret.contains(run)) {
            hidden[range].fill(true);
        }
    }
    let mut text = String::with_capacity(response.len());
    for (at, character) in response.char_indices() {
        if !hidden[at] {
            text.push(character);
        } else if at == 0 || !hidden[at - 1] {
            text.push_str(MASK);
        }
    }
    text
}

/// A text as it is, and all that it may be decoded to.
fn readings(text: &str, depth: usize) -> Vec<Reading> {
    let mut all = vec![Reading::of(text)];
    let mut decoded = 0;
    for _ in 0..depth {
        let further: Vec<Reading> = all[decoded..].iter().flat_map(Reading::decodings).collect();
        decoded = all.len();
        all.extend(further);
    }
    all
}

/// Bytes, and which bytes of the text each of them was read from.
#[derive(Default)]
struct Reading {
    bytes: Vec<u8>,
    from: Vec<Range<usize>>,
}

impl Reading {
    fn of(text: &str) -> Self {
        let mut reading = Self::default();
        for (at, character) in text.char_indices() {
            let end = at + character.len_utf8();
            text.as_bytes()[at..end].iter().for_each(|byte| reading.push(*byte, at..end));
        }
        reading
    }

    fn push(&mut self, byte: u8, from: Range<usize>) {
        self.bytes.push(byte);
        self.from.push(from);
    }

    /// What it may be an encoding of. Where groups of digits begin is not known, so each offset is tried.
    fn decodings(&self) -> impl Iterator<Item = Self> + '_ {
        let unescaped = std::iter::once_with(|| self.unescaped());
        let base64 = (0..4).flat_map(|skipped| self.digits(6, base64_digit, b"\r\n", skipped));
        let hex = (0..2).flat_map(|skipped| self.digits(4, hex_digit, b" :-", skipped));
        unescaped.chain(base64).chain(hex).filter(|reading| reading.bytes.len() >= RUN)
    }

    /// With each escape of JSON, JavaScript, URLs and HTML replaced by what it stands for; nothing if there are none.
    fn unescaped(&self) -> Self {
        let (mut reading, mut at) = (Self::default(), 0);
        while at < self.bytes.len() {
            let (length, bytes) = escape(&self.bytes[at..]).unwrap_or_else(|| (1, vec![self.bytes[at]]));
            let from = self.from[at].start..self.from[at + length - 1].end;
            bytes.into_iter().for_each(|byte| reading.push(byte, from.clone()));
            at += length;
        }
        if reading.bytes.len() == self.bytes.len() { Self::default() } else { reading }
    }

    /// What stands there in digits of so many bits: every row of them, without its first few.
    fn digits(&self, width: u32, digit: fn(u8) -> Option<u32>, between: &[u8], skipped: usize) -> Vec<Self> {
        let is_row = |byte: &u8| digit(*byte).is_some() || between.contains(byte);
        let mut rows = Vec::new();
        let mut end = 0;
        for row in self.bytes.chunk_by(|one, next| is_row(one) == is_row(next)) {
            let from = &self.from[end..end + row.len()];
            end += row.len();
            let digits = row.iter().zip(from).filter_map(|(byte, from)| Some((digit(*byte)?, from)));
            let mut reading = Self::default();
            // The bits that are no byte yet, how many they are, and where the first of them stands.
            let (mut bits, mut count, mut begin) = (0, 0, 0);
            for (value, from) in digits.skip(skipped) {
                if count == 0 {
                    begin = from.start;
                }
                (bits, count) = ((bits << width | value) & 0xffff, count + width);
                if count >= 8 {
                    count -= 8;
                    reading.push((bits >> count & 0xff) as u8, begin..from.end);
                    begin = from.start;
                }
            }
            rows.push(reading);
        }
        rows
    }

    /// Every [`RUN`] bytes in a row, in the form in which they are compared, and where they were read.
    fn runs(&self) -> impl Iterator<Item = (u64, Range<usize>)> + '_ {
        self.bytes.windows(RUN).zip(self.from.windows(RUN)).map(|(bytes, from)| {
            let run = bytes.iter().fold(0, |run, byte| run << 8 | u64::from(comparable(*byte)));
            (run, from[0].start..from[RUN - 1].end)
        })
    }
}

/// Without case; forms write a blank as `+`.
fn comparable(byte: u8) -> u8 {
    if byte == b'+' { b' ' } else { byte.to_ascii_lowercase() }
}

fn hex_digit(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(16)
}

/// Of either alphabet (RFC 4648 §4 and §5).
fn base64_digit(byte: u8) -> Option<u32> {
    let (first, zero) = match byte {
        b'A'..=b'Z' => (b'A', 0),
        b'a'..=b'z' => (b'a', 26),
        b'0'..=b'9' => (b'0', 52),
        b'+' | b'-' => (byte, 62),
        b'/' | b'_' => (byte, 63),
        _ => return None,
    };
    Some(u32::from(byte - first) + zero)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_echo_of_a_headers_value_is_masked() {
        for (value, answer, wanted) in [
            ("Bearer abc", "1: Bearer abc, Bearer abcd, Bearer", "1: …, …d, Bearer"),
            ("Bearer abc", "cut: Bearer a", "cut: …"),
            ("Bearer abc", "no: Bearer ", "no: Bearer "),
            ("1", "1 and 1 is 11", "1 and 1 is 11"),
            ("secret7", "secret7", "secret7"),
            ("Bearer abc", "", ""),
            ("Bearer s3cret-token", "{\"got\":\"s3cret-token\",\"ok\":1}", "{\"got\":\"…\",\"ok\":1}"),
            ("Bearer s3cret-token", "S3CRET-TOKEN", "…"),
            ("Bearer s3cret-token", "auth=Bearer%20s3cret%2Dtoken&x=%20", "auth=…&x=%20"),
            ("Bearer s3cret-token", "auth=Bearer+s3cret-token&x=1", "auth=…&x=1"),
            ("Bearer s3cret-token", "größer:s3cret-token größer", "größer:… größer"),
            // base64 and base64url, of the value alone and of what holds it.
            ("s3cret-token", "<czNjcmV0LXRva2Vu>", "<…>"),
            ("a?>?>?>?>?>b", "YT8-Pz4_Pj8-Pz5i YT8+Pz4/Pj8+Pz5i==", "… …=="),
            // Of what is in it.
            ("Basic dXNlcjpzM2NyZXQtcGFzcw==", "welcome user:s3cret-pass!", "welcome …!"),
            // JSON and HTML.
            (r#"s3c"ret/token<&>"#, r#"<s3c\"ret\/token\u003C\u0026\u003e>"#, "<…>"),
            (r#"s3c"ret/token<&>"#, "<s3c&quot;ret&#x2F;token&lt;&amp;&#62;>", "<…>"),
            (r"s3cret\u0041%41&amp;", r"<s3cret\u0041%41&amp;> <s3cret\\u0041%41&amp;>", "<…> <…>"),
            (r#"s3c"ret/token<&>"#, "<s3c&quot;ret&sol;token&lt;&amp&#x0000000003E>", "<…>"),
            // JavaScript, in its older spellings too.
            ("s3cret-token", r"<\163\x33\u{63}\u{0072}et-token>", "<…>"),
            ("s3cret-token", "<%u0073%u0033%63ret-token>", "<…>"),
            ("s3cret-token", "<s3cret\\\n-token>", "<…>"),
            ("s3cret\ttoken", r"<s3cret\ttoken>", "<…>"),
            // hex, as it is dumped too.
            ("s3cret-token", "<733363726574 2d746f6b656e>", "<…>"),
            ("s3cret-token", "<73:33:63:72:65:74:2D:74:6F:6B:65:6E>", "<…>"),
        ] {
            assert_eq!(masked(answer, [value].into_iter()), wanted, "{value:?} in {answer:?}");
        }
        let two = ["first-secret", "another-one"].into_iter();
        assert_eq!(masked("first-secret,another-one; first-secretanother-one", two), "…,…; …");
    }

    type Encode = fn(&[u8]) -> String;

    fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
        let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
        let digit = |bits: &[u8]| (0..6).fold(0, |value, at| value << 1 | usize::from(*bits.get(at).unwrap_or(&0)));
        bits.chunks(6).map(|bits| char::from(alphabet[digit(bits)])).collect()
    }

    fn each(bytes: &[u8], write: fn(char) -> String) -> String {
        String::from_utf8_lossy(bytes).chars().map(write).collect()
    }

    const ENCODINGS: &[Encode] = &[
        |bytes| String::from_utf8_lossy(bytes).into_owned(),
        |bytes| base64(bytes, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
        |bytes| base64(bytes, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
        |bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        |bytes| bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
        |bytes| bytes.iter().map(|byte| format!("%{byte:02X}")).collect(),
        |bytes| each(bytes, |c| if c.is_ascii_alphanumeric() { c.into() } else { format!("%{:02x}", u32::from(c)) }),
        |bytes| each(bytes, |c| format!("\\u{:04x}", u32::from(c))),
        |bytes| each(bytes, |c| if matches!(c, '"' | '\\' | '/') { format!("\\{c}") } else { c.into() }),
        |bytes| each(bytes, |c| format!("\\u{{{:x}}}", u32::from(c))),
        |bytes| each(bytes, |c| format!("\\{:03o}", u32::from(c))),
        |bytes| each(bytes, |c| format!("%u{:04X}", u32::from(c))),
        |bytes| each(bytes, |c| format!("&#{};", u32::from(c))),
        |bytes| each(bytes, |c| format!("&#{:010};", u32::from(c))),
        |bytes| each(bytes, |c| if c.is_ascii_alphanumeric() { c.into() } else { format!("&#x{:X};", u32::from(c)) }),
    ];

    proptest! {
        /// A value in any two encodings within each other, amid other text, leaves nothing but that.
        #[test]
        fn echoes_are_masked_in_every_encoding(
            value in "[!-~]{8,60}",
            around in "[a-z]{0,4}",
            upper in any::<bool>(),
            inner in prop::sample::select(ENCODINGS),
            outer in prop::sample::select(ENCODINGS),
        ) {
            let echoed = if upper { value.to_ascii_uppercase() } else { value.clone() };
            let encode = |text: String| outer(inner(text.as_bytes()).as_bytes());
            let echo = encode(format!("{around}{echoed}{around}"));
            let masked = masked(&format!("before: <{echo}> after"), [value.as_str()].into_iter());
            prop_assert!(masked.starts_with("before: <") && masked.ends_with("> after"), "{masked}");
            // In base64 a character may hold bits of both.
            let shared = if around.is_empty() { 0 } else { 36 };
            let left = 2 * encode(around).len() + shared;
            prop_assert!(masked.len() <= "before: <…> after".len() + left, "{masked}");
        }

        /// Whatever is answered, what is recorded is it with parts left out.
        #[test]
        fn nothing_else_changes(value in "[ -~]{0,20}", answer in "\\PC{0,200}") {
            let value = format!("a{value}b");
            let masked = masked(&answer, [value.as_str()].into_iter());
            let mut rest = answer.as_str();
            for part in masked.split(MASK) {
                let at = rest.find(part).unwrap();
                rest = &rest[at + part.len()..];
            }
        }
    }
}
