//! An answer, and what holds for every one of them: it is looked at wherever one is read.

use reqwest::header::HeaderMap;
use runtime::respond::rate_limit;
use serde_json::{Map, Value};

use crate::described;

/// The headers of every answer, from the contract.
const ALWAYS: [(&str, &str); 9] = [
    ("strict-transport-security", "max-age=63072000; includeSubDomains; preload"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    ("x-xss-protection", "0"),
    ("cross-origin-resource-policy", "same-origin"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("cache-control", "no-store"),
];

/// The codes of the contract with their statuses, as far as there are routes that give them.
const CODES: [(u16, &[&str]); 13] = [
    (400, &["malformed_request"]),
    (401, &["unauthenticated", "invalid_credentials", "totp_required"]),
    (403, &["forbidden", "wrong_key_type", "subscription_inactive", "ip_not_allowed", "origin_not_allowed"]),
    (
        404,
        &[
            "route_not_found",
            "session_not_found",
            "member_not_found",
            "invitation_not_found",
            "api_key_not_found",
            "field_group_not_found",
            "global_field_not_found",
            "tenant_field_not_found",
            "tenant_not_found",
            "values_not_found",
            "webhook_not_found",
            "delivery_not_found",
            "job_not_found",
        ],
    ),
    (405, &["method_not_allowed"]),
    (408, &["request_timeout"]),
    (
        409,
        &[
            "version_conflict",
            "key_taken",
            "email_taken",
            "last_owner",
            "idempotency_in_progress",
            "billing_not_configured",
        ],
    ),
    (413, &["payload_too_large"]),
    (415, &["unsupported_media_type"]),
    (422, &["validation_failed", "field_limit_reached", "limit_reached", "ip_lockout", "idempotency_key_reused"]),
    (429, &["rate_limit_exceeded"]),
    (431, &["headers_too_large"]),
    (503, &["unavailable"]),
];

/// What came back.
#[derive(Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, byte for byte.
    pub body: Vec<u8>,
    /// What was asked, for messages.
    asked: String,
}

impl Answer {
    /// An answer, after a look at what the contract says of all.
    pub fn new(asked: String, status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        let answer = Self { status, headers, body, asked };
        for (name, value) in ALWAYS {
            assert_eq!(answer.all(name), [value], "{name} of {answer}");
        }
        let id = answer.request_id();
        assert!((1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)));
        match status {
            204 => assert!(answer.body.is_empty() && answer.all("content-type").is_empty(), "{answer}"),
            200..300 => assert_eq!(answer.header("content-type"), "application/json", "{answer}"),
            _ => answer.check_envelope(),
        }
        if let Some(broken) = described::broken(&answer.asked, status, &answer.body) {
            panic!("not as the description has it: {broken}\n{answer}");
        }
        let star = answer.all("access-control-allow-origin").contains(&"*");
        assert!(!star && answer.all("access-control-allow-credentials").is_empty(), "{answer}");
        if status != 405 {
            assert!(answer.all("allow").is_empty(), "{answer}");
        }
        if status != 415 {
            assert!(answer.all("accept-encoding").is_empty(), "{answer}");
        }
        answer.check_limits();
        if !answer.is_head() {
            let challenge: &[&str] = if answer.is("unauthenticated") { &["Bearer"] } else { &[] };
            assert_eq!(answer.all("www-authenticate"), challenge, "{answer}");
        }
        answer
    }

    /// Whether it says by its status and headers alone what it is.
    fn is_head(&self) -> bool {
        self.body.is_empty() && self.asked.starts_with("HEAD ")
    }

    /// Of a counted request all headers say the same, in their own ways; of another there are none.
    fn check_limits(&self) {
        let there = rate_limit::NAMES.iter().filter(|name| self.headers.contains_key(**name)).count();
        assert!(there == 0 || there == rate_limit::NAMES.len(), "{self}: {:?}", self.headers);
        assert_eq!(self.all("retry-after").is_empty(), self.status != 429, "{self}");
        if there == 0 {
            assert_ne!(self.status, 429, "{self}");
            return;
        }
        let number = |name: &str| self.header(name).parse::<u64>().unwrap_or_else(|_| panic!("{name} of {self}"));
        let (limit, remaining, reset) =
            (number("ratelimit-limit"), number("ratelimit-remaining"), number("ratelimit-reset"));
        assert!(remaining <= limit, "{self}");
        assert_eq!((number("x-ratelimit-limit"), number("x-ratelimit-remaining")), (limit, remaining), "{self}");
        let (policy, window) = self.header("ratelimit-policy").split_once(";w=").unwrap();
        let name = policy.strip_suffix(&format!(";q={limit}")).unwrap_or_else(|| panic!("{policy} of {self}"));
        assert!(name.len() > 2 && name.starts_with('"') && name.ends_with('"'), "{self}");
        assert_eq!(self.header("ratelimit"), format!("{name};r={remaining};t={reset}"), "{self}");
        // A tenth more than the window, in whole seconds.
        assert!(reset <= window.parse::<u64>().unwrap() * 11 / 10 + 1, "{self}");
        if self.status == 429 {
            assert_eq!((number("retry-after"), remaining), (reset.max(1), 0), "{self}");
        }
    }

    fn check_envelope(&self) {
        assert_eq!(self.header("content-type"), "application/json", "{self}");
        if self.is_head() {
            return;
        }
        let body: Map<String, Value> = serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{self}"));
        for name in body.keys() {
            assert!(["error", "message", "details", "requestId"].contains(&name.as_str()), "{name} in {self}");
        }
        let known = CODES.iter().find(|(status, _)| *status == self.status).unwrap_or_else(|| panic!("{self}")).1;
        assert!(known.contains(&body["error"].as_str().unwrap()), "{self}");
        let message = body["message"].as_str().unwrap();
        assert!(message.ends_with('.') && message.len() < 300 && !message.contains('\n'), "{self}");
        assert_eq!(body["requestId"], self.request_id(), "{self}");
        assert!(self.all("idempotency-replayed").is_empty(), "only successes are remembered: {self}");
        assert_eq!(body.contains_key("details"), self.is("validation_failed") || self.is("version_conflict"), "{self}");
    }

    fn is(&self, code: &str) -> bool {
        self.status >= 400
            && serde_json::from_slice(&self.body).is_ok_and(|body: Value| body["error"].as_str() == Some(code))
    }

    /// All values of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// A header that is there once.
    pub fn header(&self, name: &str) -> &str {
        let all = self.all(name);
        let [one] = all.as_slice() else { panic!("{name} is there {} times in {self}", all.len()) };
        one
    }

    /// The identifier under which the log has the request.
    pub fn request_id(&self) -> &str {
        self.header("x-request-id")
    }

    /// The version that it is of, as a header.
    pub fn etag(&self) -> &str {
        self.header("etag")
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self}"))
    }

    /// The same, which has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// `data` of a success of this status.
    #[track_caller]
    pub fn data(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self}");
        let Value::Object(mut body) = self.json() else { panic!("{self}") };
        assert!(body.keys().all(|name| name == "data" || name == "meta"), "{self}");
        body.remove("data").unwrap_or_else(|| panic!("{self}"))
    }

    /// A list and its `nextCursor`.
    #[track_caller]
    pub fn page(&self) -> (Vec<Value>, Option<String>) {
        let Value::Array(items) = self.data(200) else { panic!("{self}") };
        let body = self.json();
        let meta = body["meta"].as_object().unwrap_or_else(|| panic!("{self}"));
        assert!(meta.len() == 1 && meta.contains_key("nextCursor"), "{self}");
        (items, meta["nextCursor"].as_str().map(str::to_owned))
    }

    /// That it is this failure.
    #[track_caller]
    pub fn fails(&self, status: u16, code: &str) {
        assert!(self.status == status && self.is(code), "wanted {status} {code}: {self}");
    }

    /// That validation failed in exactly these places.
    #[track_caller]
    pub fn wrong(&self, places: &[&str]) {
        self.fails(422, "validation_failed");
        assert_eq!(self.places(), places, "{self}");
    }

    /// The places that a failed validation names, in order of the alphabet.
    pub fn places(&self) -> Vec<String> {
        let body = self.json();
        let fields = body["details"]["fields"].as_array().unwrap_or_else(|| panic!("{self}"));
        let place = |field: &Value| {
            assert_eq!(field.as_object().map(Map::len), Some(3), "{self}");
            assert!(field["code"].as_str().is_some_and(|code| !code.is_empty()), "{self}");
            assert!(field["message"].as_str().is_some_and(|message| !message.is_empty()), "{self}");
            field["path"].as_str().unwrap().to_owned()
        };
        let mut places: Vec<String> = fields.iter().map(place).collect();
        places.sort();
        places
    }

    /// All that another answer must have in common with it to be the same but for the request's identifier and limits.
    pub fn but_for_request_id(&self) -> (u16, Vec<(String, String)>, String) {
        let id = self.request_id();
        // What is left of a limit is another each time.
        let of_this_one = |name: &str| ["date", "x-request-id"].contains(&name) || rate_limit::NAMES.contains(&name);
        let kept = self.headers.iter().filter(|(name, _)| !of_this_one(name.as_str()));
        let mut headers: Vec<_> =
            kept.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        headers.sort();
        (self.status, headers, String::from_utf8(self.body.clone()).unwrap().replace(id, "…"))
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body: String = String::from_utf8_lossy(&self.body).chars().take(2000).collect();
        write!(f, "{} -> {} {body}", self.asked, self.status)
    }
}
