//! Metrics: lines that CloudWatch reads numbers from (its embedded metric format).

use contract::Time;
use serde_json::json;

const NAMESPACE: &str = "Hedgerow";

/// Counts something, under the function that counts it.
pub fn count(operation: &str, name: &str, number: u64, at: Time) {
    let line = json!({
        "_aws": {
            "Timestamp": at.millis(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["operation"]],
                "Metrics": [{ "Name": name, "Unit": "Count" }],
            }],
        },
        "operation": operation,
        name: number,
    });
    crate::log::line(&line.to_string());
}
