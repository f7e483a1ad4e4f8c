//! The functions that no route reaches: what feeds them in the template, and their sample events under their roles.

use std::collections::{BTreeMap, BTreeSet};

use auth::{Keyring, MailedToken};
use aws_sdk_sqs::types::QueueAttributeName;
use contract::Time;
use engines::Engines;
use functions::settings::{CHANGES, CHANGES_WINDOW, MESSAGES, RETENTION, ROUTE_TIMEOUT, TRIES, at_once};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use local::backend::Backend;
use runtime::lambda::consumer::Batch;
use runtime::{Mail, MailMessage, Queue, Source};
use serde_json::{Value, json};
use store::author::Clock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use xtask::seeded::FROM;
use xtask::template::logical;

use crate::deployment::{Deployment, sample};
use crate::policies::{named, statements, texts};
use crate::{operation, read, resources, template};

/// The mappings of the template: the function, and the resource that feeds it.
fn mappings(template: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    resources(template, "AWS::Lambda::EventSourceMapping").map(|mapping| {
        let function = mapping["FunctionName"]["Ref"].as_str().unwrap();
        let function = operation(&template["Resources"][function]["Properties"]);
        (function, texts(&mapping["EventSourceArn"]["Fn::GetAtt"])[0], mapping)
    })
}

#[test]
fn every_consumer_is_fed_by_its_sources_alone() {
    let template = template();
    let fed: BTreeSet<_> =
        mappings(&template).map(|(function, source, _)| (function.to_owned(), source.to_ascii_lowercase())).collect();
    let mut expected = BTreeSet::new();
    for consumer in functions::consumers() {
        match consumer.source {
            Source::Stream(table) => {
                expected.insert((consumer.id.to_owned(), format!("{}table", table.word())));
            }
            Source::Queues(queues) => {
                let name = |queue: &Queue| logical(queue.word()).to_ascii_lowercase() + "queue";
                expected.extend(queues.iter().map(|queue| (consumer.id.to_owned(), name(queue))));
            }
            // Their calls come from EventBridge and from Secrets Manager.
            Source::Schedule(_) | Source::TokenKeysRotation => {}
        }
    }
    assert_eq!(fed, expected);
    for (function, _, mapping) in mappings(&template) {
        // Without it, the failures that a function names would count as successes.
        assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{function}");
    }
}

/// What Lambda takes in a function's name, it takes from what feeds the function.
#[test]
fn who_is_fed_may_take_from_there_and_nobody_else_may() {
    let template = template();
    for function in resources(&template, "AWS::Lambda::Function") {
        let of_function = mappings(&template).filter(|(fed, ..)| *fed == operation(function));
        let fed: BTreeSet<_> = of_function.map(|(_, source, _)| source.to_owned()).collect();
        let mut takes = BTreeSet::new();
        for statement in statements(&template, function) {
            let actions = texts(&statement["Action"]);
            if actions.contains(&"sqs:ReceiveMessage") {
                assert_eq!(actions, ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]);
                let queues = statement["Resource"].as_array().unwrap();
                let word = |queue| named(queue).1.strip_prefix("${TablePrefix}-").unwrap();
                takes.extend(queues.iter().map(|queue| format!("{}Queue", logical(word(queue)))));
            }
            if actions.contains(&"dynamodb:GetRecords") {
                let stream = named(&statement["Resource"]).1.strip_prefix("table/${TablePrefix}-").unwrap();
                takes.insert(format!("{}Table", logical(stream.strip_suffix("/stream/*").unwrap())));
            }
        }
        assert_eq!(takes, fed, "{}", operation(function));
    }
}

/// Lambda asks for six times the function's timeout: a message must not be handed out again while it is worked on, nor
/// while Lambda itself tries to hand it to a function that is throttled.
#[test]
fn a_message_is_out_of_sight_for_longer_than_it_may_be_worked_on() {
    let template = template();
    let of = |resource: &str| template["Resources"][resource]["Properties"].clone();
    for (_, source, mapping) in mappings(&template).filter(|(_, source, _)| source.ends_with("Queue")) {
        let timeout = of(mapping["FunctionName"]["Ref"].as_str().unwrap())["Timeout"].as_u64().unwrap();
        let visibility = of(source)["VisibilityTimeout"].as_u64().unwrap();
        assert!(visibility >= 6 * timeout, "{source}: {visibility} s for {timeout} s");
    }
    for consumer in functions::consumers() {
        let mut functions = resources(&template, "AWS::Lambda::Function");
        let function = functions.find(|function| operation(function) == consumer.id).unwrap();
        assert_eq!(function["Timeout"], consumer.timeout.as_secs());
    }
}

#[test]
fn every_queue_has_one_for_dead_letters_that_takes_from_it_alone() {
    let template = template();
    let all = &template["Resources"];
    let name = |resource: &Value| resource["Properties"]["QueueName"]["Fn::Sub"].as_str().unwrap().to_owned();
    for queue in Queue::ALL {
        let live = all.as_object().unwrap().values().find(|resource| {
            resource["Type"] == "AWS::SQS::Queue" && name(resource) == format!("${{TablePrefix}}-{}", queue.word())
        });
        let redrive = &live.unwrap()["Properties"]["RedrivePolicy"];
        let dead = &all[texts(&redrive["deadLetterTargetArn"]["Fn::GetAtt"])[0]];
        assert_eq!(name(dead), format!("{}-dead", name(live.unwrap())));
        let allowed = &dead["Properties"]["RedriveAllowPolicy"]["sourceQueueArns"][0];
        assert_eq!(named(allowed), ("sqs", name(live.unwrap()).as_str()));
    }
    assert_eq!(resources(&template, "AWS::SQS::Queue").count(), 2 * Queue::ALL.len());
}

/// The queues of one machine, as its SQS tells them, and those of the template.
#[tokio::test]
async fn the_queues_of_one_machine_are_as_in_the_template() {
    let engines = Engines::memory().unwrap();
    let backend = Backend::embedded(engines, Clock::default()).await.unwrap();
    let (sqs, queues) = (&backend.engine.as_ref().unwrap().sqs, backend.app.queues().unwrap());
    let template = template();
    for queue in Queue::ALL {
        let told = sqs.get_queue_attributes().queue_url(queues.url(queue)).attribute_names(QueueAttributeName::All);
        let told = told.send().await.unwrap().attributes.unwrap();
        let number = |name: &QueueAttributeName| told[name].parse::<u64>().unwrap();
        let in_template = &template["Resources"][format!("{}Queue", logical(queue.word()))]["Properties"];
        assert_eq!(in_template["VisibilityTimeout"], number(&QueueAttributeName::VisibilityTimeout));
        assert_eq!(in_template["MessageRetentionPeriod"], number(&QueueAttributeName::MessageRetentionPeriod));
        let redrive: Value = serde_json::from_str(&told[&QueueAttributeName::RedrivePolicy]).unwrap();
        assert_eq!(in_template["RedrivePolicy"]["maxReceiveCount"], redrive["maxReceiveCount"]);
    }
}

/// What feeds functions, and how long a route's may take, is what `settings.rs` says: the workers of one machine go by that.
#[test]
fn the_template_is_made_of_the_settings() {
    let template = template();
    for (function, source, mapping) in mappings(&template) {
        let Some(queue) = Queue::ALL.into_iter().find(|queue| source == format!("{}Queue", logical(queue.word())))
        else {
            assert_eq!(mapping["BatchSize"], CHANGES, "{function}");
            assert_eq!(mapping["MaximumBatchingWindowInSeconds"], CHANGES_WINDOW.as_secs(), "{function}");
            assert_eq!(mapping["MaximumRetryAttempts"], TRIES.lambda, "{function}");
            continue;
        };
        assert_eq!(mapping["BatchSize"], MESSAGES, "{source}");
        let most = &mapping["ScalingConfig"]["MaximumConcurrency"];
        let most = if most["Ref"] == "DeliveryConcurrency" {
            &read("infra/template.yaml")["Parameters"]["DeliveryConcurrency"]["Default"]
        } else {
            most
        };
        assert_eq!(*most, at_once(queue).lambda, "{source}");
    }
    for queue in resources(&template, "AWS::SQS::Queue") {
        assert_eq!(queue["MessageRetentionPeriod"], RETENTION.as_secs());
    }
    let consumers = functions::consumers().map(|consumer| consumer.id);
    for function in resources(&template, "AWS::Lambda::Function") {
        if !consumers.contains(&operation(function)) {
            assert_eq!(function["Timeout"], ROUTE_TIMEOUT.as_secs(), "{}", operation(function));
        }
    }
}

/// Lambda ends a chain of messages that comes to a function for the 16th time, unless the function is said to mean it.
#[test]
fn what_comes_back_to_a_function_is_no_loop_to_lambda() {
    let template = template();
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for function in resources(&template, "AWS::Lambda::Function") {
        let sends =
            statements(&template, function).into_iter().filter(|one| texts(&one["Action"]) == ["sqs:SendMessage"]);
        for queue in sends.flat_map(|statement| statement["Resource"].as_array().unwrap()) {
            let queue = format!("{}Queue", logical(named(queue).1.strip_prefix("${TablePrefix}-").unwrap()));
            let fed = mappings(&template).filter(|(_, source, _)| *source == queue).map(|(fed, ..)| fed);
            next.entry(operation(function)).or_default().extend(fed);
        }
    }
    let comes_back = |id: &str| {
        let (mut seen, mut ahead) = (BTreeSet::new(), vec![id]);
        while let Some(at) = ahead.pop() {
            ahead.extend(next.get(at).into_iter().flatten().filter(|fed| seen.insert(**fed)));
        }
        seen.contains(id)
    };
    let mut some = 0;
    for function in resources(&template, "AWS::Lambda::Function") {
        let expected = if comes_back(operation(function)) { json!("Allow") } else { Value::Null };
        assert_eq!(function["RecursiveLoop"], expected, "{}", operation(function));
        some += usize::from(expected == "Allow");
    }
    assert!(some > 0);
}

/// An account may have several deployments in a region: none is told of another's trouble.
#[test]
fn an_alarm_is_about_this_stack_alone() {
    let template = template();
    for alarm in resources(&template, "AWS::CloudWatch::Alarm") {
        let dimensions = alarm["Dimensions"].as_array().unwrap();
        let own = |dimension: &Value| {
            dimension["Value"].get("Ref").is_some() || dimension["Value"].get("Fn::GetAtt").is_some()
        };
        assert!(dimensions.iter().any(own), "{alarm}");
    }
}

#[tokio::test]
async fn every_event_of_a_consumer_works_and_again() {
    let all = Deployment::new().await;
    let ids = ["fan-out", "dispatcher", "run-jobs", "send-mail", "rotate-token-keys", "erase-clients"];
    for id in ids.into_iter().chain(ids.into_iter().rev()) {
        assert_eq!(all.hand(id, sample(id)).await, Batch::default(), "{id}");
    }
}

/// All of them, each under its own role: what makes a token, what takes it, and what rotates the keys in between.
#[tokio::test]
async fn a_token_goes_on_when_the_keys_are_rotated() {
    let all = Deployment::new().await;
    let reply = all.cold("create-embed-token", sample("create-embed-token")).await;
    let made: Value = serde_json::from_slice(&reply.body).unwrap();
    let mut get: ApiGatewayV2httpRequest = sample("get-values");
    get.headers.remove("x-api-key");
    get.headers.insert("authorization", format!("Bearer {}", made["data"]["token"].as_str().unwrap()).parse().unwrap());
    assert_eq!(all.cold("get-values", get.clone()).await.status, 200);
    for step in ["createSecret", "setSecret", "testSecret", "finishSecret"] {
        let mut event: Value = sample("rotate-token-keys");
        event["Step"] = step.into();
        for _ in 0..2 {
            assert_eq!(all.hand("rotate-token-keys", event.clone()).await, Batch::default(), "{step}");
        }
        assert_eq!(all.cold("get-values", get.clone()).await.status, 200, "{step}");
    }
    // A second rotation drops the key.
    for step in ["createSecret", "finishSecret"] {
        let mut event: Value = sample("rotate-token-keys");
        event["Step"] = step.into();
        event["ClientRequestToken"] = "2".repeat(36).into();
        all.hand("rotate-token-keys", event).await;
    }
    assert_eq!(all.cold("get-values", get).await.status, 401);
}

#[test]
fn secrets_manager_rotates_the_token_keys_by_their_function_alone() {
    let template = template();
    let schedules: Vec<_> = resources(&template, "AWS::SecretsManager::RotationSchedule").collect();
    assert_eq!(schedules.len(), 1);
    assert_eq!(schedules[0]["SecretId"]["Ref"], "TokenKeys");
    assert_eq!(schedules[0]["RotationLambdaARN"]["Fn::GetAtt"], json!(["RotateTokenKeys", "Arn"]));
    let source = json!({ "Ref": "TokenKeys" });
    assert_eq!(leave(&template, "RotateTokenKeys"), json!(["secretsmanager.amazonaws.com", source]));
}

/// Who may call a function, and for what.
fn leave(template: &Value, function: &str) -> Value {
    let all = resources(template, "AWS::Lambda::Permission");
    let leaves: Vec<_> = all.filter(|leave| leave["FunctionName"]["Ref"] == function).collect();
    assert_eq!(leaves.len(), 1, "who may call {function}");
    json!([leaves[0]["Principal"], leaves[0]["SourceArn"]])
}

#[test]
fn the_clock_calls_the_functions_that_have_a_schedule_and_no_other() {
    let template = template();
    let mut scheduled = 0;
    for consumer in functions::consumers() {
        let Source::Schedule(period) = consumer.source else { continue };
        let function = logical(consumer.id);
        let rule = &template["Resources"][format!("{function}Schedule")]["Properties"];
        assert_eq!(rule["ScheduleExpression"], format!("rate({} minutes)", period.as_secs() / 60));
        assert_eq!(rule["Targets"], json!([{ "Id": consumer.id, "Arn": { "Fn::GetAtt": [function, "Arn"] } }]));
        let source = json!({ "Fn::GetAtt": [format!("{function}Schedule"), "Arn"] });
        assert_eq!(leave(&template, &function), json!(["events.amazonaws.com", source]));
        // One call ends before the next.
        assert!(consumer.timeout < period, "{}", consumer.id);
        scheduled += 1;
    }
    assert_eq!(resources(&template, "AWS::Events::Rule").count(), scheduled);
    assert!(scheduled > 0);
}

/// The sample mail is written down; if it no longer opens, or says something else, this has what to write.
#[test]
fn the_sample_mail_is_what_is_sealed_of_it() {
    let ring = Keyring::parse(samples::DATA_KEYS).unwrap();
    let mail = Mail::Invitation {
        to: "owner@example.com".parse().unwrap(),
        token: MailedToken::parse(&"A".repeat(43)).unwrap(),
        client_name: "Sample Shop".parse().unwrap(),
        invited_by: "founder@example.com".parse().unwrap(),
    };
    let message = MailMessage { sent: Time::from_millis(samples::AT_MILLIS), mail };
    let opened = MailMessage::open(&ring, samples::MAIL).ok().map(|opened| json!(opened));
    assert_eq!(opened, Some(json!(message)), "samples::MAIL should be {}", message.seal(&ring).unwrap());
}

#[tokio::test]
async fn a_mail_goes_out_with_a_link_to_the_deployment() {
    let all = Deployment::new().await;
    assert_eq!(all.hand("send-mail", sample("send-mail")).await, Batch::default());
    let mails = all.seeded.mails_to("owner@example.com");
    assert_eq!((mails.len(), mails[0].from.as_str()), (1, FROM));
    let link = "https://hedgerow00.execute-api.eu-central-1.amazonaws.com/admin/accept-invitation?token=AAAA";
    assert!(mails[0].text.contains(link) && mails[0].html.contains(link), "{mails:?}");
}

/// A receiver that says yes, and the requests that it gets.
async fn receiver() -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
            // A delivery of a sample is small, and its body ends in a brace.
            while !request.ends_with(b"}") {
                let read = stream.read(&mut buffer).await.unwrap();
                request.extend_from_slice(&buffer[..read]);
            }
            // Before the answer: when the sender is done, it is known what was sent.
            sender.send(String::from_utf8(request).unwrap()).unwrap();
            stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await.unwrap();
        }
    });
    (url, requests)
}

/// From the change to the receiver: each function under its own role, and what one sends is what the next one gets.
#[tokio::test]
async fn a_change_comes_to_a_webhook() {
    let all = Deployment::new().await;
    let (url, mut requests) = receiver().await;
    let mut create: ApiGatewayV2httpRequest = sample("create-webhook");
    create.body = Some(json!({ "url": url, "events": ["field_value.saved"] }).to_string());
    let reply = all.cold("create-webhook", create).await;
    assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));

    // The samples' own changes are older than the webhook: of all that the stream has, this one is announced, to it and to
    // the samples' two, which are off.
    let saved = all.cold("merge-values", sample("merge-values")).await;
    assert_eq!(saved.status, 200, "{}", String::from_utf8_lossy(&saved.body));
    let changes = json!({ "Records": all.seeded.changes().unwrap() });
    assert_eq!(all.hand("fan-out", changes).await, Batch::default());
    let first = all.take(Queue::FirstAttempts).await;
    assert_eq!(first["Records"].as_array().unwrap().len(), 3);
    assert_eq!(all.hand("dispatcher", first.clone()).await, Batch::default());
    let request = requests.try_recv().unwrap();
    assert!(request.starts_with("POST /hook HTTP/1.1\r\n") && request.contains("webhook-signature: v1,"), "{request}");
    assert!(request.contains("\"field_value.saved\""), "{request}");
}

/// The sample job sends the sample webhook's ping, which was held while that was off.
#[tokio::test]
async fn what_is_recovered_is_sent_again() {
    let all = Deployment::new().await;
    let (url, mut requests) = receiver().await;
    let mut on: ApiGatewayV2httpRequest = sample("update-webhook");
    on.body = Some(json!({ "url": url, "active": true }).to_string());
    let reply = all.cold("update-webhook", on).await;
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));

    assert_eq!(all.hand("run-jobs", sample("run-jobs")).await, Batch::default());
    let retries = all.take(Queue::Retries).await;
    let body = retries["Records"][0]["body"].as_str().unwrap();
    assert!(body.contains(&all.seeded.samples.delivery.to_string()), "{body}");
    assert_eq!(all.hand("dispatcher", retries.clone()).await, Batch::default());
    assert!(requests.try_recv().unwrap().contains("\"test.ping\""));
}
