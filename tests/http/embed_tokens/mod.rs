//! Embed tokens: what they are made of, what they reach, and how they end.

mod bounds;
mod endings;
mod fields;
mod forged;
mod making;
mod processes;
mod rotation;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hedgerow_tests::app::{Account, App, Caller};
use serde_json::{Value, json};

pub(crate) const TOKEN: &str = "/api/auth/token";

/// A new token of a key's.
pub(crate) async fn token(key: &Caller, body: &Value) -> String {
    key.post(TOKEN).json(body).await.data(201)["token"].as_str().unwrap().to_owned()
}

/// Whoever has a token.
pub(crate) fn bearing(anyone: &Caller, token: &str) -> Caller {
    anyone.with("authorization", &format!("Bearer {token}"))
}

/// What a token says.
fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn revocation(tenant: &str) -> String {
    format!("/api/v1/tenants/{tenant}/embed-tokens/revoke")
}

/// A client whose tenants `acme` and `globex` have values of `sku-1` and `sku-2` in the groups `product` and `other`.
struct Shop {
    app: App,
    account: Account,
    /// The group `product`.
    group: Value,
}

impl Shop {
    async fn open() -> Self {
        let app = App::start().await;
        let account = app.account("ada").await;
        let key = &account.key;
        let groups = [key.group("product").await, key.group("other").await];
        key.global("title", json!({ "type": "string" }), &[&groups[0], &groups[1]]).await;
        for tenant in ["acme", "globex"] {
            for group in ["product", "other"] {
                key.own(tenant, group, "color", json!({ "type": "string" })).await;
                for entity in ["sku-1", "sku-2"] {
                    key.save(tenant, group, entity, json!({ "title": tenant, "color": group })).await;
                }
            }
        }
        let [group, _] = groups;
        Self { app, account, group }
    }

    async fn token(&self, body: Value) -> Caller {
        bearing(&self.app.anonymous(), &token(&self.account.key, &body).await)
    }

    /// All that a token could have changed.
    async fn all(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for tenant in ["acme", "globex"] {
            for group in ["product", "other"] {
                all.extend(self.account.key.everything(tenant, group).await);
            }
        }
        all
    }
}
