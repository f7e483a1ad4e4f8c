//! The shape of a web address.

use url::{Host, Url};

use crate::prose::hidden;

const MAX_URL: usize = 2_048;

/// Whether it is an absolute http or https address with a host, and one that every reader takes for the same. The parser
/// forgives much that others read otherwise (`http:host`, `http:///host`, `\` for `/`, `0x7f.1`), or that people do
/// (`https://bank.example@evil.example`); such is none.
pub(crate) fn is_url(text: &str) -> bool {
    let refused = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
    if text.len() > MAX_URL || text.contains(refused) || hidden(text).is_some() {
        return false;
    }
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
        && !authority.is_empty()
        && !authority.contains(['@', '%'])
        && !authority.ends_with(':')
        && Url::parse(text).is_ok_and(|url| match url.host() {
            Some(Host::Ipv4(address)) => authority.split(':').next() == Some(&address.to_string()),
            Some(Host::Domain(name)) => {
                name.strip_suffix('.').unwrap_or(name).split('.').all(|label| !label.is_empty())
            }
            Some(Host::Ipv6(_)) => true,
            None => false,
        })
}

#[cfg(test)]
mod tests {

    use proptest::prelude::*;

    use super::*;
    use crate::patterns::{matches, web_address};

    #[test]
    fn urls() {
        let long = format!("https://example.org/{}", "a".repeat(2_028));
        for good in [
            "http://example.org",
            "HTTPS://Example.org:8443/a?b=c#d",
            "https://[::1]/",
            "https://bücher.example/ü",
            "http://localhost:3000",
            "https://example.org.",
            "http://127.0.0.1:8080/",
            "https://x.example/@ada?to=a@b.example#@c",
            "https://x.example?a@b",
            "https://x.example#@b",
            "https://x.example/a:b",
            "https://x.example/%20",
            "https://می‌خواهم.example/",
            "https://xn--bcher-kva.example",
            &long,
        ] {
            assert!(is_url(good) && matches(&web_address(), good), "{good}");
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
            "https://x.example\\@y.example",
            "https://x.example/a\\b",
            "https:\\\\x.example",
            "https:/\\x.example",
            "https:x.example",
            "https:///x.example",
            "https:////x.example",
            "https://user@y.example",
            "https://x.example:pass@y.example/",
            "https://@y.example",
            "https://:@y.example",
            "https://x.example&a@y.example",
            "https://x.example:",
            "https://x.example:/a",
            "https://x.example:a",
            "https://x.example:80:80",
            "https://%78.example",
            "https://x.example%2f.y.example",
            "http://0x7f.1",
            "http://127.1/",
            "http://0177.0.0.1",
            "http://2130706433",
            "http://１２７.0.0.1",
            "https://a..b",
            "https://.example",
            "https://x.example/\u{202e}gpj.exe",
            "https://exa\u{ad}mple.org",
            "https://exa\u{200b}mple.org",
            "https://example.org:99999",
            "https://[::1",
            "data:text/html,x",
            &format!("{long}a"),
        ] {
            assert!(!is_url(bad), "{bad:?}");
            assert!(bad.len() > MAX_URL || !matches(&web_address(), bad), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = is_url(&text);
        }
    }
}
