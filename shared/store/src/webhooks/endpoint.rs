//! A webhook as it is stored: its secrets and the values of its headers are sealed where they stand.

use std::collections::BTreeMap;

use auth::{Keyring, WebhookSecret};
use contract::id::{ClientId, EventId, WebhookId};
use contract::webhook::{HeaderValue, Headers, Webhook};
use contract::{Error, GraceSeconds, Problems, Time};
use serde::{Deserialize, Serialize};

use super::Shown;
use crate::document::Versioned;

/// Secrets of one webhook that sign at once.
const MOST_SECRETS: usize = 5;

/// A webhook as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    #[serde(flatten)]
    pub(crate) webhook: Webhook,
    /// Newest first.
    secrets: Vec<SealedSecret>,
    /// By the names in lower case.
    #[serde(default, rename = "sealedHeaders")]
    sealed_headers: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SealedSecret {
    sealed: String,
    /// The request that made it.
    request: EventId,
    expires_at: Option<Time>,
}

impl Versioned for Endpoint {
    fn set_version(&mut self, version: u64, at: Time) {
        self.webhook.version = version;
        self.webhook.updated_at = at;
    }
}

/// Where a secret stands, and so what it opens for.
fn seal_context(client: ClientId, webhook: WebhookId) -> String {
    format!("{client} {webhook}")
}

/// Where the value of a header stands.
fn header_seal_context(client: ClientId, webhook: WebhookId, name: &str) -> String {
    format!("{client} {webhook} header {name}")
}

impl Endpoint {
    pub(super) const fn new(webhook: Webhook) -> Self {
        Self { webhook, secrets: Vec::new(), sealed_headers: BTreeMap::new() }
    }

    /// Whether another one signs with other secrets.
    pub(crate) fn has_other_secrets(&self, other: &Self) -> bool {
        let newest = |endpoint: &Self| endpoint.secrets.first().map(|secret| secret.sealed.clone());
        newest(self) != newest(other)
    }

    /// Whether the values of another one's headers are others.
    pub(crate) fn has_other_headers(&self, other: &Self) -> bool {
        self.sealed_headers != other.sealed_headers
    }

    pub(super) fn seal(
        &mut self,
        client: ClientId,
        secret: &WebhookSecret,
        request: EventId,
        ring: &Keyring,
    ) -> Result<(), Error> {
        let sealed = ring.seal(&seal_context(client, self.webhook.id), secret.reveal()).map_err(Error::internal)?;
        self.secrets.insert(0, SealedSecret { sealed, request, expires_at: None });
        Ok(())
    }

    fn open(&self, client: ClientId, secret: &SealedSecret, ring: &Keyring) -> Result<WebhookSecret, Error> {
        let text = ring.open(&seal_context(client, self.webhook.id), &secret.sealed).map_err(Error::internal)?;
        text.parse().map_err(|_| Error::internal("a stored secret is none"))
    }

    /// The webhook and its newest secret, if this request made that.
    pub(super) fn shown_to(self, client: ClientId, request: EventId, ring: &Keyring) -> Result<Shown, Error> {
        let own = self.secrets.first().filter(|newest| newest.request == request);
        let secret = own.map(|secret| self.open(client, secret, ring)).transpose()?;
        Ok((self.webhook, secret))
    }

    /// The secrets that sign at a time, newest first.
    pub(crate) fn live_secrets(&self, client: ClientId, at: Time, ring: &Keyring) -> Result<Vec<WebhookSecret>, Error> {
        let live = self.secrets.iter().filter(|secret| secret.expires_at.is_none_or(|end| end > at));
        live.map(|secret| self.open(client, secret, ring)).collect()
    }

    /// The headers with their values.
    pub(crate) fn headers(&self, client: ClientId, ring: &Keyring) -> Result<Headers, Error> {
        let open = |name: &str| {
            let folded = name.to_ascii_lowercase();
            let sealed = self.sealed_headers.get(&folded).ok_or_else(|| Error::internal("a header has no value"))?;
            let text =
                ring.open(&header_seal_context(client, self.webhook.id, &folded), sealed).map_err(Error::internal)?;
            let value = text.parse().map_err(|_| Error::internal("a stored header is none"))?;
            Ok((name.to_owned(), value))
        };
        Ok(Headers::from_stored(self.webhook.headers.iter().map(open).collect::<Result<Vec<_>, Error>>()?))
    }

    /// Puts headers in place of those that there are. A value that stays keeps its seal, so that a change of nothing
    /// changes nothing.
    pub(super) fn set_headers(
        &mut self,
        client: ClientId,
        headers: &Headers,
        before: &Headers,
        ring: &Keyring,
    ) -> Result<(), Error> {
        let seal = |(name, value): (&str, &HeaderValue)| {
            let folded = name.to_ascii_lowercase();
            let kept = self.sealed_headers.get(&folded).filter(|_| before.get(name) == Some(value));
            let sealed = match kept {
                Some(sealed) => sealed.clone(),
                None => {
                    let context = header_seal_context(client, self.webhook.id, &folded);
                    ring.seal(&context, value.reveal()).map_err(Error::internal)?
                }
            };
            Ok((folded, sealed))
        };
        let sealed = headers.iter().map(seal).collect::<Result<_, Error>>()?;
        self.sealed_headers = sealed;
        self.webhook.headers = headers.names();
        Ok(())
    }

    pub(super) fn replace_secret(
        &mut self,
        client: ClientId,
        (secret, request): (&WebhookSecret, EventId),
        grace: GraceSeconds,
        at: Time,
        ring: &Keyring,
    ) -> Result<(), Error> {
        let end = at.plus(grace.span());
        for old in &mut self.secrets {
            old.expires_at = Some(old.expires_at.map_or(end, |before| before.min(end)));
        }
        self.secrets.retain(|old| old.expires_at.is_none_or(|end| end > at));
        if self.secrets.len() >= MOST_SECRETS {
            let message = format!("{MOST_SECRETS} secrets are signing; wait until one has expired.");
            return Err(Problems::one("graceSeconds", "too_many_secrets", message).into());
        }
        self.webhook.previous_secret_expires_at = self.secrets.first().and_then(|old| old.expires_at);
        self.seal(client, secret, request, ring)
    }
}
