//! Attempts: a lease is taken once, whatever the queue does, and what became of it stays with it.

use std::time::Duration;

use contract::webhook::{AttemptError, DeliveryStatus, EventName};
use engines::Fault;
use futures_util::future::join_all;
use hedgerow_store::deliveries::{Attempts, Lease, Message, Next};

use crate::deliveries::{of_status, result};
use crate::fixture::{Account, DAY, Tables, all};
use crate::webhooks::ring;

async fn lease(account: &Account, message: &Message, received: u32) -> Lease {
    account.attempts().lease(message, received).await.unwrap()
}

macro_rules! assert_lease {
    ($lease:expr, $pattern:pat) => {{
        let lease = $lease;
        assert!(matches!(lease, $pattern), "{lease:?}");
    }};
}

/// An account and the first message of a delivery.
async fn sent(tables: &Tables) -> (Account, contract::webhook::Webhook, Message) {
    let account = tables.account().await;
    let webhook = account.webhook(&ring()).await;
    let message = account.sent(&webhook).await;
    (account, webhook, message)
}

#[tokio::test]
async fn of_many_copies_of_a_message_one_leases() {
    let tables = Tables::new().await;
    let (account, _, message) = sent(&tables).await;
    for message in [message, message.next(tables.clock.now())] {
        let leases = join_all((0..12).map(|_| lease(&account, &message, 1))).await;
        assert_eq!(leases.iter().filter(|lease| matches!(lease, Lease::Taken)).count(), 1);
        assert!(leases.iter().all(|lease| matches!(lease, Lease::Taken | Lease::Over)));
        let retry = Next::Retry(tables.clock.now());
        account.attempts().record(&message, &result(retry, None), retry).await.unwrap();
    }
    assert_eq!(account.delivery(message.delivery).await.attempt_count, 2);
}

#[tokio::test]
async fn a_message_that_comes_again_is_looked_at_by_what_is_known() {
    let tables = Tables::new().await;
    let (account, _, message) = sent(&tables).await;
    assert_lease!(lease(&account, &message, 1).await, Lease::Taken);
    // A copy; the original; and when its holder must be dead.
    assert_lease!(lease(&account, &message, 1).await, Lease::Over);
    assert_lease!(lease(&account, &message, 2).await, Lease::Elsewhere);
    let under_way = account.delivery(message.delivery).await;
    assert_eq!((under_way.status, under_way.attempt_count), (DeliveryStatus::Pending, 1));
    let [attempt] = under_way.attempts.as_deref().unwrap() else { panic!("{under_way:?}") };
    assert_eq!((attempt.error, attempt.status_code), (None, None), "someone is at work on it");
    tables.clock.advance(Duration::from_secs(50));
    let dead = account.delivery(message.delivery).await;
    assert_eq!(dead.attempts.unwrap()[0].error, Some(AttemptError::Unknown));
    assert_lease!(lease(&account, &message, 1).await, Lease::Over);
    let Lease::Died(next) = lease(&account, &message, 2).await else { panic!("is not dead") };
    assert_eq!((next.round, next.attempt, next.base), (0, 1, 0));
    assert_lease!(lease(&account, &next, 1).await, Lease::Taken);
    // Stale now, however often it comes.
    for received in [1, 2, 3] {
        assert_lease!(lease(&account, &message, received).await, Lease::Over);
    }
    // Nobody saw the first attempt's end until its holder tells, late: that changes nothing of where it stands.
    account.attempts().record(&message, &result(Next::Delivered, None), Next::Delivered).await.unwrap();
    let delivery = account.delivery(message.delivery).await;
    assert_eq!((delivery.status, delivery.attempt_count), (DeliveryStatus::Pending, 2));
    assert_eq!(delivery.attempts.unwrap()[0].status_code, Some(204));
}

#[tokio::test]
async fn the_clock_is_not_believed_for_ever_and_a_dead_process_not_at_all() {
    let tables = Tables::new().await;
    let (account, _, message) = sent(&tables).await;
    assert_lease!(lease(&account, &message, 1).await, Lease::Taken);
    assert_lease!(lease(&account, &message, 3).await, Lease::Died(_));
    let later = Attempts::open(&account.store, Some(tables.clock.now().plus(Duration::from_millis(1))));
    assert_lease!(later.lease(&message, 2).await.unwrap(), Lease::Died(_));
    assert_lease!(later.lease(&message, 1).await.unwrap(), Lease::Over);
}

#[tokio::test]
async fn a_follow_up_that_was_not_sent_is_sent_when_the_message_comes_again() {
    let tables = Tables::new().await;
    let (account, _, message) = sent(&tables).await;
    let due = tables.clock.now().plus(DAY);
    account.attempt(&message, Next::Retry(due)).await;
    let delivery = account.delivery(message.delivery).await;
    assert_eq!((delivery.status, delivery.next_attempt_at), (DeliveryStatus::Retrying, Some(due)));
    assert_lease!(lease(&account, &message, 1).await, Lease::Over);
    let Lease::FollowUp(next) = lease(&account, &message, 2).await else { panic!("no follow-up") };
    assert_eq!(next, message.next(due));
    account.attempt(&next, Next::Delivered).await;
    let delivery = account.delivery(message.delivery).await;
    assert_eq!((delivery.status, delivery.next_attempt_at), (DeliveryStatus::Delivered, None));
    for message in [message, next] {
        for received in [1, 2, 9] {
            assert_lease!(lease(&account, &message, received).await, Lease::Over);
        }
    }
}

#[tokio::test]
async fn what_ended_stays_ended() {
    let tables = Tables::new().await;
    for next in [Next::Delivered, Next::Failed] {
        let (account, webhook, message) = sent(&tables).await;
        account.attempt(&message, next).await;
        let before = account.delivery(message.delivery).await;
        for late in [message, message.next(tables.clock.now())] {
            for received in [1, 2, 9] {
                assert_lease!(lease(&account, &late, received).await, Lease::Over);
            }
            account.attempts().hold(&late).await.unwrap();
            account.attempts().give_up(&late).await.unwrap();
        }
        // The same delivery announced anew is the one that there is.
        assert_eq!(account.delivery(message.delivery).await, before);
        let failed = account.deliveries().list(webhook.id, &of_status(DeliveryStatus::Failed), &all()).await.unwrap();
        assert_eq!(failed.items.len(), usize::from(next == Next::Failed));
    }
}

#[tokio::test]
async fn another_round_leaves_the_one_before_behind() {
    let tables = Tables::new().await;
    let (account, _, message) = sent(&tables).await;
    assert_lease!(lease(&account, &message, 1).await, Lease::Taken);
    // Sent anew while the first attempt is under way, twice.
    let (_, second) = account.redelivered(message.delivery).await;
    let (delivery, third) = account.redelivered(message.delivery).await;
    assert_eq!((second.round, second.attempt, second.base), (1, 1, 1));
    assert_eq!((third.round, third.attempt, third.base, third.attempt_of_round()), (2, 1, 1, 0));
    assert_eq!((delivery.status, delivery.attempt_count), (DeliveryStatus::Pending, 1));
    for stale in [message, second, message.next(tables.clock.now())] {
        for received in [1, 2, 9] {
            assert_lease!(lease(&account, &stale, received).await, Lease::Over);
        }
    }
    assert_lease!(lease(&account, &third, 1).await, Lease::Taken);
    // The first one fails for good, the third arrives: no row says that it has failed.
    account.attempts().record(&message, &result(Next::Failed, None), Next::Failed).await.unwrap();
    assert_eq!(account.delivery(message.delivery).await.status, DeliveryStatus::Pending);
    account.attempts().record(&third, &result(Next::Delivered, None), Next::Delivered).await.unwrap();
    let delivery = account.delivery(message.delivery).await;
    assert_eq!((delivery.status, delivery.attempt_count), (DeliveryStatus::Delivered, 2));
    let codes: Vec<_> = delivery.attempts.unwrap().iter().map(|attempt| attempt.status_code).collect();
    assert_eq!(codes, [Some(500), Some(204)]);
    // A round after the end, and its own end.
    let (_, fourth) = account.redelivered(message.delivery).await;
    assert_eq!((fourth.round, fourth.attempt, fourth.base), (3, 2, 2));
    account.attempt(&fourth, Next::Failed).await;
    assert_eq!(account.delivery(message.delivery).await.status, DeliveryStatus::Failed);
}

#[tokio::test]
async fn a_delivery_is_sent_anew_before_its_first_attempt() {
    let tables = Tables::new().await;
    let (account, _, message) = sent(&tables).await;
    let (delivery, anew) = account.redelivered(message.delivery).await;
    assert_eq!((delivery.status, anew.round, anew.attempt), (DeliveryStatus::Pending, 1, 0));
    assert_lease!(lease(&account, &message, 1).await, Lease::Over);
    assert_lease!(lease(&account, &message, 2).await, Lease::Over);
    assert_lease!(lease(&account, &anew, 1).await, Lease::Taken);
    // What was announced again meanwhile is no other delivery.
    assert_lease!(lease(&account, &message, 1).await, Lease::Over);
}

#[tokio::test]
async fn who_dies_at_the_last_attempt_leaves_a_failure() {
    let tables = Tables::new().await;
    let (account, webhook, message) = sent(&tables).await;
    assert_lease!(lease(&account, &message, 1).await, Lease::Taken);
    let Lease::Died(next) = lease(&account, &message, 3).await else { panic!("is not dead") };
    account.attempts().give_up(&next).await.unwrap();
    let delivery = account.delivery(message.delivery).await;
    assert_eq!(delivery.status, DeliveryStatus::Failed);
    assert_eq!(delivery.attempts.unwrap()[0].error, Some(AttemptError::Unknown));
    let failed = account.deliveries().list(webhook.id, &of_status(DeliveryStatus::Failed), &all()).await.unwrap();
    assert_eq!(failed.items.len(), 1);
}

#[tokio::test]
async fn answers_are_kept_long_or_short_and_the_last_hundred_attempts() {
    let tables = Tables::new().await;
    let (account, webhook, mut message) = sent(&tables).await;
    let retry = Next::Retry(tables.clock.now());
    let answer = |number: u32| match number % 3 {
        0 => None,
        1 => Some(format!("short {number}")),
        _ => Some(format!("long {number} {}", "é".repeat(2000))),
    };
    for number in 1..=103 {
        assert_lease!(lease(&account, &message, 1).await, Lease::Taken);
        account.attempts().record(&message, &result(retry, answer(number)), retry).await.unwrap();
        message = message.next(tables.clock.now());
    }
    let delivery = account.delivery(message.delivery).await;
    assert_eq!(delivery.attempt_count, 103);
    let kept: Vec<_> = delivery.attempts.unwrap().into_iter().map(|attempt| attempt.response).collect();
    assert_eq!(kept, (4..=103).map(answer).collect::<Vec<_>>());
    let listed = account.deliveries().list(webhook.id, &of_status(DeliveryStatus::Retrying), &all()).await.unwrap();
    assert_eq!((listed.items.len(), &listed.items[0].attempts), (1, &None));
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_happened_once() {
    for operation in ["PutItem", "UpdateItem", "TransactWriteItems", "DeleteItem", "BatchWriteItem"] {
        let tables = Tables::embedded().await;
        let account = tables.account().await;
        let webhook = account.webhook(&ring()).await;
        tables.connector().trace().reset();
        tables
            .connector()
            .faults()
            .set(move |call| (call.operation == operation && call.nth % 2 == 1).then_some(Fault::Lost));
        let message = account.announce(&webhook, EventName::FieldValueSaved).await.unwrap();
        let retry = Next::Retry(tables.clock.now().plus(DAY));
        assert_lease!(lease(&account, &message, 1).await, Lease::Taken);
        let long = result(retry, Some("x".repeat(4096)));
        account.attempts().record(&message, &long, retry).await.unwrap();
        let second = message.next(tables.clock.now());
        account.attempts().hold(&second).await.unwrap();
        assert_eq!(account.delivery(message.delivery).await.status, DeliveryStatus::Held);
        let releases = hedgerow_store::deliveries::Releases::open(&account.store);
        let since = contract::Time::from_millis(0);
        let client = account.scope.client();
        let open = releases.page(client, webhook.id, since, None, 10).await.unwrap();
        let released = releases.release(client, webhook.id, &open[0]).await.unwrap().unwrap();
        assert_eq!((released.round, released.attempt, released.base), (1, 1, 1));
        releases.forget(client, webhook.id, &open[0]).await.unwrap();
        assert!(releases.page(client, webhook.id, since, None, 10).await.unwrap().is_empty());
        assert_lease!(lease(&account, &released, 1).await, Lease::Taken);
        account.attempts().record(&released, &result(Next::Failed, None), Next::Failed).await.unwrap();
        let (delivery, anew) = account.redelivered(message.delivery).await;
        assert_eq!((delivery.status, anew.round, anew.attempt), (DeliveryStatus::Pending, 2, 2));
        account.attempt(&anew, Next::Delivered).await;
        let delivery = account.delivery(message.delivery).await;
        assert_eq!((delivery.status, delivery.attempt_count), (DeliveryStatus::Delivered, 3));
        assert_eq!(delivery.attempts.unwrap()[0].response.as_ref().map(String::len), Some(4096));
        let calls = tables.connector().trace().snapshot().of(operation);
        assert!(calls >= 2 || operation == "DeleteItem", "{operation}: {calls}");
    }
}
