//! Signing up and logging in.

use contract::{Code, Error};
use futures_util::future::join_all;
use hedgerow_store::Settings;
use hedgerow_store::accounts::{Signup, SignupPolicy};

use crate::fixture::{PASSWORD, Tables, body, named, refused, request_info};

#[tokio::test]
async fn whoever_signs_up_is_logged_in_and_can_log_in() -> Result<(), Error> {
    let tables = Tables::new().await;
    let signup = Signup::open(&tables.store(), tables.author());
    let (info, token) = signup.sign_up(named("Ada@Example.com"), named(PASSWORD), named("Acme & Co")).await?;
    assert_eq!(
        (info.user.email.as_str(), info.client.slug.as_str(), info.client.version),
        ("Ada@Example.com", "acme-co", 1)
    );
    let session = tables.store().verify_session(&token, &request_info()).await?.unwrap();
    assert_eq!((&session.user, session.scope.client()), (&info.user, info.client.id));
    let (again, other) = tables.log_in(&named("ada@EXAMPLE.com"), named(PASSWORD), None).await?;
    assert_eq!((&again.user, &again.client, &again.clients), (&info.user, &info.client, &info.clients));
    assert_ne!(other.hash(), token.hash());
    assert!(tables.store().verify_session(&other, &request_info()).await?.is_some());
    for (email, password) in [("ada@example.com", "wrong horse"), ("bob@example.com", PASSWORD)] {
        let refusal = tables.log_in(&named(email), named(password), None).await;
        let Err(error) = refusal else { panic!("{email} got in") };
        assert_eq!(body(&error), body(&Code::InvalidCredentials.into()));
    }
    Ok(())
}

#[tokio::test]
async fn an_address_has_one_account() {
    let tables = Tables::new().await;
    let signups = join_all(["ada@example.com", "Ada@example.com", "ADA@EXAMPLE.COM"].map(|email| {
        let signup = Signup::open(&tables.store(), tables.author());
        async move { signup.sign_up(named(email), named(PASSWORD), named("Acme")).await }
    }));
    let signups = signups.await;
    assert_eq!(signups.iter().filter(|opened| opened.is_ok()).count(), 1);
    assert!(signups.into_iter().filter_map(Result::err).all(|error| error.code() == Code::EmailTaken));
    let signup = Signup::open(&tables.store(), tables.author());
    let again = signup.sign_up(named("ada@example.com"), named(PASSWORD), named("Acme")).await;
    assert_eq!(refused(again), Code::EmailTaken);
}

#[tokio::test]
async fn clients_of_one_name_have_slugs_of_their_own() -> Result<(), Error> {
    let tables = Tables::new().await;
    let signups = join_all((0..4).map(|n| {
        let signup = Signup::open(&tables.store(), tables.author());
        let email = format!("u{n}@example.com");
        async move { signup.sign_up(named(&email), named(PASSWORD), named("Acme")).await }
    }));
    let mut slugs = Vec::new();
    for opened in signups.await {
        slugs.push(opened?.0.client.slug.to_string());
    }
    slugs.sort();
    assert_eq!(slugs[0], "acme");
    assert!(slugs[1..].iter().all(|slug| slug.starts_with("acme-")));
    slugs.dedup();
    assert_eq!(slugs.len(), 4);
    Ok(())
}

#[tokio::test]
async fn who_may_sign_up_is_the_deployments() {
    for (policy, opened) in [(SignupPolicy::Anyone, 3), (SignupPolicy::First, 1), (SignupPolicy::Invited, 0)] {
        let tables = Tables::new().await;
        let signups = join_all((0..3).map(|n| {
            let store = tables.store_with(Settings { signup: policy, ..Settings::default() });
            let signup = Signup::open(&store, tables.author());
            let email = format!("u{n}@example.com");
            async move { signup.sign_up(named(&email), named(PASSWORD), named("Acme")).await }
        }));
        let signups = signups.await;
        assert_eq!(signups.iter().filter(|done| done.is_ok()).count(), opened, "{policy:?}");
        assert!(signups.into_iter().filter_map(Result::err).all(|error| error.code() == Code::Forbidden));
    }
}
