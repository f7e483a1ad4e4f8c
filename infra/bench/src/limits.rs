//! Rate limits: what a decision costs; what is written for it by four instances over one store, and how much of a limit they
//! use at five times the load; and how long an honest key waits beside a flood.
//!
//! The instances are stores of one process over one engine, each with what it knows for itself, as functions have it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use contract::rate_limit::{LimitName, Rate};
use engines::Engines;
use local::backend::Backend;
use store::author::Clock;
use store::rate_limits::Limit;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::server::{Connection, Server, cpu_millis, request};
use crate::{Failure, row};

const INSTANCES: usize = 4;
const DECISIONS: u32 = 50_000;
const SPAN: Duration = Duration::from_secs(10);
const WINDOW: Duration = Duration::from_secs(1);
/// Requests a second of the flood, and of the honest key.
const FLOOD: u32 = 2_000;
const HONEST: u32 = 20;

pub(crate) async fn run() -> Result<(), Failure> {
    decisions().await?;
    for limit in [30, 100, 1_000] {
        overload(limit).await?;
    }
    let folder = tempfile::tempdir()?;
    // The contract's own.
    let server = Server::limited(folder.path(), &[]).await?;
    let quiet = honest(&server, SPAN).await?;
    row("an honest key alone: p99", quiet, "ms", None);
    let flood = tokio::spawn(flood(server.address.clone()));
    let beside = honest(&server, SPAN).await?;
    row("an honest key beside an anonymous flood: p99", beside, "ms", None);
    row("the same, of p99 alone", beside / quiet, "×", Some(2.0));
    let (sent, refused) = flood.await??;
    row("the flood: requests", sent / SPAN.as_secs_f64(), "/s", None);
    row("the flood: refused", refused / sent * 100.0, "%", None);
    Ok(())
}

/// Stores that know nothing of each other over one engine, and what counts its calls.
async fn instances() -> Result<Vec<Backend>, Failure> {
    let (engines, mut all) = (Engines::memory()?, Vec::new());
    for _ in 0..INSTANCES {
        all.push(Backend::embedded(engines.clone(), Clock::default()).await.map_err(|error| error.to_string())?);
    }
    Ok(all)
}

fn writes(instances: &[Backend]) -> u64 {
    let engines = instances.iter().filter_map(|backend| backend.engine.as_ref());
    engines.map(|engine| engine.connector.trace().snapshot().of("UpdateItem")).sum()
}

/// Of one instance: admitted by what was taken before, and refused.
async fn decisions() -> Result<(), Failure> {
    let all = instances().await?;
    let store = &all.first().ok_or("no instance")?.store;
    for (what, count) in [("admitted", "1000000/1"), ("refused", "1/86400")] {
        let rate: Rate = count.parse().map_err(|_| "the rate")?;
        let limit = Limit::of_address(LimitName::Login, rate, "192.0.2.7".parse().ok());
        store.count(&limit).await.map_err(|error| format!("{error:?}"))?;
        let (cpu, started) = (cpu_millis("self")?, Instant::now());
        for _ in 0..DECISIONS {
            store.count(&limit).await.map_err(|error| format!("{error:?}"))?;
        }
        let each = (cpu_millis("self")? - cpu) * 1_000.0 / f64::from(DECISIONS);
        row(&format!("a decision, {what}"), f64::from(DECISIONS) / started.elapsed().as_secs_f64(), "/s", None);
        row(&format!("a decision, {what}: CPU"), each, "µs", None);
    }
    Ok(())
}

/// Five times the limit, over all instances in turn.
async fn overload(limit: u32) -> Result<(), Failure> {
    let all = instances().await?;
    let rate: Rate = format!("{limit}/1").parse().map_err(|_| "the rate")?;
    let counted = Limit::of_address(LimitName::Login, rate, None);
    let before = writes(&all);
    let mut admitted: Vec<(Instant, Instant)> = Vec::new();
    let mut under_way = JoinSet::new();
    let mut pace = interval(Duration::from_secs(1) / (limit * 5));
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let started = Instant::now();
    for backend in all.iter().cycle() {
        pace.tick().await;
        if started.elapsed() > SPAN {
            break;
        }
        let (store, counted) = (backend.store.clone(), counted.clone());
        under_way.spawn(async move {
            let asked = Instant::now();
            let tally = store.count(&counted).await.map_err(|error| format!("{error:?}"))?;
            Ok::<_, String>((!tally.is_refused).then(|| (asked, Instant::now())))
        });
        while let Some(done) = under_way.try_join_next() {
            admitted.extend(done??);
        }
    }
    while let Some(done) = under_way.join_next().await {
        admitted.extend(done??);
    }
    let many = admitted.len() as f64;
    row(&format!("{limit}/s at fivefold load: used"), many / (f64::from(limit) * SPAN.as_secs_f64()), "×", None);
    row(&format!("{limit}/s: the fullest window"), worst(&admitted) / f64::from(limit), "×", Some(1.0));
    row(&format!("{limit}/s: writes an admitted request"), (writes(&all) - before) as f64 / many, "", None);
    Ok(())
}

/// The most that was admitted, beyond doubt, within a window.
fn worst(admitted: &[(Instant, Instant)]) -> f64 {
    let within =
        |from: Instant| admitted.iter().filter(|(asked, told)| *asked >= from && *told <= from + WINDOW).count();
    admitted.iter().map(|(asked, _)| within(*asked)).max().unwrap_or(0) as f64
}

/// The 99th percentile of a key's answers at a pace below its limit, in milliseconds.
async fn honest(server: &Server, span: Duration) -> Result<f64, Failure> {
    let mut connection = Connection::open(&server.address).await?;
    let (mut pace, started, mut took) = (interval(Duration::from_secs(1) / HONEST), Instant::now(), Vec::new());
    while started.elapsed() < span {
        pace.tick().await;
        let asked = Instant::now();
        connection.send(server.request("GET", "/api/v1/field-groups"), Bytes::new()).await?;
        took.push(asked.elapsed());
    }
    took.sort_unstable();
    let last = took.get(took.len() * 99 / 100).copied().unwrap_or_default();
    Ok(last.as_secs_f64() * 1000.0)
}

/// Whoever shows no credential, from one address: how many were sent, and how many refused.
async fn flood(address: String) -> Result<(f64, f64), Failure> {
    const CONNECTIONS: u32 = 16;
    let mut under_way = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let address = address.clone();
        under_way.spawn(async move {
            let mut connection = Connection::open(&address).await?;
            let (mut pace, started) = (interval(Duration::from_secs(1) * CONNECTIONS / FLOOD), Instant::now());
            let (mut sent, mut refused) = (0.0, 0.0);
            while started.elapsed() < SPAN {
                pace.tick().await;
                let asked = request(&address, "hr_live_forged", "GET", "/api/v1/field-groups");
                let (status, _) = connection.ask(asked, Bytes::new()).await?;
                sent += 1.0;
                refused += f64::from(u8::from(status == 429));
            }
            Ok::<_, Failure>((sent, refused))
        });
    }
    let (mut sent, mut refused) = (0.0, 0.0);
    while let Some(done) = under_way.join_next().await {
        let (of_one, refused_of_one) = done??;
        sent += of_one;
        refused += refused_of_one;
    }
    Ok((sent, refused))
}
