//! `POST /api/v1/webhooks`

use auth::WebhookSecret;
use contract::names::Description;
use contract::webhook::{Events, Headers, SignatureHeader, TenantIds};
use contract::{Error, Problems};
use deserr::Deserr;
use runtime::{Body, Created, New, Vault};
use schemars::JsonSchema;
use store::grant::Create;
use store::webhooks::{NewWebhook, Webhooks};

use crate::rules::{self, AllowedUrl};
use crate::shown::WebhookWithSecret;

/// A new webhook.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateWebhook {
    #[schemars(schema_with = "rules::url_schema")]
    url: String,
    events: Events,
    /// Those of all tenants and of none, if they are left out.
    #[deserr(default)]
    tenant_ids: Option<TenantIds>,
    /// At most 20, of 4 KiB together. Their values are secrets: they are answered as `null`.
    #[deserr(default)]
    headers: Option<Headers>,
    /// A new one is made, if it is left out. Its key has at least 32 bytes.
    #[deserr(default)]
    secret: Option<WebhookSecret>,
    #[deserr(default)]
    description: Option<Description>,
    /// `true`, if it is left out.
    #[deserr(default)]
    active: Option<bool>,
    #[deserr(default)]
    signature_header: Option<SignatureHeader>,
}

impl Body for CreateWebhook {}

pub(crate) async fn create(
    webhooks: Webhooks<Create>,
    vault: Vault,
    url: AllowedUrl,
    body: CreateWebhook,
    _: New,
) -> Result<Created<WebhookWithSecret>, Error> {
    let headers = body.headers.unwrap_or_default();
    rules::no_collision(&headers.names(), body.signature_header.as_ref())?;
    let secret = body.secret.unwrap_or_else(|| match body.signature_header {
        Some(_) => WebhookSecret::generate_text(),
        None => WebhookSecret::generate(),
    });
    let new = NewWebhook {
        url: url.0.unwrap_or(body.url),
        description: body.description,
        events: body.events,
        tenant_ids: body.tenant_ids,
        headers,
        signature_header: body.signature_header,
        active: body.active.unwrap_or(true),
        secret: secret.clone(),
    };
    let webhook = webhooks.create(new, &*vault.ring().await?).await?;
    Ok(Created(WebhookWithSecret::new(webhook, &secret)))
}
