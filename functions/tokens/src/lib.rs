//! Embed tokens, and the keys that sign them.

mod create;
mod revoke;
mod rotate;

use std::time::Duration;

use contract::Code;
use contract::permission::Permission;
use contract::rate_limit::LimitName;
use runtime::{Access, Consumer, Counts, GoesOn, Sample, Source};

runtime::routes! {
    /// Make an embed token
    /// For pages: it reaches one tenant's values and fields. The key needs itself what it hands out: `values:read`,
    /// `values:write`, and `schema:write` for `fields:write`. The token dies with the key.
    Post "/api/auth/token"
    CREATE "create-embed-token" => create::create {
        access: Access::key(&[Permission::TokensCreate]),
        counts: Counts::Besides(LimitName::Token),
    } about {
        failures: &[Code::FieldGroupNotFound],
        sample: Sample::body(
            r#"{
                "tenantId": "acme",
                "fieldGroupKey": "product",
                "entityId": "sku-1",
                "ttlSeconds": 600,
                "origins": ["https://app.example.com"]
            }"#,
        ),
    }

    /// Revoke a tenant's embed tokens
    /// All that were made until now, at once and everywhere.
    Post "/api/v1/tenants/{tenantId}/embed-tokens/revoke"
    REVOKE "revoke-embed-tokens" => revoke::revoke {
        access: Access::management(&[Permission::TokensCreate]),
        goes_on: GoesOn::Unsubscribed,
    }
}

/// `rotate-token-keys`
pub static ROTATE_TOKEN_KEYS: Consumer = Consumer::of::<rotate::Rotate>(
    "rotate-token-keys",
    "Put a new key in the place of the one that signs embed tokens",
    Source::TokenKeysRotation,
    Duration::from_secs(30),
);
