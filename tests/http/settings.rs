//! What a client sets for itself: how it is read and changed, and what is refused.

use std::future::IntoFuture as _;

use hedgerow_tests::app::App;
use serde_json::{Value, json};

const SETTINGS: &str = "/api/v1/settings";

fn unset() -> Value {
    json!({
        "version": 1,
        "cors": { "origins": [] },
        "embed": { "origins": [] },
        "ipAllowlist": { "enabled": false, "entries": [], "applyToAdmin": false },
        "rateLimits": { "managementPerSecond": null, "deliveryPerSecond": null },
    })
}

#[tokio::test]
async fn members_left_out_stay_as_they_are() {
    let app = App::start().await;
    let (ada, eve) = (app.account("ada").await, app.account("eve").await);
    let read = ada.owner.get(SETTINGS).await;
    assert_eq!(read.etag(), "\"1\"");
    assert_eq!(read.data(200), unset());
    assert_eq!(ada.owner.patch(SETTINGS).json(&json!({})).await.data(200), unset());
    assert_eq!(ada.owner.patch(SETTINGS).json(&json!({ "cors": {}, "rateLimits": {} })).await.data(200), unset());
    let mut expected = unset();
    for (version, (change, path, value)) in (2..).zip([
        (
            json!({ "cors": { "origins": ["https://App.example.com"] } }),
            "/cors/origins",
            json!(["https://app.example.com"]),
        ),
        (
            json!({ "embed": { "origins": ["http://localhost:3000"] } }),
            "/embed/origins",
            json!(["http://localhost:3000"]),
        ),
        (json!({ "ipAllowlist": { "entries": ["10.0.0.0/8"] } }), "/ipAllowlist/entries", json!(["10.0.0.0/8"])),
        (json!({ "ipAllowlist": { "enabled": true } }), "/ipAllowlist/enabled", json!(true)),
        (json!({ "ipAllowlist": { "applyToAdmin": true } }), "/ipAllowlist/applyToAdmin", json!(true)),
        (json!({ "rateLimits": { "managementPerSecond": 5 } }), "/rateLimits/managementPerSecond", json!(5)),
        (json!({ "rateLimits": { "deliveryPerSecond": 500 } }), "/rateLimits/deliveryPerSecond", json!(500)),
        (json!({ "rateLimits": { "managementPerSecond": null } }), "/rateLimits/managementPerSecond", Value::Null),
        (json!({ "cors": { "origins": [] } }), "/cors/origins", json!([])),
    ]) {
        *expected.pointer_mut(path).unwrap() = value;
        expected["version"] = json!(version);
        let changed = ada.owner.patch(SETTINGS).json(&change).await;
        assert_eq!(changed.etag(), format!("\"{version}\""));
        assert_eq!(changed.data(200), expected, "{change}");
        assert_eq!(ada.owner.get(SETTINGS).await.data(200), expected, "{change}");
        // The same again changes nothing.
        assert_eq!(ada.owner.patch(SETTINGS).json(&change).await.data(200), expected, "{change}");
    }
    assert_eq!(eve.owner.get(SETTINGS).await.data(200), unset());
}

#[tokio::test]
async fn a_change_says_which_version_it_means() {
    let app = App::start().await;
    let ada = app.account("ada").await;
    let change = |limit: u32, version: Value| {
        let mut body = json!({ "rateLimits": { "managementPerSecond": limit } });
        body["version"] = version;
        ada.owner.patch(SETTINGS).json(&body)
    };
    assert_eq!(change(2, json!(1)).await.data(200)["version"], 2);
    let stale = change(3, json!(1)).await;
    stale.fails(409, "version_conflict");
    assert_eq!(stale.json()["details"], json!({ "currentVersion": 2, "clientVersion": 1 }));
    assert_eq!(stale.json()["message"], "Version mismatch: client sent 1, current is 2.");
    change(2, json!(1)).await.fails(409, "version_conflict");
    change(3, json!(3)).await.fails(409, "version_conflict");
    change(3, json!(2)).at("\"1\"").await.fails(409, "version_conflict");
    assert_eq!(change(3, json!(2)).at("\"2\"").await.data(200)["version"], 3);
    for bad in [json!(0), json!("3"), json!(1.5), json!(-1), Value::Null, json!(4_294_967_296_u64)] {
        change(4, bad).await.wrong(&["version"]);
    }
    change(4, json!(3)).at("3").await.fails(400, "malformed_request");
    let (one, other) = tokio::join!(change(1, json!(3)).into_future(), change(2, json!(3)).into_future());
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

#[tokio::test]
async fn all_that_is_wrong_is_named() {
    let app = App::start().await;
    let ada = app.account("ada").await;
    let change = |body: Value| ada.owner.patch(SETTINGS).json(&body);
    let origins = ["https://a.example", "https://a.example/", "http://a.example", "*", "null", "HTTPS://A.EXAMPLE:443"];
    let wrong = json!({
        "cors": { "origins": origins, "methods": ["GET"] },
        "embed": { "origins": "https://a.example" },
        "ipAllowlist": { "enabled": "yes", "entries": ["10.0.0.0/8", "10.0.0.0/33"], "applyToAdmin": null },
        "rateLimits": { "managementPerSecond": 0, "deliveryPerSecond": 10_001 },
        "colour": "red",
    });
    change(wrong).await.wrong(&[
        "colour",
        "cors.methods",
        "cors.origins[1]",
        "cors.origins[2]",
        "cors.origins[3]",
        "cors.origins[4]",
        "embed.origins",
        "ipAllowlist.applyToAdmin",
        "ipAllowlist.enabled",
        "ipAllowlist.entries[1]",
        "rateLimits.deliveryPerSecond",
        "rateLimits.managementPerSecond",
    ]);
    let twice = change(json!({ "cors": { "origins": [origins[0], "https://b.example", origins[5]] } })).await;
    assert_eq!(twice.json()["details"]["fields"][0]["code"], "duplicate");
    twice.wrong(&["cors.origins[2]"]);
    let many: Vec<_> = (0..41).map(|n| format!("https://{n}.example")).collect();
    change(json!({ "embed": { "origins": many }, "cors": null })).await.wrong(&["cors", "embed.origins"]);
    change(json!({ "ipAllowlist": { "entries": vec!["10.0.0.1"; 201] } })).await.wrong(&["ipAllowlist.entries"]);
    change(json!({ "ipAllowlist": { "enabled": true } })).await.wrong(&["ipAllowlist.entries"]);
    assert_eq!(ada.owner.get(SETTINGS).await.data(200), unset());
}

#[tokio::test]
async fn forty_origins_give_way_to_forty_others() {
    let app = App::start().await;
    let ada = app.account("ada").await;
    for name in ["a", "b"] {
        let origins: Vec<_> = (0..40).map(|n| format!("https://{name}{n}.example")).collect();
        let change = json!({ "cors": { "origins": origins } });
        assert_eq!(ada.owner.patch(SETTINGS).json(&change).await.data(200)["cors"]["origins"], json!(origins));
    }
}

#[tokio::test]
async fn owners_and_admins_change_them_and_keys_read_them() {
    let app = App::start().await;
    let ada = app.account("ada").await;
    let change = json!({ "rateLimits": { "managementPerSecond": 5 } });
    ada.key.get(SETTINGS).await.expect(200);
    ada.key.patch(SETTINGS).json(&change).await.fails(403, "forbidden");
    app.anonymous().get(SETTINGS).await.fails(401, "unauthenticated");
    for (role, status) in [("viewer", 403), ("editor", 403), ("admin", 200), ("owner", 200)] {
        let account = app.account(role).await;
        app.set_role(&account, role).await;
        account.owner.get(SETTINGS).await.expect(200);
        account.owner.patch(SETTINGS).json(&change).await.expect(status);
    }
}
