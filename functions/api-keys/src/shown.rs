//! An API key with the key itself, as it is shown once.

use auth::ApiKeySecret;
use contract::resource::{ApiKey, Resource};
use schemars::JsonSchema;
use serde::Serialize;

/// An API key with the key, which is shown this once.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NewKey")]
pub(crate) struct ApiKeyWithSecret {
    #[serde(flatten)]
    api_key: ApiKey,
    /// The key; `null` when the answer is a repeated one.
    key: Option<String>,
}

impl ApiKeyWithSecret {
    pub(crate) fn new(api_key: ApiKey, secret: Option<&ApiKeySecret>) -> Self {
        Self { api_key, key: secret.map(|secret| secret.reveal().to_owned()) }
    }
}

impl Resource for ApiKeyWithSecret {
    const SECRETS: &'static [&'static str] = &["key"];
    fn version(&self) -> Option<u64> {
        self.api_key.version()
    }
}
