//! Requests that another site has a browser send.

use hedgerow_tests::app::{App, Caller};
use serde_json::json;

const GROUPS: &str = "/api/v1/field-groups";

/// A value of each header, and whether it is right; nothing says nothing.
const SITES: [(&str, Option<bool>); 5] = [
    ("", None),
    ("same-origin", Some(true)),
    ("none", Some(true)),
    ("same-site", Some(false)),
    ("cross-site", Some(false)),
];
const PAGES: [(&str, Option<bool>); 6] = [
    ("", None),
    ("{own}", Some(true)),
    ("https://evil.example", Some(false)),
    ("null", Some(false)),
    ("{own}.evil.example", Some(false)),
    ("https://evil.example/?{own}", Some(false)),
];

fn said(caller: &Caller, app: &App, headers: [(&str, &str); 3]) -> Caller {
    let own = format!("http://{}", app.address);
    let sent = headers.into_iter().filter(|(_, value)| !value.is_empty());
    sent.fold(caller.clone(), |caller, (name, value)| caller.with(name, &value.replace("{own}", &own)))
}

#[tokio::test]
async fn what_changes_something_by_a_cookie_comes_from_a_page_of_ours() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let cookie = app.anonymous().with("cookie", &account.cookie);
    let mut refused = 0;
    for (site, site_is_right) in SITES {
        for (origin, origin_is_right) in PAGES {
            for (referer, referer_is_right) in PAGES {
                let headers = [("sec-fetch-site", site), ("origin", origin), ("referer", referer)];
                let seen = [site_is_right, origin_is_right.or(referer_is_right)];
                let all_right = seen.iter().flatten().all(|right| *right);
                let trusted = all_right && seen.iter().flatten().count() > 0;
                let by_cookie = said(&cookie, &app, headers);
                by_cookie.get(GROUPS).await.expect(200);
                let answer = by_cookie.delete("/api/auth/sessions").await;
                if trusted {
                    answer.expect(204);
                } else {
                    answer.fails(403, "origin_not_allowed");
                }
                refused += u32::from(!trusted);
            }
        }
    }
    assert!(refused > 100);
}

#[tokio::test]
async fn a_key_and_a_program_without_a_browser_need_no_page() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let elsewhere = [("sec-fetch-site", "cross-site"), ("origin", "https://app.example.com"), ("referer", "")];
    let key = said(&account.key, &app, elsewhere);
    key.post(GROUPS).json(&json!({ "key": "a", "name": "A" })).await.expect(201);
    let beside_a_cookie = key.with("cookie", &account.cookie);
    beside_a_cookie.post(GROUPS).json(&json!({ "key": "b", "name": "B" })).await.expect(201);

    let log_in = json!({ "email": account.email, "password": account.password });
    let sign_up = json!({ "email": "bob@example.com", "password": "four oak tables and a lamp", "clientName": "B" });
    let anyone = app.anonymous();
    said(&anyone, &app, elsewhere).post("/api/auth/login").json(&log_in).await.fails(403, "origin_not_allowed");
    said(&anyone, &app, elsewhere).post("/api/auth/signup").json(&sign_up).await.fails(403, "origin_not_allowed");
    anyone.post("/api/auth/login").json(&log_in).await.expect(200);
    anyone.post("/api/auth/signup").json(&sign_up).await.expect(201);
}
