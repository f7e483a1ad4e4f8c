//! The rotation of API keys: which secret works when, and who is seen to use which.

use std::time::Duration;

use auth::{ApiKeySecret, random};
use contract::resource::ApiKey;
use contract::{Code, Error};
use futures_util::future::join_all;
use hedgerow_store::Store;
use hedgerow_store::author::RequestInfo;

use crate::fixture::{Account, Tables, assert_conflict, if_match, refused, request_info};
use crate::life::new_key;
use crate::webhooks::grace;

/// Within this every instance goes by what was changed.
const SOON: Duration = Duration::from_secs(10);

async fn works(store: &Store, secret: &ApiKeySecret) -> bool {
    store.verify_key(secret).await.unwrap().is_some()
}

async fn made(account: &Account) -> Result<(ApiKey, ApiKeySecret), Error> {
    let (key, secret) = account.keys().create(new_key()).await?;
    Ok((key, secret.unwrap()))
}

async fn rotate(account: &Account, key: &ApiKey, seconds: u32) -> Result<(ApiKey, ApiKeySecret), Error> {
    let (key, secret) = account.keys().rotate(key.id, None, grace(seconds)).await?;
    Ok((key, secret.unwrap()))
}

/// Uses a secret from an address, at an instance.
async fn uses(store: &Store, secret: &ApiKeySecret, address: &str) {
    let key = store.verify_key(secret).await.unwrap().unwrap();
    let by = RequestInfo { address: address.parse().ok(), ..request_info() };
    store.note_key_use(&key, &by).await.unwrap();
}

#[tokio::test]
async fn both_secrets_work_until_the_grace_ends() -> Result<(), Error> {
    let tables = Tables::new().await;
    let (account, other) = (tables.account().await, tables.store());
    let (key, old) = made(&account).await?;
    assert!(works(&other, &old).await);
    let (rotated, new) = rotate(&account, &key, 3_600).await?;
    assert_eq!((rotated.id, rotated.version, &rotated.prefix), (key.id, 2, &new.prefix()));
    let previous = rotated.previous.clone().unwrap();
    let end = rotated.updated_at.plus(Duration::from_secs(3_600));
    assert_eq!((previous.prefix, previous.expires_at), (old.prefix(), end));
    for store in [&account.store, &other] {
        assert!(works(store, &old).await && works(store, &new).await);
    }
    tables.clock.advance(Duration::from_secs(3_000));
    assert!(works(&other, &old).await);
    tables.clock.advance(Duration::from_secs(600));
    assert!(!works(&other, &old).await && works(&other, &new).await);
    assert_eq!(account.keys().get(key.id).await?.previous, None);
    Ok(())
}

#[tokio::test]
async fn without_a_grace_the_old_one_is_dead_everywhere_within_ten_seconds() -> Result<(), Error> {
    let tables = Tables::new().await;
    let (account, other) = (tables.account().await, tables.store());
    let (key, old) = made(&account).await?;
    assert!(works(&other, &old).await);
    let (rotated, new) = rotate(&account, &key, 0).await?;
    assert_eq!(rotated.previous, None);
    assert!(!works(&account.store, &old).await, "at once where it was rotated");
    assert!(works(&other, &new).await);
    tables.clock.advance(SOON);
    assert!(!works(&other, &old).await && works(&other, &new).await);
    Ok(())
}

#[tokio::test]
async fn of_a_key_there_are_two_secrets_at_the_most() -> Result<(), Error> {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let (key, first) = made(&account).await?;
    let (_, second) = rotate(&account, &key, 3_600).await?;
    let (rotated, third) = rotate(&account, &key, 60).await?;
    assert_eq!(rotated.previous.unwrap().prefix, second.prefix());
    let works = [
        works(&account.store, &first).await,
        works(&account.store, &second).await,
        works(&account.store, &third).await,
    ];
    assert_eq!(works, [false, true, true]);
    Ok(())
}

#[tokio::test]
async fn what_is_changed_of_a_key_holds_for_both_and_brings_none_back() -> Result<(), Error> {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let (key, old) = made(&account).await?;
    let (_, new) = rotate(&account, &key, 60).await?;
    let set = |active| {
        move |key: &mut ApiKey| {
            key.active = active;
            Ok(())
        }
    };
    for active in [false, true] {
        account.keys().update(key.id, None, set(active)).await?;
        for secret in [&old, &new] {
            assert_eq!(works(&account.store, secret).await, active);
        }
    }
    tables.clock.advance(Duration::from_secs(60));
    for active in [false, true] {
        account.keys().update(key.id, None, set(active)).await?;
    }
    assert!(!works(&tables.store(), &old).await && works(&tables.store(), &new).await);
    account.keys().delete(key.id, None).await?;
    assert!(!works(&tables.store(), &old).await && !works(&tables.store(), &new).await);
    assert_eq!(refused(account.keys().rotate(key.id, None, grace(0)).await), Code::ApiKeyNotFound);
    Ok(())
}

/// However rotations and changes meet: the newest secret works, the one that it replaced does, and no other one.
#[tokio::test]
async fn rotations_and_changes_at_once_leave_two_secrets() -> Result<(), Error> {
    let account = Tables::new().await.account().await;
    let (key, first) = made(&account).await?;
    let rotations = join_all((0..4).map(|_| rotate(&account, &key, 3_600)));
    let changes = join_all((0..4).map(|number| {
        let name = move |key: &mut ApiKey| {
            key.name = format!("{number} {}", auth::hex(&random::bytes::<2>())).parse().unwrap();
            Ok(())
        };
        let keys = account.keys();
        async move { keys.update(key.id, None, name).await }
    }));
    let (rotated, changed) = futures_util::future::join(rotations, changes).await;
    assert!(changed.into_iter().all(|change| change.is_ok()));
    let mut rotated: Vec<_> = rotated.into_iter().map(Result::unwrap).collect();
    rotated.sort_by_key(|(key, _)| key.version);
    let mut working = vec![works(&account.tables.store(), &first).await];
    for (_, secret) in &rotated {
        working.push(works(&account.tables.store(), secret).await);
    }
    assert_eq!(working, [false, false, false, true, true]);
    assert_eq!(account.keys().get(key.id).await?.version, 9);
    assert_conflict(account.keys().rotate(key.id, if_match(8), grace(0)).await, 8, 9);
    Ok(())
}

#[tokio::test]
async fn the_use_of_each_secret_is_seen_once_a_minute_over_all_instances() -> Result<(), Error> {
    let tables = Tables::new().await;
    let (account, one, two) = (tables.account().await, tables.store(), tables.store());
    let (key, old) = made(&account).await?;
    assert_eq!((key.last_used_at, key.last_used_address), (None, None));
    uses(&one, &old, "192.0.2.1").await;
    let used_at = tables.clock.now();
    uses(&two, &old, "192.0.2.2").await;
    let seen = account.keys().get(key.id).await?;
    assert!(seen.last_used_at.is_some_and(|at| at <= used_at) && seen.version == 1);
    assert_eq!(seen.last_used_address, "192.0.2.1".parse().ok(), "who comes second within a minute writes nothing");

    let (_, new) = rotate(&account, &key, 3_600).await?;
    uses(&two, &new, "2001:db8::1").await;
    tables.clock.advance(Duration::from_secs(60));
    uses(&one, &old, "192.0.2.3").await;
    let seen = account.keys().get(key.id).await?;
    let previous = seen.previous.clone().unwrap();
    assert_eq!(seen.last_used_address, "2001:db8::1".parse().ok());
    assert_eq!(previous.last_used_address, "192.0.2.3".parse().ok());
    assert!(previous.last_used_at > seen.last_used_at);
    assert_eq!(account.keys().list(&crate::fixture::all()).await?.items, [seen]);

    // A use that is noted late leaves nothing behind of a key that is deleted.
    let late = one.verify_key(&new).await?.unwrap();
    account.keys().delete(key.id, None).await?;
    tables.clock.advance(Duration::from_secs(60));
    two.note_key_use(&late, &request_info()).await?;
    let pk = format!("KU#{}", account.scope.client());
    let query = tables.dynamo.query().table_name(tables.names.of(hedgerow_store::tables::Table::Log));
    let query = query.key_condition_expression("pk = :pk");
    let query = query.expression_attribute_values(":pk", aws_sdk_dynamodb::types::AttributeValue::S(pk));
    assert_eq!(query.send().await.unwrap().count, 0);
    Ok(())
}
