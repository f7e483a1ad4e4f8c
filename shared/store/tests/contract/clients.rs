//! The client itself: closed, restored, erased.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use contract::{Code, Error};
use engines::Fault;
use hedgerow_store::clients::Clients;
use hedgerow_store::erasure::Erasure;
use hedgerow_store::grant::{Delete, Get, Restore, Update};
use hedgerow_store::sessions::SessionCredential;
use hedgerow_store::sweep::Stopped;
use tokio::time::Instant;

use crate::fixture::{Account, DAY, PASSWORD, Tables, if_match, named, other_name, refused, request_info};
use crate::life;

/// How long what is closed may be believed open elsewhere.
const CACHE_TTL: Duration = Duration::from_secs(5);

async fn owner(account: &Account) -> SessionCredential {
    let (_, token) = account.tables.log_in(&account.user.email, named(PASSWORD), None).await.unwrap();
    account.store.verify_session(&token, &request_info()).await.unwrap().unwrap()
}

async fn close(account: &Account) -> Result<(), Error> {
    let (clients, asking) = (Clients::<Delete>::open(&account.op()), owner(account).await);
    clients.close(&asking, named(PASSWORD), None).await.map(|_| ()).map_err(|refused| refused.error)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

#[tokio::test]
async fn a_client_is_closed_everywhere_within_seconds_and_open_again() -> Result<(), Error> {
    let account = Tables::new().await.account().await;
    let (client, elsewhere) = (account.client.id, account.tables.store());
    assert!(!elsewhere.standing(client).await?.unwrap().is_closed);
    close(&account).await?;
    assert!(account.store.standing(client).await?.unwrap().is_closed, "here at once");
    account.tables.clock.advance(CACHE_TTL);
    assert!(elsewhere.standing(client).await?.unwrap().is_closed);
    let closed = Clients::<Get>::open(&account.op()).get().await?;
    assert!(closed.closed_at.is_some() && closed.version == 2);
    let update = Clients::<Update>::open(&account.op()).update(None, |client| client.name = other_name()).await;
    assert_eq!((refused(update), refused(close(&account).await)), (Code::Forbidden, Code::Forbidden));
    let restore = Clients::<Restore>::open(&account.op());
    assert_eq!(refused(restore.restore(if_match(1)).await), Code::VersionConflict);
    assert_eq!(restore.restore(None).await?.closed_at, None);
    account.tables.clock.advance(31 * DAY);
    assert!(Erasure::open(&account.store).due(account.tables.clock.now()).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn what_is_being_erased_is_not_restored() -> Result<(), Error> {
    let account = Tables::new().await.account().await;
    life::live(&account).await?;
    close(&account).await?;
    let erasure = Erasure::open(&account.tables.store());
    account.tables.clock.advance(30 * DAY - Duration::from_secs(60));
    assert!(erasure.due(account.tables.clock.now()).await?.is_empty());
    account.tables.clock.advance(Duration::from_secs(120));
    let due = erasure.due(account.tables.clock.now()).await?;
    assert_eq!(due.iter().map(|due| due.client).collect::<Vec<_>>(), [account.client.id]);
    // Its time is over as soon as it has begun.
    assert!(matches!(erasure.erase(&due[0], Instant::now()).await, Err(Stopped::TimeOver)));
    assert_eq!(refused(Clients::<Restore>::open(&account.op()).restore(None).await), Code::Forbidden);
    assert!(account.tables.store().standing(account.client.id).await?.is_none());
    let log_in = account.tables.log_in(&account.user.email, named(PASSWORD), None).await;
    assert_eq!(refused(log_in), Code::Forbidden);
    assert!(erasure.erase(&due[0], soon()).await.unwrap() > 20);
    assert!(erasure.due(account.tables.clock.now()).await?.is_empty());
    // Handed out twice.
    assert_eq!(erasure.erase(&due[0], soon()).await.unwrap(), 0);
    Ok(())
}

/// It was listed as due, and is closed anew before its turn comes.
#[tokio::test]
async fn a_client_that_was_restored_and_closed_anew_has_30_days_again() -> Result<(), Error> {
    let account = Tables::new().await.account().await;
    close(&account).await?;
    account.tables.clock.advance(30 * DAY - Duration::from_secs(60));
    let erasure = Erasure::open(&account.store);
    let listed = erasure.due(account.tables.clock.now().plus(DAY)).await?;
    Clients::<Restore>::open(&account.op()).restore(None).await?;
    assert!(matches!(erasure.erase(&listed[0], soon()).await, Err(Stopped::Restored)));
    close(&account).await?;
    assert!(matches!(erasure.erase(&listed[0], soon()).await, Err(Stopped::Restored)));
    account.tables.clock.advance(29 * DAY);
    assert!(erasure.due(account.tables.clock.now()).await?.is_empty());
    Clients::<Restore>::open(&account.op()).restore(None).await.map(|_| ())
}

/// Whatever write it dies after, another one goes on, and leaves nothing.
#[tokio::test(start_paused = true)]
async fn an_erasure_that_dies_anywhere_is_gone_on_with() {
    let tables = Tables::embedded().await;
    let account = tables.account().await;
    life::live(&account).await.unwrap();
    close(&account).await.unwrap();
    tables.clock.advance(31 * DAY);
    let erasure = Erasure::open(&tables.store());
    let [due] = &erasure.due(tables.clock.now()).await.unwrap()[..] else { panic!("one is due") };
    let mut tries = 0;
    loop {
        // The first write of each try is carried out, and no other one.
        let writes = Arc::new(AtomicU64::new(0));
        tables.connector().faults().set(move |call| {
            let is_write = !matches!(call.operation, "GetItem" | "BatchGetItem" | "Query");
            (is_write && writes.fetch_add(1, Ordering::SeqCst) > tries / 4).then_some(Fault::Internal)
        });
        tries += 1;
        match erasure.erase(due, soon()).await {
            Ok(_) => break,
            Err(Stopped::Failed(error)) => assert_eq!(error.code(), Code::Unavailable),
            Err(stopped) => panic!("{stopped:?}"),
        }
        assert!(tries < 200);
    }
    tables.connector().faults().clear();
    assert!(tries > 10, "{tries}");
    assert!(erasure.due(tables.clock.now()).await.unwrap().is_empty());
    let left = tables.items();
    assert!(!left.iter().any(|item| item.contains(&account.client.id.to_string())), "{left:#?}");
}
