//! Queries: what a route does not know is refused, so that a filter which is not understood never answers everything.

use hedgerow_tests::app::App;
use runtime::{Method, OperationSpec, Route, RouteSpec};

const GROUPS: &str = "/api/v1/field-groups";

/// A path of a route, with something in place of its parameters.
fn path_of(route: &Route) -> String {
    let part = |part: &'static str| if part.starts_with('{') { "x" } else { part };
    route.path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// What a route says that it takes, from its handler's types.
fn described(spec: &RouteSpec) -> Vec<&'static str> {
    let mut operation = OperationSpec::new(schemars::SchemaGenerator::default());
    (spec.operation)(&mut operation);
    let mut names = Vec::new();
    (spec.route().query)(&mut names);
    let parameters = operation.parameters.iter().filter(|parameter| parameter.location == "query");
    let mut listed: Vec<_> = parameters.map(|parameter| parameter.name).collect();
    names.sort_unstable();
    listed.sort_unstable();
    assert_eq!(names, listed, "{}: what is refused and what is described differ", spec.route().id);
    names
}

#[tokio::test]
async fn every_management_route_refuses_what_it_does_not_know_and_nothing_that_it_does() {
    let app = App::start().await;
    let account = app.account("ada").await;
    for spec in functions::routes().filter(|spec| spec.route().knows_its_query()) {
        let (route, known) = (spec.route(), described(spec));
        let caller =
            |query: &str| account.who_may(route).call(route.method.name(), &format!("{}?{query}", path_of(route)));
        for (query, name) in [
            ("filter[status]=draft", "filter[status]"),
            ("filter%5Bstatus%5D=draft", "filter[status]"),
            ("limit=5&sort=name", "sort"),
            ("search", "search"),
            ("LIMIT=5", "LIMIT"),
            ("limit%20=5", "limit "),
            ("=5", ""),
            ("%FF=5", "\u{fffd}"),
            ("a%00b=1", "a b"),
        ] {
            if name == "sort" && !known.contains(&"limit") {
                continue;
            }
            let answer = caller(query).await;
            answer.fails(400, "malformed_request");
            let message = answer.json()["message"].as_str().unwrap().to_owned();
            assert!(message.contains(&format!("`{name}`")), "{message}");
            assert!(known.iter().all(|known| message.contains(&format!("`{known}`"))), "{message}");
        }
        if route.method == Method::Get {
            for name in known {
                let answer = caller(&format!("{name}=%20")).await;
                assert!(!answer.json().to_string().contains("not known here"), "{answer}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_parameter_is_not_refused() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    for query in ["?", "?&", "?&&limit=5&&", "?limit=5"] {
        key.get(&format!("{GROUPS}{query}")).await.expect(200);
    }
}

#[tokio::test]
async fn who_may_not_enter_is_told_that_first() {
    let app = App::start().await;
    app.anonymous().get(&format!("{GROUPS}?sort=name")).await.fails(401, "unauthenticated");
    let answer = app.anonymous().post("/api/auth/login?next=/admin").await;
    answer.fails(400, "malformed_request");
}

#[tokio::test]
async fn health_and_the_description_mind_no_query() {
    let app = App::start().await;
    for path in ["/api/health?_=1732500000", "/api/openapi.json?v=2&cache=no"] {
        app.anonymous().get(path).await.expect(200);
    }
}
