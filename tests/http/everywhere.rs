//! The same request, answered by the gateway in this process and by the function's own binary as Lambda runs it.

use std::process::Stdio;

use engines::Engines;
use hedgerow_tests::answer::Answer;
use hedgerow_tests::app::{App, values};
use hedgerow_tests::process::{PATIENCE, program};
use local::backend::Backend;
use local::event;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use runtime_api::{RuntimeApi, environment};
use samples::Identity;
use serde_json::{Value, json};
use store::author::Clock;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpSocket};
use tokio::process::{Child, Command};

use hedgerow_tests::raw;

/// A path, headers, a body, and the status of the answer.
type Case<'c> = (&'c str, Vec<(&'c str, &'c str)>, &'c [u8], u16);

/// `merge-values` as Lambda runs it, over a DynamoDB of its own with the account of the sample events in it.
struct Function {
    runtime: RuntimeApi,
    _process: Child,
}

/// The function's own binary, over the DynamoDB there.
fn command(runtime: &RuntimeApi, endpoint: &str) -> Command {
    let mut command = Command::new(program("merge-values"));
    command.env_clear().envs(environment(runtime.address(), "merge-values"));
    command.envs([
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("HEDGEROW_ORIGIN", "https://api.example.com"),
    ]);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

impl Function {
    async fn start() -> Self {
        let engines = Engines::memory().unwrap();
        let backend = Backend::embedded(engines.clone(), Clock::default()).await.unwrap();
        samples::seed(&backend.store, &Identity::of_events(), &backend.app.vault().unwrap().ring().await.unwrap())
            .await
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(engines::serve(engines, listener));
        let runtime = RuntimeApi::start().await.unwrap();
        let process = command(&runtime, &endpoint).stderr(Stdio::null()).spawn().unwrap();
        Self { runtime, _process: process }
    }

    /// Its answer, as API Gateway would pass it on.
    async fn answer(&self, asked: &str, event: Vec<u8>) -> Answer {
        let answered = tokio::time::timeout(PATIENCE, self.runtime.invoke(event)).await.unwrap().unwrap();
        let answer: Value = serde_json::from_slice(&answered.unwrap()).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in answer["headers"].as_object().unwrap() {
            let name = HeaderName::try_from(name).unwrap();
            headers.append(name, HeaderValue::try_from(value.as_str().unwrap()).unwrap());
        }
        assert_eq!((&answer["isBase64Encoded"], &answer["cookies"]), (&json!(false), &json!([])));
        let status = u16::try_from(answer["statusCode"].as_u64().unwrap()).unwrap();
        let body = answer["body"].as_str().unwrap_or_default();
        Answer::new(asked.to_owned(), status, headers, body.as_bytes().to_vec())
    }
}

/// What two answers to one request must have in common: all but times, and what the way between adds.
fn comparable(answer: &Answer) -> (u16, Vec<(String, String)>, Value) {
    let (status, headers, body) = answer.but_for_request_id();
    let way = ["connection", "content-length", "date"];
    let headers = headers.into_iter().filter(|(name, _)| !way.contains(&name.as_str())).collect();
    let mut body: Value = serde_json::from_str(&body).unwrap();
    if let Some(time) = body.pointer_mut("/data/updatedAt") {
        assert!(time.as_str().unwrap().ends_with('Z'));
        *time = json!("(time)");
    }
    (status, headers, body)
}

#[tokio::test]
async fn one_event_has_one_answer_wherever_it_is_answered() {
    let app = App::start().await;
    samples::seed(&app.backend.store, &Identity::of_events(), &app.backend.app.vault().unwrap().ring().await.unwrap())
        .await
        .unwrap();
    let function = Function::start().await;
    let own = ("x-api-key", samples::KEY);
    let bearer = format!("Bearer {}", samples::KEY);
    let (path, id) = (values("acme", "product", "sku-1"), "x-request-id");
    let color = r#"{"color": "green"}"#.as_bytes();
    let cases: Vec<Case<'_>> = vec![
        (&path, vec![own], color, 200),
        (&path, vec![("authorization", &bearer), (id, "mine")], "{\"title\": \"Ünï 日本 🌳\"}".as_bytes(), 200),
        (&path, vec![own, ("if-match", "\"3\"")], br#"{"color": "blue"}"#, 200),
        (&path, vec![own, ("if-match", "\"3\""), (id, "mine")], color, 409),
        (&path, vec![own, ("if-match", "3")], color, 400),
        (&path, vec![own, ("idempotency-key", "k")], color, 200),
        (&path, vec![own, ("idempotency-key", "k")], color, 200),
        (&path, vec![own, ("idempotency-key", "k")], b"{}", 422),
        (&path, vec![own], br#"{"color": "pink", "title": 1, "no": null}"#, 422),
        (&path, vec![own], b"[]", 422),
        (&path, vec![own], b"{", 400),
        (&path, vec![own], b"{\"color\": \"\xff\"}", 400),
        (&path, vec![own], b"", 400),
        (&path, vec![own, ("content-type", "text/plain")], color, 415),
        (&path, vec![], color, 401),
        (&path, vec![("x-api-key", "hr_live_x")], color, 401),
        (&path, vec![own, ("authorization", &bearer)], color, 400),
        (&path, vec![("cookie", "__Host-hedgerow_session=x")], color, 401),
        ("/api/v1/tenants/acme/field-groups/absent/entities/e/values", vec![own], color, 404),
        ("/api/v1/tenants/a%2Fb/field-groups/%20/entities/%C3%A9/values", vec![own], b"[]", 422),
    ];
    for (path, sent, body, status) in cases {
        let mut sent = sent;
        if sent.iter().all(|(name, _)| *name != "content-type") {
            sent.push(("content-type", "application/json"));
        }
        let lines: String = sent.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let here = raw::send(app.address, "POST", path, &lines, body).await;

        let request = hyper::Request::post(path);
        let request = sent.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let parts = request.body(()).unwrap().into_parts().0;
        let route = hedgerow_tests::routes::routes().find(|route| route.id == "merge-values").unwrap();
        let address = "127.0.0.1".parse().ok();
        let event = event::of_request(&parts, &body.to_vec().into(), route, address);
        let there = function.answer(path, serde_json::to_vec(&event).unwrap()).await;

        assert_eq!(here.status, status, "{here}");
        assert_eq!(comparable(&here), comparable(&there));
        if sent.iter().any(|(name, _)| *name == "x-request-id") {
            assert_eq!((here.request_id(), there.request_id()), ("mine", "mine"));
        }
    }
}

/// A function's line of a request that it could not answer for want of its table: an error, and under which identifier the
/// gateway's access log has it.
#[tokio::test]
async fn what_could_not_be_answered_is_logged_as_an_error_under_the_gateways_identifier_too() {
    // Held, so that nobody else is given it, and not listened on.
    let held = TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nobody = held.local_addr().unwrap();
    let runtime = RuntimeApi::start().await.unwrap();
    let mut process = command(&runtime, &format!("http://{nobody}")).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
    let sample = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../events/merge-values.json")).unwrap();
    let sample: Value = serde_json::from_slice(&sample).unwrap();
    let mut nonsense = sample.clone();
    nonsense["headers"]["x-api-key"] = json!("hr_live_x");
    for (event, status, level) in [(sample, 503, "ERROR"), (nonsense, 401, "INFO")] {
        let answered = tokio::time::timeout(PATIENCE, runtime.invoke(event.to_string())).await.unwrap().unwrap();
        let answer: Value = serde_json::from_slice(&answered.unwrap()).unwrap();
        assert_eq!(answer["statusCode"], status, "{answer}");
        let line = loop {
            let line = tokio::time::timeout(PATIENCE, log.next_line()).await.unwrap().unwrap().unwrap();
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == "request" {
                break line;
            }
        };
        assert_eq!((&line["level"], &line["status"]), (&json!(level), &json!(status)), "{line}");
        assert_eq!(line["gateway_request_id"], event["requestContext"]["requestId"], "{line}");
        assert_eq!(line["request_id"], answer["headers"]["x-request-id"], "{line}");
    }
}
