//! What the template takes for a parameter, the functions can read: one that can't read a setting does not start, and a
//! deployment with it would answer nothing.

use contract::Origin;
use contract::names::Email;
use contract::rate_limit::RateLimits;
use fancy_regex::Regex;
use proptest::prelude::*;
use proptest::string::string_regex;
use serde_json::Value;

use crate::read;

fn parameter(name: &str) -> Value {
    read("infra/template.yaml")["Parameters"][name].clone()
}

/// Texts that a parameter takes.
fn taken(name: &str) -> impl Strategy<Value = String> {
    let parameter = parameter(name);
    let pattern = parameter["AllowedPattern"].as_str().unwrap();
    let bare = pattern.strip_prefix('^').unwrap().strip_suffix('$').unwrap();
    let most = parameter["MaxLength"].as_u64().unwrap_or(u64::MAX);
    string_regex(bare).unwrap().prop_filter("too long", move |text| text.len() as u64 <= most)
}

fn is_address(text: &str) -> bool {
    text.parse::<Email>().is_ok_and(|address| address.in_ascii().is_some())
}

fn are_ports(text: &str) -> bool {
    text.split(',').all(|port| port.parse::<u16>().is_ok_and(|port| port != 0))
}

proptest! {
    #[test]
    fn an_origin_can_be_read(text in taken("Origin")) {
        // A name has 253 characters at the most, which the pattern does not count.
        prop_assume!(text.len() <= 253);
        prop_assert!(text.is_empty() || text.parse::<Origin>().is_ok_and(|origin| text.starts_with(origin.as_str())), "{text}");
    }

    #[test]
    fn an_address_can_be_read(text in taken("MailFrom")) {
        // Nor the 64 before the `@`.
        prop_assume!(text.find('@').is_some_and(|at| at <= 64));
        prop_assert!(is_address(&text), "{text}");
    }

    #[test]
    fn ports_can_be_read(text in taken("WebhookPorts")) {
        prop_assert!(are_ports(&text), "{text}");
    }

    #[test]
    fn rate_limits_can_be_read(text in taken("RateLimits")) {
        prop_assert!(text.parse::<RateLimits>().is_ok(), "{text}");
    }
}

#[test]
fn what_is_usual_is_taken_and_slips_are_not() {
    for (name, usual, slips) in [
        (
            "Origin",
            &[
                "",
                "https://api.example.com",
                "https://a-1.example.com:8443",
                "https://x.execute-api.eu-central-1.amazonaws.com",
            ][..],
            &[
                "http://api.example.com",
                "https://api.example.com/",
                "https://localhost",
                "https://a..b",
                "api.example.com",
            ][..],
        ),
        (
            "MailFrom",
            &["no-reply@example.com", "O'Neil+x@Mail.Example.com"],
            &[
                "",
                "example.com",
                "a..b@example.com",
                ".a@example.com",
                "a@example",
                "a@-x.example",
                "a@1.2",
                "A <a@example.com>",
            ],
        ),
        (
            "RateLimits",
            &["", "login=5/900", "management=100/1,password-reset=1000000/86400"],
            &[
                "login",
                "login=5",
                "nobody=1/1",
                "login=0/1",
                "login=1/86401",
                "login=1000001/1",
                "login=1/1, signup=1/1",
            ],
        ),
        ("WebhookPorts", &["443", "1,65535"], &["", "0", "65536", "443, 8443", "443,"]),
        (
            "AlarmTopicArn",
            &["", "arn:aws:sns:eu-central-1:123456789012:alarms", "arn:aws-us-gov:sns:us-gov-west-1:123456789012:a"],
            &["alarms", "arn:aws:sqs:eu-central-1:123456789012:alarms"],
        ),
    ] {
        let pattern = Regex::new(parameter(name)["AllowedPattern"].as_str().unwrap()).unwrap();
        let takes = |text: &&&str| pattern.is_match(text).unwrap();
        assert_eq!(usual.iter().filter(|text| !takes(text)).count(), 0, "{name} refuses one of {usual:?}");
        assert_eq!(slips.iter().filter(takes).collect::<Vec<_>>(), Vec::<&&str>::new(), "{name}");
    }
}
