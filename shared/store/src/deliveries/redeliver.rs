//! What callers ask to be sent: a delivery once more, and a ping.

use contract::id::{DeliveryId, EventId, WebhookId};
use contract::resource::Client;
use contract::webhook::{Delivery, Envelope, EventName};
use contract::{Code, Error, Precondition};
use serde_json::json;

use super::announce::{Announcement, Announcer};
use super::open::{hold, no_event, raise};
use super::read::Deliveries;
use super::state::{Card, State};
use super::{Message, delivery_id, ttl};
use crate::change::{Change, Outcome};
use crate::document::{check, from_doc};
use crate::dynamo::{number, text};
use crate::grant::{Ping, Redeliver};
use crate::keys;
use crate::retry::{Step, update_with_retry};

impl Deliveries<Redeliver> {
    /// Begins another round of a delivery, whatever became of it, and gives the message to send; held, and without one,
    /// while its webhook is off. Whoever dies before sending has answered nobody, and is asked again.
    ///
    /// # Errors
    /// `delivery_not_found`.
    pub async fn redeliver(&self, id: DeliveryId) -> Result<(Delivery, Option<Message>), Error> {
        self.send_anew(id).await
    }
}

impl<A> Deliveries<A> {
    async fn send_anew(&self, id: DeliveryId) -> Result<(Delivery, Option<Message>), Error> {
        let (store, client) = (&self.op.store, self.op.scope.client());
        update_with_retry!({
            let found = self.find(id).await?;
            let webhook = found.card.webhook;
            let now = store.clock().now();
            let key = keys::delivery_state(client, webhook, id);
            let (before, attempts) = found.state.as_ref().map_or((0, 0), |state| (state.round, state.attempt));
            let message = Message {
                delivery: id,
                round: before + 1,
                attempt: attempts,
                base: attempts,
                ..Message::first(client, webhook, found.card.event_id, found.card.event)
            };
            let change = match &found.state {
                Some(state) => raise(&key, state, &message),
                None => Change::update(key.clone())
                    .set("status", text("pending"))
                    .set("round", number(1))
                    .set("attempt", number(0))
                    .set("base", number(0))
                    .set("ttl", number(ttl(id)))
                    .when_absent(),
            };
            let changes = vec![change, Change::delete(keys::open_delivery(client, webhook, id))];
            if let Outcome::Done = store.commit(changes, no_event(store)).await? {
                let off = self.is_off(webhook).await?;
                // Switched on while it was held: whoever releases what is held may have come by before.
                if !(off && hold(store, &message).await? && !self.is_off(webhook).await?) {
                    let state = store.get(&key).await?.map(State::read).transpose()?;
                    return Ok(Step::Done((found.card.delivery(state.as_ref(), now), (!off).then_some(message))));
                }
            }
            Ok(Step::Stale { base: 0 })
        })
    }

    async fn is_off(&self, webhook: WebhookId) -> Result<bool, Error> {
        let endpoint = self.op.store.endpoint(self.op.scope.client(), webhook).await?;
        Ok(endpoint.is_some_and(|endpoint| !endpoint.webhook.active))
    }
}

impl Deliveries<Ping> {
    /// Announces `test.ping` to one webhook, whatever it is told otherwise, and gives the message to send; held, and
    /// without one, while the webhook is off.
    ///
    /// # Errors
    /// `webhook_not_found`; `version_conflict` where the precondition does not hold for the webhook.
    pub async fn ping(
        &self,
        webhook: WebhookId,
        precondition: Option<Precondition>,
        request_id: &str,
    ) -> Result<(Delivery, Option<Message>), Error> {
        let crate::OpContext { store, scope, author } = &self.op;
        let endpoint = store.endpoint(scope.client(), webhook).await?.ok_or(Code::WebhookNotFound)?;
        check(precondition, Some(endpoint.webhook.version))?;
        let card = store.get(&keys::client(scope.client())).await?;
        let client: Client = from_doc(&crate::dynamo::must(card, "item")?)?;
        let event = EventName::TestPing;
        let id: EventId = author.event();
        let envelope = Envelope {
            event,
            event_id: id,
            timestamp: author.at(),
            client_id: scope.client(),
            project: &client.slug,
            tenant_id: None,
            data: json!({ "webhookId": webhook }),
        };
        let announcement = Announcement {
            client: scope.client(),
            id,
            event,
            tenant: None,
            at: author.at(),
            written_at: author.at(),
            request_id: request_id.to_owned(),
            body: serde_json::to_string(&envelope).map_err(Error::internal)?,
        };
        let pairs = [(&announcement, vec![&endpoint.webhook])];
        let message = crate::dynamo::must(Announcer::open(store).announce(&pairs).await?.pop(), "message")?;
        let off = !endpoint.webhook.active && hold(store, &message).await?;
        if off && !self.is_off(webhook).await? {
            return self.send_anew(message.delivery).await;
        }
        let card = Card { id: delivery_id(id, webhook), webhook, event_id: id, event };
        let key = keys::delivery_state(scope.client(), webhook, card.id);
        let state = store.get(&key).await?.map(State::read).transpose()?;
        Ok((card.delivery(state.as_ref(), store.clock().now()), (!off).then_some(message)))
    }
}
