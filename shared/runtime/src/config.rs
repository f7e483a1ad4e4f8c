//! Settings from the environment: the one place that reads it.

use auth::Origin;
use auth::target::{Ports, Rules};
use store::CacheBudget;
use store::tables::TableNames;

use crate::webhook_settings::WebhookSettings;

/// What a deployment sets.
#[derive(Debug, Clone)]
pub struct Config {
    /// The tables' names.
    pub tables: TableNames,
    /// What the caches of a process may take.
    pub caches: CacheBudget,
    /// What the queues' addresses begin with; a function that sends to none does without.
    pub queues: Option<String>,
    /// The name of the secret that holds the data keys.
    pub secret: String,
    /// The name of the secret that holds the keys of embed tokens.
    pub token_secret: String,
    /// Where the deployment is; a function that needs not know does without.
    pub origin: Option<Origin>,
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

impl Config {
    /// What the queues' addresses begin with.
    ///
    /// # Errors
    /// If it is not set.
    pub fn queues(&self) -> Result<&str, BadSetting> {
        self.queues.as_deref().ok_or_else(|| BadSetting("HEDGEROW_QUEUES is not set".to_owned()))
    }

    /// - `HEDGEROW_TABLE_PREFIX` (default `hedgerow`): tables are `<prefix>-main`, `<prefix>-log`, `<prefix>-counters`,
    ///   the secrets are `<prefix>/data-keys` and `<prefix>/token-keys`.
    /// - `HEDGEROW_ORIGIN`: the deployment's public origin, as `https://fields.example.com`.
    /// - `HEDGEROW_QUEUES`: what the queues' addresses begin with, up to `-first-attempts`, `-retries`, `-jobs`.
    /// - `HEDGEROW_WEBHOOK_HTTP` (default `false`): whether webhooks may go to `http:`.
    /// - `HEDGEROW_WEBHOOK_PORTS` (default `443`): the ports that they may go to, separated by commas.
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
        let bad = |_| BadSetting("HEDGEROW_ORIGIN must be an origin like https://fields.example.com".to_owned());
        let origin = setting("HEDGEROW_ORIGIN").map(|text| text.parse().map_err(bad)).transpose()?;
        let rules = Rules { http, ports: Ports::Only(ports), ..Rules::production() };
        Ok(Self {
            tables: TableNames::with_prefix(&prefix),
            caches,
            queues: setting("HEDGEROW_QUEUES"),
            secret: format!("{prefix}/data-keys"),
            token_secret: format!("{prefix}/token-keys"),
            origin,
            webhooks: WebhookSettings { rules, ..WebhookSettings::default() },
        })
    }
}
