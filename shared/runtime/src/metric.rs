//! Metrics: lines that CloudWatch reads numbers from (its embedded metric format).

use contract::Time;
use serde_json::{Value, json};

const NAMESPACE: &str = "Hedgerow";

/// What a line says of its metrics.
pub(crate) fn about(at: Time, sets: Vec<Value>) -> Value {
    json!({ "Timestamp": at.millis(), "CloudWatchMetrics": sets })
}

/// Metrics by these members of their line.
pub(crate) fn set(dimensions: &[&str], metrics: Value) -> Value {
    json!({ "Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": metrics })
}

/// Counts something, under the function that counts it.
pub fn count(operation: &str, name: &str, number: u64, at: Time) {
    let sets = vec![set(&["operation"], json!([{ "Name": name, "Unit": "Count" }]))];
    let line = json!({ "_aws": about(at, sets), "operation": operation, name: number });
    crate::log::machine_line(&line.to_string());
}
