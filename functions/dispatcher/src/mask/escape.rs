//! Escapes of JSON, JavaScript, URLs and HTML: characters that are written by a number or a name.

/// HTML's names of what a header's value may hold, but for letters and digits, which have none.
const NAMES: &[(&[u8], u8)] = &[
    (b"Tab", b'\t'),
    (b"excl", b'!'),
    (b"quot", b'"'),
    (b"QUOT", b'"'),
    (b"num", b'#'),
    (b"dollar", b'$'),
    (b"percnt", b'%'),
    (b"amp", b'&'),
    (b"AMP", b'&'),
    (b"apos", b'\''),
    (b"lpar", b'('),
    (b"rpar", b')'),
    (b"ast", b'*'),
    (b"midast", b'*'),
    (b"plus", b'+'),
    (b"comma", b','),
    (b"period", b'.'),
    (b"sol", b'/'),
    (b"colon", b':'),
    (b"semi", b';'),
    (b"lt", b'<'),
    (b"LT", b'<'),
    (b"equals", b'='),
    (b"gt", b'>'),
    (b"GT", b'>'),
    (b"quest", b'?'),
    (b"commat", b'@'),
    (b"lsqb", b'['),
    (b"lbrack", b'['),
    (b"bsol", b'\\'),
    (b"rsqb", b']'),
    (b"rbrack", b']'),
    (b"Hat", b'^'),
    (b"lowbar", b'_'),
    (b"UnderBar", b'_'),
    (b"grave", b'`'),
    (b"DiacriticalGrave", b'`'),
    (b"lcub", b'{'),
    (b"lbrace", b'{'),
    (b"verbar", b'|'),
    (b"vert", b'|'),
    (b"VerticalLine", b'|'),
    (b"rcub", b'}'),
    (b"rbrace", b'}'),
];
const LONGEST_NAME: usize = 16;
/// Those that HTML reads without their `;` too.
const OPEN_NAMES: [&[u8]; 8] = [b"amp", b"AMP", b"lt", b"LT", b"gt", b"GT", b"quot", b"QUOT"];

/// The length of an escape, and what it stands for.
type Escape = Option<(usize, Vec<u8>)>;

/// The escape that a text begins with.
pub(super) fn escape(text: &[u8]) -> Escape {
    match text {
        [b'%', b'u' | b'U', rest @ ..] => character(6, number(rest.get(..4)?, 16)?),
        [b'%', rest @ ..] => Some((3, vec![u8::try_from(number(rest.get(..2)?, 16)?).ok()?])),
        [b'\\', rest @ ..] => numbered(rest).or_else(|| lettered(rest)),
        [b'&', b'#', b'x' | b'X', digits @ ..] => reference(3, digits, 16),
        [b'&', b'#', digits @ ..] => reference(2, digits, 10),
        [b'&', rest @ ..] => named(rest),
        _ => None,
    }
}

/// `\x53`, `\u0053`, `\U00000053`, `\u{53}` and `\123`, after the backslash.
fn numbered(rest: &[u8]) -> Escape {
    let fixed = |count: usize| character(2 + count, number(rest.get(1..=count)?, 16)?);
    match rest {
        [b'u' | b'U' | b'x' | b'X', b'{', digits @ ..] => {
            let count = count(digits, 16);
            (digits.get(count) == Some(&b'}')).then_some(())?;
            character(4 + count, number(&digits[..count], 16)?)
        }
        [b'U', ..] => fixed(8).or_else(|| fixed(4)),
        [b'u', ..] => fixed(4),
        [b'x' | b'X', ..] => fixed(2),
        [first @ b'0'..=b'7', ..] => {
            // Up to `\377`.
            let count = count(rest, 8).min(if *first > b'3' { 2 } else { 3 });
            character(1 + count, number(&rest[..count], 8)?)
        }
        _ => None,
    }
}

/// `\n`, `\"` and the like, after the backslash.
fn lettered(rest: &[u8]) -> Escape {
    let byte = match rest {
        // A line that goes on in the next one.
        [b'\r', b'\n', ..] => return Some((3, Vec::new())),
        [b'\r' | b'\n', ..] => return Some((2, Vec::new())),
        [b'b', ..] => 8,
        [b't', ..] => b'\t',
        [b'n', ..] => b'\n',
        [b'v', ..] => 11,
        [b'f', ..] => 12,
        [b'r', ..] => b'\r',
        [other, ..] => *other,
        [] => return None,
    };
    Some((2, vec![byte]))
}

/// A numeric reference, after so many bytes; HTML reads it with any zeros before it and without its `;` too.
fn reference(before: usize, digits: &[u8], radix: u32) -> Escape {
    let count = count(digits, radix);
    let closed = usize::from(digits.get(count) == Some(&b';'));
    character(before + count + closed, number(&digits[..count], radix)?)
}

fn named(rest: &[u8]) -> Escape {
    let known = |name: &[u8]| NAMES.iter().find(|(known, _)| *known == name).map(|(_, byte)| vec![*byte]);
    if let Some(end) = rest.iter().take(LONGEST_NAME + 1).position(|byte| *byte == b';')
        && let Some(byte) = known(&rest[..end])
    {
        return Some((end + 2, byte));
    }
    let open = OPEN_NAMES.iter().find(|name| rest.starts_with(name))?;
    Some((open.len() + 1, known(open)?))
}

/// How many digits a text begins with.
fn count(text: &[u8], radix: u32) -> usize {
    text.iter().take_while(|byte| char::from(**byte).is_digit(radix)).count()
}

/// What digits say, if they are nothing but that.
fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let all = !digits.is_empty() && count(digits, radix) == digits.len();
    u32::from_str_radix(std::str::from_utf8(digits).ok().filter(|_| all)?, radix).ok()
}

fn character(length: usize, code: u32) -> Escape {
    Some((length, char::from_u32(code)?.to_string().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_stands_for_a_character_in_each_of_its_spellings() {
        for written in [
            "%53",
            "%u0053",
            "%U0053",
            r"\x53",
            r"\u0053",
            r"\U00000053",
            r"\U0053",
            r"\u{53}",
            r"\u{000053}",
            r"\123",
            r"\S",
            "&#83;",
            "&#0000000083;",
            "&#x53;",
            "&#X00000000053;",
            "&#83",
            "&#x53",
        ] {
            assert_eq!(
                escape(format!("{written} and more").as_bytes()),
                Some((written.len(), b"S".to_vec())),
                "{written}"
            );
        }
        for (written, byte) in [
            (r"\0", 0),
            (r"\7", 7),
            (r"\53", b'+'),
            (r"\t", b'\t'),
            ("&amp;", b'&'),
            ("&AMP", b'&'),
            ("&lowbar;", b'_'),
            ("&DiacriticalGrave;", b'`'),
            ("&quot", b'"'),
        ] {
            assert_eq!(escape(format!("{written}, more").as_bytes()), Some((written.len(), vec![byte])), "{written}");
        }
        assert_eq!(escape(br"\4444"), Some((3, b"$".to_vec())));
        assert_eq!(escape(b"\\\r\nS"), Some((3, Vec::new())));
    }

    #[test]
    fn what_is_no_escape_stands_for_itself() {
        for text in
            ["", "S", "%5", "%+5", "%u53", "\\", "&", "&;", "&#;", "&#x;", "&#99999999999;", "&team;", "&colon "]
        {
            assert_eq!(escape(text.as_bytes()), None, "{text}");
        }
    }
}
