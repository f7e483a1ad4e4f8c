//! The members of resources, as a line tells them.

use contract::Error;
use serde_json::{Map, Value, json};

/// A member of a resource that is longer than this is told by its hash: a line is read by people.
const LONGEST_MEMBER: usize = 16 * 1024;

pub(super) fn object(value: &impl serde::Serialize) -> Result<Map<String, Value>, Error> {
    serde_json::to_value(value).and_then(serde_json::from_value).map_err(Error::internal)
}

/// The members that differ, as they were and as they are.
pub(super) fn difference(
    mut before: Map<String, Value>,
    mut after: Map<String, Value>,
) -> (Map<String, Value>, Map<String, Value>) {
    // It says what `at` says.
    before.remove("updatedAt");
    after.remove("updatedAt");
    let same: Vec<String> = before.keys().filter(|name| before.get(*name) == after.get(*name)).cloned().collect();
    for name in same {
        before.remove(&name);
        after.remove(&name);
    }
    (capped(before), capped(after))
}

/// The members, those that are too long by their hash.
pub(super) fn capped(mut members: Map<String, Value>) -> Map<String, Value> {
    for value in members.values_mut() {
        let text = value.to_string();
        if text.len() > LONGEST_MEMBER {
            *value = json!({ "bytes": text.len(), "sha256": auth::sha256_hex(text.as_bytes()) });
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(value: &Value) -> Map<String, Value> {
        object(value).expect("an object")
    }

    #[test]
    fn what_stays_is_not_told() {
        let before = members(&json!({ "name": "a", "key": "k", "updatedAt": "1", "version": 1, "gone": true }));
        let after = members(&json!({ "name": "b", "key": "k", "updatedAt": "2", "version": 2, "new": null }));
        let (before, after) = difference(before, after);
        assert_eq!(Value::Object(before), json!({ "name": "a", "version": 1, "gone": true }));
        assert_eq!(Value::Object(after), json!({ "name": "b", "version": 2, "new": null }));
    }

    #[test]
    fn what_is_long_is_told_by_its_hash() {
        let long = "x".repeat(LONGEST_MEMBER);
        let told = capped(members(&json!({ "schema": { "pattern": long }, "name": "a" })));
        assert_eq!(told["name"], "a");
        assert_eq!(told["schema"]["bytes"], LONGEST_MEMBER + 14);
        assert_eq!(told["schema"]["sha256"].as_str().map(str::len), Some(64));
    }
}
