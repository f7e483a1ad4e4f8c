//! What a request leaves in the log: one line, and the lines of what follows from it.

use hedgerow_tests::app::{Caller, values};
use hedgerow_tests::process::Dev;
use hedgerow_tests::receiver::Receiver;
use serde_json::{Value, json};

const SAVED: &str = "who-did-it";

#[tokio::test]
async fn a_line_says_who_did_what_from_where_and_what_it_took() {
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::start(folder.path(), 1).await;
    let receiver = Receiver::start();
    let webhook = json!({ "url": receiver.url(), "events": ["field_value.*"] });
    let webhook = dev.caller().post("/api/v1/webhooks").json(&webhook).await.data(201);
    let save = dev.caller().post(&values("acme", "product", "sku-1")).json(&json!({ "title": "Chair" }));
    save.header("x-request-id", SAVED).await.expect(200);
    // The demo account's own values may be so young that the webhook hears of them, too.
    receiver.until(|all| all.iter().any(|one| one.request_id() == SAVED)).await;
    let arrived: Vec<_> = receiver.arrived().into_iter().filter(|one| one.request_id() == SAVED).collect();
    let forged = Caller::at(&dev.base).with("x-api-key", "nonsense").get("/api/v1/field-groups?limit=1").await;
    forged.fails(401, "unauthenticated");
    let missing = dev.caller().get("/api/v1/field-groups/nothing").await.expect(404).request_id().to_owned();
    let (.., log) = dev.terminate().await;
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |message: &str, request_id: &str| -> &Value {
        let is = |line: &&Value| line["message"] == message && line["request_id"] == request_id;
        let all: Vec<&Value> = lines.iter().filter(is).collect();
        assert_eq!(all.len(), 1, "{message} {request_id}: {log}");
        all[0]
    };

    let saved = of("request", SAVED);
    for (name, value) in [
        ("level", json!("INFO")),
        ("operation", json!("merge-values")),
        ("method", json!("POST")),
        ("route", json!("/api/v1/tenants/{tenantId}/field-groups/{groupId}/entities/{entityId}/values")),
        ("path", json!(values("acme", "product", "sku-1"))),
        ("status", json!(200)),
        ("tenant", json!("acme")),
        ("address", json!("127.0.0.1")),
        ("retries", json!(0)),
        ("Requests", json!(1)),
    ] {
        assert_eq!(saved[name], value, "{name} of {saved}");
    }
    assert!(
        saved["client"].as_str().unwrap().starts_with("cl_") && saved["actor"].as_str().unwrap().starts_with("key_")
    );
    assert!(saved["timestamp"].as_str().unwrap().ends_with('Z') && saved["millis"] == saved["Latency"]);
    // The values with their cards, and the save itself.
    assert!(saved["read_units"].as_f64().unwrap() >= 3.0 && saved["write_units"].as_f64().unwrap() >= 1.0, "{saved}");
    assert!(saved.get("gate").is_none() && saved.get("Refusals").is_none() && saved.get("error").is_none());

    let refused = of("request", forged.request_id());
    assert_eq!((&refused["gate"], &refused["Refusals"]), (&json!("credential"), &json!(1)), "{refused}");
    assert_eq!((&refused["path"], &refused["error"]), (&json!("/api/v1/field-groups"), &json!("unauthenticated")));
    assert!(refused.get("client").is_none() && refused.get("actor").is_none(), "{refused}");
    let sets = refused["_aws"]["CloudWatchMetrics"].as_array().unwrap();
    assert!(
        sets.iter()
            .any(|set| set["Dimensions"] == json!([["table", "gate"]]) && set["Metrics"][0]["Name"] == "Refusals")
    );

    // What is not there was refused by no gate.
    let missing = of("request", &missing);
    assert!(missing["status"] == 404 && missing.get("gate").is_none(), "{missing}");

    let attempt = of("attempt", SAVED);
    for (name, value) in [
        ("operation", json!("dispatcher")),
        ("client", saved["client"].clone()),
        ("webhook", webhook["id"].clone()),
        ("event", json!(arrived[0].event_id())),
        ("attempt", json!(1)),
        ("status", json!(204)),
    ] {
        assert_eq!(attempt[name], value, "{name} of {attempt}");
    }
    let batches: Vec<&Value> = lines.iter().filter(|line| line["message"] == "batch").collect();
    let announced = batches.iter().find(|line| line["operation"] == "fan-out" && line["write_units"] != 0.0);
    assert!(announced.unwrap()["request_id"].as_str().unwrap().starts_with("req_"), "{log}");
}

#[tokio::test]
async fn whoever_reads_along_reads_a_plain_line() {
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::with(folder.path(), 1, &["--listen", "127.0.0.1:0", "--log", "readable"]).await;
    let call = |path: &str, id: &str| dev.caller().get(path).header("x-request-id", id);
    call("/api/v1/field-groups?limit=1", "fine").await.expect(200);
    call("/api/v1/field-groups/nothing", "missing").await.expect(404);
    let (.., log) = dev.terminate().await;
    let of = |id: &str| {
        let lines: Vec<&str> = log.lines().filter(|line| line.split(' ').any(|word| word == id)).collect();
        assert_eq!(lines.len(), 1, "{log}");
        lines[0].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let (fine, missing) = (of("fine"), of("missing:"));
    assert_eq!(fine[1..4], ["GET", "/api/v1/field-groups", "200"]);
    assert!(fine[5] == "ms" && fine[6].starts_with("key_") && fine[7] == "fine", "{fine:?}");
    assert_eq!(missing[1..4], ["GET", "/api/v1/field-groups/nothing", "404"]);
    assert_eq!(missing.last().unwrap(), "field_group_not_found");
    // It goes to a file here, which has no colours, and nothing in it is for a machine alone.
    assert!(!log.contains('\x1b') && !log.contains("_aws"), "{log}");
}
