//! Thousands of writes while processes are killed and what lies below them breaks. Of the processes that share the
//! folder one works; whichever is killed, another is started.
//!
//! `HEDGEROW_DURABILITY_WRITES=20000` makes it longer, `HEDGEROW_DURABILITY_SEED` repeats its chances (not its times).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hedgerow_tests::app::{App, Caller, cookie_of, id, values};
use hedgerow_tests::receiver::{Arrived, Receiver, Reply};
use local::backend::Backend;
use reqwest::Method;
use runtime::Queue;
use serde_json::{Value, json};
use store::author::Clock;
use store::tables::Table;

use crate::chance::Chance;
use crate::ledger::{Hook, balance};
use crate::rig::{HIDDEN, messages};
use crate::server::{RETRIES, Server, setting};

const WRITES: usize = 1_500;
const WRITERS: usize = 16;
/// Entities of a writer's own: few, so that they come to many versions.
const ENTITIES: u64 = 10;
/// How often somebody is killed, at least.
const KILLS: usize = 10;
/// What comes to the receiver between two kills, at the least.
const POSTS: usize = 50;
/// How long nothing new may come until nothing is on its way, and how long before time is made to pass.
const DRAIN: Duration = Duration::from_secs(120);
const QUIET: Duration = Duration::from_secs(3);

/// A write that was sent, by its request's identifier.
struct Sent {
    path: String,
    event: &'static str,
    /// What was answered, if it was a success.
    acknowledged: Option<Value>,
}

/// What the writers share.
struct World {
    bases: Mutex<Vec<String>>,
    key: String,
    http: reqwest::Client,
    sent: Mutex<HashMap<String, Sent>>,
    acknowledged: AtomicUsize,
    kills: AtomicUsize,
    wanted: usize,
}

impl World {
    /// Sends a write to any process, once.
    async fn write(
        &self,
        request: String,
        method: Method,
        path: String,
        body: Option<Value>,
        event: &'static str,
        chance: &Chance,
    ) {
        let base = {
            let bases = self.bases.lock().unwrap();
            bases[usize::try_from(chance.below(bases.len() as u64)).unwrap()].clone()
        };
        let sent = Sent { path: path.clone(), event, acknowledged: None };
        self.sent.lock().unwrap().insert(request.clone(), sent);
        let mut call = self.http.request(method, format!("{base}{path}")).header("x-api-key", &self.key);
        call = call.header("x-request-id", &request);
        if let Some(body) = body {
            call = call.header("content-type", "application/json").body(body.to_string());
        }
        let Ok(answer) = call.send().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            return;
        };
        let status = answer.status().as_u16();
        let Ok(body) = answer.bytes().await else { return };
        match status {
            200 | 204 => {
                let body: Value = serde_json::from_slice(&body).unwrap_or_default();
                self.sent.lock().unwrap().get_mut(&request).unwrap().acknowledged = Some(body["data"].clone());
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            // It may have been committed; a deletion of what is not there was not.
            404 | 503 => tokio::time::sleep(Duration::from_millis(20)).await,
            _ => panic!("{status} {}", String::from_utf8_lossy(&body)),
        }
    }

    fn done(&self) -> bool {
        self.acknowledged.load(Ordering::Relaxed) >= self.wanted && self.kills.load(Ordering::Relaxed) >= KILLS
    }
}

async fn writer(world: Arc<World>, number: usize, group: String, chance: Chance) {
    for round in 0.. {
        if world.done() {
            return;
        }
        let request = format!("w-{number}-{round}");
        let path = values("t1", "product", &format!("e-{number}-{}", chance.below(ENTITIES)));
        let (method, path, body, event) = match chance.below(10) {
            0 => (Method::DELETE, path, None, "field_value.deleted"),
            1 => {
                let path = format!("/api/v1/field-groups/{group}");
                (Method::PATCH, path, Some(json!({ "name": request })), "field_group.updated")
            }
            _ => (Method::POST, path, Some(json!({ "title": request })), "field_value.saved"),
        };
        world.write(request, method, path, body, event, &chance).await;
    }
}

/// Kills one or all, now and then, and starts them anew, until all is written.
async fn killer(world: &World, folder: &Path, receiver: &Receiver, mut servers: Vec<Server>, chance: &Chance) -> usize {
    let mut number = servers.len();
    while !world.done() {
        // By what is written, so that a busy machine does nothing but start.
        let most = u64::try_from(world.wanted / KILLS).unwrap();
        let stretch = most / 2 + chance.below(most / 2);
        let next = world.acknowledged.load(Ordering::Relaxed) + usize::try_from(stretch).unwrap();
        // And by what has come: what is in the hands of ten that die before they did anything is a dead letter by design.
        let posts = receiver.count() + POSTS;
        let lives = || world.acknowledged.load(Ordering::Relaxed) < next || receiver.count() < posts;
        while lives() && !world.done() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for _ in 0..if chance.percent(30) { servers.len() } else { 1 } {
            let one = usize::try_from(chance.below(servers.len() as u64)).unwrap();
            servers.swap_remove(one).kill().await;
            world.kills.fetch_add(1, Ordering::Relaxed);
        }
        while servers.len() < 2 {
            number += 1;
            servers.push(Server::start(folder, number, Some(chance.number())).await);
            *world.bases.lock().unwrap() = servers.iter().map(|server| server.base.clone()).collect();
        }
    }
    for server in servers {
        server.kill().await;
        world.kills.fetch_add(1, Ordering::Relaxed);
    }
    world.kills.load(Ordering::Relaxed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_is_announced_whatever_dies() {
    let started = Instant::now();
    let seed = setting("HEDGEROW_DURABILITY_SEED")
        .map_or_else(|| store::author::unique(Clock::default().now()).as_u64_pair().1, |seed| seed.parse().unwrap());
    let wanted = setting("HEDGEROW_DURABILITY_WRITES").map_or(WRITES, |writes| writes.parse().unwrap());
    println!("HEDGEROW_DURABILITY_SEED={seed} HEDGEROW_DURABILITY_WRITES={wanted}");
    let chance = Chance::new(seed);
    let folder = tempfile::tempdir().unwrap();

    let receiver = Receiver::start();
    let moods = Chance::new(chance.number());
    receiver.answer(move |_| match moods.below(100) {
        0..5 => Reply::status(500),
        5..7 => Reply::status(204).after(Duration::from_millis(moods.below(1000))),
        _ => Reply::status(204),
    });
    let calm = Server::start(folder.path(), 1, None).await;
    let (key, secret) = account(&calm.base).await;
    let product = key.group("product").await;
    key.global("title", json!({ "type": "string" }), &[&product]).await;
    let mut groups = Vec::new();
    for number in 0..WRITERS {
        groups.push(id(&key.group(&format!("own_{number}")).await).to_owned());
    }
    let some = ["field_value.deleted", "field_group.updated"];
    let hooks = [Hook::make(&key, &receiver, "/a").await, Hook::of(&key, &receiver, "/b", &some).await];
    let other = Server::start(folder.path(), 2, Some(chance.number())).await;

    let world = Arc::new(World {
        bases: Mutex::new(vec![calm.base.clone(), other.base.clone()]),
        key: secret.clone(),
        http: reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap(),
        sent: Mutex::default(),
        acknowledged: AtomicUsize::new(0),
        kills: AtomicUsize::new(0),
        wanted,
    });
    let writers: Vec<_> = groups
        .into_iter()
        .enumerate()
        .map(|(number, group)| tokio::spawn(writer(world.clone(), number, group, Chance::new(chance.number()))))
        .collect();
    let kills = killer(&world, folder.path(), &receiver, vec![calm, other], &chance).await;
    for writer in writers {
        writer.await.unwrap();
    }
    let written = started.elapsed();
    println!("{kills} kills, {} writes acknowledged in {written:?}", world.acknowledged.load(Ordering::Relaxed));

    // What is left to do is done in this process, with nothing broken.
    let mut backend = Backend::in_folder(&folder.path().join("data"), Clock::default()).await.unwrap();
    backend.app.webhooks.retries = RETRIES.to_vec();
    let mut app = App::over(backend).await;
    app.work();
    let key = app.with_key(&secret);
    drain(&app, &key, &hooks, &receiver).await;

    assert!(app.workers.as_ref().unwrap().failed_records().is_empty());
    for queue in Queue::ALL {
        let url = format!("{}-dead", app.backend.app.queues().unwrap().url(queue));
        assert_eq!(messages(&app.backend, &url).await, 0, "dead letters of {}", queue.word());
    }
    let posts = receiver.arrived();
    assert!(posts.iter().all(|post| post.genuine), "a signature is wrong");
    let sent = std::mem::take(&mut *world.sent.lock().unwrap());
    let events = announced(&posts, &hooks, &sent);
    committed(&key, &events, &sent).await;
    let sum = balance(&key, &hooks, &posts).await;
    println!(
        "{} writes acknowledged of {}, {kills} kills, {} events; {sum:?}; written in {written:?}, all done in {:?}",
        world.acknowledged.load(Ordering::Relaxed),
        sent.len(),
        events.len(),
        started.elapsed(),
    );
}

/// A client with a management key.
async fn account(base: &str) -> (Caller, String) {
    let anyone = Caller::at(base);
    let body = json!({ "email": "d@example.com", "password": "the password of d", "clientName": "d" });
    let owner = anyone.in_session(&cookie_of(&anyone.post("/api/auth/signup").json(&body).await.expect(201)));
    let made = owner.post("/api/v1/api-keys").json(&json!({ "name": "All", "type": "management" })).await.data(201);
    let secret = made["key"].as_str().unwrap().to_owned();
    (anyone.with("x-api-key", &secret), secret)
}

/// Waits until nothing is on its way. Where nothing happens for a while, the time passes that messages are hidden for.
async fn drain(app: &App, key: &Caller, hooks: &[Hook], receiver: &Receiver) {
    let mut deadline = Instant::now() + DRAIN;
    let (mut count, mut since) = (receiver.count(), Instant::now());
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        if receiver.count() != count {
            (count, since) = (receiver.count(), Instant::now());
            deadline = Instant::now() + DRAIN;
            continue;
        }
        if since.elapsed() < QUIET {
            continue;
        }
        if !stream_is_read(app) {
            assert!(Instant::now() < deadline, "fan-out does not go on");
            continue;
        }
        let mut left = Vec::new();
        for queue in Queue::ALL {
            left.push(messages(&app.backend, &app.backend.app.queues().unwrap().url(queue)).await);
        }
        let mut on_their_way = Vec::new();
        for hook in hooks {
            on_their_way.extend(hook.on_their_way(key).await);
        }
        if left.iter().sum::<usize>() == 0 && on_their_way.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "{left:?} messages are left, and on their way is {on_their_way:#?}");
        app.backend.engine.as_ref().unwrap().engines.sqs.advance(HIDDEN);
        since = Instant::now();
    }
}

/// Whether fan-out has read all that was written.
fn stream_is_read(app: &App) -> bool {
    let stream =
        app.backend.engine.as_ref().unwrap().engines.dynamo.stream(app.backend.tables.of(Table::Main)).unwrap();
    let read = stream.checkpoint("fan-out").unwrap();
    stream.read(read.as_deref(), 1).unwrap().is_empty()
}

/// Every acknowledged write was announced to every webhook that wants it, under one `eventId`, as it was answered. Gives the events by
/// their identifiers.
fn announced<'p>(posts: &'p [Arrived], hooks: &[Hook], sent: &HashMap<String, Sent>) -> BTreeMap<&'p str, &'p Arrived> {
    let (mut events, mut by_request) = (BTreeMap::new(), HashMap::<&str, HashSet<&str>>::new());
    let mut taken = HashSet::new();
    for post in posts {
        events.entry(post.event_id()).or_insert(post);
        by_request.entry(post.request_id()).or_default().insert(post.event_id());
        if post.answered == Some(204) {
            taken.insert((post.path.as_str(), post.event_id()));
        }
    }
    for (request, write) in sent {
        let of_request = by_request.get(request.as_str());
        assert!(of_request.is_none_or(|events| events.len() == 1), "{request} was announced as {of_request:?}");
        let Some(answer) = &write.acknowledged else { continue };
        let event = of_request.and_then(|events| events.iter().next());
        let event = event.unwrap_or_else(|| panic!("{request} was acknowledged and not announced"));
        for hook in hooks.iter().filter(|hook| hook.wants(write.event)) {
            assert!(taken.contains(&(hook.path.as_str(), *event)), "{request} ({event}) did not reach {}", hook.path);
        }
        let mut data = events[event].json()["data"].take();
        data.as_object_mut().unwrap().remove("changed");
        assert!(answer.is_null() || *answer == data, "{request} was answered {answer} and announced as {data}");
    }
    events
}

/// What was announced was committed: each event is of a write that was sent, has a version of its own, and the versions
/// of a resource are all those up to the one that stands there now.
async fn committed(key: &Caller, events: &BTreeMap<&str, &Arrived>, sent: &HashMap<String, Sent>) {
    let mut versions: HashMap<&str, BTreeMap<u64, Value>> = HashMap::new();
    for (event, post) in events {
        let envelope = post.json();
        // What was done just before the webhooks were made may be told to them.
        if envelope["event"] == "field_group.created" {
            continue;
        }
        let write = sent.get(post.request_id()).unwrap_or_else(|| panic!("nobody wrote {event}: {envelope}"));
        assert_eq!(envelope["event"], write.event);
        let said = match write.event {
            "field_value.saved" => Some(&envelope["data"]["values"]["title"]),
            "field_group.updated" => Some(&envelope["data"]["name"]),
            _ => None,
        };
        assert!(said.is_none_or(|said| *said == post.request_id()), "{envelope}");
        let version = envelope["data"]["version"].as_u64().unwrap_or_else(|| panic!("{envelope}"));
        let twice = versions.entry(&write.path).or_default().insert(version, envelope);
        assert!(twice.is_none(), "version {version} of {} was announced twice: {twice:?}", write.path);
    }
    for (path, of_path) in &versions {
        let (first, last) = (*of_path.keys().next().unwrap(), *of_path.keys().last().unwrap());
        // A group's first version is older than its webhooks.
        assert!(first <= 2 && of_path.len() as u64 == last - first + 1, "{path}: {:?}", of_path.keys());
        let mut newest = of_path[&last].clone();
        if newest["event"] == "field_value.deleted" {
            key.get(path).await.fails(404, "values_not_found");
            continue;
        }
        newest["data"].as_object_mut().unwrap().remove("changed");
        assert_eq!(key.get(path).await.data(200), newest["data"]);
    }
}
