//! Sessions: how long they last, and what ends them.

use std::time::Duration;

use auth::SessionToken;
use contract::{Code, Error};
use hedgerow_store::author::RequestInfo;
use hedgerow_store::sessions::{SessionCredential, Sessions, UserSessions};

use crate::fixture::{Account, PASSWORD, Tables, named, refused, request_info};

const MINUTE: Duration = Duration::from_secs(60);

async fn log_in(account: &Account) -> SessionToken {
    account.tables.log_in(&account.user.email, named(PASSWORD), None).await.unwrap().1
}

/// On an instance of its own, so that nothing is remembered.
async fn verified(account: &Account, token: &SessionToken) -> Option<SessionCredential> {
    account.tables.store().verify_session(token, &request_info()).await.unwrap()
}

fn all<A>(account: &Account) -> UserSessions<A> {
    UserSessions::open(&account.store, account.tables.author())
}

#[tokio::test]
async fn a_session_ends_at_logout_and_no_other_does() -> Result<(), Error> {
    let account = Tables::new().await.account().await;
    let (one, two) = (log_in(&account).await, log_in(&account).await);
    let session = verified(&account, &one).await.unwrap();
    assert_eq!((session.user_id(), session.scope.client()), (account.user.id, account.client.id));
    assert_eq!(session.user, account.user);
    Sessions::open(&account.store, account.tables.author()).end(&session).await?;
    Sessions::open(&account.store, account.tables.author()).end(&session).await?;
    assert!(verified(&account, &one).await.is_none());
    assert!(verified(&account, &two).await.is_some());
    Ok(())
}

#[tokio::test]
async fn a_session_lasts_half_an_hour_without_use_and_eight_hours_with_it() {
    let account = Tables::new().await.account().await;
    let (used, idle) = (log_in(&account).await, log_in(&account).await);
    let clock = &account.tables.clock;
    clock.advance(29 * MINUTE);
    assert!(verified(&account, &used).await.is_some());
    clock.advance(MINUTE);
    assert!(verified(&account, &idle).await.is_none());
    for _ in 0..15 {
        assert!(verified(&account, &used).await.is_some());
        clock.advance(29 * MINUTE);
    }
    // 7 h 45 min after its start.
    assert!(verified(&account, &used).await.is_some());
    clock.advance(15 * MINUTE);
    assert!(verified(&account, &used).await.is_none());
}

#[tokio::test]
async fn a_use_is_written_once_a_minute_and_says_from_where() -> Result<(), Error> {
    let account = Tables::embedded().await.account().await;
    let token = log_in(&account).await;
    let writes = || {
        let calls = account.tables.connector().trace().snapshot().calls;
        calls.iter().filter(|(call, _)| call.as_str() == "UpdateItem").map(|(_, times)| *times).sum::<u64>()
    };
    let before = writes();
    for _ in 0..5 {
        verified(&account, &token).await.unwrap();
    }
    assert_eq!(writes() - before, 0);
    account.tables.clock.advance(MINUTE);
    let elsewhere = RequestInfo { address: "198.51.100.7".parse().ok(), agent: "phone".into(), ..request_info() };
    for _ in 0..5 {
        account.store.verify_session(&token, &elsewhere).await?.unwrap();
    }
    assert_eq!(writes() - before, 1);
    let asking = verified(&account, &token).await.unwrap();
    let listed = all(&account).list(&asking).await?;
    let [session] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((session.address, session.agent.as_str()), ("198.51.100.7".parse().ok(), "phone"));
    assert!(session.current && session.last_used_at >= session.created_at.plus(MINUTE));
    Ok(())
}

#[tokio::test]
async fn ones_sessions_are_listed_and_ended() -> Result<(), Error> {
    let tables = Tables::new().await;
    let (account, stranger) = (tables.account().await, tables.account().await);
    let mut tokens = Vec::new();
    for _ in 0..4 {
        tokens.push(log_in(&account).await);
    }
    let others = log_in(&stranger).await;
    let foreign = verified(&stranger, &others).await.unwrap();
    let asking = verified(&account, &tokens[1]).await.unwrap();
    let listed = all(&account).list(&asking).await?;
    assert_eq!(listed.iter().map(|session| session.current).collect::<Vec<_>>(), [false, false, true, false]);
    assert!(listed.is_sorted_by_key(|session| std::cmp::Reverse(session.id)));

    all(&account).end(&asking, listed[0].id).await?;
    assert!(verified(&account, &tokens[3]).await.is_none());
    assert_eq!(refused(all(&account).end(&asking, listed[0].id).await), Code::SessionNotFound);
    assert_eq!(refused(all(&account).end(&asking, foreign.id).await), Code::SessionNotFound);

    all(&account).end_others(&asking).await?;
    assert!(verified(&account, &tokens[0]).await.is_none() && verified(&account, &tokens[2]).await.is_none());
    assert!(verified(&account, &tokens[1]).await.is_some() && verified(&stranger, &others).await.is_some());
    assert_eq!(all(&account).list(&asking).await?.len(), 1);
    // A session that starts now is of the new epoch.
    assert!(verified(&account, &log_in(&account).await).await.is_some());

    // What has ended the session that asks is not undone by it.
    assert_eq!(refused(all(&account).end_others(&asking).await), Code::Unauthenticated, "of an earlier epoch");
    let asking = verified(&account, &tokens[1]).await.unwrap();
    let (one, other) = tokio::join!(async { all(&account).end_others(&asking).await }, async {
        all(&account).end_others(&verified(&account, &log_in(&account).await).await.unwrap()).await
    });
    assert!(one.is_ok() || other.is_ok());
    let asking = verified(&account, &log_in(&account).await).await.unwrap();
    Sessions::open(&account.store, account.tables.author()).end(&asking).await?;
    assert_eq!(refused(all(&account).end_others(&asking).await), Code::Unauthenticated);
    Ok(())
}
