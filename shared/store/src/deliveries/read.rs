//! Deliveries as the API shows them.

use std::marker::PhantomData;

use contract::id::{DeliveryId, WebhookId};
use contract::webhook::{Delivery, DeliveryStatus, EventName};
use contract::{Code, Error, Time};

use super::open::Open;
use super::state::{Card, State};
use crate::OpContext;
use crate::dynamo::{Back, Item, LAST, get_text, must};
use crate::grant::{Get, List, Ping, Redeliver, granted};
use crate::keys::{self, Key};
use crate::page::{Listing, Page, PageRequest};
use crate::tables::Table;

/// Items that one request for a filtered list looks at, at the most: then the page ends early.
const MAX_DELIVERIES_READ: usize = 4_000;
/// Items that one call looks at where a filter leaves some of them out.
const STRETCH: usize = 200;

/// The deliveries of the client's webhooks.
pub struct Deliveries<A> {
    pub(super) op: OpContext,
    access: PhantomData<A>,
}

granted! {
    Deliveries<Get> {
        Main Query [Webhooks];
        Log BatchGetItem [Deliveries];
    }
    Deliveries<List> {
        Main GetItem [Webhooks];
        Log Query [Deliveries];
    }
    Deliveries<Redeliver> {
        Main Query [Webhooks];
        Main PutItem [AuditNotes];
        Main GetItem [Webhooks];
        Log BatchGetItem [Deliveries];
        Log GetItem [Deliveries];
        Log PutItem [Deliveries];
        Log UpdateItem [Deliveries];
        Log DeleteItem [Deliveries];
    }
    // A webhook that is switched on just then has what was held for it sent anew.
    Deliveries<Ping> {
        Main PutItem [AuditNotes];
        Main Query [Webhooks];
        Main GetItem [Webhooks, Client];
        Log BatchWriteItem [Events, Deliveries];
        Log BatchGetItem [Deliveries];
        Log GetItem [Deliveries];
        Log PutItem [Deliveries];
        Log UpdateItem [Deliveries];
        Log DeleteItem [Deliveries];
    }
}

/// Which deliveries are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Those that stand there.
    pub status: Option<DeliveryStatus>,
    /// Those of this event.
    pub event: Option<EventName>,
    /// Those of events from this time on.
    pub from: Option<Time>,
    /// Those of events before this time.
    pub to: Option<Time>,
}

impl DeliveryFilter {
    fn takes(&self, delivery: &Delivery) -> bool {
        self.status.is_none_or(|status| delivery.status == status)
            && self.event.is_none_or(|event| delivery.event == event)
    }
}

/// A delivery as it was found.
pub(super) struct Found {
    pub(super) card: Card,
    pub(super) state: Option<State>,
}

impl<A> Deliveries<A> {
    /// The deliveries of the request's client.
    #[must_use]
    pub fn open(op: &OpContext) -> Self {
        Self { op: op.clone(), access: PhantomData }
    }
}

impl Deliveries<Get> {
    /// One delivery with its attempts.
    ///
    /// # Errors
    /// `delivery_not_found`.
    pub async fn get(&self, id: DeliveryId) -> Result<Delivery, Error> {
        let found = self.find(id).await?;
        let client = self.op.scope.client();
        let keys = found.card.responses(client, found.state.as_ref());
        let responses = self.op.store.batch_get_all(&keys.iter().collect::<Vec<_>>()).await?;
        Ok(found.card.whole(client, found.state.as_ref(), &responses, self.op.store.clock().now()))
    }
}

impl<A> Deliveries<A> {
    /// Looks for a delivery at each of the client's webhooks: its identifier does not name one.
    pub(super) async fn find(&self, id: DeliveryId) -> Result<Found, Error> {
        let (store, client) = (&self.op.store, self.op.scope.client());
        let webhooks = store.endpoints(client).await?;
        let keys: Vec<Key> = webhooks
            .iter()
            .flat_map(|of| {
                let webhook = of.webhook.id;
                [keys::delivery(client, webhook, id), keys::delivery_state(client, webhook, id)]
            })
            .collect();
        let mut items = store.batch_get_all(&keys.iter().collect::<Vec<_>>()).await?;
        let (mut card, mut state) = (None, None);
        for key in &keys {
            match items.remove(key) {
                Some(item) if key.sk.ends_with(keys::STATE) => state = Some(State::read(item)?),
                Some(item) => card = Some(Card::read(&item)?),
                None => {}
            }
        }
        Ok(Found { card: card.ok_or(Code::DeliveryNotFound)?, state })
    }
}

impl Deliveries<List> {
    /// A webhook's deliveries, newest first. A page may end early.
    ///
    /// # Errors
    /// `webhook_not_found`, `malformed_request` for a cursor of another list.
    pub async fn list(
        &self,
        webhook: WebhookId,
        filter: &DeliveryFilter,
        page: &PageRequest,
    ) -> Result<Page<Delivery>, Error> {
        let (store, client) = (&self.op.store, self.op.scope.client());
        if store.endpoint(client, webhook).await?.is_none() {
            return Err(Code::WebhookNotFound.into());
        }
        let webhook_id = webhook.to_string();
        let asked = format!("{filter:?}");
        let pk = keys::deliveries_pk(client, webhook);
        let bound = ["list-deliveries", &webhook_id, &asked];
        let listing = Listing { table: Table::Log, pk: &pk, prefix: "", bound: &bound, seal: self.op.scope.seal() };
        // Held and failed ones have rows of their own; any other one is a card and a state.
        let open = matches!(filter.status, Some(DeliveryStatus::Held | DeliveryStatus::Failed));
        let each = if open { 1 } else { 2 };
        let whole = filter.event.is_none() && (open || filter.status.is_none());
        let range = if whole { each * (page.limit + 1) } else { STRETCH };
        let prefix = if open { keys::OPEN } else { "" };
        let key = |time: Time| format!("{prefix}{}{:012x}", DeliveryId::PREFIX, time.millis().max(0));
        let low = filter.from.map_or_else(|| format!("{prefix}{}", DeliveryId::PREFIX), key);
        let high = filter.to.map_or_else(|| format!("{prefix}{}{LAST}", DeliveryId::PREFIX), key);
        let mut after = listing.open(page)?;
        let now = store.clock().now();
        let (mut items, mut looked_at) = (Vec::new(), 0);
        if low > high {
            return Ok(Page { items, next_cursor: None });
        }
        let mut state: Option<Item> = None;
        loop {
            let before = after.as_deref();
            let back = Back { table: Table::Log, pk: &pk, low: &low, high: &high, before, limit: range };
            let (found, more) = store.query_back(&back).await?;
            looked_at += found.len();
            for item in found {
                let sk = must(get_text(&item, "sk"), "sk")?.to_owned();
                if sk.ends_with(keys::STATE) {
                    state = Some(item);
                    continue;
                }
                let delivery = if open {
                    Open::read(&item, now)?.shown(webhook, now)
                } else {
                    let of_card = format!("{sk}{}", keys::STATE);
                    let stands = state.take().filter(|state| get_text(state, "sk") == Some(of_card.as_str()));
                    Some(Card::read(&item)?.delivery(stands.map(State::read).transpose()?.as_ref(), now))
                };
                if let Some(delivery) = delivery.filter(|delivery| filter.takes(delivery)) {
                    if items.len() == page.limit {
                        return Ok(Page { items, next_cursor: after.map(|after| listing.seal(&after)) });
                    }
                    items.push(delivery);
                }
                after = Some(sk);
            }
            if !more {
                return Ok(Page { items, next_cursor: None });
            }
            if looked_at >= MAX_DELIVERIES_READ {
                return Ok(Page { items, next_cursor: after.map(|after| listing.seal(&after)) });
            }
        }
    }
}
