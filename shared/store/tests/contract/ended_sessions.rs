//! What a session asked for before it ended, and comes to its write after that: it may have waited for a hash.

use auth::MailedToken;
use contract::permission::Role;
use contract::{Code, Error};
use hedgerow_store::acceptance::Acceptance;
use hedgerow_store::clients::Clients;
use hedgerow_store::grant::{Create, Delete, Update};
use hedgerow_store::invitations::Invitations;
use hedgerow_store::members::Members;
use hedgerow_store::passwords::{Mailboxes, OwnPassword, PasswordReset};
use hedgerow_store::second_factors::SecondFactors;
use hedgerow_store::sessions::{SessionCredential, UserSessions};

use crate::fixture::{Account, PASSWORD, Tables, named, refused, request_info};

const NEW: &str = "four oak tables and a lamp";

async fn session(account: &Account) -> SessionCredential {
    let (_, token) = account.tables.log_in(&account.user.email, named(PASSWORD), None).await.unwrap();
    account.tables.store().verify_session(&token, &request_info()).await.unwrap().unwrap()
}

fn factors<A>(account: &Account) -> SecondFactors<A> {
    SecondFactors::open(&account.store, account.tables.author())
}

/// All that a session may ask for, each refused, and nothing done.
async fn nothing_goes_on(account: &Account, ended: &SessionCredential, password: &str, code: &str) {
    let (store, author) = (&account.store, || account.tables.author());
    let others = UserSessions::<Update>::open(store, author()).end_others(ended).await;
    assert_eq!(refused(others), Code::Unauthenticated);
    let own = OwnPassword::open(store, author());
    let changed =
        own.change(ended, named(password), named("another lamp on a table")).await.map_err(|refused| refused.error);
    assert_eq!(refused(changed), Code::Unauthenticated);
    let started = factors::<Create>(account).start(ended, named(password), &account.ring).await;
    assert_eq!(refused(started.map(|_| ()).map_err(|refused| refused.error)), Code::Unauthenticated);
    let confirmed = factors::<Update>(account).confirm(ended, &named(code), &account.ring).await;
    assert_eq!(refused(confirmed.map(|_| ())), Code::Unauthenticated);
    let off = factors::<Delete>(account).turn_off(ended, named(password)).await.map_err(|refused| refused.error);
    assert_eq!(refused(off), Code::Unauthenticated);
    let closed = Clients::<Delete>::open(&account.op()).close(ended, named(password), None).await;
    assert_eq!(refused(closed.map(|_| ()).map_err(|refused| refused.error)), Code::Unauthenticated);
    assert!(!account.tables.store().standing(account.client.id).await.unwrap().unwrap().is_closed);
    account.tables.log_in(&account.user.email, named(password), None).await.unwrap();
}

/// An account, a session of its owner's with a second factor half set up, and what confirms that.
async fn asking() -> (Account, SessionCredential, String) {
    let account = Tables::new().await.account_of("ada@example.com").await;
    let asking = session(&account).await;
    let started = factors::<Create>(&account).start(&asking, named(PASSWORD), &account.ring).await;
    let secret = totp_rs::Secret::try_from_base32(started.ok().unwrap().to_base32()).unwrap();
    let seconds = account.tables.clock.now().seconds().try_into().unwrap();
    let code = totp_rs::Builder::new().with_secret(secret).build().unwrap().generate(seconds).to_string();
    (account, asking, code)
}

#[tokio::test]
async fn by_another_session() -> Result<(), Error> {
    let (account, asking, code) = asking().await;
    let other = session(&account).await;
    UserSessions::<Update>::open(&account.store, account.tables.author()).end_others(&other).await?;
    nothing_goes_on(&account, &asking, PASSWORD, &code).await;
    Ok(())
}

#[tokio::test]
async fn by_itself() -> Result<(), Error> {
    let (account, asking, code) = asking().await;
    UserSessions::<Delete>::open(&account.store, account.tables.author()).end(&asking, asking.id).await?;
    nothing_goes_on(&account, &asking, PASSWORD, &code).await;
    Ok(())
}

#[tokio::test]
async fn by_a_reset() -> Result<(), Error> {
    let (account, asking, code) = asking().await;
    let token = MailedToken::generate();
    let mailboxes = Mailboxes::open(&account.store);
    mailboxes.start_reset(&account.user.email, &token, account.tables.clock.now()).await?;
    PasswordReset::open(&account.store, account.tables.author()).confirm(&token, named(NEW)).await?;
    nothing_goes_on(&account, &asking, NEW, &code).await;
    Ok(())
}

/// Its owner has become an editor: the account is still the user's own, the client is not.
#[tokio::test]
async fn by_another_role() -> Result<(), Error> {
    let (account, asking, _) = asking().await;
    let invited = Invitations::open(&account.op()).create(&asking, named("bob@example.com"), Role::Owner).await?;
    let accepting = Acceptance::open(&account.store, account.tables.author());
    let (_, bob) = accepting.accept(&invited.1, Some(named(PASSWORD)), None, &account.ring).await.ok().unwrap();
    let bob = account.store.verify_session(&bob, &request_info()).await?.unwrap();
    Members::<Update>::open(&account.op()).give_role(&bob, asking.user_id(), None, Role::Editor).await?;
    let closed = Clients::<Delete>::open(&account.op()).close(&asking, named(PASSWORD), None).await;
    assert_eq!(refused(closed.map(|_| ()).map_err(|refused| refused.error)), Code::Unauthenticated);
    Ok(())
}
