//! A secret replaced by another.

use std::time::Duration;

use hedgerow_tests::receiver::{Arrived, Receiver, Reply};
use signature::{Format, Key};

use crate::world::{Hook, SOON, World};

const HOUR: u32 = 3600;

fn signed(secret: &str, one: &Arrived) -> String {
    let seconds = one.header("webhook-timestamp").parse().unwrap();
    signature::standard([&Key::parse(secret).unwrap()], one.header("webhook-id"), seconds, &one.body)
}

/// That a delivery is signed by these secrets, newest first.
#[track_caller]
fn assert_signed(one: &Arrived, secrets: &[&str]) {
    let all: Vec<String> = secrets.iter().map(|secret| signed(secret, one)).collect();
    assert_eq!(one.header("webhook-signature"), all.join(" "));
    let body = |secret: &str| signature::body(&Key::parse(secret).unwrap(), Format::Sha256Hex, &one.body);
    assert_eq!(one.header("x-hedgerow-signature"), body(secrets[secrets.len() - 1]));
    if secrets.len() > 1 {
        assert_eq!(one.header("x-hedgerow-signature-new"), body(secrets[0]));
    } else {
        assert!(!one.headers.contains_key("x-hedgerow-signature-new"));
    }
}

async fn ping(hook: &Hook, receiver: &Receiver) -> Arrived {
    let before = receiver.count();
    hook.ping().await;
    receiver.wait(before + 1).await.remove(before)
}

#[tokio::test]
async fn both_secrets_sign_until_the_grace_is_over() {
    let world = World::start(&[SOON]).await;
    let receiver = Receiver::start();
    let mut hook = world.hook(&receiver).await;
    assert_signed(&ping(&hook, &receiver).await, &[&hook.secret]);
    let old = hook.rotate(HOUR).await;
    assert_ne!(old, hook.secret);
    assert!(hook.get().await["previousSecretExpiresAt"].is_string());
    let arrived = ping(&hook, &receiver).await;
    assert_signed(&arrived, &[&hook.secret, &old]);
    for secret in [&hook.secret, &old] {
        standardwebhooks::Webhook::new(secret).unwrap().verify(&arrived.body, &arrived.headers).unwrap();
    }
    world.app.advance(Duration::from_secs(u64::from(HOUR) - 120));
    assert_signed(&ping(&hook, &receiver).await, &[&hook.secret, &old]);
    world.app.advance(Duration::from_secs(121));
    assert_signed(&ping(&hook, &receiver).await, &[&hook.secret]);
}

#[tokio::test]
async fn without_grace_the_old_secret_signs_no_more() {
    let world = World::start(&[SOON]).await;
    let receiver = Receiver::start();
    let mut hook = world.hook(&receiver).await;
    let old = hook.rotate(0).await;
    let arrived = ping(&hook, &receiver).await;
    assert_signed(&arrived, &[&hook.secret]);
    assert!(standardwebhooks::Webhook::new(&old).unwrap().verify(&arrived.body, &arrived.headers).is_err());
}

#[tokio::test]
async fn of_several_secrets_the_newest_comes_first_and_the_oldest_signs_the_body() {
    let world = World::start(&[SOON]).await;
    let receiver = Receiver::start();
    let mut hook = world.hook(&receiver).await;
    let first = hook.rotate(HOUR).await;
    let second = hook.rotate(2 * HOUR).await;
    assert_signed(&ping(&hook, &receiver).await, &[&hook.secret, &second, &first]);
    world.app.advance(Duration::from_secs(u64::from(HOUR) + 60));
    assert_signed(&ping(&hook, &receiver).await, &[&hook.secret, &second]);
    // One that leaves no grace ends all that are before it.
    hook.rotate(0).await;
    assert_signed(&ping(&hook, &receiver).await, &[&hook.secret]);
}

#[tokio::test]
async fn a_retry_is_signed_by_the_secrets_of_its_own_time() {
    let world = World::start(&[crate::world::LATER]).await;
    let receiver = Receiver::answering(|one| Reply::status(if one.number == 0 { 500 } else { 200 }));
    let mut hook = world.hook(&receiver).await;
    let delivery = hook.ping().await;
    hook.stands(&delivery, "retrying").await;
    let old = hook.rotate(0).await;
    world.app.advance(2 * crate::world::LATER);
    hook.stands(&delivery, "delivered").await;
    let arrived = receiver.arrived();
    assert_signed(&arrived[0], &[&old]);
    assert_signed(&arrived[1], &[&hook.secret]);
}
