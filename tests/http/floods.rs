//! Rate limits over four processes on one data folder, at five times what is allowed: by when requests were sent and
//! answered, no window passes more, wherever it begins; and whoever keeps to theirs is served.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hedgerow_tests::app::Caller;
use hedgerow_tests::process::Dev;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

const GROUPS: &str = "/api/v1/field-groups";
const WINDOW: Duration = Duration::from_secs(1);
const SPAN: Duration = Duration::from_secs(5);
const AT_ONCE: usize = 32;

/// When a request was sent, when its answer was there, and its status.
type Sent = (Instant, Instant, u16);

/// Four processes, with the contract's limits.
async fn four(folder: &std::path::Path) -> Vec<Dev> {
    // The one that is named is the contract's, so that none is put out of the way.
    let flags = ["--listen", "127.0.0.1:0", "--limit", "management=30/1"];
    let mut all = vec![Dev::with(folder, 0, &flags).await];
    for number in 1..4 {
        all.push(Dev::with(folder, number, &flags).await);
    }
    all
}

/// Sends so many a second for a while, over all of these in turn; on a busy machine as many as it answers.
async fn flood(callers: &[Caller], path: &'static str, per_second: u32) -> Vec<Sent> {
    let (mut pace, mut sent) = (interval(Duration::from_secs(1) / per_second), JoinSet::new());
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Fewer than one address may have connections.
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    let begun = Instant::now();
    for caller in callers.iter().cycle() {
        pace.tick().await;
        if begun.elapsed() > SPAN {
            break;
        }
        let (call, place) = (caller.get(path), at_once.clone().acquire_owned().await.unwrap());
        sent.spawn(async move {
            let asked = Instant::now();
            let answer = call.await;
            drop(place);
            (asked, Instant::now(), answer.status)
        });
    }
    sent.join_all().await
}

/// The most that had this status, beyond doubt, within any window.
fn most(sent: &[Sent], status: u16) -> usize {
    let admitted: Vec<_> = sent.iter().filter(|(.., found)| *found == status).collect();
    let within =
        |from: Instant| admitted.iter().filter(|(asked, told, _)| *asked >= from && *told <= from + WINDOW).count();
    admitted.iter().map(|(asked, ..)| within(*asked)).max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_hold_every_limit_under_a_flood() {
    let folder = tempfile::tempdir().unwrap();
    let all = Arc::new(four(folder.path()).await);
    let owner = all[0].owner().await;
    let made = owner.post("/api/v1/api-keys").json(&json!({ "name": "Honest", "type": "management" })).await.data(201);
    let secret = made["key"].as_str().unwrap();
    let honest: Vec<_> = all.iter().map(|dev| Caller::at(&dev.base).with("x-api-key", secret)).collect();
    let keyed: Vec<_> = all.iter().map(Dev::caller).collect();
    let nobody: Vec<_> = all.iter().map(|dev| Caller::at(&dev.base)).collect();
    let forged: Vec<_> = nobody.iter().map(|caller| caller.with("x-api-key", "hr_live_forged")).collect();
    let (keyed, nobody, forged, honest) = tokio::join!(
        flood(&keyed, GROUPS, 150),
        flood(&nobody, "/api/health", 150),
        flood(&forged, GROUPS, 150),
        flood(&honest, GROUPS, 10),
    );
    assert!(
        keyed.iter().all(|(.., status)| [200, 429].contains(status)),
        "a key is served or told that it is too much"
    );
    let of_key = most(&keyed, 200);
    assert!((1..=30).contains(&of_key), "{of_key} of a key in one window");
    // One address sends both; of each process one may be uncounted.
    let anonymous: Vec<Sent> =
        nobody.into_iter().map(|(a, b, status)| (a, b, if status == 429 { 429 } else { 0 })).collect();
    let refused: Vec<Sent> =
        forged.into_iter().map(|(a, b, status)| (a, b, if status == 429 { 429 } else { 0 })).collect();
    let of_address = most(&[anonymous, refused].concat(), 0);
    assert!((1..=64).contains(&of_address), "{of_address} of an address in one window");
    assert!(honest.iter().all(|(.., status)| *status == 200), "whoever keeps to their limit is served");
}
