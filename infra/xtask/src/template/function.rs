//! A function, its role and its log.

use functions::settings::ROUTE_TIMEOUT;
use runtime::{Consumer, Source};

use super::bucket::BUCKET;
use super::route::RouteFunction;
use super::{attribute, filled, gateway, logical, queues, reference, role, secret, source};
use crate::map;
use crate::node::Node;

/// What functions are told: the variable, and the parameter that has it.
const SETTINGS: [(&str, &str); 13] = [
    ("HEDGEROW_TABLE_PREFIX", "TablePrefix"),
    ("HEDGEROW_ORIGIN", "Origin"),
    ("HEDGEROW_SIGNUP", "Signup"),
    ("HEDGEROW_LIMITS", "Limits"),
    ("HEDGEROW_SESSION_IDLE_MINUTES", "SessionIdleMinutes"),
    ("HEDGEROW_SESSION_MINUTES", "SessionMinutes"),
    ("HEDGEROW_MAIL_FROM", "MailFrom"),
    ("HEDGEROW_AUDIT_RETENTION_DAYS", "AuditRetentionDays"),
    ("HEDGEROW_TRUSTED_PROXIES", "TrustedProxies"),
    ("HEDGEROW_RATE_LIMITS", "RateLimits"),
    ("HEDGEROW_RATE_LIMIT_CEILING", "RateLimitCeiling"),
    ("HEDGEROW_WEBHOOK_HTTP", "WebhookHttp"),
    ("HEDGEROW_WEBHOOK_PORTS", "WebhookPorts"),
];

/// A function's name has 64 characters at the most: those of its stack, a dash, and its own.
pub const LONGEST_STACK_NAME: u64 = 36;
/// The longest identifier of a function.
pub const LONGEST_ID: usize = 27;

/// The function of a route, and the route.
pub(super) fn of_route(function: &RouteFunction) -> Vec<(String, Node)> {
    let timeout = ROUTE_TIMEOUT.as_secs();
    let own = Own { id: &function.id, summary: &function.summary, timeout, comes_again: false };
    let mut resources = own.resources(&Home::NESTED, role::statements(&function.permissions));
    resources.extend(gateway::of_route(function));
    resources
}

/// The parameters of functions in a nested stack, beside what only the root can tell them.
pub(super) fn parameters() -> impl Iterator<Item = &'static str> {
    SETTINGS.into_iter().map(|(_, parameter)| parameter).chain([
        "Architecture",
        "LogRetentionDays",
        "EndpointUrl",
        BUCKET,
    ])
}

/// Where the deployment is seen from outside, as the root knows it.
pub(super) fn origin() -> Node {
    map! { "Fn::If" => [Node::from("HasOrigin"), reference("Origin"), attribute("Api", "ApiEndpoint")] }
}

/// A function that no route reaches, and what feeds it. It stands in the root, beside that.
pub(super) fn of_consumer(consumer: &Consumer) -> Vec<(String, Node)> {
    let permissions = (consumer.permissions)();
    let mut statements = role::statements(&permissions);
    statements.extend(source::statements(consumer.source));
    let comes_again = matches!(consumer.source, Source::Queues(_)) && !permissions.sends.is_empty();
    let own = Own { id: consumer.id, summary: consumer.summary, timeout: consumer.timeout.as_secs(), comes_again };
    let mut resources = own.resources(&Home::ROOT, statements);
    resources.extend(source::mappings(consumer));
    resources.extend(source::schedule(consumer));
    resources.extend(secret::rotation(consumer));
    resources
}

/// What is another in the root than in a nested stack.
struct Home {
    /// The name that functions are called after.
    stack_name: &'static str,
    origin: fn() -> Node,
    /// The workspace's folder, seen from the template.
    workspace: &'static str,
}

impl Home {
    /// Only a name that was found to be short enough.
    const ROOT: Self = Self { stack_name: "${StackName.Outputs.Value}", origin, workspace: ".." };
    const NESTED: Self = Self { stack_name: "${StackName}", origin: || reference("Origin"), workspace: "../.." };

    fn environment(&self) -> Node {
        let value = |parameter| if parameter == "Origin" { (self.origin)() } else { reference(parameter) };
        let settings = SETTINGS.map(|(variable, parameter)| (variable.to_owned(), value(parameter)));
        let endpoint = [Node::from("HasEndpoint"), reference("EndpointUrl"), reference("AWS::NoValue")];
        Node::Map(settings.into())
            .with("HEDGEROW_QUEUES", queues::base())
            .with("HEDGEROW_BUCKET", reference(BUCKET))
            .with("AWS_ENDPOINT_URL", map! { "Fn::If" => endpoint })
    }
}

/// What is a function's own.
struct Own<'a> {
    id: &'a str,
    summary: &'a str,
    /// In seconds.
    timeout: u64,
    /// Whether what it sends may come back to it.
    comes_again: bool,
}

impl Own<'_> {
    fn resources(&self, home: &Home, mut statements: Vec<Node>) -> Vec<(String, Node)> {
        let (name, full_name) = (logical(self.id), format!("{}-{}", home.stack_name, self.id));
        let log_name = format!("/aws/lambda/{full_name}");
        statements.push(role::log(&log_name));
        let properties = map! {
            "FunctionName" => filled(full_name),
            "Description" => self.summary,
            "Runtime" => "provided.al2023",
            // A binary of its own has no use for it; one that serves many picks the function by it.
            "Handler" => self.id,
            "Architectures" => [reference("Architecture")],
            "MemorySize" => 512_u64,
            "Timeout" => self.timeout,
            "Code" => format!("{}/target/lambda/{}/", home.workspace, self.id),
            "Role" => attribute(&format!("{name}Role"), "Arn"),
            "LoggingConfig" => map! { "LogGroup" => reference(&format!("{name}Log")) },
            "Environment" => map! { "Variables" => home.environment() },
        };
        // A delivery goes from message to message for half a day and more, which Lambda takes for a loop: it would end it at
        // the 16th, as a dead letter.
        let properties = properties.with_some("RecursiveLoop", self.comes_again.then_some("Allow"));
        let function = map! { "Type" => "AWS::Lambda::Function", "Properties" => properties };
        let role = role::resource("lambda.amazonaws.com", statements);
        vec![
            (name.clone(), function),
            (format!("{name}Role"), role),
            (format!("{name}Log"), gateway::log_group(&log_name)),
        ]
    }
}
