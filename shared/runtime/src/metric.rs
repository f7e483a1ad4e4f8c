//! Metrics: lines that CloudWatch reads numbers from (its embedded metric format).

use contract::{Error, Time};
use serde_json::{Value, json};
use store::tables::Table;

use crate::app::App;
use crate::extract::Part;

const NAMESPACE: &str = "Hedgerow";

/// Counts under the function that counts and the main table of its deployment: an account may have several deployments, and
/// each is told of its own numbers.
pub struct Metrics {
    main_table: String,
}

impl Part for Metrics {
    fn take(app: &App) -> Result<Self, Error> {
        Ok(Self { main_table: app.store()?.names().of(Table::Main).to_owned() })
    }
}

impl Metrics {
    /// Counts something.
    pub fn count(&self, operation: &str, name: &str, number: u64, at: Time) {
        crate::log::line(&self.line(operation, name, number, at).to_string());
    }

    fn line(&self, operation: &str, name: &str, number: u64, at: Time) -> Value {
        json!({
            "_aws": {
                "Timestamp": at.millis(),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [["operation", "table"]],
                    "Metrics": [{ "Name": name, "Unit": "Count" }],
                }],
            },
            "operation": operation,
            "table": self.main_table,
            name: number,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an alarm on it has to name: `infra/xtask/src/template/alarms.rs`.
    #[test]
    fn a_count_has_all_that_its_directive_names() {
        let metrics = Metrics { main_table: "hedgerow-main".to_owned() };
        let line = metrics.line("fan-out", "UnknownRecords", 3, Time::from_millis(1));
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], "Hedgerow");
        assert_eq!(directive["Dimensions"], json!([["operation", "table"]]));
        assert_eq!(directive["Metrics"][0]["Name"], "UnknownRecords");
        assert_eq!(
            (&line["operation"], &line["table"], &line["UnknownRecords"]),
            (&json!("fan-out"), &json!("hedgerow-main"), &json!(3))
        );
    }
}
