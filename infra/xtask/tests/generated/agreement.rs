//! The routes, the functions, their binaries, their events and the template speak of the same.

use std::collections::BTreeSet;
use std::fs::{read_dir, read_to_string};

use runtime::Method;
use serde_json::json;
use xtask::{files, root};

use crate::{operation, resources, routes, template};

/// The functions of all routes, and those that no route reaches.
fn everything() -> BTreeSet<String> {
    routes()
        .map(|route| route.id.to_owned())
        .chain(functions::consumers().map(|consumer| consumer.id.to_owned()))
        .collect()
}

#[tokio::test]
async fn what_is_committed_is_what_would_be_written() {
    let generated = xtask::generate(&root()).await.unwrap();
    let drift = files::drift(&root(), &generated).unwrap();
    assert!(drift.is_empty(), "run `cargo xtask gen`: {drift:?}");
}

#[tokio::test]
async fn what_is_written_twice_is_the_same() {
    let texts = async || xtask::events::all(&xtask::seeded::Seeded::new().await.unwrap()).unwrap();
    assert_eq!(texts().await, texts().await);
}

#[test]
fn no_two_routes_share_an_id_or_a_place() {
    let (ids, places): (BTreeSet<_>, BTreeSet<_>) =
        routes().map(|route| (route.id, (route.method.name(), route.path))).unzip();
    assert_eq!((ids.len(), places.len()), (routes().count(), routes().count()));
}

#[test]
fn no_route_under_the_management_path_lets_just_anyone_in() {
    for route in routes().filter(|route| route.path.starts_with("/api/v1/")) {
        // Every member may leave; of whom else, is asked where the member is.
        let leaves = route.id == "remove-member";
        let narrow = leaves || route.access.role().is_some() || !route.access.permissions().is_empty();
        assert!(narrow, "{}", route.id);
    }
}

#[test]
fn every_function_has_a_binary_of_its_own_that_runs_it() {
    let mut binaries = BTreeSet::new();
    for package in read_dir(root().join("functions")).unwrap() {
        let package = package.unwrap();
        for file in read_dir(package.path().join("src/bin")).unwrap() {
            let path = file.unwrap().path();
            let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = read_to_string(&path).unwrap();
            let (before, run) = text.split_once("(&").unwrap();
            let (library, name) = run.split_once(')').unwrap().0.split_once("::").unwrap();
            let folder = package.file_name().into_string().unwrap();
            assert_eq!(library.replace('_', "-"), folder, "{id}");
            let routes = read_to_string(package.path().join("src/lib.rs")).unwrap();
            let of_route = routes.contains(&format!("    {name} \"{id}\" => "));
            // `pub static NAME: Consumer = Consumer::of::<Worker>("id", …)`
            let words = routes.split_whitespace().collect::<Vec<_>>().join(" ");
            let declared = format!("pub static {name}: Consumer = Consumer::of::<");
            let arguments = words.split_once(&declared).and_then(|(_, rest)| rest.split_once('('));
            let of_consumer = arguments.is_some_and(|(_, first)| first.trim_start().starts_with(&format!("\"{id}\",")));
            let entry = before.split_whitespace().last().unwrap();
            let expected = [("runtime::serve", of_route), ("runtime::consume", of_consumer)];
            assert!(expected.contains(&(entry, true)), "{id} runs something else: {entry} {name}");
            binaries.insert(id);
        }
    }
    assert_eq!(binaries, everything());
}

#[test]
fn every_route_is_in_its_package() {
    for route in routes() {
        let binary = root().join(format!("functions/{}/src/bin/{}.rs", route.package, route.id));
        assert!(binary.exists(), "{binary:?}");
    }
}

#[test]
fn every_route_is_in_the_gateway_and_reaches_its_function() {
    let template = template();
    let keys: BTreeSet<_> = resources(&template, "AWS::ApiGatewayV2::Route")
        .map(|route| {
            let target = route["Target"]["Fn::Sub"].as_str().unwrap();
            let integration = target.strip_prefix("integrations/${").unwrap().strip_suffix('}').unwrap();
            let uri = &template["Resources"][integration]["Properties"]["IntegrationUri"]["Fn::GetAtt"][0];
            let function = &template["Resources"][uri.as_str().unwrap()]["Properties"];
            (route["RouteKey"].as_str().unwrap().to_owned(), operation(function).to_owned())
        })
        .collect();
    let mut expected = BTreeSet::new();
    for route in routes() {
        let id = || route.id.to_owned();
        match route.method {
            Method::Any => expected.insert((route.path.to_owned(), id())),
            // What is read is asked for by its headers alone as well.
            Method::Get => {
                ["GET", "HEAD"].iter().all(|method| expected.insert((format!("{method} {}", route.path), id())))
            }
            method => expected.insert((format!("{} {}", method.name(), route.path), id())),
        };
    }
    assert_eq!(keys, expected);
    let calling: Vec<_> = resources(&template, "AWS::ApiGatewayV2::Integration").collect();
    assert_eq!(calling.len(), routes().count());
    assert!(calling.iter().all(|integration| integration["CredentialsArn"] == json!({ "Ref": "InvokeRole" })));
}

#[test]
fn every_function_is_in_the_template_and_has_an_event() {
    let template = template();
    let deployed: BTreeSet<_> =
        resources(&template, "AWS::Lambda::Function").map(|function| operation(function).to_owned()).collect();
    assert_eq!(deployed, everything());
    let events: BTreeSet<_> = files::events(&root()).unwrap().into_iter().collect();
    assert_eq!(events, everything().into_iter().map(|id| format!("events/{id}.json")).collect());
}
