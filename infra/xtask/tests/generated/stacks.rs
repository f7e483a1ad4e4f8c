//! The stacks: how large they are, what is in which, and what they hand each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::read_to_string;

use runtime::Queue;
use serde_json::Value;
use xtask::template::stacks::{self, MOST_RESOURCES, Stacks};
use xtask::template::{LONGEST_ID, LONGEST_STACK_NAME, RouteFunction, all, route_functions};
use xtask::{files, root};

use crate::{operation, read, resources, routes, template};

/// What S3 hands to CloudFormation at the most, in bytes.
const LARGEST: usize = 1024 * 1024;

/// As it is committed.
fn written_down() -> Stacks {
    Stacks::parse(&read_to_string(root().join(stacks::PATH)).unwrap()).unwrap()
}

/// As many routes as that, by copies of those that there are; `of` is a copy's package.
fn grown(to: usize, of: impl Fn(&RouteFunction) -> String) -> Vec<RouteFunction> {
    let known = route_functions();
    let copy = |n: usize| {
        let like = &known[n % known.len()];
        let id = format!("{}-{n}", like.id);
        let keys = like.route_keys.iter().map(|key| format!("{}/{n}", key.replace("$default", "GET /rest")));
        RouteFunction { id, package: of(like), route_keys: keys.collect(), ..like.clone() }
    };
    let new: Vec<_> = (known.len()..to).map(copy).collect();
    [known.clone(), new].concat()
}

/// The resources of each template, and whether all of them fit.
#[track_caller]
fn assert_fits(functions: &[RouteFunction], stacks: &Stacks) -> BTreeMap<String, usize> {
    let mut sizes = BTreeMap::new();
    for template in all(functions, stacks) {
        let text = template.text().unwrap();
        let document: Value = serde_saphyr::from_str(&text).unwrap();
        let size = document["Resources"].as_object().unwrap().len();
        assert!(size <= MOST_RESOURCES, "{}: {size} resources", template.path);
        assert!(text.len() <= LARGEST, "{}: {} bytes", template.path, text.len());
        sizes.insert(template.path, size);
    }
    sizes
}

#[test]
fn a_hundred_and_twenty_routes_fit_as_packages_are_today() {
    let functions = grown(120, |like| like.package.clone());
    assert_eq!(functions.len(), 120);
    let sizes = assert_fits(&functions, &written_down().with(&functions));
    // Each has a function, a role, a log, an integration and one route at the least.
    assert!(sizes.values().sum::<usize>() > 120 * 5, "{sizes:?}");
    // An API has 300 at the most, unless the account asks for more.
    assert!(functions.iter().map(|function| function.route_keys.len()).sum::<usize>() <= 300);
}

#[test]
fn a_package_that_is_full_goes_on_in_another_stack() {
    let functions = grown(120, |_| "values".to_owned());
    let sizes = assert_fits(&functions, &written_down().with(&functions));
    assert!(sizes.contains_key("stacks/values-2.yaml"), "{sizes:?}");
}

/// Whatever is added, and wherever a route is moved to, what has a stack keeps it.
#[test]
fn a_stack_is_for_ever() {
    let written = written_down();
    let mut functions = grown(120, |_| "accounts".to_owned());
    functions.reverse();
    for function in &mut functions {
        function.package = "accounts".to_owned();
    }
    let placed = written.clone().with(&functions);
    for route in routes() {
        assert!(written.of(route.id).is_some(), "{} is not in {}: run `cargo xtask gen`", route.id, stacks::PATH);
        assert_eq!(placed.of(route.id), written.of(route.id));
    }
    assert_eq!(Stacks::parse(&placed.text()).unwrap(), placed);
}

#[test]
fn a_line_that_is_no_stack_is_refused() {
    for text in ["get-values\n", "get-values values\nget-values fields\n"] {
        assert!(Stacks::parse(text).is_err(), "{text}");
    }
}

#[test]
fn every_function_is_in_the_stack_that_is_written_down() {
    let stacks = written_down();
    let mut found = BTreeSet::new();
    for path in files::stacks(&root()).unwrap() {
        let stack = path.rsplit_once('/').unwrap().1.strip_suffix(".yaml").unwrap();
        let template = read(&path);
        for function in resources(&template, "AWS::Lambda::Function") {
            assert_eq!(stacks.of(operation(function)), Some(stack));
            assert!(found.insert(operation(function).to_owned()));
        }
    }
    assert_eq!(found, routes().map(|route| route.id.to_owned()).collect());
}

/// A nested stack is told every parameter that it has, and nothing else.
#[test]
fn the_root_tells_nested_stacks_what_they_ask_for() {
    let root_template = read("infra/template.yaml");
    let mut nested = BTreeSet::new();
    for stack in resources(&root_template, "AWS::CloudFormation::Stack") {
        let path = format!("infra/{}", stack["TemplateURL"].as_str().unwrap().strip_prefix("./").unwrap());
        let asked: BTreeSet<_> = read(&path)["Parameters"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(stack["Parameters"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>(), asked, "{path}");
        nested.insert(path);
    }
    assert_eq!(nested, files::stacks(&root()).unwrap().into_iter().collect());
}

/// The sum in the documentation is of what the template has.
#[test]
fn an_idle_stack_costs_what_is_written() {
    let template = template();
    let count = |of| resources(&template, of).count();
    let polled = |mapping: &&Value| mapping["EventSourceArn"]["Fn::GetAtt"][0].as_str().unwrap().ends_with("Queue");
    let queues = resources(&template, "AWS::Lambda::EventSourceMapping").filter(polled).count();
    let docs = read_to_string(root().join("docs/deploying.md")).unwrap();
    for line in [
        format!("| {} secrets | 0.40 each ", count("AWS::SecretsManager::Secret")),
        format!("| {} alarms | 0.10 each, 10 free ", count("AWS::CloudWatch::Alarm")),
        format!("| {queues} queues that Lambda asks "),
        format!("| {} tables on demand", count("AWS::DynamoDB::Table")),
    ] {
        assert!(docs.contains(&line), "docs/deploying.md does not say {line:?}: count its sum anew");
    }
}

/// Lambda takes 64 characters, SQS 80.
#[test]
fn names_fit() {
    let longest = LONGEST_STACK_NAME as usize + 1 + LONGEST_ID;
    assert_eq!(longest, 64);
    let ids = routes().map(|route| route.id).chain(functions::consumers().map(|consumer| consumer.id));
    for id in ids {
        assert!(id.len() <= LONGEST_ID, "{id} is too long for the name of a function: {LONGEST_ID} at the most");
    }
    let root_template = read("infra/template.yaml");
    let prefix = root_template["Parameters"]["TablePrefix"]["AllowedPattern"].as_str().unwrap();
    let (_, most) = prefix.strip_suffix("}$").unwrap().rsplit_once(',').unwrap();
    let word = Queue::ALL.map(|queue| queue.word().len()).into_iter().max().unwrap();
    assert!(most.parse::<usize>().unwrap() + "-".len() + word + "-dead".len() <= 80, "{prefix}");
    let of_name = &read("infra/stacks/stack-name.yaml")["Parameters"]["StackName"];
    assert_eq!(of_name["MaxLength"], LONGEST_STACK_NAME);
}

/// What holds data outlives the stack, unless the stack was never made; all else that has a name of its own goes with it,
/// so that the next one can have the name.
#[test]
fn what_outlives_the_stack_can_be_imported_into_the_next() {
    let root_template = read("infra/template.yaml");
    let kept: BTreeMap<_, _> = root_template["Resources"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, resource)| resource.get("DeletionPolicy").is_some_and(|policy| policy != "Delete"))
        .collect();
    let names: Vec<_> = kept.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["Bucket", "DataKeys", "GivenUpChanges", "LogTable", "MainTable"]);
    for (name, resource) in &kept {
        assert_eq!(resource["DeletionPolicy"], "RetainExceptOnCreate", "{name}");
        assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{name}");
    }
    // A bucket's name is drawn anew.
    let buckets = ["Bucket", "GivenUpChanges"];
    for name in buckets {
        assert_eq!(kept[&name.to_owned()]["Properties"].get("BucketName"), None);
    }
    let importable = read("infra/kept.yaml");
    let expected: serde_json::Map<_, _> = kept
        .into_iter()
        .filter(|(name, _)| !buckets.contains(&name.as_str()))
        .map(|(name, of)| (name.clone(), of.clone()))
        .collect();
    assert_eq!(importable["Resources"], Value::Object(expected));
    assert_eq!(importable["Parameters"]["TablePrefix"], root_template["Parameters"]["TablePrefix"]);
}
