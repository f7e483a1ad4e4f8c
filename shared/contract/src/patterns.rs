//! Rules of texts as regular expressions, for the API's description: ECMA-262, the basic plane alone, so that they mean the
//! same to engines with and without the flag `u`. What they can't say, the descriptions do.

/// Formats and fillers that no letter needs (what prose refuses wherever it stands), as a part of a character class.
const HIDDEN: &str = r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb";
/// C0 and C1.
const CONTROLS: &str = r"\u0000-\u001f\u007f-\u009f";
/// A number from 1 to 65,535.
pub(crate) const PORT: &str = "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})";
/// From 0 to 255.
pub(crate) const BYTE: &str = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";

/// A text without NUL.
pub(crate) const NO_NUL: &str = r"^[^\u0000]*$";

/// RFC 3339, with at most nine digits of fraction and without leap seconds.
pub(crate) const TIME: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$";

/// A line of text with something to see in it.
pub(crate) fn line() -> String {
    let hidden = format!(r"{CONTROLS}\u2028\u2029{HIDDEN}");
    format!(r"^[^{hidden}]*[^\s{hidden}\u180b-\u180f\u200c\u200d\u2800\ufe00-\ufe0f][^{hidden}]*$")
}

/// Lines of text, perhaps none.
pub(crate) fn lines() -> String {
    format!(r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f{HIDDEN}]*$")
}

/// What [`crate::email`] takes, but for the letters that a script's own rules refuse.
pub(crate) fn email() -> String {
    let atom = format!(r#"[^\s"(),.:;<>@\[\\\]{CONTROLS}{HIDDEN}]+"#);
    // No punctuation of ASCII's but the hyphen, which stands at neither end.
    let letter = format!(r"[^\s\u0021-\u002c./:-@\[-`{{-~\u3002\uff0e\uff61{CONTROLS}{HIDDEN}-]");
    let label = format!("{letter}(({letter}|-){{0,61}}{letter})?");
    format!(r"^\s*(?![^@]{{65}}){atom}(\.{atom})*@({label}[.\u3002\uff0e\uff61])+(?![0-9]){label}\s*$")
}

/// What a field of the type `url` takes, but for names that IDNA refuses.
pub(crate) fn web_address() -> String {
    let label = format!(r"[^\s.#/:<>?@\[\\\]^|%{CONTROLS}{HIDDEN}]+");
    let name = format!(r"(?!{NUMERIC}){label}(\.{label})*\.?");
    let rest = format!(r"[^\\\s{CONTROLS}{HIDDEN}]");
    format!(r"^[Hh][Tt][Tt][Pp][Ss]?://({}|{name}|{IPV6})(:(0*{PORT}|0+))?([/?#]{rest}*)?$", ipv4())
}

/// A host that the URL standard reads as an IPv4 address, since its last label is a number.
const NUMERIC: &str = r"([^/?#:]*\.)?([0-9]+|0[Xx][0-9A-Fa-f]*)\.?([:/?#]|$)";
const IPV6: &str = r"\[[0-9A-Fa-f:.]+\]";

/// Four numbers joined by dots.
pub fn ipv4() -> String {
    format!(r"({BYTE}\.){{3}}{BYTE}")
}

/// Groups of hexadecimal digits (RFC 4291 §2.2, but for the form with dots).
pub(crate) fn ipv6() -> String {
    let group = "[0-9A-Fa-f]{1,4}";
    let mut forms =
        vec![format!("({group}:){{7}}{group}"), format!("({group}:){{1,7}}:"), format!(":(:{group}){{1,7}}")];
    forms.extend((1..=6).map(|before| format!("({group}:){{1,{before}}}(:{group}){{1,{}}}", 7 - before)));
    format!("({}|::)", forms.join("|"))
}

/// An absolute http or https URL in the one spelling that parsers leave unaltered, without user information and fragment:
/// a port is there if it is not the scheme's own, no segment is `.` or `..`. An IPv6 address is in its shortest form, and a
/// label that begins `xn--` is one, which this can't say.
#[must_use]
pub fn exact_url() -> String {
    let label = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?";
    let host = format!(r"({}|(?!{NUMERIC}){label}(\.{label})*|\[[0-9a-f:]+\])", ipv4());
    let scheme = format!(r"(https://{host}(:(?!443[/?]|443$){PORT})?|http://{host}(:(?!80[/?]|80$){PORT})?)");
    let dots = r"(?!(\.|%2[Ee]){1,2}(/|\?|$))";
    let segment = format!(r"{dots}[!$-.0-;=@-\[\]^_a-z|~]*");
    let query = r"[!$-&(-;=?-\[\]-~]*";
    format!(r"^{scheme}((/{segment})+(\?{query})?)?$")
}

/// `text`, whatever its case.
#[must_use]
pub fn any_case(text: &str) -> String {
    let either = |c: char| match c.is_ascii_alphabetic() {
        true => format!("[{}{}]", c.to_ascii_uppercase(), c.to_ascii_lowercase()),
        false => c.to_string(),
    };
    text.chars().map(either).collect()
}

#[cfg(test)]
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    fancy_regex::Regex::new(pattern).unwrap().is_match(text).unwrap()
}
