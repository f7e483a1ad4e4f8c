//! Second factors: set up, asked for, used once, and turned off.

use std::time::Duration;

use auth::{MailedToken, RecoveryCode, SessionToken, TotpSecret};
use aws_sdk_dynamodb::types::AttributeValue;
use contract::permission::Role;
use contract::{Code, Error};
use futures_util::future::join_all;
use hedgerow_store::acceptance::Acceptance;
use hedgerow_store::grant::{Create, Delete, Update};
use hedgerow_store::invitations::Invitations;
use hedgerow_store::passwords::{Mailboxes, PasswordReset};
use hedgerow_store::second_factors::SecondFactors;
use hedgerow_store::sessions::SessionCredential;
use hedgerow_store::tables::Table;

use crate::fixture::{Account, PASSWORD, Tables, named, problems, refused, request_info};

const NEW: &str = "four oak tables and a lamp";
const STEP: Duration = Duration::from_secs(30);

/// What an authenticator app shows now.
pub(crate) fn code(account: &Account, secret: &TotpSecret) -> String {
    let seconds = u64::try_from(account.tables.clock.now().seconds()).unwrap();
    let secret = totp_rs::Secret::try_from_base32(secret.to_base32()).unwrap();
    totp_rs::Builder::new().with_secret(secret).build().unwrap().generate(seconds).to_string()
}

async fn log_in(account: &Account, password: &str, totp: Option<&str>) -> Result<SessionToken, Error> {
    let (login, totp) = (account.tables.login(), totp.map(named));
    let entered = login.log_in(&account.user.email, named(password), totp.as_ref(), None, &account.ring).await;
    entered.map(|entered| entered.token).map_err(|refused| refused.error)
}

async fn verified(account: &Account, token: &SessionToken) -> Option<SessionCredential> {
    account.tables.store().verify_session(token, &request_info()).await.unwrap()
}

async fn start(account: &Account, asking: &SessionCredential, password: &str) -> Result<TotpSecret, Error> {
    let factors = SecondFactors::<Create>::open(&account.store, account.tables.author());
    factors.start(asking, named(password), &account.ring).await.map_err(|refused| refused.error)
}

async fn confirm(
    account: &Account,
    asking: &SessionCredential,
    code: &str,
) -> Result<(Vec<RecoveryCode>, SessionToken), Error> {
    let factors = SecondFactors::<Update>::open(&account.store, account.tables.author());
    let turned_on = factors.confirm(asking, &named(code), &account.ring).await?;
    Ok((turned_on.recovery_codes, turned_on.token))
}

async fn turn_off(account: &Account, asking: &SessionCredential, password: &str) -> Result<bool, Error> {
    let factors = SecondFactors::<Delete>::open(&account.store, account.tables.author());
    factors.turn_off(asking, named(password)).await.map_err(|refused| refused.error)
}

/// An account whose owner has a second factor, and a step later, so that the next code is another one.
async fn protected() -> (Account, TotpSecret, Vec<RecoveryCode>, SessionCredential) {
    let account = Tables::new().await.account_of("ada@example.com").await;
    let asking = verified(&account, &log_in(&account, PASSWORD, None).await.unwrap()).await.unwrap();
    let secret = start(&account, &asking, PASSWORD).await.unwrap();
    let (codes, token) = confirm(&account, &asking, &code(&account, &secret)).await.unwrap();
    account.tables.clock.advance(STEP);
    let asking = verified(&account, &token).await.unwrap();
    (account, secret, codes, asking)
}

#[tokio::test]
async fn a_factor_is_in_force_once_its_first_code_is_confirmed() -> Result<(), Error> {
    let account = Tables::new().await.account().await;
    let (one, two) = (log_in(&account, PASSWORD, None).await?, log_in(&account, PASSWORD, None).await?);
    let asking = verified(&account, &one).await.unwrap();
    assert!(!asking.user.second_factor);
    assert_eq!(problems(confirm(&account, &asking, "000000").await.map(|_| ())), ["code not_set_up"]);
    assert_eq!(refused(start(&account, &asking, "wrong horse, though").await), Code::InvalidCredentials);
    let first = start(&account, &asking, PASSWORD).await?;
    log_in(&account, PASSWORD, None).await?;
    let second = start(&account, &asking, PASSWORD).await?;
    let old = confirm(&account, &asking, &code(&account, &first)).await.map(|_| ());
    assert_eq!(problems(old), ["code wrong_code"], "the one that was set up last counts");
    let (codes, token) = confirm(&account, &asking, &code(&account, &second)).await?;
    assert_eq!(codes.len(), 10);
    // Sessions that began without it have ended; the one that asked goes on under another secret.
    assert!(verified(&account, &one).await.is_none() && verified(&account, &two).await.is_none());
    let asking = verified(&account, &token).await.unwrap();
    assert!(asking.user.second_factor);
    assert_eq!(problems(confirm(&account, &asking, &code(&account, &second)).await.map(|_| ())), ["code not_set_up"]);

    let late = start(&account, &asking, PASSWORD).await?;
    account.tables.clock.advance(Duration::from_secs(15 * 60));
    let late = confirm(&account, &asking, &code(&account, &late)).await.map(|_| ());
    assert_eq!(problems(late), ["code not_set_up"]);
    log_in(&account, PASSWORD, Some(&code(&account, &second))).await?;
    Ok(())
}

#[tokio::test]
async fn a_login_needs_a_code_that_was_not_used() -> Result<(), Error> {
    let (account, secret, _, _) = protected().await;
    assert_eq!(refused(log_in(&account, PASSWORD, None).await), Code::TotpRequired);
    assert_eq!(
        refused(log_in(&account, "wrong", None).await),
        Code::InvalidCredentials,
        "only who has the password is told"
    );
    let other = TotpSecret::generate();
    for wrong in [code(&account, &other).as_str(), "", "12345", "١٢٣٤٥٦", "0123-4567-89ab-cdef"] {
        assert_eq!(refused(log_in(&account, PASSWORD, Some(wrong)).await), Code::InvalidCredentials, "{wrong}");
    }
    let now = code(&account, &secret);
    log_in(&account, PASSWORD, Some(&format!(" {} {} ", &now[..3], &now[3..]))).await?;
    assert_eq!(refused(log_in(&account, PASSWORD, Some(&now)).await), Code::InvalidCredentials);
    // A code of a device whose clock is half a minute behind, or ahead.
    account.tables.clock.advance(3 * STEP);
    let into_step = account.tables.clock.now().millis() % 30_000;
    account.tables.clock.advance(STEP - Duration::from_millis(into_step.try_into().unwrap()));
    let behind = code(&account, &secret);
    account.tables.clock.advance(STEP);
    log_in(&account, PASSWORD, Some(&behind)).await?;
    account.tables.clock.advance(STEP);
    assert_eq!(refused(log_in(&account, PASSWORD, Some(&behind)).await), Code::InvalidCredentials);

    // At once, over instances: once.
    account.tables.clock.advance(STEP);
    let now = code(&account, &secret);
    let all = join_all((0..6).map(|_| log_in(&account, PASSWORD, Some(&now)))).await;
    assert_eq!(all.iter().filter(|done| done.is_ok()).count(), 1);
    Ok(())
}

#[tokio::test]
async fn a_recovery_code_lets_in_once() -> Result<(), Error> {
    let (account, secret, codes, _) = protected().await;
    let typed = codes[3].reveal().to_uppercase().replace('-', " ");
    let both = join_all((0..4).map(|_| log_in(&account, PASSWORD, Some(&typed)))).await;
    assert_eq!(both.iter().filter(|done| done.is_ok()).count(), 1);
    assert_eq!(refused(log_in(&account, PASSWORD, Some(&codes[3].reveal())).await), Code::InvalidCredentials);
    for used in [&codes[0], &codes[9]] {
        log_in(&account, PASSWORD, Some(&used.reveal())).await?;
    }
    log_in(&account, PASSWORD, Some(&code(&account, &secret))).await?;
    // Nobody else's, and none of a factor that was replaced.
    let (other, _, others, asking) = protected().await;
    assert_eq!(refused(log_in(&other, PASSWORD, Some(&codes[1].reveal())).await), Code::InvalidCredentials);
    let secret = start(&other, &asking, PASSWORD).await?;
    confirm(&other, &asking, &code(&other, &secret)).await?;
    assert_eq!(refused(log_in(&other, PASSWORD, Some(&others[1].reveal())).await), Code::InvalidCredentials);
    Ok(())
}

#[tokio::test]
async fn wrong_codes_and_wrong_passwords_lock_together() -> Result<(), Error> {
    let (account, secret, codes, _) = protected().await;
    for _ in 0..5 {
        assert_eq!(refused(log_in(&account, PASSWORD, Some("000000 ")).await), Code::InvalidCredentials);
        // The right password alone takes nothing back.
        assert_eq!(refused(log_in(&account, PASSWORD, None).await), Code::TotpRequired);
        assert_eq!(refused(log_in(&account, "wrong", None).await), Code::InvalidCredentials);
    }
    for totp in [None, Some(code(&account, &secret)), Some(codes[0].reveal())] {
        assert_eq!(refused(log_in(&account, PASSWORD, totp.as_deref()).await), Code::InvalidCredentials);
    }
    account.tables.clock.advance(Duration::from_secs(30 * 60));
    log_in(&account, PASSWORD, Some(&codes[0].reveal())).await?;
    Ok(())
}

#[tokio::test]
async fn only_the_password_turns_it_off_and_a_reset_does_not() -> Result<(), Error> {
    let (account, secret, codes, _) = protected().await;
    let (mailboxes, token) = (Mailboxes::open(&account.store), MailedToken::generate());
    mailboxes.start_reset(&account.user.email, &token, account.tables.clock.now()).await?;
    PasswordReset::open(&account.store, account.tables.author()).confirm(&token, named(NEW)).await?;
    let asking = verified(&account, &log_in(&account, NEW, Some(&codes[0].reveal())).await?).await.unwrap();
    assert_eq!(refused(log_in(&account, NEW, None).await), Code::TotpRequired);

    assert_eq!(refused(turn_off(&account, &asking, PASSWORD).await), Code::InvalidCredentials);
    assert!(turn_off(&account, &asking, NEW).await?);
    let token = log_in(&account, NEW, None).await?;
    assert!(!verified(&account, &token).await.unwrap().user.second_factor);
    assert!(!turn_off(&account, &asking, NEW).await?, "there is none");
    log_in(&account, NEW, Some(&code(&account, &secret))).await?;
    Ok(())
}

#[tokio::test]
async fn an_invitation_does_not_go_round_it() -> Result<(), Error> {
    let (account, secret, codes, _) = protected().await;
    let other = account.tables.account().await;
    let invite = async || {
        let (token, now) = (MailedToken::generate(), account.tables.clock.now());
        let invitations = Invitations::open(&other.op());
        invitations.create_known(other.user.id, account.user.email.clone(), Role::Editor, &token, now).await.unwrap();
        token
    };
    let accept = async |token: &MailedToken, totp: Option<&str>| {
        let (acceptance, totp) = (Acceptance::open(&account.store, account.tables.author()), totp.map(named));
        let accepted = acceptance.accept(token, Some(named(NEW)), totp.as_ref(), &account.ring).await;
        accepted.map(|_| ()).map_err(|refused| refused.error)
    };
    let token = invite().await;
    assert_eq!(refused(accept(&token, None).await), Code::TotpRequired);
    for _ in 0..10 {
        assert_eq!(refused(accept(&token, Some("000000 ")).await), Code::InvalidCredentials);
    }
    assert_eq!(refused(accept(&token, Some(&codes[0].reveal())).await), Code::InvalidCredentials, "it is locked");
    account.tables.clock.advance(Duration::from_secs(30 * 60));
    let now = code(&account, &secret);
    accept(&token, Some(&now)).await?;
    assert_eq!(refused(log_in(&account, NEW, Some(&now)).await), Code::InvalidCredentials, "it was used");
    Ok(())
}

#[tokio::test]
async fn neither_secret_nor_codes_can_be_read_from_the_tables() {
    let (account, secret, codes, asking) = protected().await;
    let pending = start(&account, &asking, PASSWORD).await.unwrap();
    let tables = &account.tables;
    let query = tables.dynamo.query().table_name(tables.names.of(Table::Main)).key_condition_expression("pk = :pk");
    let pk = AttributeValue::S(format!("SF#{}", account.user.id));
    let items = query.expression_attribute_values(":pk", pk).send().await.unwrap().items.unwrap();
    assert!(items.len() == 1 && items[0].contains_key("code_9") && items[0].contains_key("pending"));
    let text = format!("{items:?}").to_lowercase();
    let codes = codes.iter().map(RecoveryCode::reveal);
    for hidden in codes.chain([secret.to_base32(), pending.to_base32()]) {
        assert!(!text.contains(&hidden.to_lowercase()) && !text.contains(&hidden.replace('-', "")));
    }
}
