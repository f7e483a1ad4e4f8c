//! `PATCH /api/v1/webhooks/{id}`

use auth::target::Rules;
use contract::id::WebhookId;
use contract::names::Description;
use contract::webhook::{Events, HeadersChange, SignatureHeader, TenantIds, Webhook};
use contract::{Error, Precondition, Problems};
use deserr::Deserr;
use runtime::{Body, Found, NotNull, PartialBody, Patch, Vault};
use schemars::JsonSchema;
use store::grant::Update;
use store::webhooks::Webhooks;

use crate::rules;

/// A change of a webhook; members left out stay.
#[derive(Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
pub(crate) struct UpdateWebhook {
    #[deserr(default)]
    #[schemars(schema_with = "rules::url_schema")]
    url: NotNull<String>,
    #[deserr(default)]
    events: NotNull<Events>,
    /// Those of all tenants and of none, if it is `null`.
    #[deserr(default)]
    tenant_ids: Patch<TenantIds>,
    /// All of them: a header that is left out is gone. `null` keeps the value that a header has, and in place
    /// of them all clears them.
    #[deserr(default)]
    headers: Patch<HeadersChange>,
    #[deserr(default)]
    description: Patch<Description>,
    /// While it is off, its events are held for up to 7 days; they are sent when it is on again.
    #[deserr(default)]
    active: NotNull<bool>,
    #[deserr(default)]
    signature_header: Patch<SignatureHeader>,
}

impl Body for UpdateWebhook {}

pub(crate) async fn update(
    (webhooks, vault): (Webhooks<Update>, Vault),
    id: WebhookId,
    precondition: Option<Precondition>,
    rules: Rules,
    body: PartialBody<UpdateWebhook>,
) -> Result<Found<Webhook>, Error> {
    let mut of_url = Problems::default();
    let url = rules::allowed_url(&rules, body.member("url"), &mut of_url);
    let signature_header: Patch<SignatureHeader> = body.member("signatureHeader").unwrap_or_default();
    let change = |webhook: &mut Webhook| {
        let mut problems = of_url.clone();
        signature_header.apply(&mut webhook.signature_header);
        rules::no_collision(&webhook.headers, webhook.signature_header.as_ref(), &mut problems);
        let body = body.and(problems)?;
        if let Some(url) = &url {
            webhook.url.clone_from(url);
        }
        if let Some(events) = &body.events.0 {
            webhook.events = events.clone();
        }
        if let Some(active) = body.active.0 {
            webhook.active = active;
        }
        body.tenant_ids.apply(&mut webhook.tenant_ids);
        body.description.apply(&mut webhook.description);
        Ok(())
    };
    let headers = HeadersChange::right_in(body.sent("headers"));
    let ring = match headers {
        Some(_) => Some(vault.ring().await?),
        None => None,
    };
    let headers = headers.as_ref().zip(ring.as_deref());
    body.told(webhooks.update(id, precondition, headers, change).await).map(Found)
}
