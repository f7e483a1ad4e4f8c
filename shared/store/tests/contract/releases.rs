//! Releases: what is held or has failed is sent on once, by whoever lives to do it; and the jobs that go through it.

use std::time::Duration;

use contract::id::{DeliveryId, JobId};
use contract::job::{JobKind, JobStatus};
use contract::webhook::{DeliveryStatus, Webhook};
use contract::{Code, Time};
use hedgerow_store::author::Seed;
use hedgerow_store::deliveries::{HELD, Lease, Next, Open, Releases};
use hedgerow_store::jobs::{JobRuns, Jobs, Noted, Release, Task, Work};

use crate::deliveries::of_status;
use crate::fixture::{Account, DAY, Tables, all, refused};
use crate::webhooks::ring;

const EVER: i64 = 0;

impl Account {
    fn releases(&self) -> Releases {
        Releases::open(&self.store)
    }

    async fn open(&self, webhook: &Webhook) -> Vec<Open> {
        let since = Time::from_millis(EVER);
        self.releases().page(self.scope.client(), webhook.id, since, None, 100).await.unwrap()
    }

    async fn release(&self, webhook: &Webhook, open: &Open) -> Option<hedgerow_store::deliveries::Message> {
        self.releases().release(self.scope.client(), webhook.id, open).await.unwrap()
    }

    async fn forget(&self, webhook: &Webhook, open: &Open) {
        self.releases().forget(self.scope.client(), webhook.id, open).await.unwrap();
    }

    async fn stands(&self, id: DeliveryId) -> DeliveryStatus {
        self.delivery(id).await.status
    }
}

#[tokio::test]
async fn open_ones_come_oldest_first_since_a_time_in_pages() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let (webhook, beside) = (account.webhook(&ring).await, account.webhook(&ring).await);
    let mut expected = Vec::new();
    for at in 0..45 {
        let message = account.sent(if at % 9 == 8 { &beside } else { &webhook }).await;
        match at % 3 {
            0 => assert!(account.attempts().hold(&message).await.unwrap()),
            1 => account.attempt(&message, Next::Failed).await,
            _ => account.attempt(&message, Next::Delivered).await,
        }
        if at % 3 < 2 && at % 9 != 8 {
            expected.push(message.delivery);
        }
    }
    let client = account.scope.client();
    let created = account.delivery(expected[7]).await.created_at;
    for (since, from) in [(Time::from_millis(EVER), 0), (created, 7), (tables.clock.now().plus(DAY), expected.len())] {
        for limit in [1, 4, 100] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = account.releases().page(client, webhook.id, since, after, limit).await.unwrap();
                found.extend(page.iter().map(|open| open.delivery));
                after = found.last().copied();
                if page.len() < limit {
                    break;
                }
            }
            assert_eq!(found, expected[from..], "{limit}");
        }
    }
}

#[tokio::test]
async fn who_dies_after_the_release_is_followed_under_the_same_round() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let webhook = account.webhook(&ring).await;
    let message = account.sent(&webhook).await;
    account.attempts().hold(&message).await.unwrap();
    let [open] = account.open(&webhook).await.try_into().unwrap();
    let released = account.release(&webhook, &open).await.unwrap();
    assert_eq!((released.round, released.attempt, released.base), (1, 0, 0));
    // Another who saw the row before, and one who sees it with its mark: the same message.
    let [marked] = account.open(&webhook).await.try_into().unwrap();
    for seen in [&open, &marked] {
        let again = account.release(&webhook, seen).await.unwrap();
        assert_eq!((again.round, again.attempt, again.base), (1, 0, 0));
    }
    assert!(matches!(account.attempts().lease(&released, 1).await.unwrap(), Lease::Taken));
    for seen in [&open, &marked] {
        assert_eq!(account.release(&webhook, seen).await, None, "it is on its way");
        account.forget(&webhook, seen).await;
    }
    assert!(account.open(&webhook).await.is_empty());
    // It fails: open again, as another round's, which who comes late does not forget.
    account.attempts().record(&released, &crate::deliveries::result(Next::Failed, None), Next::Failed).await.unwrap();
    account.forget(&webhook, &open).await;
    assert_eq!(account.release(&webhook, &open).await, None, "of the round before");
    let [anew] = account.open(&webhook).await.try_into().unwrap();
    assert_eq!((anew.delivery, anew.status), (message.delivery, DeliveryStatus::Failed));
    let second = account.release(&webhook, &anew).await.unwrap();
    assert_eq!((second.round, second.attempt, second.base), (2, 1, 1));
}

#[tokio::test]
async fn what_moved_on_by_itself_is_not_released() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let webhook = account.webhook(&ring).await;
    let message = account.sent(&webhook).await;
    account.attempt(&message, Next::Failed).await;
    let [open] = account.open(&webhook).await.try_into().unwrap();
    let (_, anew) = account.redelivered(message.delivery).await;
    assert!(account.open(&webhook).await.is_empty(), "who sends it anew closes it");
    account.attempt(&anew, Next::Delivered).await;
    assert_eq!(account.release(&webhook, &open).await, None);
    assert_eq!(account.stands(message.delivery).await, DeliveryStatus::Delivered);
}

#[tokio::test]
async fn a_held_one_keeps_its_attempts_and_the_messages_of_before_are_stale() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let webhook = account.webhook(&ring).await;
    let first = account.sent(&webhook).await;
    account.attempt(&first, Next::Retry(tables.clock.now())).await;
    let second = first.next(tables.clock.now());
    account.attempts().hold(&second).await.unwrap();
    // Twice is once, and the message that was held begins nothing.
    account.attempts().hold(&second).await.unwrap();
    for received in [1, 2, 9] {
        assert!(matches!(account.attempts().lease(&second, received).await.unwrap(), Lease::Over));
    }
    let [open] = account.open(&webhook).await.try_into().unwrap();
    let released = account.release(&webhook, &open).await.unwrap();
    assert_eq!((released.round, released.attempt, released.attempt_of_round()), (1, 1, 0));
    assert!(matches!(account.attempts().lease(&second, 1).await.unwrap(), Lease::Over));
    account.attempts().hold(&second).await.unwrap();
    assert_eq!(account.stands(first.delivery).await, DeliveryStatus::Pending);
    account.attempt(&released, Next::Delivered).await;
    assert_eq!(account.delivery(first.delivery).await.attempts.unwrap().len(), 2);
}

#[tokio::test]
async fn what_was_held_for_too_long_is_recovered_and_not_released() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let webhook = account.webhook(&ring).await;
    let message = account.sent(&webhook).await;
    account.attempts().hold(&message).await.unwrap();
    let [held] = account.open(&webhook).await.try_into().unwrap();
    assert_eq!(held.status, DeliveryStatus::Held);
    tables.clock.advance(HELD + Duration::from_secs(5));
    assert_eq!(account.release(&webhook, &held).await, None, "it was held when it was looked at");
    let [failed] = account.open(&webhook).await.try_into().unwrap();
    assert_eq!(failed.status, DeliveryStatus::Failed);
    assert!(account.release(&webhook, &failed).await.is_some());
    assert_eq!(account.stands(message.delivery).await, DeliveryStatus::Pending);
}

#[tokio::test]
async fn many_at_once_release_it_into_one_round() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let webhook = account.webhook(&ring).await;
    let message = account.sent(&webhook).await;
    account.attempts().hold(&message).await.unwrap();
    let [open] = account.open(&webhook).await.try_into().unwrap();
    let all = futures_util::future::join_all((0..8).map(|_| account.release(&webhook, &open))).await;
    assert!(all.iter().flatten().all(|message| (message.round, message.attempt) == (1, 0)));
    assert!(all.iter().any(Option::is_some));
    let leases = futures_util::future::join_all(all.iter().flatten().map(|message| account.leases(message))).await;
    assert_eq!(leases.iter().filter(|taken| **taken).count(), 1);
}

impl Account {
    async fn leases(&self, message: &hedgerow_store::deliveries::Message) -> bool {
        matches!(self.attempts().lease(message, 1).await.unwrap(), Lease::Taken)
    }
}

#[tokio::test]
async fn a_job_is_made_once_and_is_its_clients_own() {
    let tables = Tables::new().await;
    let (ada, bob, ring) = (tables.account().await, tables.account().await, ring());
    let webhook = ada.webhook(&ring).await;
    let seed = Seed::new(tables.clock.now());
    let recover = || async {
        let jobs = Jobs::open(&ada.work_of(seed));
        jobs.recover(webhook.id, Time::from_millis(EVER)).await.unwrap()
    };
    let (job, task) = recover().await;
    assert_eq!((job.kind, job.status, job.progress.done), (JobKind::WebhookRecovery, JobStatus::Pending, 0));
    assert_eq!(task, Task::run(ada.scope.client(), job.id));
    let jobs = JobRuns::open(&ada.store);
    let mut running = jobs.get(ada.scope.client(), job.id).await.unwrap().unwrap();
    assert!(matches!(running.work, Work::Release(Release { failed: true, after: None, .. })));
    let mut twice = running.clone();
    running.job.status = JobStatus::Running;
    running.job.progress.done = 5;
    assert_eq!(jobs.advance(&mut running).await.unwrap(), Noted::Done);
    // A message that came twice: one of two workers goes on.
    twice.job.progress.done = 1;
    assert_eq!(jobs.advance(&mut twice).await.unwrap(), Noted::Elsewhere);
    // The request that made it, carried out again, finds it as it stands.
    assert_eq!(recover().await.0.progress.done, 5);
    let read = |account: &Account, id: JobId| {
        let jobs = Jobs::open(&account.op());
        async move { jobs.get(id).await }
    };
    assert_eq!(read(&ada, job.id).await.unwrap().status, JobStatus::Running);
    assert_eq!(refused(read(&bob, job.id).await), Code::JobNotFound);
    assert!(jobs.get(bob.scope.client(), job.id).await.unwrap().is_none());
    running.job.status = JobStatus::Completed;
    jobs.advance(&mut running).await.unwrap();
    assert!(jobs.get(ada.scope.client(), job.id).await.unwrap().is_none(), "it is over");
    assert_eq!(read(&ada, job.id).await.unwrap().status, JobStatus::Completed);
}

#[tokio::test]
async fn a_list_of_open_ones_shows_each_as_it_stands() {
    let tables = Tables::new().await;
    let (account, ring) = (tables.account().await, ring());
    let webhook = account.webhook(&ring).await;
    let message = account.sent(&webhook).await;
    account.attempts().hold(&message).await.unwrap();
    let [open] = account.open(&webhook).await.try_into().unwrap();
    let released = account.release(&webhook, &open).await.unwrap();
    // Its row is still there, marked; in no list it is held.
    for (status, count) in [(DeliveryStatus::Held, 0), (DeliveryStatus::Failed, 0), (DeliveryStatus::Pending, 1)] {
        let page = account.deliveries().list(webhook.id, &of_status(status), &all()).await.unwrap();
        assert_eq!(page.items.len(), count, "{status:?}");
    }
    account.attempt(&released, Next::Delivered).await;
    let page = account.deliveries().list(webhook.id, &of_status(DeliveryStatus::Held), &all()).await.unwrap();
    assert!(page.items.is_empty());
}
