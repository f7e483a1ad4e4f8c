//! Announcing: from a committed change to deliveries. All that is written here may be written again.

use contract::id::{ClientId, EventId, WebhookId};
use contract::names::TenantId;
use contract::webhook::{EventName, Webhook};
use contract::{Error, Time};

use super::state::Card;
use super::{Message, RETENTION, delivery_id};
use crate::Store;
use crate::dynamo::{Item, number, text};
use crate::grant::granted;
use crate::keys;
use crate::pieces;
use crate::tables::Table;

/// What is announced.
pub struct Announcement {
    /// Whose.
    pub client: ClientId,
    /// The event.
    pub id: EventId,
    /// What happened.
    pub event: EventName,
    /// The tenant, if it is a tenant's.
    pub tenant: Option<TenantId>,
    /// When its request began.
    pub at: Time,
    /// When it was written.
    pub written_at: Time,
    /// The request that did it.
    pub request_id: String,
    /// The body of every delivery, word for word.
    pub body: String,
}

/// Announces what was committed.
#[derive(Clone)]
pub struct Announcer {
    store: Store,
}

granted! {
    Announcer {
        Main Query [Webhooks];
        Log BatchWriteItem [Events, Deliveries];
    }
}

impl Announcer {
    /// The announcer of a store.
    #[must_use]
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// A client's webhooks, read strongly. One that can't be read is told of nothing; that is no reason not to tell the
    /// others.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn webhooks(&self, client: ClientId) -> Result<Vec<Webhook>, Error> {
        let mut webhooks = Vec::new();
        for endpoint in self.store.each_endpoint(client).await? {
            match endpoint {
                Ok(endpoint) => webhooks.push(endpoint.webhook),
                Err(error) => {
                    tracing::error!(%client, ?error, "a stored webhook can't be read and gets no deliveries: mend it")
                }
            }
        }
        Ok(webhooks)
    }

    /// Writes announcements and a delivery for each pair of one and a webhook, and gives the messages that are to be
    /// sent, to webhooks that are off too: what becomes of them is the dispatcher's, which works on many at once.
    ///
    /// # Errors
    /// `unavailable`, `internal`; then all is to be announced again.
    pub async fn announce(&self, all: &[(&Announcement, Vec<&Webhook>)]) -> Result<Vec<Message>, Error> {
        let (mut items, mut messages) = (Vec::new(), Vec::new());
        for (announcement, webhooks) in all.iter().filter(|(_, webhooks)| !webhooks.is_empty()) {
            items.extend(pieces(announcement, webhooks).into_iter().map(|item| (Table::Log, item)));
            for webhook in webhooks {
                items.push((Table::Log, card(announcement, webhook.id)));
                messages.push(Message::first(announcement.client, webhook.id, announcement.id, announcement.event));
            }
        }
        self.store.batch_put(items).await?;
        Ok(messages)
    }
}

fn card(announcement: &Announcement, webhook: WebhookId) -> Item {
    let id = delivery_id(announcement.id, webhook);
    let card = Card { id, webhook, event_id: announcement.id, event: announcement.event };
    card.item(&keys::delivery(announcement.client, webhook, id))
}

/// The items that hold an announcement.
fn pieces(announcement: &Announcement, webhooks: &[&Webhook]) -> Vec<Item> {
    let pieces = pieces::cut(announcement.body.as_bytes(), pieces::MAX_PIECE_BYTES).into_iter().enumerate();
    let item = |(at, piece): (usize, pieces::Piece)| {
        let mut item = piece.at(&keys::event(announcement.client, announcement.id, at));
        item.insert("event".to_owned(), text(announcement.event.name()));
        item.insert("requestId".to_owned(), text(&announcement.request_id));
        if let Some(tenant) = &announcement.tenant {
            // By these a tenant's are found, and their deliveries, when it is erased.
            item.insert("tenant".to_owned(), text(tenant.as_str()));
            let ids: Vec<String> = webhooks.iter().map(|webhook| webhook.id.to_string()).collect();
            item.insert("webhooks".to_owned(), text(ids.join(" ")));
        }
        item.insert("ttl".to_owned(), number(announcement.at.plus(RETENTION).seconds()));
        item
    };
    pieces.map(item).collect()
}
