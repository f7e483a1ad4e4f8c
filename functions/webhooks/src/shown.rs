//! A webhook with its secret, as it is shown once.

use contract::resource::Resource;
use contract::webhook::Webhook;
use schemars::JsonSchema;
use serde::Serialize;
use store::webhooks::Shown;

/// A webhook with its secret, which is shown this once.
#[derive(Serialize, JsonSchema)]
pub(crate) struct WebhookWithSecret {
    #[serde(flatten)]
    webhook: Webhook,
    /// What signs; `null` when the answer is a repeated one.
    secret: Option<String>,
}

impl WebhookWithSecret {
    pub(crate) fn new((webhook, secret): Shown) -> Self {
        Self { webhook, secret: secret.map(|secret| secret.reveal().to_owned()) }
    }
}

impl Resource for WebhookWithSecret {
    const SECRETS: &'static [&'static str] = &["secret"];
    fn version(&self) -> Option<u64> {
        self.webhook.version()
    }
}
