//! The `Authorization` header.

/// The token of a header of the scheme `Bearer` (RFC 6750 §2.1): `Bearer`, in any case (RFC 9110 §11.1), blanks, and
/// letters, digits and `-._~+/`, with `=` at the end alone.
#[must_use]
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, rest) = header.trim_matches(BLANKS).split_once(' ')?;
    let token = rest.trim_start_matches(' ');
    let text = token.trim_end_matches('=');
    let known = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
    (scheme.eq_ignore_ascii_case("bearer") && !text.is_empty() && text.bytes().all(known)).then_some(token)
}

/// What may stand around a header's value (RFC 9110 §5.5).
const BLANKS: [char; 2] = [' ', '\t'];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_a_bearer_and_what_is_not() {
        for good in ["Bearer a.b-c_d~e+f/g==", "bearer   a.b-c_d~e+f/g==", " \tBEARER a.b-c_d~e+f/g==\t "] {
            assert_eq!(bearer(good), Some("a.b-c_d~e+f/g=="), "{good}");
        }
        for bad in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer =",
            "Bearer a b",
            "Bearer\ta",
            "Bearer \ta",
            "Bearer a=b",
            "Bearer é",
            "Basic a",
            "a",
            "Bearera",
        ] {
            assert_eq!(bearer(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_read_as_the_grammar_has_it(
            header in prop_oneof![any::<String>(), "[bB][eE][aA][rR][eE][rR] {0,3}[A-Za-z0-9._~+/=-]{0,9}", "[ \t]*Bearer [ -~]{0,9}"]
        ) {
            let trimmed = header.trim_matches([' ', '\t']);
            let grammar = spelt_out(trimmed);
            prop_assert_eq!(bearer(&header), grammar);
        }
    }

    /// The grammar once more, character by character.
    fn spelt_out(text: &str) -> Option<&str> {
        let bytes = text.as_bytes();
        if bytes.len() < 7 || !bytes[..6].eq_ignore_ascii_case(b"bearer") {
            return None;
        }
        let blanks = bytes[6..].iter().take_while(|b| **b == b' ').count();
        let token = text.get(6 + blanks..).filter(|_| blanks > 0)?;
        let end = token.bytes().position(|b| b == b'=').unwrap_or(token.len());
        let (before, after) = token.split_at(end);
        let letters = before
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'+' | b'/'));
        (end > 0 && letters && after.bytes().all(|b| b == b'=')).then_some(token)
    }
}
