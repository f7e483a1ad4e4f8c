//! Every answer, held against the API's own description: its status is one of its operation's, and its body has the form
//! that the description gives it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Value, json};

use crate::routes::routes;

const ID: &str = "urn:openapi";

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../functions/operations/openapi.json")).unwrap());

static REGISTRY: LazyLock<Registry<'static>> = LazyLock::new(|| {
    let document = Draft::Draft202012.create_resource(DOCUMENT.clone());
    Registry::new().add(ID, document).unwrap().prepare().unwrap()
});

type Validators = Mutex<HashMap<String, Arc<Validator>>>;

/// By the pointer to their schema.
static VALIDATORS: LazyLock<Validators> = LazyLock::new(Validators::default);

/// What is wrong with an answer to a request (`GET /api/health`), if it is of an operation that is described.
pub(crate) fn broken(asked: &str, status: u16, body: &[u8]) -> Option<String> {
    let (method, target) = asked.split_once(' ')?;
    let path = target.split(['?', '#']).next()?;
    let mut all = routes().filter(|route| route.path.starts_with('/'));
    let route = all.find(|route| route.method.tokens().contains(&method) && route.matches(path).is_some())?;
    let place = format!(
        "/paths/{}/{}/responses/{status}",
        route.path.replace('/', "~1"),
        route.method.name().to_ascii_lowercase()
    );
    let Some(response) = DOCUMENT.pointer(&place) else { return Some(format!("{} describes no {status}", route.id)) };
    let place = match response["$ref"].as_str() {
        Some(shared) => shared.trim_start_matches('#').to_owned(),
        None => place,
    };
    if body.is_empty() {
        return None;
    }
    let body: Value = serde_json::from_slice(body).ok()?;
    let schema = format!("{place}/content/application~1json/schema");
    // JSON lines are no JSON, though one line may look like it.
    DOCUMENT.pointer(&schema)?;
    let validator = validator(&schema);
    let errors: Vec<_> =
        validator.iter_errors(&body).map(|error| format!("{}: {error}", error.instance_path())).collect();
    (!errors.is_empty()).then(|| errors.join("; "))
}

fn validator(pointer: &str) -> Arc<Validator> {
    if let Some(known) = VALIDATORS.lock().unwrap().get(pointer) {
        return known.clone();
    }
    let fragment = pointer.replace('{', "%7B").replace('}', "%7D");
    let schema = json!({ "$ref": format!("{ID}#{fragment}") });
    let options = jsonschema::options().with_draft(Draft::Draft202012).with_registry(&REGISTRY);
    let made = Arc::new(options.build(&schema).unwrap());
    VALIDATORS.lock().unwrap().insert(pointer.to_owned(), made.clone());
    made
}
