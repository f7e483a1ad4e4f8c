//! Each repository gets by with the permissions that it asks for. On the embedded engine alone, which enforces them.

use contract::Error;
use contract::names::GroupRef;
use engines::permitted;
use hedgerow_store::accounts::{Login, Sessions, Signup};
use hedgerow_store::api_keys::ApiKeys;
use hedgerow_store::deliveries::{Announcer, Attempts, Deliveries, Next, Releases};
use hedgerow_store::field_groups::FieldGroups;
use hedgerow_store::global_fields::GlobalFields;
use hedgerow_store::grant::{Grant, Granted, Read, Write};
use hedgerow_store::idempotency::Keyed;
use hedgerow_store::jobs::{JobRuns, Jobs};
use hedgerow_store::tables::Table;
use hedgerow_store::tenant_fields::TenantFields;
use hedgerow_store::tenants::Tenants;
use hedgerow_store::values::{Save, Values};
use hedgerow_store::webhooks::Webhooks;
use hedgerow_store::{Store, Work};
use serde_json::json;

use crate::deliveries::{ANY, of_status, result};
use crate::fixture::{
    Account, PASSWORD, SAME, Tables, all, by_key, named, new_global, new_group, new_own, object, string,
};
use crate::life::{self, new_key};
use crate::webhooks::{member, new_webhook, ring};

/// One statement for each table and action, as a function's role has it.
fn policy(tables: &Tables, grants: &[Grant]) -> Vec<engines::Grant> {
    let mut policy: Vec<engines::Grant> = Vec::new();
    for (table, action, grant) in grants.iter().flat_map(|g| g.actions.iter().map(move |action| (g.table, *action, g)))
    {
        let table: &str = tables.names.of(table);
        let keys = grant.kinds.iter().map(|kind| format!("{}*", kind.prefix()));
        engines::Grant::add_items(&mut policy, table, action, keys);
    }
    policy
}

async fn under<T>(account: &Account, grants: &[Grant], work: impl Future<Output = Result<T, Error>>) -> T {
    // As a new instance, which has all its reads before it.
    account.store.forget();
    permitted(policy(&account.tables, grants), work).await.unwrap()
}

#[tokio::test]
async fn reading() {
    let tables = Tables::embedded().await;
    let account = tables.account().await;
    let lived = life::live(&account).await.unwrap();
    let (work, key, acme) = (account.work(), by_key("product"), || account.scope.tenant(named("acme")));
    let reads = FieldGroups::<Read>::grants();
    under(&account, &reads, FieldGroups::<Read>::open(&work).get(&key)).await;
    under(&account, &reads, FieldGroups::<Read>::open(&work).list(&all())).await;
    let reads = GlobalFields::<Read>::grants();
    under(&account, &reads, GlobalFields::<Read>::open(&work).get(lived.global)).await;
    under(&account, &reads, GlobalFields::<Read>::open(&work).list(None, &all())).await;
    let reads = TenantFields::<Read>::grants();
    under(&account, &reads, TenantFields::<Read>::open(&work, acme()).get(&key, lived.own)).await;
    under(&account, &reads, TenantFields::<Read>::open(&work, acme()).list(&key, &all())).await;
    let reads = Values::<Read>::grants();
    under(&account, &reads, Values::<Read>::open(&work, acme()).get(&key, &named("sku"))).await;
    under(&account, &reads, Values::<Read>::open(&work, acme()).list(&key, &all())).await;
    under(&account, &Tenants::grants(), Tenants::open(&work).list(&all())).await;
    let reads = ApiKeys::<Read>::grants();
    under(&account, &reads, ApiKeys::<Read>::open(&work).get(lived.key)).await;
    under(&account, &reads, ApiKeys::<Read>::open(&work).list(&all())).await;
}

#[tokio::test]
async fn writing_groups_and_fields() {
    let tables = Tables::embedded().await;
    let account = tables.account().await;
    let lived = life::live(&account).await.unwrap();
    let key = by_key("product");
    let grants = FieldGroups::<Write>::grants();
    let made = GroupRef::Id(under(&account, &grants, account.groups().create(new_group("new"))).await.id);
    under(&account, &grants, account.groups().update(&by_key("new"), None, |_| ())).await;
    under(&account, &grants, account.groups().delete(&by_key("new"), None)).await;
    under(&account, &grants, account.groups().restore(&made, None)).await;

    let grants = GlobalFields::<Write>::grants();
    let made = under(&account, &grants, account.globals().create(new_global("new", string(), &[lived.group]))).await.id;
    under(&account, &grants, account.globals().update(made, None, &SAME)).await;
    under(&account, &grants, account.globals().delete(made, None)).await;
    under(&account, &grants, account.globals().restore(made, None)).await;

    let grants = TenantFields::<Write>::grants();
    for tenant in ["acme", "first"] {
        let fields = || account.fields(tenant);
        let made = under(&account, &grants, fields().create(&key, new_own("own", string()))).await.id;
        under(&account, &grants, fields().update(&key, made, None, None, None)).await;
        under(&account, &grants, fields().delete(&key, made, None)).await;
        under(&account, &grants, fields().restore(&key, made, None)).await;
    }
}

#[tokio::test]
async fn writing_values() {
    let tables = Tables::embedded().await;
    let account = tables.account().await;
    life::live(&account).await.unwrap();
    let (key, sku, grants) = (by_key("product"), named("new"), Values::<Write>::grants());
    let sent = object(json!({ "title": "x" }));
    for tenant in ["acme", "first"] {
        let values = || account.values(tenant);
        for how in [Save::Merge, Save::Replace] {
            under(&account, &grants, values().save(&key, &sku, &sent, how, None)).await;
        }
        under(&account, &grants, values().delete(&key, &sku, None)).await;
        under(&account, &grants, values().restore(&key, &sku, None)).await;
        under(&account, &grants, values().delete(&key, &sku, None)).await;
        under(&account, &grants, values().save(&key, &sku, &sent, Save::Merge, None)).await;
    }
}

#[tokio::test]
async fn credentials_and_accounts() {
    let tables = Tables::embedded().await;
    let account = tables.account().await;
    let grants = ApiKeys::<Write>::grants();
    let (key, secret) = under(&account, &grants, account.keys().create(new_key())).await;
    under(&account, Store::KEY_GRANTS, account.store.verify_key(&secret)).await.unwrap();
    under(&account, &grants, account.keys().update(key.id, None, |_| Ok(()))).await;
    under(&account, &grants, account.keys().delete(key.id, None)).await;
    let signup = Signup::open(&account.store, tables.author());
    let email = || named("new@example.com");
    under(&account, &Signup::grants(), signup.sign_up(email(), named(PASSWORD), named("New"))).await;
    let login = tables.login();
    let (_, token) = under(&account, &Login::grants(), login.log_in(&email(), named(PASSWORD))).await;
    let session = under(&account, Store::SESSION_GRANTS, account.store.verify_session(&token)).await.unwrap();
    let sessions = Sessions::open(&account.store);
    under(&account, &Sessions::grants(), sessions.info(&session)).await;
    under(&account, &Sessions::grants(), sessions.end(&session)).await;
    let keyed = Keyed { caller: "key_1", route: "POST /", key: "k", body: b"{}" };
    for _ in 0..2 {
        let begun = under(&account, Store::IDEMPOTENCY_GRANTS, account.store.begin(&account.scope, &keyed)).await;
        let hedgerow_store::idempotency::Begun::Go(slot) = begun else { panic!("was answered") };
        under(&account, Store::IDEMPOTENCY_GRANTS, account.store.finish(slot, None)).await;
    }
}

#[tokio::test]
async fn webhooks_and_their_deliveries() {
    let tables = Tables::embedded().await;
    let (account, ring) = (tables.account().await, ring());
    let writes = Webhooks::<Write>::grants();
    let webhook = under(&account, &writes, account.webhooks().create(new_webhook(), &ring)).await;
    let grace = member(json!(60));
    under(&account, &writes, account.webhooks().rotate_secret(webhook.id, None, grace, &ring)).await;
    let reads = Webhooks::<Read>::grants();
    under(&account, &reads, Webhooks::<Read>::open(&account.work()).get(webhook.id)).await;
    under(&account, &reads, Webhooks::<Read>::open(&account.work()).list(&all())).await;

    let grants = Announcer::grants();
    let announcer = Announcer::open(&account.store);
    let announcement = account.announcement(contract::webhook::EventName::TestPing);
    let hooks = under(&account, &grants, announcer.webhooks(account.scope.client())).await;
    let pairs = [(&announcement, hooks.iter().collect())];
    let message = under(&account, &grants, announcer.announce(&pairs)).await.remove(0);
    let off = |webhook: &mut contract::webhook::Webhook| {
        webhook.active = false;
        Ok(())
    };
    let off = under(&account, &writes, account.webhooks().update(webhook.id, None, off)).await;
    let another = account.announcement(contract::webhook::EventName::TestPing);
    under(&account, &grants, announcer.announce(&[(&another, vec![&off])])).await;

    let (grants, attempts) = (Attempts::grants(), account.attempts());
    under(&account, &grants, attempts.load(&[message], &ring)).await;
    under(&account, &grants, attempts.lease(&message, 1)).await;
    let long = result(Next::Failed, Some("x".repeat(4000)));
    under(&account, &grants, attempts.record(&message, &long, Next::Failed)).await;
    under(&account, &grants, attempts.hold(&message)).await;
    under(&account, &grants, attempts.give_up(&message)).await;
    let gone = contract::webhook::DisabledReason::Gone;
    under(&account, &grants, attempts.disable(account.scope.client(), webhook.id, gone)).await;

    let (grants, releases) = (Releases::grants(), Releases::open(&account.store));
    let (client, since) = (account.scope.client(), contract::Time::from_millis(0));
    let open = under(&account, &grants, releases.page(client, webhook.id, since, None, 10)).await;
    for open in &open {
        assert!(under(&account, &grants, releases.release(client, webhook.id, open)).await.is_some());
        under(&account, &grants, releases.forget(client, webhook.id, open)).await;
    }

    let (reads, grants) = (Deliveries::<Read>::grants(), Deliveries::<Write>::grants());
    let reader = || Deliveries::<Read>::open(&account.work());
    under(&account, &reads, reader().get(message.delivery)).await;
    under(&account, &reads, reader().list(webhook.id, &ANY, &all())).await;
    let failed = of_status(contract::webhook::DeliveryStatus::Failed);
    under(&account, &reads, reader().list(webhook.id, &failed, &all())).await;
    under(&account, &grants, account.deliveries().redeliver(message.delivery)).await;
    under(&account, &grants, account.deliveries().ping(webhook.id, "req_test")).await;

    let jobs = Jobs::<Write>::open(&account.work());
    let (job, _) = under(&account, &Jobs::<Write>::grants(), jobs.recover(webhook.id, since)).await;
    under(&account, &Jobs::<Read>::grants(), Jobs::<Read>::open(&account.work()).get(job.id)).await;
    let (grants, runs) = (JobRuns::grants(), JobRuns::open(&account.store));
    under(&account, &grants, runs.release(client, job.id, webhook.id, tables.clock.now())).await;
    let running = under(&account, &grants, runs.get(client, job.id)).await.unwrap();
    under(&account, &grants, runs.advance(&running)).await;
    under(&account, &writes, account.webhooks().delete(webhook.id, None)).await;
}

#[tokio::test]
async fn nothing_more_than_it_says() {
    let tables = Tables::embedded().await;
    let account = tables.account().await;
    life::live(&account).await.unwrap();
    let work: Work = account.work();
    let reads = policy(&tables, &FieldGroups::<Read>::grants());
    let refused = permitted(reads, FieldGroups::<Write>::open(&work).create(new_group("new"))).await;
    assert!(refused.is_err(), "a reader wrote");
    assert!(Values::<Read>::grants().iter().all(|grant| grant.table == Table::Main));
}
