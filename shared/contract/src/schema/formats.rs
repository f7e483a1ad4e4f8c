//! The shape of a web address.

const MAX_URL: usize = 2_048;

/// Whether it is an absolute http or https address with a host.
pub(super) fn is_url(text: &str) -> bool {
    if text.len() > MAX_URL || text.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return false;
    }
    // The parser forgives `http:host`, `http:\\host` and `http:///host`; other readers of the value would not.
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
        && !rest.starts_with(['/', '\\'])
        && url::Url::parse(text).is_ok_and(|url| url.host_str().is_some_and(|host| !host.is_empty()))
}

#[cfg(test)]
mod tests {

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn urls() {
        let long = format!("https://example.org/{}", "a".repeat(2_028));
        for good in [
            "http://example.org",
            "HTTPS://Example.org:8443/a?b=c#d",
            "https://[::1]/",
            "https://bücher.example/ü",
            &long,
        ] {
            assert!(is_url(good), "{good}");
        }
        for bad in [
            "",
            "example.org",
            "//example.org",
            "/a",
            "ftp://example.org",
            "javascript:alert(1)",
            "javascript://example.org/%0aalert(1)",
            "mailto:a@b.example",
            "http:example.org",
            "http:/example.org",
            "http://",
            "http:///example.org",
            "http:\\\\example.org",
            "http://\\example.org",
            "https://?a",
            "https://#a",
            "https://:80/",
            "https://exa mple.org",
            " https://example.org",
            "https://example.org\n",
            "https://exam\tple.org",
            "https://example.org/\0",
            "https://example.org/\u{a0}",
            "https://example.org:99999",
            "https://[::1",
            "data:text/html,x",
            &format!("{long}a"),
        ] {
            assert!(!is_url(bad), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = is_url(&text);
        }
    }
}
