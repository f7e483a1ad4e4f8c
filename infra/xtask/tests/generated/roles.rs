//! Every sample event under its function's own role, as the template has it: the role suffices, and the event works.

use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use runtime::spec::access::SessionAccess;
use runtime::{Access, Reply, Route};

use crate::deployment::{Deployment, sample};
use crate::routes;

fn event(id: &str) -> ApiGatewayV2httpRequest {
    sample(id)
}

/// An event with another value for a parameter of its path.
fn at(id: &str, parameter: &str, value: &str) -> ApiGatewayV2httpRequest {
    let mut event = event(id);
    let before = event.path_parameters.insert(parameter.to_owned(), value.to_owned()).unwrap();
    event.raw_path = event.raw_path.map(|path| path.replace(&before, value));
    event.headers.remove("idempotency-key");
    event
}

fn with(mut event: ApiGatewayV2httpRequest, name: &'static str, value: &str) -> ApiGatewayV2httpRequest {
    event.headers.insert(name, value.parse().unwrap());
    event
}

#[track_caller]
fn assert_status(id: &str, reply: &Reply, expected: impl Fn(u16) -> bool) {
    assert!(expected(reply.status), "{id}: {} {}", reply.status, String::from_utf8_lossy(&reply.body));
}

#[track_caller]
fn assert_works(id: &str, reply: &Reply) {
    let expected = |status| match id {
        "route-not-found" => status == 404,
        // No code that is written down is of this moment.
        "confirm-totp" => status == 422,
        // No deployment of the samples' takes payments.
        "create-checkout" | "create-portal" | "take-stripe-event" => status == 409,
        _ => (200..300).contains(&status),
    };
    assert_status(id, reply, expected);
}

/// What closes the sample account, ends its sessions or changes its password comes last, the least of it first.
fn log_out_last(routes: impl Iterator<Item = &'static Route>) -> impl Iterator<Item = &'static Route> {
    let mut routes: Vec<_> = routes.collect();
    let last = [
        "delete-tenant",
        "delete-client",
        "end-session",
        "change-password",
        "end-other-sessions",
        "log-out",
        "confirm-password-reset",
    ];
    routes.sort_by_key(|route| last.iter().position(|id| *id == route.id).map_or(0, |rank| rank + 1));
    routes.into_iter()
}

#[tokio::test]
async fn every_event_works_and_again_under_its_idempotency_key() {
    let all = Deployment::new().await;
    for route in log_out_last(routes()) {
        let first = all.cold(route.id, event(route.id)).await;
        assert_works(route.id, &first);
        // A refusal is not remembered.
        if route.idempotent() && first.status < 300 {
            let again = all.cold(route.id, event(route.id)).await;
            assert_eq!(
                (again.status, again.headers.contains_key("idempotency-replayed")),
                (first.status, true),
                "{}",
                route.id
            );
        }
    }
}

/// Backwards, on instances that go on, with the session in place of the key, and the group by its identifier.
#[tokio::test]
async fn every_event_works_in_another_order_with_another_credential() {
    let all = Deployment::new().await;
    let store = all.seeded.store();
    for route in log_out_last(routes().rev()) {
        let by_key = event(route.id).path_parameters.get("groupId").is_some_and(|group| group == "product");
        let group = all.seeded.samples.shop.groups[0].to_string();
        let mut event = if by_key { at(route.id, "groupId", &group) } else { event(route.id) };
        // What no session may keeps its key.
        let session = !matches!(route.access, Access::Credential { session: SessionAccess::Refused, .. });
        if session && event.headers.remove("x-api-key").is_some() {
            event.cookies = Some(vec![all.seeded.samples.shop.cookie.clone()]);
            event.headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
            event
                .headers
                .insert("origin", format!("https://{}", event.headers["host"].to_str().unwrap()).parse().unwrap());
        }
        assert_works(route.id, &all.invoke(&store, route.id, event).await);
    }
}

#[tokio::test]
async fn an_unknown_credential_is_told_so_everywhere() {
    let all = Deployment::new().await;
    for route in routes().filter(|route| route.access != Access::Public) {
        let mut sent = with(event(route.id), "x-api-key", "hr_live_0000000000000000000000000000000004RUeOF");
        assert_status(route.id, &all.cold(route.id, sent.clone()).await, |status| status == 401);
        sent.headers.remove("x-api-key");
        sent.cookies = Some(vec![all.seeded.samples.shop.cookie.replace(".A", ".B")]);
        assert_status(route.id, &all.cold(route.id, sent).await, |status| status == 401);
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_so_everywhere() {
    let all = Deployment::new().await;
    let unknown = |id: &str| format!("{}{}", &id[..id.len() - 4], if id.ends_with("0000") { "1111" } else { "0000" });
    for route in routes() {
        for parameter in route.parameters().filter(|parameter| matches!(*parameter, "id" | "groupId" | "fieldId")) {
            let known = event(route.id).path_parameters[parameter].clone();
            let absent = if known == "product" { "producer".to_owned() } else { unknown(&known) };
            let reply = all.cold(route.id, at(route.id, parameter, &absent)).await;
            assert_status(route.id, &reply, |status| status == 404);
        }
    }
}

#[tokio::test]
async fn a_stale_version_is_told_so_everywhere() {
    let all = Deployment::new().await;
    for id in [
        "update-api-key",
        "delete-api-key",
        "update-field-group",
        "delete-field-group",
        "update-global-field",
        "delete-global-field",
        "update-tenant-field",
        "delete-tenant-field",
        "merge-values",
        "replace-values",
        "delete-values",
    ] {
        let reply = all.cold(id, with(event(id), "if-match", "\"99\"")).await;
        assert_status(id, &reply, |status| status == 409);
    }
}

#[tokio::test]
async fn what_was_deleted_is_restored() {
    let all = Deployment::new().await;
    let samples = &all.seeded.samples;
    let group = samples.shop.groups[0].to_string();
    for (kind, parameter, value) in [
        ("global-field", "id", samples.shop.global_fields[0].to_string()),
        ("tenant-field", "fieldId", samples.shop.tenant_fields[0].to_string()),
        ("values", "entityId", samples.shop.entities[0].to_string()),
        ("field-group", "groupId", group),
    ] {
        for id in [format!("delete-{kind}"), format!("restore-{kind}")] {
            let mut sent = at(&id, parameter, &value);
            sent.headers.remove("idempotency-key");
            assert_works(&id, &all.cold(&id, sent).await);
        }
    }
}

#[tokio::test]
async fn a_first_tenant_and_a_first_entity_are_made() {
    let all = Deployment::new().await;
    let mut first = at("replace-values", "tenantId", "globex");
    first.body = Some("{\"title\":\"First\"}".to_owned());
    assert_works("replace-values", &all.cold("replace-values", first).await);
    let merged = at("merge-values", "entityId", "sku-new");
    assert_works("merge-values", &all.cold("merge-values", merged).await);
    assert_works(
        "create-tenant-field",
        &all.cold("create-tenant-field", at("create-tenant-field", "tenantId", "initech")).await,
    );
}

#[tokio::test]
async fn a_key_that_is_taken_is_told_so() {
    let all = Deployment::new().await;
    for (id, fresh, taken) in [
        ("create-field-group", "customer", "product"),
        ("create-global-field", "subtitle", "title"),
        ("create-tenant-field", "size", "color"),
        ("sign-up", "founder@example.org", "owner@example.com"),
    ] {
        let mut sent = event(id);
        sent.body = sent.body.map(|body| body.replace(&format!("\"{fresh}\""), &format!("\"{taken}\"")));
        assert_status(id, &all.cold(id, sent).await, |status| status == 409);
    }
}
