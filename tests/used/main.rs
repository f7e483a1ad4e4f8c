//! What each function's role grants is what the function uses: neither more nor less. A use that is not granted fails
//! where it happens, since the gateway and the workers hold every function to its role. This is the other half: whatever
//! is granted was used while the suites ran, but for what is listed here with its reason.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod exceptions;

use std::collections::BTreeSet;

use engines::{Engines, Role, Use};
use hedgerow_tests::uses::{folder, read};
use local::backend::Backend;
use store::author::Clock;

use crate::exceptions::EXCEPTIONS;

/// What all roles grant.
async fn granted() -> BTreeSet<Use> {
    let backend = Backend::embedded(Engines::memory().unwrap(), Clock::default()).await.unwrap();
    let routes = functions::routes().map(|spec| (spec.route().id, spec.permissions()));
    let consumers = functions::consumers().into_iter().map(|consumer| (consumer.id, (consumer.permissions)()));
    let roles = routes.chain(consumers).map(|(id, of)| Role::new(id, backend.permissions(&of)));
    roles.flat_map(|role| role.all()).collect()
}

/// What the suites have noted.
fn used() -> BTreeSet<Use> {
    let files = std::fs::read_dir(folder());
    let files = files.expect("the suites have to run before this");
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    texts.flat_map(|text| text.lines().map(|line| read(line).unwrap()).collect::<Vec<_>>()).collect()
}

/// `get-values  GetItem hedgerow-main G#*`
fn told(of: &Use) -> String {
    format!("{}  {} {} {}", of.function, of.action, of.resource, of.keys.as_deref().unwrap_or_default())
}

#[tokio::test]
#[ignore = "it is run when the suites are over"]
async fn what_is_granted_is_what_is_used() {
    let (granted, used) = (granted().await, used());
    let excepted = |of: &&Use| EXCEPTIONS.iter().any(|exception| exception.is_of(of));
    let too_much: Vec<_> = granted.difference(&used).filter(|of| !excepted(of)).map(told).collect();
    assert!(too_much.is_empty(), "granted, and never used:\n{}", too_much.join("\n"));
    for exception in EXCEPTIONS {
        assert!(granted.iter().any(|of| exception.is_of(of)), "nobody is granted this any more: {exception:?}");
    }
    let unknown: Vec<_> = used.difference(&granted).map(told).collect();
    assert!(unknown.is_empty(), "noted by another version, clear the folder:\n{}", unknown.join("\n"));
}
