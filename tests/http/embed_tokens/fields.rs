//! Tenant fields by token, and how many it may make.

use std::sync::atomic::{AtomicUsize, Ordering};

use hedgerow_tests::app::{Caller, each, fields, id};
use serde_json::{Value, json};

use super::Shop;

fn new(key: &str) -> Value {
    json!({ "key": key, "label": key, "schema": { "type": "string" } })
}

#[tokio::test]
async fn a_token_edits_the_fields_of_its_tenant() {
    let shop = Shop::open().await;
    let token = shop.token(json!({ "tenantId": "acme", "fieldGroupKey": "product", "fieldLimit": 100 })).await;
    let path = fields("acme", "product");
    let made = token.post(&path).json(&new("size")).await.data(201);
    let one = format!("{path}/{}", id(&made));
    token.get(&one).await.expect(200);
    token.patch(&one).json(&json!({ "label": "Size" })).await.expect(200);
    token.delete(&one).await.expect(204);
    token.post(&format!("{one}/restore")).await.expect(200);
    assert_eq!(each(&token.get(&path).await.page().0, "key"), ["title", "color", "size"]);
    // The client's own fields are not a token's to change.
    let (globals, _) = shop.account.key.get("/api/v1/global-fields").await.page();
    token.patch(&format!("/api/v1/global-fields/{}", id(&globals[0]))).json(&json!({})).await.fails(403, "forbidden");
    token.patch(&format!("{path}/{}", id(&globals[0]))).json(&json!({})).await.fails(404, "tenant_field_not_found");
}

#[tokio::test]
async fn a_limit_counts_what_is_there_however_it_came() {
    let shop = Shop::open().await;
    let path = fields("acme", "product");
    let token = |limit: u32| shop.token(json!({ "tenantId": "acme", "fieldLimit": limit }));
    // The tenant has one already.
    token(0).await.post(&path).json(&new("a")).await.fails(422, "field_limit_reached");
    token(1).await.post(&path).json(&new("a")).await.fails(422, "field_limit_reached");
    let two = token(2).await;
    let made = two.post(&path).json(&new("a")).await.data(201);
    two.post(&path).json(&new("b")).await.fails(422, "field_limit_reached");
    let one = format!("{path}/{}", id(&made));
    two.patch(&one).json(&json!({ "label": "A" })).await.expect(200);
    two.delete(&one).await.expect(204);
    two.post(&path).json(&new("b")).await.expect(201);
    two.post(&format!("{one}/restore")).await.fails(422, "field_limit_reached");
    // In each group by itself; and a key is not bound by it.
    two.post(&fields("acme", "other")).json(&new("a")).await.expect(201);
    shop.account.key.post(&path).json(&new("c")).await.expect(201);
    // A limit does not lift the one that there is anyway.
    let many = token(10_000).await;
    for n in 0..97 {
        many.post(&path).json(&new(&format!("f{n}"))).await.expect(201);
    }
    many.post(&path).json(&new("one_more")).await.fails(422, "field_limit_reached");
}

/// What becomes of so many fields that are made at once.
pub(super) async fn made_at_once(callers: &[Caller], path: &str, count: usize) -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let calls = (0..count).map(|_| {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let call = callers[n % callers.len()].post(path).json(&new(&format!("at_once_{n}")));
        tokio::spawn(call.into_future())
    });
    let mut made = 0;
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.unwrap();
        match answer.status {
            201 => made += 1,
            503 => {}
            _ => answer.fails(422, "field_limit_reached"),
        }
    }
    made
}

#[tokio::test]
async fn no_two_requests_together_make_one_too_many() {
    let shop = Shop::open().await;
    let path = fields("acme", "product");
    let mut callers = Vec::new();
    for _ in 0..4 {
        callers.push(shop.token(json!({ "tenantId": "acme", "fieldLimit": 6 })).await);
    }
    let mut made = 0;
    while made < 5 {
        made += made_at_once(&callers, &path, 12).await;
    }
    assert_eq!(made, 5);
    assert_eq!(made_at_once(&callers, &path, 12).await, 0);
    assert_eq!(callers[0].get(&path).await.page().0.len(), 7);
}
