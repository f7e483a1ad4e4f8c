//! Each repository gets by with the permissions that it asks for. On the embedded engine alone, which enforces them.

use contract::Error;
use engines::permitted;
use hedgerow_store::Store;
use hedgerow_store::accounts::{Login, Signup};
use hedgerow_store::api_keys::ApiKeys;
use hedgerow_store::deliveries::{Announcer, Attempts, Deliveries, Next, Releases};
use hedgerow_store::field_groups::FieldGroups;
use hedgerow_store::global_fields::{GlobalFieldChange, GlobalFields};
use hedgerow_store::grant::{
    Create, Delete, Get, Grant, Granted, List, Ping, Redeliver, Restore, Rotate, Update, Write,
};
use hedgerow_store::idempotency::Ending;
use hedgerow_store::jobs::{JobRuns, JobStarts, Jobs};
use hedgerow_store::keys::Kind;
use hedgerow_store::second_factors::SecondFactors;
use hedgerow_store::sessions::{SessionCredential, Sessions};
use hedgerow_store::tables::Table;
use hedgerow_store::tenant_fields::TenantFields;
use hedgerow_store::tenants::Tenants;
use hedgerow_store::values::{Save, Values};
use hedgerow_store::webhooks::Webhooks;
use serde_json::json;

use crate::deliveries::{ANY, of_status, result};
use crate::fixture::{
    Account, PASSWORD, Tables, all, by_key, label_change, named, new_global, new_group, new_own, object, other_name,
    relabelled, request_info, string,
};
use crate::idempotency::{REQUEST, answer, answered, go};
use crate::life::{self, new_key};
use crate::second_factors::code;
use crate::webhooks::{grace, member, new_webhook, ring};

/// One statement for each table and action, as a function's role has it.
fn policy(tables: &Tables, grants: &[Grant]) -> Vec<engines::Grant> {
    let mut policy: Vec<engines::Grant> = Vec::new();
    for grant in grants {
        let keys = grant.kinds.iter().map(|kind| format!("{}*", kind.prefix()));
        engines::Grant::add_items(&mut policy, tables.names.of(grant.table), grant.action.name(), keys);
    }
    policy
}

async fn under<T>(account: &Account, grants: &[Grant], work: impl Future<Output = Result<T, Error>>) -> T {
    // As a new instance, which has all its reads before it.
    account.store.forget();
    permitted(policy(&account.tables, grants), work).await.unwrap()
}

/// Opens a repository, and carries out a method of it with no more rights than its type grants.
macro_rules! works {
    ($account:ident, $of:ty, $open:expr, $method:ident($($argument:expr),*)) => {{
        let repository: $of = $open;
        under(&$account, &<$of>::grants(), Box::pin(repository.$method($($argument),*))).await
    }};
}

#[tokio::test]
async fn reading() {
    let tables = Tables::embedded().await;
    let account = tables.account().await;
    let lived = life::live(&account).await.unwrap();
    let key = by_key("product");
    works!(account, FieldGroups<Get>, account.groups(), get(&key));
    works!(account, FieldGroups<List>, account.groups(), list(&all()));
    works!(account, GlobalFields<Get>, account.globals(), get(lived.global));
    works!(account, GlobalFields<List>, account.globals(), list(None, &all()));
    works!(account, TenantFields<Get>, account.fields("acme"), get(&key, lived.own));
    works!(account, TenantFields<List>, account.fields("acme"), list(&key, &all()));
    works!(account, Values<Get>, account.values("acme"), get(&key, &named("sku")));
    works!(account, Values<List>, account.values("acme"), list(&key, &all()));
    works!(account, Tenants, account.tenants(), list(&all()));
    works!(account, ApiKeys<Get>, account.keys(), get(lived.key));
    works!(account, ApiKeys<List>, account.keys(), list(&all()));
}

#[tokio::test]
async fn writing_groups_and_fields() {
    let tables = Tables::embedded().await;
    let account = tables.account().await;
    let lived = life::live(&account).await.unwrap();
    let (product, new) = (by_key("product"), by_key("new"));
    works!(account, FieldGroups<Create>, account.groups(), create(new_group("new")));
    works!(account, FieldGroups<Update>, account.groups(), update(&new, None, |group| group.name = other_name()));
    works!(account, FieldGroups<Delete>, account.groups(), delete(&new, None));
    works!(account, FieldGroups<Restore>, account.groups(), restore(&new, None));

    let global = new_global("new", string(), &[lived.group]);
    let made = works!(account, GlobalFields<Create>, account.globals(), create(global)).id;
    works!(account, GlobalFields<Update>, account.globals(), update(made, None, &relabelled()));
    let moved = GlobalFieldChange { groups: Some(vec![lived.other_group]), ..GlobalFieldChange::default() };
    works!(account, GlobalFields<Update>, account.globals(), update(made, None, &moved));
    works!(account, GlobalFields<Delete>, account.globals(), delete(made, None));
    works!(account, GlobalFields<Restore>, account.globals(), restore(made, None));

    for tenant in ["acme", "first"] {
        let own = new_own("own", string());
        let made = works!(account, TenantFields<Create>, account.fields(tenant), create(&product, own)).id;
        works!(
            account,
            TenantFields<Update>,
            account.fields(tenant),
            update(&product, made, None, &label_change(other_name()))
        );
        works!(account, TenantFields<Delete>, account.fields(tenant), delete(&product, made, None));
        works!(account, TenantFields<Restore>, account.fields(tenant), restore(&product, made, None));
    }
}

#[tokio::test]
async fn writing_values() {
    let tables = Tables::embedded().await;
    let account = tables.account().await;
    life::live(&account).await.unwrap();
    let (key, sku) = (by_key("product"), named("new"));
    let sent = object(json!({ "title": "x" }));
    for tenant in ["acme", "first"] {
        for how in [Save::Merge, Save::Replace] {
            works!(account, Values<Write>, account.values(tenant), save(&key, &sku, &sent, how, None));
        }
        works!(account, Values<Delete>, account.values(tenant), delete(&key, &sku, None));
        works!(account, Values<Restore>, account.values(tenant), restore(&key, &sku, None));
        works!(account, Values<Delete>, account.values(tenant), delete(&key, &sku, None));
        works!(account, Values<Write>, account.values(tenant), save(&key, &sku, &sent, Save::Merge, None));
    }
}

#[tokio::test]
async fn credentials_and_accounts() {
    let tables = Tables::embedded().await;
    let account = tables.account().await;
    let (key, secret) = works!(account, ApiKeys<Create>, account.keys(), create(new_key()));
    let secret = secret.unwrap();
    under(&account, Store::KEY_GRANTS, account.store.verify_key(&secret)).await.unwrap();
    works!(
        account,
        ApiKeys<Update>,
        account.keys(),
        update(key.id, None, |key| {
            key.name = other_name();
            Ok(())
        })
    );
    let used = account.store.verify_key(&secret).await.unwrap().unwrap();
    under(&account, Store::KEY_USE_GRANTS, account.store.note_key_use(&used, &request_info())).await;
    for _ in 0..3 {
        works!(account, ApiKeys<Rotate>, account.keys(), rotate(key.id, None, grace(60)));
    }
    works!(account, ApiKeys<Delete>, account.keys(), delete(key.id, None));
    under(&account, Store::KEY_GRANTS, account.store.warm_up(Kind::Key)).await;
    under(&account, &Signup::grants(), account.store.warm_up(Kind::Email)).await;
    under(&account, &Login::grants(), account.store.warm_up(Kind::Email)).await;
    let signup = Signup::open(&account.store, tables.author());
    let email = || named("new@example.com");
    under(&account, &Signup::grants(), signup.sign_up(email(), named(PASSWORD), named("New"))).await;
    let login = tables.login();
    let (_, token) = under(&account, &Login::grants(), async {
        login
            .log_in(&email(), named(PASSWORD), None, None, &account.ring)
            .await
            .map(|entered| (entered.info, entered.token))
            .map_err(|refused| refused.error)
    })
    .await;
    let session =
        under(&account, Store::SESSION_GRANTS, account.store.verify_session(&token, &request_info())).await.unwrap();
    let session = second_factor(&account, session).await;
    works!(account, Sessions<Get>, Sessions::open(&account.store, account.tables.author()), info(&session));
    works!(account, Sessions<Delete>, Sessions::open(&account.store, account.tables.author()), end(&session));
    let grants = [Store::IDEMPOTENCY_GRANTS, Store::LONG_ANSWER_GRANTS].concat();
    let long = answer(&" ".repeat(500_000));
    for ending in [Ending::Refused, Ending::Failed, Ending::Answered(long.clone())] {
        let reservation = permitted(policy(&tables, &grants), go(&account, &REQUEST)).await;
        under(&account, &grants, account.store.finish(reservation, ending)).await;
    }
    assert_eq!(permitted(policy(&tables, &grants), answered(&account, &REQUEST)).await, long);
}

/// Turns a second factor on, logs in with it, and turns it off: the session that goes on.
async fn second_factor(account: &Account, session: SessionCredential) -> SessionCredential {
    let author = || account.tables.author();
    let factors = SecondFactors::<Create>::open(&account.store, author());
    let started =
        async { factors.start(&session, named(PASSWORD), &account.ring).await.map_err(|refused| refused.error) };
    let secret = under(account, &SecondFactors::<Create>::grants(), started).await;
    let factors = SecondFactors::<Update>::open(&account.store, author());
    let first = named(&code(account, &secret));
    let confirmed = factors.confirm(&session, &first, &account.ring);
    let turned_on = under(account, &SecondFactors::<Update>::grants(), confirmed).await;
    let (login, totp) = (account.tables.login(), named(&turned_on.recovery_codes[0].reveal()));
    let entered = async {
        let entered = login.log_in(&session.user.email, named(PASSWORD), Some(&totp), None, &account.ring).await;
        entered.map_err(|refused| refused.error)
    };
    under(account, &Login::grants(), entered).await;
    let session = account.store.verify_session(&turned_on.token, &request_info()).await.unwrap().unwrap();
    let factors = SecondFactors::<Delete>::open(&account.store, author());
    let turned_off = async { factors.turn_off(&session, named(PASSWORD)).await.map_err(|refused| refused.error) };
    assert!(under(account, &SecondFactors::<Delete>::grants(), turned_off).await);
    session
}

#[tokio::test]
async fn webhooks_and_their_deliveries() {
    let tables = Tables::embedded().await;
    let (account, ring) = (tables.account().await, ring());
    let (webhook, _) = works!(account, Webhooks<Create>, account.webhooks(), create(new_webhook(), &ring));
    let grace = member(json!(60));
    works!(account, Webhooks<Update>, account.webhooks(), rotate_secret(webhook.id, None, grace, &ring));
    works!(account, Webhooks<Get>, account.webhooks(), get(webhook.id));
    works!(account, Webhooks<List>, account.webhooks(), list(&all()));

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
    let off = works!(account, Webhooks<Update>, account.webhooks(), update(webhook.id, None, None, off));
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

    works!(account, Deliveries<Get>, account.deliveries(), get(message.delivery));
    works!(account, Deliveries<List>, account.deliveries(), list(webhook.id, &ANY, &all()));
    let failed = of_status(contract::webhook::DeliveryStatus::Failed);
    works!(account, Deliveries<List>, account.deliveries(), list(webhook.id, &failed, &all()));
    works!(account, Deliveries<Redeliver>, account.deliveries(), redeliver(message.delivery));
    works!(account, Deliveries<Ping>, account.deliveries(), ping(webhook.id, None, "req_test"));

    let (job, _) = works!(account, Jobs<Create>, Jobs::open(&account.op()), recover(webhook.id, since));
    works!(account, Jobs<Get>, Jobs::open(&account.op()), get(job.id));
    let starts = JobStarts::open(&account.store);
    let now = tables.clock.now();
    under(&account, &JobStarts::grants(), starts.release(client, job.id, webhook.id, now)).await;
    let (grants, runs) = (JobRuns::grants(), JobRuns::open(&account.store));
    let mut running = under(&account, &grants, runs.get(client, job.id)).await.unwrap();
    under(&account, &grants, runs.advance(&mut running)).await;
    works!(account, Webhooks<Delete>, account.webhooks(), delete(webhook.id, None));
}

#[tokio::test]
async fn nothing_more_than_it_says() {
    let tables = Tables::embedded().await;
    let account = tables.account().await;
    life::live(&account).await.unwrap();
    let reads = policy(&tables, &FieldGroups::<Get>::grants());
    let groups: FieldGroups<Create> = account.groups();
    let refused = permitted(reads, groups.create(new_group("new"))).await;
    assert!(refused.is_err(), "a reader wrote");
    assert!(Values::<Get>::grants().iter().all(|grant| grant.table == Table::Main));
}
