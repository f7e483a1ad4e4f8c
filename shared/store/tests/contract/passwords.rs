//! Passwords: changed, set anew by mail, and guessed.

use std::time::Duration;

use auth::{MailedToken, SessionToken};
use contract::{Code, Error};
use futures_util::future::join_all;
use hedgerow_store::passwords::{Mailboxes, OwnPassword, PasswordReset};
use hedgerow_store::sessions::SessionCredential;

use crate::fixture::{Account, PASSWORD, Tables, named, problems, refused, request_info};

const NEW: &str = "four oak tables and a lamp";
const MINUTE: Duration = Duration::from_secs(60);

async fn log_in(account: &Account, password: &str) -> Result<SessionToken, Error> {
    Ok(account.tables.log_in(&account.user.email, named(password), None).await?.1)
}

async fn verified(account: &Account, token: &SessionToken) -> Option<SessionCredential> {
    account.tables.store().verify_session(token, &request_info()).await.unwrap()
}

async fn start(account: &Account, email: &str) -> Option<MailedToken> {
    let (mailboxes, token) = (Mailboxes::open(&account.store), MailedToken::generate());
    let known = mailboxes.start_reset(&named(email), &token, account.tables.clock.now()).await.unwrap();
    assert_eq!(known, mailboxes.of_account(&named(email)).await.unwrap());
    assert!(known.as_ref().is_none_or(|known| *known == account.user.email), "it goes to the account's own address");
    known.map(|_| token)
}

async fn confirm(account: &Account, token: &MailedToken, password: &str) -> Result<(), Error> {
    let reset = PasswordReset::open(&account.tables.store(), account.tables.author());
    reset.confirm(token, named(password)).await.map(|_| ())
}

#[tokio::test]
async fn a_changed_password_ends_all_other_sessions() -> Result<(), Error> {
    let account = Tables::new().await.account().await;
    let (one, two) = (log_in(&account, PASSWORD).await?, log_in(&account, PASSWORD).await?);
    let asking = verified(&account, &one).await.unwrap();
    let change = async |current: &str, new: &str| {
        let own = OwnPassword::open(&account.store, account.tables.author());
        own.change(&asking, named(current), named(new)).await.map_err(|refused| refused.error)
    };
    assert_eq!(refused(change("wrong horse, though", NEW).await), Code::InvalidCredentials);
    let local = account.user.email.as_str().split('@').next().unwrap();
    assert_eq!(problems(change(PASSWORD, &format!("{local} and more")).await), ["newPassword too_easy"]);
    assert!(verified(&account, &two).await.is_some());
    change(PASSWORD, NEW).await?;
    assert!(verified(&account, &one).await.is_some() && verified(&account, &two).await.is_none());
    assert_eq!(refused(log_in(&account, PASSWORD).await), Code::InvalidCredentials);
    log_in(&account, NEW).await?;
    Ok(())
}

#[tokio::test]
async fn a_mailed_token_sets_a_password_once() -> Result<(), Error> {
    let account = Tables::new().await.account_of("ada@example.com").await;
    let session = log_in(&account, PASSWORD).await?;
    assert!(start(&account, "nobody@example.com").await.is_none());
    let first = start(&account, "ADA@example.com").await.unwrap();
    let second = start(&account, "ada@example.com").await.unwrap();
    assert_eq!(refused(confirm(&account, &first, NEW).await), Code::Unauthenticated);
    assert_eq!(refused(confirm(&account, &MailedToken::generate(), NEW).await), Code::Unauthenticated);
    assert_eq!(problems(confirm(&account, &second, "passwordpassword").await), ["password too_easy"]);
    let both = join_all([confirm(&account, &second, NEW), confirm(&account, &second, NEW)]).await;
    assert_eq!(both.iter().filter(|done| done.is_ok()).count(), 1);
    assert_eq!(refused(confirm(&account, &second, NEW).await), Code::Unauthenticated);
    assert!(verified(&account, &session).await.is_none());
    log_in(&account, NEW).await?;

    // The mail's message may be handed out again after the link was used: it works no second time.
    let (mailboxes, at) = (Mailboxes::open(&account.store), account.tables.clock.now());
    let (token, later) = (MailedToken::generate(), MailedToken::generate());
    let again = async |token: &MailedToken, at| mailboxes.start_reset(&account.user.email, token, at).await.unwrap();
    assert!(again(&token, at).await.is_some() && again(&token, at).await.is_some());
    confirm(&account, &token, PASSWORD).await?;
    assert!(again(&token, at).await.is_none());
    assert_eq!(refused(confirm(&account, &token, NEW).await), Code::Unauthenticated);
    // Nor does an earlier message that comes late end a later link.
    account.tables.clock.advance(Duration::from_secs(1));
    let now = account.tables.clock.now();
    assert!(again(&later, now).await.is_some() && again(&MailedToken::generate(), at).await.is_none());
    confirm(&account, &later, NEW).await?;
    account.tables.clock.advance(Duration::from_secs(1));

    let late = start(&account, "ada@example.com").await.unwrap();
    account.tables.clock.advance(30 * MINUTE);
    assert_eq!(refused(confirm(&account, &late, PASSWORD).await), Code::Unauthenticated);
    Ok(())
}

#[tokio::test]
async fn ten_wrong_passwords_lock_for_half_an_hour_and_end_no_session() -> Result<(), Error> {
    let account = Tables::new().await.account().await;
    let session = log_in(&account, PASSWORD).await?;
    for _ in 0..9 {
        assert_eq!(refused(log_in(&account, "wrong").await), Code::InvalidCredentials);
    }
    log_in(&account, PASSWORD).await?;
    for _ in 0..10 {
        assert_eq!(refused(log_in(&account, "wrong").await), Code::InvalidCredentials);
    }
    assert_eq!(refused(log_in(&account, PASSWORD).await), Code::InvalidCredentials);
    account.tables.clock.advance(25 * MINUTE);
    // Who goes on guessing doesn't make it longer.
    assert_eq!(refused(log_in(&account, "wrong").await), Code::InvalidCredentials);
    assert_eq!(refused(log_in(&account, PASSWORD).await), Code::InvalidCredentials);
    assert!(verified(&account, &session).await.is_some());
    account.tables.clock.advance(5 * MINUTE);
    log_in(&account, PASSWORD).await?;
    Ok(())
}

#[tokio::test]
async fn failures_that_are_far_apart_lock_nothing() -> Result<(), Error> {
    let account = Tables::new().await.account().await;
    for _ in 0..3 {
        for _ in 0..9 {
            assert_eq!(refused(log_in(&account, "wrong").await), Code::InvalidCredentials);
        }
        account.tables.clock.advance(30 * MINUTE);
    }
    for _ in 0..9 {
        assert_eq!(refused(log_in(&account, "wrong").await), Code::InvalidCredentials);
    }
    log_in(&account, PASSWORD).await?;
    Ok(())
}

#[tokio::test]
async fn the_lock_counts_over_instances_and_a_reset_opens_it() -> Result<(), Error> {
    let account = Tables::new().await.account_of("ada@example.com").await;
    let asking = verified(&account, &log_in(&account, PASSWORD).await?).await.unwrap();
    let guesses = join_all((0..30).map(|_| log_in(&account, "wrong"))).await;
    assert!(guesses.into_iter().all(|guess| refused(guess) == Code::InvalidCredentials));
    assert_eq!(refused(log_in(&account, PASSWORD).await), Code::InvalidCredentials);
    // A session that there was goes on, but the password can't be tried by it either.
    let own = OwnPassword::open(&account.store, account.tables.author());
    assert_eq!(
        refused(own.change(&asking, named(PASSWORD), named(NEW)).await.map_err(|refused| refused.error)),
        Code::InvalidCredentials
    );
    let token = start(&account, "ada@example.com").await.unwrap();
    confirm(&account, &token, NEW).await?;
    log_in(&account, NEW).await?;
    Ok(())
}
