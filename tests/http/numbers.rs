//! Numbers: what is answered is what was sent, or it is refused.

use hedgerow_tests::app::{App, fields, values};
use serde_json::json;

use crate::field_types::{alien, table};

#[tokio::test]
async fn a_whole_number_is_answered_as_one_however_it_is_written() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("product").await;
    for integer in [true, false] {
        let field = format!("f_{integer}");
        key.own("acme", "product", &field, json!({ "type": "number", "validation": { "integer": integer } })).await;
        for (sent, kept) in [("5.0", "5"), ("-0", "0"), ("-0.0", "0"), ("1e3", "1000"), ("-7", "-7")] {
            let body = format!("{{\"{field}\": {sent}}}");
            let answer = key.post(&values("acme", "product", "e")).body("application/json", body).await;
            assert_eq!(answer.data(200)["values"][&field].to_string(), kept);
        }
    }
}

#[tokio::test]
async fn a_number_that_no_double_holds_is_refused_and_never_altered() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let group = key.group("product").await;
    key.own("acme", "product", "f", json!({ "type": "number" })).await;
    key.own("acme", "product", "i", json!({ "type": "number", "validation": { "integer": true } })).await;
    let path = values("acme", "product", "e");
    let before = key.save("acme", "product", "e", json!({ "f": 1, "i": 1 })).await;
    for bad in [
        "123456789123456.12345",
        "9007199254740993.0",
        "9007199254740993",
        "-9007199254740993",
        "18446744073709551615",
        "1e-400",
        "-1e-400",
        "1e400",
        "0.10000000000000001",
        "3.14159265358979323846264338327950288",
    ] {
        for field in ["f", "i"] {
            for method in ["POST", "PUT"] {
                let body = format!("{{\"{field}\": {bad}, \"x\": \"1e-400\"}}");
                let answer = key.call(method, &path).body("application/json", body).await;
                answer.wrong(&[field, "x"]);
                assert_eq!(answer.json()["details"]["fields"][0]["code"], "number_not_exact", "{answer}");
            }
        }
        // As a rule, as a default, as what a form goes by; with all else that is wrong.
        for member in ["min", "max"] {
            let schema =
                format!("{{\"type\": \"number\", \"validation\": {{\"{member}\": {bad}}}, \"default\": {bad}}}");
            let body = format!("{{\"key\": \"g\", \"label\": \"\", \"schema\": {schema}}}");
            let rule = format!("schema.validation.{member}");
            let answer = key.post(&fields("acme", "product")).body("application/json", body.clone()).await;
            answer.wrong(&["label", "schema.default", &rule]);
            let body = body.replace("\"label\"", &format!("\"fieldGroupIds\": [{}], \"label\"", group["id"]));
            let answer = key.post("/api/v1/global-fields").body("application/json", body).await;
            answer.wrong(&["label", "schema.default", &rule]);
        }
        let body = format!(
            "{{\"key\": \"g\", \"label\": \"G\", \"schema\": {{\"type\": \"url\", \"ui\": {{\"order\": {bad}}}}}}}"
        );
        key.post(&fields("acme", "product")).body("application/json", body).await.wrong(&["schema.ui.order"]);
    }
    assert_eq!(key.get(&path).await.data(200), before);
    // What a double holds comes back as that double, also from an answer that was remembered.
    for (at, good) in ["123456789123456.12", "1E+300", "0.30000000000000004", "5e-324", "1e21", "9007199254740994.0"]
        .into_iter()
        .enumerate()
    {
        let call = || key.post(&path).body("application/json", format!("{{\"f\": {good}}}")).once(&at.to_string());
        let (first, again, read) = (call().await, call().await, key.get(&path).await);
        for answer in [first, again, read] {
            let text = answer.data(200)["values"]["f"].to_string();
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), good.parse::<f64>().unwrap().to_bits(), "{good} {text}");
        }
    }
}

#[tokio::test]
async fn numbers() {
    let good = [
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(5e-324),
        json!(0.1),
        json!(9_007_199_254_740_992_u64),
        json!(-9_007_199_254_740_992_i64),
        json!(9_007_199_254_740_994.0),
    ];
    let mut bad = alien("number");
    bad.extend([
        (json!("1"), ""),
        (json!(u64::MAX), ""),
        (json!(i64::MIN), ""),
        (json!(9_007_199_254_740_993_u64), ""),
    ]);
    table(json!({ "type": "number" }), &good, &bad).await;
    let rules = json!({ "min": -1.5, "max": 10 });
    let bad = [(json!(-1.500_001), ""), (json!(10.1), ""), (json!(11), "")];
    table(json!({ "type": "number", "validation": rules }), &[json!(-1.5), json!(10), json!(0)], &bad).await;
    let whole = json!({ "type": "number", "validation": { "integer": true } });
    table(whole, &[json!(3), json!(-3)], &[(json!(3.5), ""), (json!(-0.1), ""), (json!(1e20), "")]).await;
}
