//! Deliveries: announced, and listed as they stand.

use std::time::Duration;

use contract::id::{DeliveryId, EventId};
use contract::webhook::{Attempt, AttemptError, Delivery, DeliveryStatus, EventName, Webhook};
use contract::{Code, Error, Time};
use hedgerow_store::deliveries::{
    Announcement, Announcer, Attempts, Deliveries, DeliveryFilter, HELD, Lease, Message, Next,
};
use hedgerow_store::page::{Page, PageRequest};

use crate::fixture::{Account, DAY, Tables, after, all, first, paged, refused};
use crate::webhooks::ring;

/// Any filter.
pub(crate) const ANY: DeliveryFilter = DeliveryFilter { status: None, event: None, from: None, to: None };

pub(crate) fn of_status(status: DeliveryStatus) -> DeliveryFilter {
    DeliveryFilter { status: Some(status), ..ANY }
}

impl Account {
    pub(crate) fn deliveries<A>(&self) -> Deliveries<A> {
        Deliveries::open(&self.op())
    }

    pub(crate) fn attempts(&self) -> Attempts {
        Attempts::open(&self.store, None)
    }

    pub(crate) fn announcement(&self, event: EventName) -> Announcement {
        let author = self.tables.author();
        let (id, at) = (author.event(), author.at());
        let body = format!("{{\"eventId\":\"{id}\"}}");
        let (client, request_id) = (self.scope.client(), "req_test".to_owned());
        Announcement { client, id, event, tenant: None, at, written_at: at, request_id, body }
    }

    /// Announces an event to one webhook.
    pub(crate) async fn announce(&self, webhook: &Webhook, event: EventName) -> Option<Message> {
        let announcement = self.announcement(event);
        Announcer::open(&self.store).announce(&[(&announcement, vec![webhook])]).await.unwrap().pop()
    }

    /// Announces to a webhook that is on.
    pub(crate) async fn sent(&self, webhook: &Webhook) -> Message {
        self.announce(webhook, EventName::FieldValueSaved).await.unwrap()
    }

    /// Leases an attempt and records what became of it.
    pub(crate) async fn attempt(&self, message: &Message, next: Next) {
        assert!(matches!(self.attempts().lease(message, 1).await.unwrap(), Lease::Taken));
        self.attempts().record(message, &result(next, None), next).await.unwrap();
    }

    /// Sends a delivery of a webhook that is on anew.
    pub(crate) async fn redelivered(&self, id: DeliveryId) -> (Delivery, Message) {
        let (delivery, message) = self.deliveries().redeliver(id).await.unwrap();
        (delivery, message.unwrap())
    }

    pub(crate) async fn delivery(&self, id: DeliveryId) -> Delivery {
        self.deliveries().get(id).await.unwrap()
    }

    async fn listed(&self, webhook: &Webhook, filter: &DeliveryFilter) -> Vec<DeliveryId> {
        let page = self.deliveries().list(webhook.id, filter, &all()).await.unwrap();
        assert_eq!(page.next_cursor, None);
        page.items.iter().map(|delivery| delivery.id).collect()
    }
}

/// What became of an attempt that led there.
pub(crate) fn result(next: Next, response: Option<String>) -> Attempt {
    let delivered = next == Next::Delivered;
    Attempt {
        at: Time::from_millis(1_790_000_000_000),
        url: Some("https://example.com/hooks".to_owned()),
        address: Some("192.0.2.1".to_owned()),
        status_code: Some(if delivered { 204 } else { 500 }),
        duration_ms: Some(12),
        response,
        error: (!delivered).then_some(AttemptError::Http),
    }
}

#[tokio::test]
async fn what_is_announced_is_pending_and_its_text_is_kept_to_the_byte() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let webhook = account.webhook(&ring).await;
    let mut messages = Vec::new();
    // Three pieces, cut between characters of one to four bytes.
    for body in ["{}".to_owned(), "aé日🌳".repeat(80_000)] {
        let announcement = Announcement { body: body.clone(), ..account.announcement(EventName::FieldValueSaved) };
        let pairs = [(&announcement, vec![&webhook])];
        let sent = Announcer::open(&account.store).announce(&pairs).await.unwrap();
        // Twice is once.
        let again = Announcer::open(&account.store).announce(&pairs).await.unwrap();
        let known = |message: &Message| (message.delivery, message.round, message.attempt);
        assert_eq!(sent.iter().map(known).collect::<Vec<_>>(), again.iter().map(known).collect::<Vec<_>>());
        let loaded = account.attempts().load(&sent, &ring).await.unwrap();
        let content = loaded.contents[&announcement.id].as_ref().unwrap();
        assert!(content.body == body && content.event == "field_value.saved" && content.request_id == "req_test");
        messages.extend(sent);
    }
    let newest: Vec<_> = messages.iter().rev().map(|message| message.delivery).collect();
    assert_eq!(account.listed(&webhook, &ANY).await, newest);
    let delivery = account.delivery(messages[0].delivery).await;
    assert_eq!(
        (delivery.status, delivery.attempt_count, delivery.attempts),
        (DeliveryStatus::Pending, 0, Some(vec![]))
    );
    assert_eq!((delivery.event_id, delivery.webhook_id), (messages[0].event, webhook.id));
}

/// Deliveries by how they were led to stand, newest last.
pub(crate) async fn many(
    account: &Account,
    webhook: &Webhook,
    rounds: usize,
) -> Vec<(DeliveryId, DeliveryStatus, EventName)> {
    let mut made = Vec::new();
    let due = account.tables.clock.now().plus(DAY);
    for _ in 0..rounds {
        for (at, status) in [
            DeliveryStatus::Pending,
            DeliveryStatus::Delivered,
            DeliveryStatus::Retrying,
            DeliveryStatus::Held,
            DeliveryStatus::Failed,
        ]
        .into_iter()
        .enumerate()
        {
            let event = if at % 2 == 0 { EventName::FieldValueSaved } else { EventName::TestPing };
            let message = account.announce(webhook, event).await.unwrap();
            match status {
                DeliveryStatus::Pending => {}
                DeliveryStatus::Delivered => account.attempt(&message, Next::Delivered).await,
                DeliveryStatus::Retrying => account.attempt(&message, Next::Retry(due)).await,
                DeliveryStatus::Held => assert!(account.attempts().hold(&message).await.unwrap()),
                DeliveryStatus::Failed => account.attempt(&message, Next::Failed).await,
            }
            made.push((message.delivery, status, event));
        }
    }
    made
}

#[tokio::test]
async fn lists_of_hundreds_are_newest_first_by_every_filter_and_page() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let (webhook, beside) = (account.webhook(&ring).await, account.webhook(&ring).await);
    many(&account, &beside, 2).await;
    let made = many(&account, &webhook, 62).await;
    let expected = |filter: &DeliveryFilter| -> Vec<DeliveryId> {
        let wanted = made.iter().rev().filter(|(_, status, event)| {
            filter.status.is_none_or(|wanted| wanted == *status) && filter.event.is_none_or(|wanted| wanted == *event)
        });
        wanted.map(|(id, ..)| *id).collect()
    };
    let mut filters = vec![ANY];
    for event in [None, Some(EventName::TestPing), Some(EventName::FieldValueSaved), Some(EventName::WebhookDisabled)] {
        for status in ["pending", "delivered", "retrying", "held", "failed"] {
            filters.push(DeliveryFilter { event, ..of_status(status.parse().unwrap()) });
        }
        filters.push(DeliveryFilter { event, ..ANY });
    }
    for filter in &filters {
        for limit in [1, 7, 100] {
            if limit == 1 && filter.status.is_none() {
                continue;
            }
            let (account, webhook) = (&account, &webhook);
            let list = |page: PageRequest| async move { list(account, webhook, filter, page).await };
            let listed: Vec<_> = paged(limit, list).await.iter().map(|delivery| delivery.id).collect();
            assert_eq!(listed, expected(filter), "{filter:?} by {limit}");
        }
    }
}

async fn list(
    account: &Account,
    webhook: &Webhook,
    filter: &DeliveryFilter,
    page: PageRequest,
) -> Result<Page<Delivery>, Error> {
    account.deliveries().list(webhook.id, filter, &page).await
}

#[tokio::test]
async fn bounds_of_time_hold_the_first_and_not_the_last() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let webhook = account.webhook(&ring).await;
    let made = many(&account, &webhook, 2).await;
    let mut at = Vec::new();
    for (id, ..) in &made {
        at.push(account.delivery(*id).await.created_at);
    }
    let ids = |of: &[(DeliveryId, DeliveryStatus, EventName)]| of.iter().rev().map(|(id, ..)| *id).collect::<Vec<_>>();
    for (from, to) in [(0, 10), (3, 7), (4, 5), (9, 10)] {
        let end = at.get(to).copied().unwrap_or_else(|| tables.clock.now().plus(DAY));
        let between = DeliveryFilter { from: Some(at[from]), to: Some(end), ..ANY };
        assert_eq!(account.listed(&webhook, &between).await, ids(&made[from..to]));
        for status in [DeliveryStatus::Held, DeliveryStatus::Failed, DeliveryStatus::Delivered] {
            let of_status: Vec<_> = made[from..to].iter().copied().filter(|(_, is, _)| *is == status).collect();
            let filter = DeliveryFilter { status: Some(status), ..between };
            assert_eq!(account.listed(&webhook, &filter).await, ids(&of_status));
        }
    }
    let none = [
        DeliveryFilter { from: Some(at[5]), to: Some(at[5]), ..ANY },
        DeliveryFilter { from: Some(at[6]), to: Some(at[5]), ..ANY },
        DeliveryFilter { from: Some(tables.clock.now().plus(DAY * 365)), ..ANY },
        DeliveryFilter { to: Some(Time::from_millis(-1)), ..ANY },
    ];
    for filter in none {
        assert!(account.listed(&webhook, &filter).await.is_empty(), "{filter:?}");
    }
    let ever = DeliveryFilter { from: Some(Time::from_millis(-5)), to: Some(Time::from_millis(i64::MAX)), ..ANY };
    assert_eq!(account.listed(&webhook, &ever).await, ids(&made));
}

#[tokio::test]
async fn cursors_belong_to_their_webhook_and_filter() {
    let tables = Tables::new().await;
    let (account, other, ring) = (tables.account().await, tables.account().await, ring());
    let (one, two) = (account.webhook(&ring).await, account.webhook(&ring).await);
    let foreign = other.webhook(&ring).await;
    for (of, webhook) in [(&account, &one), (&account, &two), (&other, &foreign)] {
        many(of, webhook, 2).await;
    }
    let failed = of_status(DeliveryStatus::Failed);
    let later = DeliveryFilter { from: Some(Time::from_millis(1)), ..ANY };
    let lists = [
        (&account, &one, ANY),
        (&account, &one, failed),
        (&account, &one, later),
        (&account, &two, ANY),
        (&other, &foreign, ANY),
    ];
    for (from, (owner, webhook, filter)) in lists.iter().enumerate() {
        let cursor = list(owner, webhook, filter, first(1)).await.unwrap().next_cursor.unwrap();
        for (to, (owner, webhook, filter)) in lists.iter().enumerate() {
            let page = list(owner, webhook, filter, after(1, &cursor)).await;
            if from == to { assert!(page.is_ok()) } else { assert_eq!(refused(page), Code::MalformedRequest) }
        }
    }
}

#[tokio::test]
async fn another_clients_deliveries_are_not_there() {
    let tables = Tables::new().await;
    let (ada, bob, ring) = (tables.account().await, tables.account().await, ring());
    let (webhook, bobs) = (ada.webhook(&ring).await, bob.webhook(&ring).await);
    let message = ada.sent(&webhook).await;
    let before = ada.delivery(message.delivery).await;
    assert_eq!(refused(bob.deliveries().get(message.delivery).await), Code::DeliveryNotFound);
    assert_eq!(refused(bob.deliveries().redeliver(message.delivery).await), Code::DeliveryNotFound);
    assert_eq!(refused(bob.deliveries().list(webhook.id, &ANY, &all()).await), Code::WebhookNotFound);
    assert_eq!(refused(bob.deliveries().ping(webhook.id, None, "req_test").await), Code::WebhookNotFound);
    assert!(bob.listed(&bobs, &ANY).await.is_empty());
    assert_eq!(ada.delivery(message.delivery).await, before);
    // With the webhook go its deliveries.
    ada.webhooks().delete(webhook.id, None).await.unwrap();
    assert_eq!(refused(ada.deliveries().get(message.delivery).await), Code::DeliveryNotFound);
    assert_eq!(refused(ada.deliveries().redeliver(message.delivery).await), Code::DeliveryNotFound);
    assert_eq!(refused(ada.deliveries().list(webhook.id, &ANY, &all()).await), Code::WebhookNotFound);
}

#[tokio::test]
async fn what_was_held_for_too_long_has_failed() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let webhook = account.webhook(&ring).await;
    let message = account.sent(&webhook).await;
    account.attempts().hold(&message).await.unwrap();
    tables.clock.advance(HELD - Duration::from_secs(5));
    assert_eq!(account.listed(&webhook, &of_status(DeliveryStatus::Held)).await, [message.delivery]);
    assert!(account.listed(&webhook, &of_status(DeliveryStatus::Failed)).await.is_empty());
    tables.clock.advance(Duration::from_secs(10));
    assert!(account.listed(&webhook, &of_status(DeliveryStatus::Held)).await.is_empty());
    assert_eq!(account.listed(&webhook, &of_status(DeliveryStatus::Failed)).await, [message.delivery]);
    assert_eq!(account.delivery(message.delivery).await.status, DeliveryStatus::Failed);
}

#[tokio::test]
async fn a_ping_is_a_delivery_and_held_while_its_webhook_is_off() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let webhook = account.webhook(&ring).await;
    let (delivery, message) = account.deliveries().ping(webhook.id, None, "req_ping").await.unwrap();
    let message = message.unwrap();
    assert_eq!((delivery.status, delivery.event), (DeliveryStatus::Pending, EventName::TestPing));
    let loaded = account.attempts().load(&[message], &ring).await.unwrap();
    let content = loaded.contents[&delivery.event_id].as_ref().unwrap();
    let body: serde_json::Value = serde_json::from_str(&content.body).unwrap();
    assert_eq!((body["event"].as_str(), body["tenantId"].is_null()), (Some("test.ping"), true));
    assert_eq!(body["eventId"].as_str().map(str::parse::<EventId>), Some(Ok(delivery.event_id)));
    assert_eq!(content.request_id, "req_ping");
    let off = |webhook: &mut Webhook| {
        webhook.active = false;
        Ok(())
    };
    account.webhooks().update(webhook.id, None, None, off).await.unwrap();
    let (delivery, message) = account.deliveries().ping(webhook.id, None, "req_ping").await.unwrap();
    assert_eq!((delivery.status, message), (DeliveryStatus::Held, None));
    assert_eq!(account.listed(&webhook, &of_status(DeliveryStatus::Held)).await, [delivery.id]);
}
