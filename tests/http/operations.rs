//! Health and the API's description.

use hedgerow_tests::app::App;
use serde_json::Value;

/// As it is committed.
const DOCUMENT: &str = include_str!("../../functions/operations/openapi.json");

#[tokio::test]
async fn health_is_for_everyone() {
    let app = App::start().await;
    for caller in [app.anonymous(), app.with_key("nonsense"), app.with_cookie("__Host-hedgerow_session=x")] {
        assert_eq!(caller.get("/api/health").await.data(200)["status"], "ok");
    }
}

#[tokio::test]
async fn the_description_is_the_committed_one() {
    let app = App::start().await;
    let answer = app.anonymous().get("/api/openapi.json").await.expect(200);
    assert_eq!(std::str::from_utf8(&answer.body).unwrap(), DOCUMENT);
}

#[test]
fn the_description_names_every_route_and_no_other() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let mut described = Vec::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap().iter().filter(|(_, operation)| operation.is_object()) {
            let id = operation["operationId"].as_str().unwrap();
            described.push(format!("{} {path} {id}", method.to_uppercase()));
        }
    }
    let routes = hedgerow_tests::routes::routes().filter(|route| route.path.starts_with('/'));
    let mut routes: Vec<_> =
        routes.map(|route| format!("{} {} {}", route.method.name(), route.path, route.id)).collect();
    described.sort();
    routes.sort();
    assert_eq!(described, routes);
}
