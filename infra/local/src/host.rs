//! The name by which a request calls this process (RFC 9112 §3.2). A process that only its own machine reaches answers
//! to the names of that machine alone: a page in a browser, or a webhook, whose own name leads to loopback would
//! otherwise read what it answers (DNS rebinding).

use contract::{Code, Error};
use engines::names::is_loopback;
use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, Version};

/// Lets a request pass that names its host as HTTP has it and, on a `loopback` listener, names loopback.
///
/// # Errors
/// `malformed_request` without a host, with two, or with one that can't be read; `forbidden` for one that is not
/// loopback.
pub fn check(parts: &Parts, loopback: bool) -> Result<(), Error> {
    let malformed = |why| Error::saying(Code::MalformedRequest, why);
    let mut sent = parts.headers.get_all(HOST).iter();
    let named = match (sent.next(), sent.next()) {
        (Some(_), Some(_)) => return Err(malformed("The header `Host` is there twice.")),
        // What speaks HTTP/1.0 need not name a host; no browser does.
        (None, _) if parts.version == Version::HTTP_10 => None,
        (None, _) => return Err(malformed("The header `Host` is missing.")),
        (Some(value), None) => {
            Some(name(value).ok_or_else(|| malformed("The header `Host` is not a host and a port."))?)
        }
    };
    // An absolute target goes before the header, for whoever heeds it.
    let mut names = named.as_deref().into_iter().chain(parts.uri.host());
    if loopback && !names.all(is_loopback) {
        let why = "This process is for its own machine: the `Host` must be `localhost` or a loopback address.";
        return Err(Error::saying(Code::Forbidden, why));
    }
    Ok(())
}

/// The name in a `Host`: `uri-host [ ":" port ]`. It may be empty, as of a target that has none.
fn name(value: &HeaderValue) -> Option<String> {
    if value.is_empty() {
        return Some(String::new());
    }
    let authority = Authority::try_from(value.as_bytes()).ok()?;
    let port = authority.as_str().strip_prefix(authority.host())?;
    let port = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
    port.then(|| authority.host().to_owned())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn status(version: Version, target: &str, hosts: &[&str], loopback: bool) -> u16 {
        let mut request = Request::builder().version(version).uri(target);
        for host in hosts {
            request = request.header(HOST, HeaderValue::from_bytes(host.as_bytes()).expect("a header's value"));
        }
        let parts = request.body(()).expect("a request").into_parts().0;
        check(&parts, loopback).map_or_else(|error| error.code().status(), |()| 200)
    }

    #[test]
    fn a_loopback_listener_answers_to_loopback_names_alone() {
        let loopback = [
            "localhost",
            "LocalHost",
            "localhost.",
            "localhost:3000",
            "localhost:",
            "app.localhost",
            "a.b.localhost:80",
            "127.0.0.1",
            "127.0.0.1:65535",
            "127.9.8.7",
            "[::1]",
            "[::1]:3000",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
        ];
        let elsewhere = [
            "",
            "example.com",
            "example.com:3000",
            "localhost.example.com",
            "127.0.0.1.nip.io",
            "notlocalhost",
            "localhost-",
            "128.0.0.1",
            "0.0.0.0",
            "192.168.0.1",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "[::]",
            "[::2]",
            "[2001:db8::1]:3000",
            "[::ffff:192.0.2.1]",
            "xn--lcalhost-n2a",
        ];
        for host in loopback {
            assert_eq!(status(Version::HTTP_11, "/", &[host], true), 200, "{host}");
        }
        for host in elsewhere {
            assert_eq!(status(Version::HTTP_11, "/", &[host], true), 403, "{host}");
        }
        for host in loopback.into_iter().chain(elsewhere) {
            assert_eq!(status(Version::HTTP_11, "/", &[host], false), 200, "{host}");
        }
    }

    #[test]
    fn a_host_is_there_once_and_has_its_form() {
        for bad in ["a b", "a/b", "user@localhost", "localhost:x", "localhost:80:80", "[::1", "é", "\"a\"", "::1"] {
            for loopback in [true, false] {
                assert_eq!(status(Version::HTTP_11, "/", &[bad], loopback), 400, "{bad}");
            }
        }
        for loopback in [true, false] {
            assert_eq!(status(Version::HTTP_11, "/", &[], loopback), 400);
            assert_eq!(status(Version::HTTP_11, "/", &["localhost", "localhost"], loopback), 400);
            assert_eq!(status(Version::HTTP_10, "/", &[], loopback), 200);
        }
        assert_eq!(status(Version::HTTP_10, "/", &["example.com"], true), 403);
    }

    #[test]
    fn an_absolute_target_names_a_host_as_well() {
        assert_eq!(status(Version::HTTP_11, "http://localhost/x", &["localhost"], true), 200);
        assert_eq!(status(Version::HTTP_11, "http://example.com/x", &["localhost"], true), 403);
        assert_eq!(status(Version::HTTP_11, "http://localhost/x", &["example.com"], true), 403);
    }
}
