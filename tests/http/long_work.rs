//! Work that takes long, beside another client's, of which there is too much.

use std::sync::mpsc;

use contract::Error;
use hedgerow_tests::app::{Account, App, Caller, fields, id, values};
use serde_json::{Value, json};
use store::apart;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A field whose pattern is to be compiled.
pub(crate) const PATTERN: &str =
    r#"{"key":"f","label":"f","schema":{"type":"string","validation":{"pattern":"^[a-z]{1,9}$"}}}"#;
/// One client may have so much under way and waiting.
const MAX_PER_CLIENT: usize = 32;

/// A client's turn, taken.
pub(crate) struct Hold {
    end: mpsc::Sender<()>,
    held: JoinHandle<Result<bool, Error>>,
}

/// Takes a client's turn, so that what it asks for waits.
pub(crate) async fn hold(account: &Account) -> Hold {
    let session = account.owner.get("/api/auth/session").await.data(200);
    let client = id(&session["client"]).parse().unwrap();
    let ((end, ended), (begun, has_begun)) = (mpsc::channel::<()>(), oneshot::channel());
    let work = move || begun.send(()).is_ok() && ended.recv().is_err();
    let held = tokio::spawn(apart::for_client(client, work));
    has_begun.await.unwrap();
    Hold { end, held }
}

impl Hold {
    /// Gives it back.
    pub(crate) async fn end(self) {
        drop(self.end);
        assert!(self.held.await.unwrap().unwrap());
    }
}

fn text(pattern: &str) -> Value {
    json!({ "type": "string", "validation": { "pattern": pattern } })
}

/// Each time another pattern, which nobody has compiled.
async fn define(key: &Caller, number: usize) -> u16 {
    let body = json!({ "key": format!("f{number}"), "label": "f", "schema": text(&format!("^a{number}?$")) });
    key.post(&fields("t1", "g")).json(&body).await.status
}

#[tokio::test]
async fn what_one_client_has_waiting_keeps_no_other_and_is_not_without_bound() {
    let app = App::start().await;
    let (flood, victim) = (app.account("flood").await, app.account("victim").await);
    for account in [&flood, &victim] {
        account.key.group("g").await;
        account.key.own("t1", "g", "plain", json!({ "type": "string" })).await;
    }
    let hold = hold(&flood).await;
    let (ended, mut in_order) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..MAX_PER_CLIENT + 8 {
        let (key, ended) = (flood.key.clone(), ended.clone());
        tokio::spawn(async move { ended.send(define(&key, number).await) });
    }
    // Those for which there is no place are told so while the others wait.
    for _ in 0..9 {
        assert_eq!(in_order.recv().await.unwrap(), 503);
    }
    let one_more = flood.key.post(&fields("t1", "g")).json(&json!({ "key": "x", "label": "x", "schema": text("^x") }));
    one_more.await.fails(503, "unavailable");

    victim.key.own("t1", "g", "matched", text(r"^[\p{L} '-]{1,30}$")).await;
    victim.key.own("t1", "g", "flag", json!({ "type": "boolean" })).await;
    victim.key.save("t1", "g", "ada", json!({ "matched": "Ada Lovelace", "flag": true })).await;
    // Neither does what takes no time wait for what does.
    flood.key.own("t1", "g", "flag", json!({ "type": "boolean" })).await;
    flood.key.save("t1", "g", "ada", json!({ "plain": "x", "flag": true })).await;
    assert!(in_order.is_empty(), "the flood still waits");

    hold.end().await;
    for _ in 1..MAX_PER_CLIENT {
        assert_eq!(in_order.recv().await.unwrap(), 201);
    }
    assert_eq!(define(&flood.key, 999).await, 201);
}

/// A pattern that takes long to compile, each time another.
fn dear(number: usize) -> String {
    let names = ["Lu", "Ll", "Lo", "Mn", "Nd", "No", "Po", "Sm", "So", "Cn", "L", "M", "N", "P", "S", "C"];
    let pairs = (0..names.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
    let sets = pairs.cycle().skip(number).take(55).map(|(a, b)| format!(r"[\p{{{}}}\p{{{}}}]?", names[a], names[b]));
    format!("{}{number}", sets.collect::<String>())
}

#[tokio::test]
async fn patterns_that_take_long_to_compile_are_for_a_few_of_a_saves_values() {
    const FIELDS: usize = 60;
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("g").await;
    for number in 0..FIELDS {
        key.own("t1", "g", &format!("f{number}"), text(&dear(number))).await;
    }
    key.own("t1", "g", "flag", json!({ "type": "boolean" })).await;
    let of = |numbers: std::ops::Range<usize>| -> Value {
        let members = numbers.map(|number| (format!("f{number}"), json!(number.to_string())));
        members.chain([("flag".to_owned(), json!(true))]).collect()
    };
    let all = key.post(&values("t1", "g", "all")).json(&of(0..FIELDS)).await;
    all.fails(422, "validation_failed");
    let refused = all.places();
    assert!((20..FIELDS - 10).contains(&refused.len()), "{refused:?}");
    assert!(refused.iter().all(|place| place.starts_with('f') && place != "flag"), "{refused:?}");
    // Whether or not they are compiled already.
    let again = key.post(&values("t1", "g", "all")).json(&of(0..FIELDS)).await;
    assert_eq!(again.places(), refused);
    for few in [0..10, 30..40, 50..60] {
        key.save("t1", "g", "all", of(few)).await;
    }
}
