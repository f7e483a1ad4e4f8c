//! The order of the gates, from the outside: with two things wrong, the caller is told what the earlier gate found.

use hedgerow_tests::answer::Answer;
use hedgerow_tests::app::{App, Caller};
use serde_json::json;

use crate::permissions::key;

/// Something wrong with a request to `POST …/webhooks/{id}/test`, in the order of the gates.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
enum Fault {
    OwnDelivery,
    Unauthenticated,
    LacksPermission,
    Coding,
    UnknownParameter,
    BadIdempotencyKey,
    UnreadBody,
    BadPath,
}

const FAULTS: [Fault; 8] = [
    Fault::OwnDelivery,
    Fault::Unauthenticated,
    Fault::LacksPermission,
    Fault::Coding,
    Fault::UnknownParameter,
    Fault::BadIdempotencyKey,
    Fault::UnreadBody,
    Fault::BadPath,
];

impl Fault {
    /// The status, and what the answer says.
    fn told(self) -> (u16, &'static str) {
        match self {
            Self::OwnDelivery => (403, "A webhook may not lead to this API."),
            Self::Unauthenticated => (401, "unauthenticated"),
            Self::LacksPermission => (403, "lacks the permission `webhooks:write`"),
            Self::Coding => (415, "unsupported_media_type"),
            Self::UnknownParameter => (400, "`sort` is not known here"),
            Self::BadIdempotencyKey => (400, "`Idempotency-Key` must be"),
            Self::UnreadBody => (422, "dryRun"),
            Self::BadPath => (422, "\"id\""),
        }
    }
}

async fn sent(may: &Caller, may_not: &Caller, nobody: &Caller, faults: &[Fault]) -> Answer {
    let has = |fault| faults.contains(&fault);
    let mut caller = match () {
        () if has(Fault::Unauthenticated) => nobody.clone(),
        () if has(Fault::LacksPermission) => may_not.clone(),
        () => may.clone(),
    };
    if has(Fault::OwnDelivery) {
        caller = caller.with("user-agent", "Hedgerow-Webhooks/1.0").with("webhook-id", "evt_1");
    }
    let webhook = if has(Fault::BadPath) { "nonsense".to_owned() } else { format!("whk_{}", "0".repeat(32)) };
    let query = if has(Fault::UnknownParameter) { "?sort=name" } else { "" };
    let mut call = caller.post(&format!("/api/v1/webhooks/{webhook}/test{query}"));
    if has(Fault::Coding) {
        call = call.header("content-encoding", "gzip");
    }
    if has(Fault::BadIdempotencyKey) {
        call = call.once(&"k".repeat(256));
    }
    if has(Fault::UnreadBody) {
        call = call.json(&json!({ "dryRun": true }));
    }
    call.await
}

#[tokio::test]
async fn the_earlier_gate_is_the_one_that_speaks() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let reader = json!({ "name": "A", "type": "management", "permissions": ["webhooks:read"] });
    let (may, may_not) = (account.key.clone(), key(&app, &account.owner, reader).await);
    let nobody = app.with_key("hr_live_nobody");
    for (at, first) in FAULTS.into_iter().enumerate() {
        for second in FAULTS[at..].iter().copied() {
            let answer = sent(&may, &may_not, &nobody, &[first, second]).await;
            let (status, text) = first.told();
            assert_eq!(answer.status, status, "{first:?} {second:?}: {answer}");
            assert!(answer.json().to_string().replace("\\\"", "\"").contains(text), "{first:?} {second:?}: {answer}");
        }
    }
    // With nothing wrong it comes to the handler.
    sent(&may, &may_not, &nobody, &[]).await.fails(404, "webhook_not_found");
}
