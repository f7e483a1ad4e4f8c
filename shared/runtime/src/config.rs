//! Settings from the environment: the one place that reads it.

use std::time::Duration;

use auth::target::{Ports, Rules};
use contract::Origin;
use contract::names::{AsciiEmail, Email};
use contract::rate_limit::RateLimits;
use contract::subscription::Limits;
use store::accounts::SignupPolicy;
use store::audit::AuditRetention;
use store::sessions::SessionLimits;
use store::tables::TableNames;
use store::{CacheBudget, Settings};

use crate::webhook_settings::WebhookSettings;

/// What a deployment sets.
#[derive(Debug, Clone)]
pub struct Config {
    /// The tables' names.
    pub tables: TableNames,
    /// What the caches of a process may take, and how long sessions last.
    pub store: Settings,
    /// What the queues' addresses begin with; a function that sends to none does without.
    pub queues: Option<String>,
    /// The bucket's name; a function that touches no object does without.
    pub bucket: Option<String>,
    /// The name of the secret that holds the data keys.
    pub secret: String,
    /// The name of the secret that holds the keys of embed tokens.
    pub token_secret: String,
    /// The name of the secret that holds Stripe's keys.
    pub billing_secret: String,
    /// Where the deployment is seen from outside.
    pub origin: Option<Origin>,
    /// Whom mail is from.
    pub mail_from: Option<AsciiEmail>,
    /// How many proxies stand before API Gateway.
    pub trusted_proxies: usize,
    /// Rate limits.
    pub rate_limits: RateLimits,
    /// Where webhooks may go.
    pub webhooks: WebhookSettings,
}

/// A setting that can't be read.
#[derive(Debug)]
pub struct BadSetting(String);

impl std::fmt::Display for BadSetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadSetting {}

#[expect(clippy::disallowed_methods, reason = "the configuration module")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// Whether whoever runs this wants no colours (no-color.org).
#[must_use]
pub fn no_colour() -> bool {
    setting("NO_COLOR").is_some()
}

fn minutes(name: &str, default: Duration) -> Result<Duration, BadSetting> {
    let Some(text) = setting(name) else { return Ok(default) };
    let minutes = text.parse().ok().filter(|minutes| (1..=43_200).contains(minutes));
    let minutes: u64 =
        minutes.ok_or_else(|| BadSetting(format!("{name} must be minutes, from 1 to 43200 (30 days)")))?;
    Ok(Duration::from_secs(minutes * 60))
}

fn audit_retention() -> Result<AuditRetention, BadSetting> {
    let Some(text) = setting("HEDGEROW_AUDIT_RETENTION_DAYS") else { return Ok(AuditRetention::default()) };
    let days = text.parse().ok().filter(|days| (1..=3_650).contains(days));
    let bad = || BadSetting("HEDGEROW_AUDIT_RETENTION_DAYS must be days, from 1 to 3650".to_owned());
    days.map(AuditRetention::of_days).ok_or_else(bad)
}

impl Config {
    /// What the queues' addresses begin with.
    ///
    /// # Errors
    /// If it is not set.
    pub fn queues(&self) -> Result<&str, BadSetting> {
        self.queues.as_deref().ok_or_else(|| BadSetting("HEDGEROW_QUEUES is not set".to_owned()))
    }

    /// The bucket's name.
    ///
    /// # Errors
    /// If it is not set.
    pub fn bucket(&self) -> Result<&str, BadSetting> {
        self.bucket.as_deref().ok_or_else(|| BadSetting("HEDGEROW_BUCKET is not set".to_owned()))
    }

    /// The deployment's own origin.
    ///
    /// # Errors
    /// If it is not set.
    pub fn origin(&self) -> Result<&Origin, BadSetting> {
        self.origin.as_ref().ok_or_else(|| BadSetting("HEDGEROW_ORIGIN is not set".to_owned()))
    }

    /// Whom mail is from.
    ///
    /// # Errors
    /// If it is not set.
    pub fn mail_from(&self) -> Result<&AsciiEmail, BadSetting> {
        self.mail_from.as_ref().ok_or_else(|| BadSetting("HEDGEROW_MAIL_FROM is not set".to_owned()))
    }

    /// - `HEDGEROW_TABLE_PREFIX` (default `hedgerow`): tables are `<prefix>-main`, `<prefix>-log`, `<prefix>-counters`,
    ///   the secrets are `<prefix>/data-keys`, `<prefix>/token-keys` and `<prefix>/stripe`.
    /// - `HEDGEROW_QUEUES`: what the queues' addresses begin with, up to `-first-attempts`, `-retries`, `-jobs`, `-mail`.
    /// - `HEDGEROW_BUCKET`: the bucket's name.
    /// - `HEDGEROW_ORIGIN`: where the deployment is seen from outside, such as `https://api.example.com`.
    /// - `HEDGEROW_MAIL_FROM`: the address that mail is from, an identity that SES has verified.
    /// - `HEDGEROW_WEBHOOK_HTTP` (default `false`): whether webhooks may go to `http:`.
    /// - `HEDGEROW_WEBHOOK_PORTS` (default `443`): the ports that they may go to, separated by commas.
    /// - `HEDGEROW_SESSION_IDLE_MINUTES` (default 30), `HEDGEROW_SESSION_MINUTES` (default 480): how long a session lasts
    ///   without use, and however it is used.
    /// - `HEDGEROW_SIGNUP` (default `anyone`): who may open an account: `anyone`, nobody but who is `invited` into one that
    ///   there is, or the `first`.
    /// - `HEDGEROW_AUDIT_RETENTION_DAYS` (default 400): for how many days after theirs the lines of the audit log are kept.
    /// - `HEDGEROW_LIMITS`: how many of each a client may have at the most, whatever its plan says, as JSON:
    ///   `{"tenants": 500, "fields": 100, "webhooks": 10, "members": 50}`, or some of them.
    /// - `HEDGEROW_TRUSTED_PROXIES` (default 0): how many proxies stand before API Gateway; the caller's address is what the
    ///   outermost of them wrote down.
    /// - `HEDGEROW_RATE_LIMITS`: rate limits in place of the defaults, such as `management=100/1,login=5/900`.
    /// - `HEDGEROW_RATE_LIMIT_CEILING` (default 10000): the requests a second that a client may set for its keys, or a key
    ///   may have, at the most.
    /// - `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`: the function's memory in MiB, set by Lambda; its caches take a quarter.
    ///
    /// # Errors
    /// If one of them has another form: a deployment with a slip in its rules must not start with other ones.
    pub fn from_env() -> Result<Self, BadSetting> {
        let prefix = setting("HEDGEROW_TABLE_PREFIX").unwrap_or_else(|| "hedgerow".to_owned());
        let http = match setting("HEDGEROW_WEBHOOK_HTTP").as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(BadSetting("HEDGEROW_WEBHOOK_HTTP must be true or false".to_owned())),
        };
        let ports = setting("HEDGEROW_WEBHOOK_PORTS").unwrap_or_else(|| "443".to_owned());
        let ports = ports.split(',').map(|port| port.trim().parse().ok().filter(|port| *port != 0));
        let bad = || BadSetting("HEDGEROW_WEBHOOK_PORTS must be ports, separated by commas".to_owned());
        let ports: Vec<u16> = ports.collect::<Option<_>>().ok_or_else(bad)?;
        let caches = match setting("AWS_LAMBDA_FUNCTION_MEMORY_SIZE") {
            None => CacheBudget::default(),
            Some(text) => {
                let bad = |_| BadSetting("AWS_LAMBDA_FUNCTION_MEMORY_SIZE must be a number of MiB".to_owned());
                CacheBudget::of_memory(text.parse::<usize>().map_err(bad)?.saturating_mul(1024 * 1024))
            }
        };
        let defaults = SessionLimits::default();
        let sessions = SessionLimits {
            idle: minutes("HEDGEROW_SESSION_IDLE_MINUTES", defaults.idle)?,
            absolute: minutes("HEDGEROW_SESSION_MINUTES", defaults.absolute)?,
        };
        let signup = match setting("HEDGEROW_SIGNUP").as_deref() {
            None | Some("anyone") => SignupPolicy::Anyone,
            Some("invited") => SignupPolicy::Invited,
            Some("first") => SignupPolicy::First,
            Some(_) => return Err(BadSetting("HEDGEROW_SIGNUP must be anyone, invited or first".to_owned())),
        };
        let caps = match setting("HEDGEROW_LIMITS") {
            None => Limits::default(),
            Some(text) => serde_json::from_str(&text)
                .map_err(|error| BadSetting(format!("HEDGEROW_LIMITS must be a JSON object of numbers: {error}")))?,
        };
        let trusted_proxies = match setting("HEDGEROW_TRUSTED_PROXIES") {
            None => 0,
            Some(text) => text.parse().ok().filter(|proxies| *proxies <= 10).ok_or_else(|| {
                BadSetting("HEDGEROW_TRUSTED_PROXIES must be a number of proxies, from 0 to 10".to_owned())
            })?,
        };
        let rate_limits = setting("HEDGEROW_RATE_LIMITS").unwrap_or_default().parse::<RateLimits>();
        let rate_limits =
            rate_limits.map_err(|broken| BadSetting(format!("HEDGEROW_RATE_LIMITS: {}", broken.message)))?;
        let ceiling = match setting("HEDGEROW_RATE_LIMIT_CEILING") {
            None => RateLimits::CEILING,
            Some(text) => text.parse().ok().filter(|ceiling| (1..=10_000).contains(ceiling)).ok_or_else(|| {
                BadSetting("HEDGEROW_RATE_LIMIT_CEILING must be requests a second, from 1 to 10000".to_owned())
            })?,
        };
        let origin = setting("HEDGEROW_ORIGIN").map(|text| text.parse::<Origin>()).transpose();
        let origin = origin.map_err(|broken| BadSetting(format!("HEDGEROW_ORIGIN: {}", broken.message)))?;
        let mail_from = match setting("HEDGEROW_MAIL_FROM").map(|text| text.parse::<Email>()) {
            None => None,
            Some(address) => {
                let address = address.ok().and_then(|address| address.in_ascii());
                Some(address.ok_or_else(|| BadSetting("HEDGEROW_MAIL_FROM must be an address in ASCII".to_owned()))?)
            }
        };
        let rules = Rules { http, ports: Ports::Only(ports), ..Rules::production() };
        Ok(Self {
            tables: TableNames::with_prefix(&prefix),
            store: Settings { caches, sessions, signup, audit: audit_retention()?, caps },
            queues: setting("HEDGEROW_QUEUES"),
            bucket: setting("HEDGEROW_BUCKET"),
            secret: format!("{prefix}/data-keys"),
            token_secret: format!("{prefix}/token-keys"),
            billing_secret: format!("{prefix}/stripe"),
            origin,
            mail_from,
            trusted_proxies,
            rate_limits: rate_limits.with_ceiling(ceiling),
            webhooks: WebhookSettings { rules, ..WebhookSettings::default() },
        })
    }
}
