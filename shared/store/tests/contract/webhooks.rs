//! Webhooks: endpoints, and the secrets that nobody reads in a table.

use std::time::Duration;

use auth::{Keyring, WebhookSecret};
use aws_sdk_dynamodb::types::AttributeValue;
use contract::id::WebhookId;
use contract::webhook::{EventName, Webhook};
use contract::{Code, GraceSeconds, Precondition, Problems};
use engines::Fault;
use hedgerow_store::OpContext;
use hedgerow_store::author::Seed;
use hedgerow_store::deliveries::{Attempts, Message, Target};
use hedgerow_store::limits::WEBHOOKS;
use hedgerow_store::tables::Table;
use hedgerow_store::webhooks::{NewWebhook, Webhooks};
use serde_json::{Value, json};

use crate::fixture::{Account, DAY, Tables, all, assert_conflict, first, if_match, paged, problems, refused};

pub(crate) fn ring() -> Keyring {
    Keyring::parse(&Keyring::generate()).unwrap()
}

/// A member as a body holds it.
pub(crate) fn member<T: deserr::Deserr<Problems>>(value: Value) -> T {
    deserr::deserialize::<T, _, Problems>(value).unwrap_or_else(|_| panic!("is refused"))
}

pub(crate) fn grace(seconds: u32) -> GraceSeconds {
    member(json!(seconds))
}

pub(crate) fn new_webhook() -> NewWebhook {
    NewWebhook {
        url: "https://example.com/hooks".to_owned(),
        description: None,
        events: member(json!(["*"])),
        tenant_ids: None,
        headers: member(json!({ "X-Team": "search" })),
        signature_header: None,
        active: true,
        secret: WebhookSecret::generate(),
    }
}

impl Account {
    pub(crate) fn webhooks<A>(&self) -> Webhooks<A> {
        Webhooks::open(&self.op())
    }

    pub(crate) async fn webhook(&self, ring: &Keyring) -> Webhook {
        self.webhooks().create(new_webhook(), ring).await.unwrap().0
    }

    /// Replaces a secret, and shows the new one.
    async fn rotate(
        &self,
        id: WebhookId,
        precondition: Option<Precondition>,
        seconds: u32,
        ring: &Keyring,
    ) -> (Webhook, WebhookSecret) {
        let (webhook, secret) = self.webhooks().rotate_secret(id, precondition, grace(seconds), ring).await.unwrap();
        (webhook, secret.unwrap())
    }

    /// What the dispatcher knows of a webhook.
    async fn target(&self, webhook: WebhookId, ring: &Keyring) -> Result<Target, Code> {
        let event = self.tables.author().event();
        let message = Message::first(self.scope.client(), webhook, event, EventName::TestPing);
        let loaded = Attempts::open(&self.store, None).load(&[message], ring).await;
        loaded.map_err(|error| error.code())?.targets.remove(&webhook).unwrap().map_err(|error| error.code())
    }

    /// What signs for a webhook now, newest first.
    async fn live(&self, webhook: WebhookId, ring: &Keyring) -> Result<Vec<String>, Code> {
        let target = self.target(webhook, ring).await?;
        Ok(target.secrets.iter().map(|secret| secret.reveal().to_owned()).collect())
    }

    async fn raw_webhooks(&self) -> Vec<std::collections::HashMap<String, AttributeValue>> {
        let query = self.tables.dynamo.query().table_name(self.tables.names.of(Table::Main)).consistent_read(true);
        let query = query.key_condition_expression("pk = :pk");
        let pk = AttributeValue::S(format!("W#{}", self.scope.client()));
        query.expression_attribute_values(":pk", pk).send().await.unwrap().items.unwrap_or_default()
    }
}

fn off(webhook: &mut Webhook) -> Result<(), Problems> {
    webhook.active = false;
    Ok(())
}

#[tokio::test]
async fn a_webhooks_life() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let made = account.webhook(&ring).await;
    assert_eq!((made.version, made.active, made.previous_secret_expires_at), (1, true, None));
    let changed = account.webhooks().update(made.id, if_match(1), None, off).await.unwrap();
    assert_eq!((changed.version, changed.active), (2, false));
    assert!(changed.updated_at > made.updated_at && changed.created_at == made.created_at);
    assert_eq!(account.webhooks().get(made.id).await.unwrap(), changed);
    assert_conflict(account.webhooks().update(made.id, if_match(1), None, |_| Ok(())).await, 1, 2);
    assert_conflict(account.webhooks().rotate_secret(made.id, if_match(1), grace(0), &ring).await, 1, 2);
    assert_conflict(account.webhooks().delete(made.id, if_match(1)).await, 1, 2);
    let (rotated, _) = account.webhooks().rotate_secret(made.id, if_match(2), grace(60), &ring).await.unwrap();
    assert_eq!(rotated.version, 3);
    account.webhooks().delete(made.id, if_match(3)).await.unwrap();
    assert_eq!(refused(account.webhooks().get(made.id).await), Code::WebhookNotFound);
    assert_eq!(refused(account.webhooks().delete(made.id, None).await), Code::WebhookNotFound);
    assert!(account.webhooks().list(&all()).await.unwrap().items.is_empty());
    assert!(account.raw_webhooks().await.is_empty(), "deleted for good");
}

#[tokio::test]
async fn a_refused_change_leaves_all_as_it_is() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let made = account.webhook(&ring).await;
    let refuse = |webhook: &mut Webhook| {
        webhook.active = false;
        Err(Problems::one("headers.X", "reserved_header", "No."))
    };
    let refused = account.webhooks().update(made.id, None, None, refuse).await;
    assert_eq!(problems(refused), ["headers.X reserved_header"]);
    assert_eq!(account.webhooks().get(made.id).await.unwrap(), made);
}

#[tokio::test]
async fn lists_are_oldest_first_and_the_clients_own() {
    let tables = Tables::new().await;
    let (account, other, ring) = (tables.account().await, tables.account().await, ring());
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(account.webhook(&ring).await);
        other.webhook(&ring).await;
    }
    for limit in [1, 3, 7, 100] {
        let account = &account;
        let listed = paged(limit, |page| async move { account.webhooks().list(&page).await }).await;
        assert_eq!(listed, made);
    }
    let cursor = account.webhooks().list(&first(2)).await.unwrap().next_cursor.unwrap();
    let foreign = other.webhooks().list(&crate::fixture::after(2, &cursor)).await;
    assert_eq!(refused(foreign), Code::MalformedRequest);
}

#[tokio::test]
async fn another_clients_webhook_is_not_there() {
    let tables = Tables::new().await;
    let (ada, bob, ring) = (tables.account().await, tables.account().await, ring());
    let made = ada.webhook(&ring).await;
    assert_eq!(refused(bob.webhooks().get(made.id).await), Code::WebhookNotFound);
    assert_eq!(refused(bob.webhooks().update(made.id, None, None, |_| Ok(())).await), Code::WebhookNotFound);
    assert_eq!(refused(bob.webhooks().rotate_secret(made.id, None, grace(0), &ring).await), Code::WebhookNotFound);
    assert_eq!(refused(bob.webhooks().delete(made.id, None).await), Code::WebhookNotFound);
    assert_eq!(ada.webhooks().get(made.id).await.unwrap(), made);
    // Nor does a message of another client's find it.
    let event = tables.author().event();
    let message = Message::first(bob.scope.client(), made.id, event, EventName::TestPing);
    assert!(Attempts::open(&bob.store, None).load(&[message], &ring).await.unwrap().targets.is_empty());
}

#[tokio::test]
async fn secrets_lie_sealed_and_open_in_their_own_place_alone() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let text: WebhookSecret = "kopra-signing-secret-of-forty-characters".parse().unwrap();
    let first = account.webhook(&ring).await;
    let brought = NewWebhook { secret: text.clone(), ..new_webhook() };
    let second = account.webhooks().create(brought, &ring).await.unwrap().0;
    let (_, rotated) = account.rotate(first.id, None, 60, &ring).await;
    assert_eq!(account.live(second.id, &ring).await.unwrap(), [text.reveal()]);
    assert_eq!(account.live(first.id, &ring).await.unwrap()[0], rotated.reveal());
    let items = account.raw_webhooks().await;
    assert_eq!(items.len(), 2);
    for item in &items {
        let raw = format!("{item:?}");
        for secret in ["whsec_", text.reveal(), rotated.reveal().trim_start_matches("whsec_")] {
            assert!(!raw.contains(secret), "{secret} in {raw}");
        }
    }
    // Another key does not open them.
    assert_eq!(account.live(second.id, &self::ring()).await, Err(Code::Internal));
    // One webhook's sealed secret put into another's document opens for nobody.
    let doc = |at: usize| -> Value { serde_json::from_str(items[at]["doc"].as_s().unwrap()).unwrap() };
    let mut forged = doc(1);
    forged["secrets"] = doc(0)["secrets"].clone();
    let mut item = items[1].clone();
    item.insert("doc".to_owned(), AttributeValue::S(forged.to_string()));
    let put = tables.dynamo.put_item().table_name(tables.names.of(Table::Main)).set_item(Some(item));
    put.send().await.unwrap();
    assert_eq!(account.live(second.id, &ring).await, Err(Code::Internal));
}

#[tokio::test]
async fn the_values_of_headers_lie_sealed_in_their_own_place_and_only_the_dispatcher_sees_them() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let headers = json!({ "Authorization": "Bearer hush-hush", "X-Team": "quiet-please" });
    let new = || NewWebhook { headers: member(headers.clone()), ..new_webhook() };
    let made = account.webhooks().create(new(), &ring).await.unwrap().0;
    let other = account.webhooks().create(new(), &ring).await.unwrap().0;
    let shown = json!({ "Authorization": null, "X-Team": null });
    let listed = account.webhooks().list(&all()).await.unwrap().items;
    for webhook in [&made, &account.webhooks().get(made.id).await.unwrap(), &listed[0]] {
        assert_eq!(serde_json::to_value(webhook).unwrap()["headers"], shown);
    }
    let sent = async |webhook| {
        let headers = account.target(webhook, &ring).await?.headers;
        Ok(headers.iter().map(|(name, value)| (name.to_owned(), json!(value.reveal()))).collect::<Value>())
    };
    assert_eq!(sent(made.id).await, Ok::<_, Code>(headers.clone()));
    for item in account.raw_webhooks().await {
        let raw = format!("{item:?}");
        assert!(!raw.contains("hush") && !raw.contains("quiet"), "{raw}");
    }

    // What is `null` stays, under its new spelling; what is left out goes.
    let change = async |headers: Value| {
        let change = member(headers);
        account.webhooks().update(made.id, None, Some((&change, &ring)), |_| Ok(())).await
    };
    let seals = async || -> Value {
        let docs = account.raw_webhooks().await;
        let docs = docs.iter().map(|item| serde_json::from_str::<Value>(item["doc"].as_s().unwrap()).unwrap());
        docs.into_iter().find(|doc| doc["id"] == json!(made.id)).unwrap()["sealedHeaders"].clone()
    };
    let before = seals().await;
    change(json!({ "AUTHORIZATION": null, "X-Team": "quiet-please", "X-New": "" })).await.unwrap();
    let after = seals().await;
    assert_eq!(
        (&after["authorization"], &after["x-team"]),
        (&before["authorization"], &before["x-team"]),
        "as they were"
    );
    let wanted = json!({ "AUTHORIZATION": "Bearer hush-hush", "X-Team": "quiet-please", "X-New": "" });
    assert_eq!(sent(made.id).await, Ok(wanted));
    assert_eq!(problems(change(json!({ "X-Other": null, "X-New": null })).await), ["headers.X-Other required"]);
    change(json!({ "x-new": null })).await.unwrap();
    assert_eq!(sent(made.id).await, Ok(json!({ "x-new": "" })));
    assert_eq!(seals().await.as_object().unwrap().len(), 1);
    assert_eq!(sent(other.id).await, Ok(headers));

    // A seal that is put elsewhere opens for nobody, neither at another header nor at another webhook.
    let (item, others) = (account.raw_webhooks().await.remove(1), seals().await);
    let doc: Value = serde_json::from_str(item["doc"].as_s().unwrap()).unwrap();
    for seal in [&doc["sealedHeaders"]["x-team"], &others["x-new"]] {
        let mut forged = doc.clone();
        forged["sealedHeaders"]["authorization"] = seal.clone();
        let mut item = item.clone();
        item.insert("doc".to_owned(), AttributeValue::S(forged.to_string()));
        let put = tables.dynamo.put_item().table_name(tables.names.of(Table::Main)).set_item(Some(item));
        put.send().await.unwrap();
        assert_eq!(sent(other.id).await, Err(Code::Internal));
    }
}

#[tokio::test]
async fn a_replaced_secret_signs_until_its_grace_ends() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let old = WebhookSecret::generate();
    let made = NewWebhook { secret: old.clone(), ..new_webhook() };
    let id = account.webhooks().create(made, &ring).await.unwrap().0.id;
    let (shown, new) = account.rotate(id, None, 3600, &ring).await;
    assert_eq!(account.live(id, &ring).await.unwrap(), [new.reveal(), old.reveal()]);
    let end = shown.previous_secret_expires_at.unwrap();
    assert_eq!(end, shown.updated_at.plus(Duration::from_secs(3600)));
    // A later, longer grace does not lengthen the first one's.
    let (_, newer) = account.rotate(id, None, 604_800, &ring).await;
    assert_eq!(account.live(id, &ring).await.unwrap(), [newer.reveal(), new.reveal(), old.reveal()]);
    tables.clock.advance(Duration::from_secs(3600));
    assert_eq!(account.live(id, &ring).await.unwrap(), [newer.reveal(), new.reveal()]);
    tables.clock.advance(DAY * 7);
    assert_eq!(account.live(id, &ring).await.unwrap(), [newer.reveal()]);
    // Five at once are enough; without a grace there is always room.
    for _ in 0..4 {
        account.webhooks().rotate_secret(id, None, grace(60), &ring).await.unwrap();
    }
    assert_eq!(account.live(id, &ring).await.unwrap().len(), 5);
    let sixth = account.webhooks().rotate_secret(id, None, grace(60), &ring).await;
    assert_eq!(problems(sixth), ["graceSeconds too_many_secrets"]);
    let (shown, last) = account.rotate(id, None, 0, &ring).await;
    assert_eq!(shown.previous_secret_expires_at, None);
    assert_eq!(account.live(id, &ring).await.unwrap(), [last.reveal()]);
}

#[tokio::test]
async fn a_secret_has_the_form_that_its_receiver_reads() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let header = member(json!({ "name": "X-Kopra-Signature", "format": "hex" }));
    let with_header = NewWebhook { signature_header: Some(header), ..new_webhook() };
    let id = account.webhooks().create(with_header, &ring).await.unwrap().0.id;
    let (_, secret) = account.rotate(id, None, 0, &ring).await;
    assert_eq!((secret.reveal().len(), secret.reveal().starts_with("whsec_")), (43, false));
}

#[tokio::test]
async fn there_are_a_hundred_at_the_most() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    for _ in 1..WEBHOOKS {
        account.webhook(&ring).await;
    }
    let seed = Seed::new(tables.clock.now());
    let create = |seed| Webhooks::open(&account.work_of(seed));
    let last = create(seed).create(new_webhook(), &ring).await.unwrap().0;
    assert_eq!(refused(account.webhooks().create(new_webhook(), &ring).await), Code::LimitReached);
    // The last one's request, carried out again, finds it made.
    assert_eq!(create(seed).create(new_webhook(), &ring).await.unwrap().0.id, last.id);
    account.webhooks().delete(last.id, None).await.unwrap();
    account.webhook(&ring).await;
}

#[tokio::test]
async fn a_creation_that_is_carried_out_again_shows_the_secret_that_signs() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let seed = Seed::new(tables.clock.now());
    let mut ids = Vec::new();
    for _ in 0..3 {
        let (made, secret) = Webhooks::open(&account.work_of(seed)).create(new_webhook(), &ring).await.unwrap();
        assert_eq!(account.live(made.id, &ring).await.unwrap(), [secret.unwrap().reveal()]);
        ids.push(made.id);
    }
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(account.raw_webhooks().await.len(), 1);
    // Changed in between, it stays as it is; its secret replaced, there is none to show.
    let again = || Webhooks::open(&account.work_again(seed));
    let changed = account.webhooks().update(ids[0], None, None, off).await.unwrap();
    let (found, secret) = again().create(new_webhook(), &ring).await.unwrap();
    assert_eq!(account.live(ids[0], &ring).await.unwrap(), [secret.unwrap().reveal()]);
    assert_eq!(found, changed);
    let (rotated, newer) = account.rotate(ids[0], None, 0, &ring).await;
    assert_eq!(again().create(new_webhook(), &ring).await.unwrap(), (rotated, None));
    assert_eq!(account.live(ids[0], &ring).await.unwrap(), [newer.reveal()]);
}

#[tokio::test]
async fn a_rotation_that_is_carried_out_again_replaces_no_newer_secret() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let id = account.webhook(&ring).await.id;
    let seed = Seed::new(tables.clock.now());
    let rotate = async |op: OpContext| Webhooks::open(&op).rotate_secret(id, None, grace(0), &ring).await.unwrap();
    let first = rotate(account.work_of(seed)).await;
    assert_eq!(rotate(account.work_again(seed)).await, first);
    let changed = account.webhooks().update(id, None, None, off).await.unwrap();
    assert_eq!(rotate(account.work_again(seed)).await, (changed, first.1));
    let (rotated, newer) = account.rotate(id, None, 0, &ring).await;
    assert_eq!(rotate(account.work_again(seed)).await, (rotated, None));
    assert_eq!(account.live(id, &ring).await.unwrap(), [newer.reveal()]);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_happened_once() {
    for operation in ["UpdateItem", "TransactWriteItems"] {
        let tables = Tables::embedded().await;
        let (account, ring) = (tables.account().await, ring());
        tables.connector().trace().reset();
        tables
            .connector()
            .faults()
            .set(move |call| (call.operation == operation && call.nth % 2 == 1).then_some(Fault::Lost));
        let made = account.webhook(&ring).await;
        assert_eq!(account.webhooks().update(made.id, if_match(1), None, off).await.unwrap().version, 2);
        let (rotated, secret) = account.rotate(made.id, if_match(2), 0, &ring).await;
        assert_eq!((rotated.version, account.live(made.id, &ring).await.unwrap()), (3, vec![secret.reveal().into()]));
        account.webhooks().delete(made.id, if_match(3)).await.unwrap();
        assert!(tables.connector().trace().snapshot().of(operation) >= 2, "{operation}");
    }
}
