//! `PATCH /api/v1/webhooks/{id}`

use contract::id::WebhookId;
use contract::names::Description;
use contract::webhook::{Events, Headers, SignatureHeader, TenantIds, Webhook};
use contract::{Error, Precondition, Problems};
use deserr::Deserr;
use runtime::{Body, Found, Given, Patch};
use schemars::JsonSchema;
use store::grant::Update;
use store::webhooks::Webhooks;

use crate::rules::{self, AllowedUrl};

/// A change of a webhook; members left out stay.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
pub(crate) struct UpdateWebhook {
    #[deserr(default)]
    #[schemars(schema_with = "rules::url_schema")]
    url: Given<String>,
    #[deserr(default)]
    events: Given<Events>,
    /// Those of all tenants and of none, if it is `null`.
    #[deserr(default)]
    tenant_ids: Patch<TenantIds>,
    /// All of them: a header that is left out is gone.
    #[deserr(default)]
    headers: Given<Headers>,
    #[deserr(default)]
    description: Patch<Description>,
    /// While it is off, its events are held for up to 7 days; they are sent when it is on again.
    #[deserr(default)]
    active: Given<bool>,
    #[deserr(default)]
    signature_header: Patch<SignatureHeader>,
}

impl Body for UpdateWebhook {}

pub(crate) async fn update(
    webhooks: Webhooks<Update>,
    id: WebhookId,
    precondition: Option<Precondition>,
    url: AllowedUrl,
    body: UpdateWebhook,
) -> Result<Found<Webhook>, Error> {
    let url = url.0.or(body.url.0);
    let change = |webhook: &mut Webhook| {
        if let Some(url) = &url {
            webhook.url.clone_from(url);
        }
        if let Some(events) = &body.events.0 {
            webhook.events = events.clone();
        }
        if let Some(headers) = &body.headers.0 {
            webhook.headers = headers.clone();
        }
        if let Some(active) = body.active.0 {
            webhook.active = active;
        }
        body.tenant_ids.apply(&mut webhook.tenant_ids);
        body.description.apply(&mut webhook.description);
        body.signature_header.apply(&mut webhook.signature_header);
        Ok(rules::no_collision(&webhook.headers, webhook.signature_header.as_ref())?)
    };
    Ok(Found(webhooks.update(id, precondition, change).await?))
}
