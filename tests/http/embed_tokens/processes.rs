//! Tokens between processes that share a folder, as instances share a region.

use std::time::Duration;

use hedgerow_tests::app::{Caller, fields, id, values};
use hedgerow_tests::process::Dev;
use hedgerow_tests::wait::until;
use serde_json::json;

use super::fields::made_at_once;
use super::{bearing, revocation, token};

#[tokio::test]
async fn what_one_process_makes_the_other_takes_until_it_is_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = tokio::join!(Dev::start(folder.path(), 1), Dev::start(folder.path(), 2));
    let (owner, there) = (one.owner().await, Caller::at(&other.base));
    let path = values("acme", "product", "sku-1");
    one.caller().save("acme", "product", "sku-1", json!({ "title": "Oak" })).await;
    let of = |caller: &Caller| {
        let caller = caller.clone();
        let there = there.clone();
        async move { bearing(&there, &token(&caller, &json!({ "tenantId": "acme", "ttlSeconds": 3_600 })).await) }
    };

    // Revoked at once, wherever that was said.
    let revoked = of(&one.caller()).await;
    revoked.get(&path).await.expect(200);
    one.caller().post(&revocation("acme")).await.expect(204);
    revoked.get(&path).await.fails(401, "unauthenticated");
    let after = of(&one.caller()).await;
    after.get(&path).await.expect(200);

    // Dead with the key that made it, and known to the other process before, so that it has something to forget.
    let mut made = Vec::new();
    for _ in 0..2 {
        let key = owner.post("/api/v1/api-keys").json(&json!({ "name": "A", "type": "management" })).await.data(201);
        let token = of(&Caller::at(&one.base).with("x-api-key", key["key"].as_str().unwrap())).await;
        token.get(&path).await.expect(200);
        made.push((format!("/api/v1/api-keys/{}", id(&key)), token));
    }
    owner.delete(&made[0].0).await.expect(204);
    owner.patch(&made[1].0).json(&json!({ "active": false })).await.expect(200);
    for (_, token) in &made {
        until(Duration::from_secs(10), || async { token.get(&path).await.status == 401 }).await;
    }
    after.get(&path).await.expect(200);

    // One limit for both.
    let body = json!({ "tenantId": "globex", "fieldGroupKey": "product", "fieldLimit": 4 });
    let made = token(&one.caller(), &body).await;
    let both = [bearing(&Caller::at(&one.base), &made), bearing(&there, &made)];
    let mut fields_made = 0;
    while fields_made < 4 {
        fields_made += made_at_once(&both, &fields("globex", "product"), 8).await;
    }
    assert_eq!(fields_made, 4);
    assert_eq!(made_at_once(&both, &fields("globex", "product"), 8).await, 0);

    // No token is in any log.
    let (_, said, log) = one.terminate().await;
    let (_, said_there, log_there) = other.terminate().await;
    for text in [said, log, said_there, log_there] {
        assert!(!text.contains(&made) && !text.contains("eyJ"), "{text}");
    }
}
