//! Credentials: what is off is off on every instance within seconds, and a scope is what its credential says.

use std::time::Duration;

use auth::{ApiKeySecret, SessionToken};
use contract::permission::{KeyType, Permission};
use contract::{Code, Error, Several};
use hedgerow_store::Store;
use hedgerow_store::api_keys::NewApiKey;

use crate::fixture::{Account, PASSWORD, Tables, all, assert_conflict, if_match, named, paged, refused, request_info};
use crate::life::new_key;

/// Within this every instance goes by what was changed.
const SOON: Duration = Duration::from_secs(10);

async fn works(store: &Store, secret: &ApiKeySecret) -> bool {
    store.verify_key(secret).await.unwrap().is_some()
}

#[tokio::test]
async fn a_key_gives_the_scope_of_its_client_and_what_it_was_made_with() -> Result<(), Error> {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let new = NewApiKey {
        key_type: KeyType::Management,
        permissions: Several::of(vec![Permission::SchemaRead, Permission::ValuesWrite]).ok(),
        allowed_ips: Several::of(vec![named("192.0.2.0/24"), named("2001:db8::1")]).ok(),
        ..new_key()
    };
    let (key, secret) = account.keys().create(new).await?;
    let secret = secret.unwrap();
    assert!((key.version, key.active) == (1, true) && key.prefix.len() == 12);
    for store in [&account.store, &tables.store()] {
        let verified = store.verify_key(&secret).await?.unwrap();
        assert_eq!((verified.id, verified.scope.client()), (key.id, account.client.id));
        assert_eq!(verified.key_type, KeyType::Management);
        assert!(verified.may(Permission::ValuesWrite) && !verified.may(Permission::ValuesRead));
        for (address, allowed) in
            [("192.0.2.7", true), ("::ffff:192.0.2.7", true), ("2001:db8::1", true), ("192.0.3.1", false)]
        {
            assert_eq!(verified.allows_address(Some(address.parse().unwrap())), allowed, "{address}");
        }
        assert!(!verified.allows_address(None));
    }
    let (_, other) = account.keys().create(NewApiKey { key_type: KeyType::Delivery, ..new_key() }).await?;
    let other = other.unwrap();
    let verified = tables.store().verify_key(&other).await?.unwrap();
    assert!(verified.key_type == KeyType::Delivery && verified.allows_address(None));
    assert!(!works(&account.store, &ApiKeySecret::generate(KeyType::Management)).await);
    Ok(())
}

#[tokio::test]
async fn what_is_off_is_refused_everywhere_within_ten_seconds() -> Result<(), Error> {
    let tables = Tables::new().await;
    let (account, other) = (tables.account().await, tables.store());
    let (key, secret) = account.keys().create(new_key()).await?;
    let secret = secret.unwrap();
    let set = |active| {
        move |key: &mut contract::resource::ApiKey| {
            key.active = active;
            Ok(())
        }
    };
    assert!(works(&other, &secret).await);
    assert_eq!(account.keys().update(key.id, if_match(1), set(false)).await?.version, 2);
    assert!(!works(&account.store, &secret).await, "at once where it was switched off");
    tables.clock.advance(SOON);
    assert!(!works(&other, &secret).await);
    account.keys().update(key.id, if_match(2), set(true)).await?;
    tables.clock.advance(SOON);
    assert!(works(&other, &secret).await);
    // It is asked for again, not only once: an instance in use all the time learns of it as well.
    account.keys().delete(key.id, if_match(3)).await?;
    let mut waited = Duration::ZERO;
    while works(&other, &secret).await {
        tables.clock.advance(Duration::from_secs(1));
        waited += Duration::from_secs(1);
        assert!(waited <= SOON);
    }
    assert!(!works(&account.store, &secret).await && !works(&tables.store(), &secret).await);
    assert_eq!(refused(account.keys().get(key.id).await), Code::ApiKeyNotFound);
    assert_eq!(refused(account.keys().delete(key.id, None).await), Code::ApiKeyNotFound);
    assert_eq!(refused(account.keys().update(key.id, None, set(true)).await), Code::ApiKeyNotFound);
    assert!(!works(&tables.store(), &secret).await);
    Ok(())
}

#[tokio::test]
async fn a_key_ends_when_it_was_said_to() -> Result<(), Error> {
    let tables = Tables::new().await;
    let account = tables.account().await;
    let ends = tables.clock.now().plus(Duration::from_secs(60));
    let (key, secret) = account.keys().create(NewApiKey { expires_at: Some(ends), ..new_key() }).await?;
    let secret = secret.unwrap();
    let other = tables.store();
    tables.clock.advance(Duration::from_secs(50));
    assert!(works(&other, &secret).await);
    tables.clock.advance(SOON);
    assert!(!works(&other, &secret).await);
    let prolong = |key: &mut contract::resource::ApiKey| {
        key.expires_at = None;
        Ok(())
    };
    account.keys().update(key.id, None, prolong).await?;
    tables.clock.advance(SOON);
    assert!(works(&other, &secret).await);
    Ok(())
}

#[tokio::test]
async fn keys_are_listed_oldest_first_and_guarded_by_versions() -> Result<(), Error> {
    let account = Tables::new().await.account().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(account.keys().create(new_key()).await?.0);
    }
    account.keys().delete(made.remove(2).id, None).await?;
    for limit in [1, 2, 4, 100] {
        let listed = paged(limit, |page| {
            let keys = account.keys();
            async move { keys.list(&page).await }
        });
        assert_eq!(listed.await, made);
    }
    let id = made[0].id;
    assert_eq!(account.keys().get(id).await?, made[0]);
    assert_conflict(account.keys().update(id, if_match(2), |_| Ok(())).await, 2, 1);
    assert_conflict(account.keys().delete(id, if_match(0)).await, 0, 1);
    let refuse = |_: &mut contract::resource::ApiKey| Err(Code::Forbidden.into());
    assert_eq!(refused(account.keys().update(id, None, refuse).await), Code::Forbidden);
    assert_eq!(account.keys().get(id).await?.version, 1);
    Ok(())
}

async fn session(account: &Account) -> Result<SessionToken, Error> {
    Ok(account.tables.log_in(&account.user.email, named(PASSWORD), None).await?.1)
}

#[tokio::test]
async fn a_session_is_its_own_users() -> Result<(), Error> {
    let tables = Tables::new().await;
    let (account, stranger) = (tables.account().await, tables.account().await);
    let token = session(&account).await?;
    assert!(tables.store().verify_session(&SessionToken::generate(account.user.id), &request_info()).await?.is_none());
    // The secret of one user's session under another user's name.
    let cookie = token.set_cookie().replace(&account.user.id.to_string(), &stranger.user.id.to_string());
    let forged = SessionToken::from_cookies(cookie.split(';').next().unwrap()).unwrap();
    assert_eq!((forged.user(), forged.hash()), (stranger.user.id, token.hash()));
    assert!(tables.store().verify_session(&forged, &request_info()).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_scope_reaches_its_own_client_alone() -> Result<(), Error> {
    let tables = Tables::new().await;
    let (one, two) = (tables.account().await, tables.account().await);
    let (key, secret) = one.keys().create(new_key()).await?;
    let secret = secret.unwrap();
    assert_eq!(refused(two.keys().get(key.id).await), Code::ApiKeyNotFound);
    assert_eq!(refused(two.keys().update(key.id, None, |_| Ok(())).await), Code::ApiKeyNotFound);
    assert_eq!(refused(two.keys().delete(key.id, None).await), Code::ApiKeyNotFound);
    assert!(two.keys().list(&all()).await?.items.is_empty());
    assert!(works(&tables.store(), &secret).await);
    assert_eq!(one.keys().get(key.id).await?, key);
    Ok(())
}
