//! `POST /api/v1/webhooks`

use auth::WebhookSecret;
use auth::target::Rules;
use contract::names::Description;
use contract::webhook::{Events, Headers, HeadersChange, SignatureHeader, TenantIds};
use contract::{Error, Problems};
use deserr::Deserr;
use runtime::{Body, Created, New, PartialBody, Vault};
use schemars::JsonSchema;
use store::grant::Create;
use store::webhooks::{NewWebhook, Webhooks};

use crate::rules;
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
    rules: Rules,
    body: PartialBody<CreateWebhook>,
    _: New,
) -> Result<Created<WebhookWithSecret>, Error> {
    let mut problems = Problems::default();
    let url = rules::allowed_url(&rules, body.member("url"), &mut problems);
    let headers = HeadersChange::right_in(body.sent("headers")).unwrap_or_default();
    rules::no_collision(&headers.names(), body.member("signatureHeader").as_ref(), &mut problems);
    let body = body.and(problems)?;
    let secret = body.secret.clone().unwrap_or_else(|| match body.signature_header {
        Some(_) => WebhookSecret::generate_text(),
        None => WebhookSecret::generate(),
    });
    let new = NewWebhook {
        url: url.unwrap_or_else(|| body.url.clone()),
        description: body.description.clone(),
        events: body.events.clone(),
        tenant_ids: body.tenant_ids.clone(),
        headers: body.headers.clone().unwrap_or_default(),
        signature_header: body.signature_header.clone(),
        active: body.active.unwrap_or(true),
        secret,
    };
    Ok(Created(WebhookWithSecret::new(webhooks.create(new, &*vault.ring().await?).await?)))
}
