//! Keys of what was counted, answered, announced, delivered and worked on.

use contract::id::{ClientId, DeliveryId, EventId, JobId, WebhookId};
use contract::names::TenantId;

use super::{CARD, Key, Kind, log, main};
use crate::tables::Table;

/// What is used of a rate limit in a window of so many seconds.
pub(crate) fn limit(name: &str, of: &str, seconds: u32) -> Key {
    Key { table: Table::Counters, ..log(Kind::Limits, format!("{name}#{of}"), seconds.to_string()) }
}

pub(crate) fn idempotency(mac: &str) -> Key {
    log(Kind::Idempotency, mac, CARD)
}

/// The same of a request about one tenant.
pub(crate) fn tenant_idempotency(client: ClientId, tenant: &TenantId, mac: &str) -> Key {
    log(Kind::Idempotency, format!("{client}#{tenant}"), mac)
}

pub(crate) fn webhook(client: ClientId, webhook: WebhookId) -> Key {
    main(Kind::Webhooks, client, webhook.to_string())
}

pub(crate) fn webhook_state(webhook: WebhookId) -> Key {
    log(Kind::WebhookState, webhook, CARD)
}

/// A piece of what was announced.
pub(crate) fn event(client: ClientId, event: EventId, piece: usize) -> Key {
    log(Kind::Events, client, format!("{event}#{piece:02}"))
}

pub(crate) fn deliveries_pk(client: ClientId, webhook: WebhookId) -> String {
    format!("{}{client}#{webhook}", Kind::Deliveries.prefix())
}

/// The card of a delivery, which never changes.
pub(crate) fn delivery(client: ClientId, webhook: WebhookId, delivery: DeliveryId) -> Key {
    log(Kind::Deliveries, format!("{client}#{webhook}"), delivery.to_string())
}

/// Where a delivery stands: right behind its card.
pub(crate) fn delivery_state(client: ClientId, webhook: WebhookId, delivery: DeliveryId) -> Key {
    log(Kind::Deliveries, format!("{client}#{webhook}"), format!("{delivery}{STATE}"))
}
pub(crate) const STATE: &str = "#s";

/// The text of a long answer to a delivery's `number`th attempt.
pub(crate) fn delivery_response(client: ClientId, webhook: WebhookId, delivery: DeliveryId, number: u32) -> Key {
    log(Kind::Deliveries, format!("{client}#{webhook}"), format!("r#{delivery}#{number:06}"))
}

/// That a delivery is held or has failed.
pub(crate) fn open_delivery(client: ClientId, webhook: WebhookId, delivery: DeliveryId) -> Key {
    log(Kind::Deliveries, format!("{client}#{webhook}"), format!("{OPEN}{delivery}"))
}
pub(crate) const OPEN: &str = "x#";

/// The delivery whose being held or failed lies under a sort key.
pub(crate) fn open_delivery_of(sk: &str) -> Option<DeliveryId> {
    sk.strip_prefix(OPEN)?.parse().ok()
}

/// That an event of the payment service's was heard.
pub(crate) fn billing_event(event: &str) -> Key {
    log(Kind::BillingEvents, event, CARD)
}

pub(crate) fn jobs_pk(client: ClientId) -> String {
    format!("{}{client}", Kind::Jobs.prefix())
}

pub(crate) fn events_pk(client: ClientId) -> String {
    format!("{}{client}", Kind::Events.prefix())
}

pub(crate) fn job(client: ClientId, job: JobId) -> Key {
    log(Kind::Jobs, client, job.to_string())
}
