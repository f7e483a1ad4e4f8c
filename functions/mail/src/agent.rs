//! What a `User-Agent` says, in our own words: the header is the caller's, who may be the one that the mail warns of.

/// What programs call themselves; who also calls itself by another's name stands before it.
const PROGRAMS: [(&str, &str); 8] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
];

/// What they say that they run on.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// The program and the system that a `User-Agent` names, if they are known.
pub(crate) fn described(agent: &str) -> String {
    let named =
        |known: &[(&str, &'static str)]| known.iter().find_map(|(mark, name)| agent.contains(mark).then_some(*name));
    match (named(&PROGRAMS), named(&SYSTEMS)) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(program), None) => program.to_owned(),
        (None, Some(system)) => format!("a program on {system}"),
        (None, None) => "a program that is not a known browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_known_and_all_else_is_not_said_back() {
        const WEBKIT: &str = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (agent, expected) in [
            (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0 Safari/537.36"),
                "Chrome on Windows",
            ),
            (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0 Safari/537.36 Edg/140.0"),
                "Edge on Windows",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0".to_owned(), "Firefox on Linux"),
            (
                format!("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {WEBKIT} CriOS/140.0 Safari/604.1"),
                "Chrome on iPhone",
            ),
            (
                format!("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.6 Safari/605.1.15"),
                "Safari on macOS",
            ),
            (
                format!("Mozilla/5.0 (Linux; Android 15) {WEBKIT} Chrome/140.0 Mobile Safari/537.36"),
                "Chrome on Android",
            ),
            ("curl/8.14.1".to_owned(), "a program that is not a known browser"),
            ("Your account is closed, see https://evil.example".to_owned(), "a program that is not a known browser"),
            ("Windows\r\nBcc: eve@example.com".to_owned(), "a program on Windows"),
            (String::new(), "a program that is not a known browser"),
        ] {
            assert_eq!(described(&agent), expected, "{agent}");
        }
    }
}
