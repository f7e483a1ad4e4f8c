//! What a deployment chooses.

use contract::rate_limit::{LimitName, RateLimits};
use functions::settings::at_once;
use runtime::Queue;

use super::reference;
use crate::map;
use crate::node::Node;

/// A number from 1 to 65,535.
const PORT: &str = "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})";
/// A number from 1 to 1,000,000.
const COUNT: &str = "(1000000|[1-9][0-9]{0,5})";
/// A number from 1 to 86,400.
const SECONDS: &str = "(86400|86[0-3][0-9]{2}|8[0-5][0-9]{3}|[1-7][0-9]{4}|[1-9][0-9]{0,3})";
/// What stands between the dots before an `@`.
const ATOM: &str = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";

pub(super) fn parameters() -> Node {
    let text = |default: &str, description: &str| {
        map! { "Type" => "String", "Default" => default, "Description" => description }
    };
    let number = |default: u64, description: &str| {
        map! { "Type" => "Number", "Default" => default, "Description" => description }
    };
    let names: Vec<_> = LimitName::ALL.iter().map(|name| name.name()).collect();
    let limit = format!("({})={COUNT}/{SECONDS}", names.join("|"));
    map! {
        // A queue's name has 80 characters at the most, and no dot; the longest goes on with `-first-attempts-dead`.
        "TablePrefix" => text("hedgerow", "What the names of tables, queues and secrets begin with")
            .with("AllowedPattern", "^[A-Za-z0-9_-]{1,60}$"),
        "Architecture" => text("arm64", "What the functions were built for")
            .with("AllowedValues", ["arm64", "x86_64"]),
        "LogRetentionDays" => number(30, "How long logs are kept")
            .with("AllowedValues", [1_u64, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827]),
        "Origin" => text("", "Where the deployment is seen from outside, like https://api.example.com; the HTTP API's own URL if empty")
            .with("AllowedPattern", format!("^(https://{}(:{PORT})?)?$", host("a-z")))
            .with("ConstraintDescription", "must be https:// and the name of a host in lower case, perhaps with a port, and no more"),
        "MailFrom" => map! {
            "Type" => "String",
            "Description" => "The address that mail is from: an identity, or in the domain of one, that SES has verified",
            "AllowedPattern" => format!("^{ATOM}([.]{ATOM})*@{}$", host("A-Za-z")),
            "MaxLength" => 254_u64,
            "ConstraintDescription" => "must be an address in ASCII, like no-reply@example.com",
        },
        "SessionIdleMinutes" => number(30, "How long a session of the dashboard lasts without use")
            .with("MinValue", 1_u64)
            .with("MaxValue", 43_200_u64),
        "SessionMinutes" => number(480, "How long a session of the dashboard lasts, however it is used")
            .with("MinValue", 1_u64)
            .with("MaxValue", 43_200_u64),
        "Signup" => text("first", "Who may open an account: anyone, only who is invited into one that there is, or the first alone")
            .with("AllowedValues", ["anyone", "invited", "first"]),
        "AuditRetentionDays" => number(400, "How long the audit log is kept")
            .with("MinValue", 1_u64)
            .with("MaxValue", 3_650_u64),
        "Limits" => text("", "How many of each a client may have at the most, whatever its plan says, as JSON: {\"tenants\": 500, \"members\": 50}")
            .with("AllowedPattern", "^([{].*[}])?$"),
        "TrustedProxies" => number(0, "How many proxies stand before the API, like CloudFront; the caller's address is what the outermost of them wrote down")
            .with("MinValue", 0_u64)
            .with("MaxValue", 10_u64),
        "RateLimits" => text("", "Rate limits in place of the defaults, like management=100/1,login=5/900 (how many in how many seconds); docs/limits.md has the names")
            .with("AllowedPattern", format!("^({limit}(,{limit})*)?$"))
            .with("ConstraintDescription", "must be limits like login=5/900, separated by commas without spaces: 1 to 1000000 in 1 to 86400 seconds"),
        "RateLimitCeiling" => number(u64::from(RateLimits::CEILING), "The requests a second that a client may set for its keys, or a key may have, at the most")
            .with("MinValue", 1_u64)
            .with("MaxValue", 10_000_u64),
        "WebhookHttp" => text("false", "Whether webhooks may go to http:, not to https: alone")
            .with("AllowedValues", ["false", "true"]),
        "WebhookPorts" => text("443", "The ports that webhooks may go to, separated by commas")
            .with("AllowedPattern", format!("^{PORT}(,{PORT})*$"))
            .with("ConstraintDescription", "must be numbers from 1 to 65535, separated by commas without spaces"),
        "DeliveryConcurrency" => number(u64::from(at_once(Queue::FirstAttempts).lambda), "Batches of deliveries at once, for first attempts and for retries each")
            .with("MinValue", 2_u64)
            .with("MaxValue", 1000_u64),
        "AlarmTopicArn" => text("", "The SNS topic that alarms are sent to, if any")
            .with("AllowedPattern", "^(arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256})?$")
            .with("ConstraintDescription", "must be the ARN of an SNS topic, like arn:aws:sns:us-east-1:123456789012:alarms"),
        "EndpointUrl" => text("", "Where AWS is, if not at its own addresses: for tests against another engine"),
    }
}

/// A host's name of two labels or more, of these letters. It is stricter than what reads it in a function: one that read
/// something else than it was given would not start, and the deployment would answer nothing.
fn host(letters: &str) -> String {
    let label = |first: &str| format!("[{first}]([{letters}0-9-]{{0,61}}[{letters}0-9])?");
    format!("({}[.])+{}", label(&format!("{letters}0-9")), label(letters))
}

/// A parameter of a nested stack, which only hands on what the root's was found to be.
pub(super) fn plain(name: &str) -> Node {
    let of = parameters().get(name).and_then(|parameter| parameter.get("Type")).cloned();
    map! { "Type" => of.unwrap_or(Node::Null) }
}

/// Whether a parameter is not empty.
pub(super) fn given(parameter: &str) -> Node {
    map! { "Fn::Not" => [map! { "Fn::Equals" => [reference(parameter), Node::from("")] }] }
}

pub(super) fn conditions() -> Node {
    map! {
        "HasAlarmTopic" => given("AlarmTopicArn"),
        "HasEndpoint" => given("EndpointUrl"),
        "HasOrigin" => given("Origin"),
        "IsAws" => map! { "Fn::Equals" => [reference("EndpointUrl"), Node::from("")] },
    }
}
