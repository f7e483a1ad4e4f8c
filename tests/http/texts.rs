//! Texts as people have them: one form for what is one text, nothing hidden, patterns as browsers read them.

use hedgerow_tests::app::{App, fields, id, values};
use serde_json::{Value, json};

const SIGNUP: &str = "/api/auth/signup";
const LOGIN: &str = "/api/auth/login";
const GROUPS: &str = "/api/v1/field-groups";

fn signup(email: &str) -> Value {
    json!({ "email": email, "password": "correct horse", "clientName": "Acme" })
}

#[tokio::test]
async fn an_address_is_one_account_in_every_spelling() {
    let app = App::start().await;
    let anyone = app.anonymous();
    for (spellings, kept) in [
        (["josé@x.example", "jose\u{301}@x.example", " JOSE\u{301}@X.EXAMPLE "], "josé@x.example"),
        (["ada@bücher.example", "Ada@bu\u{308}cher.example", "ada@xn--bcher-kva.example"], "ada@bücher.example"),
        (["संपर्क@डाटामेल.भारत", "संपर्क@डाटामेल.भारत\n", "\tसंपर्क@डाटामेल.भारत"], "संपर्क@डाटामेल.भारत"),
    ] {
        let made = anyone.post(SIGNUP).json(&signup(spellings[0])).await.data(201);
        assert_eq!(made["user"]["email"], kept);
        for spelling in spellings {
            anyone.post(SIGNUP).json(&signup(spelling)).await.fails(409, "email_taken");
            let login = json!({ "email": spelling, "password": "correct horse" });
            assert_eq!(anyone.post(LOGIN).json(&login).await.data(200)["user"], made["user"]);
        }
    }
    for bad in [
        "a..b@x.de",
        "<script>@x.de",
        "a@127.0.0.1",
        "a@localhost",
        "\u{feff}josé@x.example",
        "jos\u{200b}é@x.example",
        "josé@x\u{ad}.example",
        "josé@x.example\u{200d}",
    ] {
        anyone.post(SIGNUP).json(&signup(bad)).await.wrong(&["email"]);
    }
}

#[tokio::test]
async fn a_password_is_one_however_it_is_typed() {
    let app = App::start().await;
    let anyone = app.anonymous();
    for (name, set, typed) in [
        ("a", "pässwörter sind", "pa\u{308}sswo\u{308}rter sind"),
        ("b", "pa\u{308}sswo\u{308}rter sind", "pässwörter sind"),
    ] {
        let email = format!("{name}@example.com");
        anyone.post(SIGNUP).json(&json!({ "email": email, "password": set, "clientName": "A" })).await.expect(201);
        for password in [set, typed] {
            anyone.post(LOGIN).json(&json!({ "email": email, "password": password })).await.expect(200);
        }
        for wrong in ["password", " pässwörter sind", "PÄSSWÖRTER SIND"] {
            let login = json!({ "email": email, "password": wrong });
            anyone.post(LOGIN).json(&login).await.fails(401, "invalid_credentials");
        }
    }
    let short = json!({ "email": "c@example.com", "password": "o\u{308}".repeat(7), "clientName": "A" });
    anyone.post(SIGNUP).json(&short).await.wrong(&["password"]);
}

#[tokio::test]
async fn a_client_has_a_slug_that_can_be_read() {
    let app = App::start().await;
    for (at, (name, slug)) in [
        ("Łódź", "lodz"),
        ("Smørrebrød & Æbler", "smorrebrod-aebler"),
        ("Cafe\u{301} Straße", "cafe-strasse"),
        ("Яндекс", "yandeks"),
        ("株式会社", "zhushihuishe"),
        ("شركة", "shrkh"),
        ("🌳", "deciduous-tree"),
        ("!!!", "client"),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "email": format!("a{at}@example.com"), "password": "correct horse", "clientName": name });
        let made = app.anonymous().post(SIGNUP).json(&body).await.data(201);
        assert_eq!(made["client"]["slug"], slug, "{name}");
    }
}

#[tokio::test]
async fn names_have_one_form_and_nothing_hidden() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    let body = json!({ "key": "a", "name": "  Cafe\u{301}\u{a0}", "description": "\tZoe\u{308}\n" });
    let made = key.post(GROUPS).json(&body).await.data(201);
    assert_eq!((&made["name"], &made["description"]), (&json!("Café"), &json!("Zoë")));
    for good in ["می\u{200c}خواهم", "ශ්\u{200d}රී", "👩🏽\u{200d}💻", "🏳️\u{200d}🌈 team", "葛\u{e0100}飾"]
    {
        let path = format!("{GROUPS}/{}", id(&made));
        assert_eq!(key.patch(&path).json(&json!({ "name": good })).await.data(200)["name"], good);
        let field = json!({ "key": "f", "label": good, "schema": { "type": "string" } });
        let field = key.post(&fields("acme", "a")).json(&field).await.data(201);
        assert_eq!(field["label"], good);
        key.delete(&format!("{}/{}", fields("acme", "a"), id(&field))).await.expect(204);
    }
    for bad in
        ["\u{200b}", "a\u{feff}", "a\u{200d}b", "a\u{ad}b", "\u{202e}a", "\u{2066}a\u{2069}", "\u{3164}", "\u{2800}"]
    {
        key.post(GROUPS).json(&json!({ "key": "b", "name": bad })).await.wrong(&["name"]);
        let field = json!({ "key": "f", "label": bad, "schema": { "type": "string" } });
        key.post(&fields("acme", "a")).json(&field).await.wrong(&["label"]);
    }
}

#[tokio::test]
async fn options_are_one_in_every_form_and_texts_stay_as_they_were_sent() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("product").await;
    let options = json!(["Cafe\u{301}", { "value": "o\u{308}l", "label": " O\u{308}l" }]);
    let kept = json!(["Café", { "value": "öl", "label": "Öl" }]);
    let select = json!({ "type": "select", "validation": { "options": options }, "default": "o\u{308}l" });
    let made = key.own("acme", "product", "one", select).await;
    assert_eq!((&made["schema"]["validation"]["options"], &made["schema"]["default"]), (&kept, &json!("öl")));
    key.own("acme", "product", "many", json!({ "type": "multiselect", "validation": { "options": options } })).await;
    key.own("acme", "product", "mail", json!({ "type": "email" })).await;
    key.own("acme", "product", "text", json!({ "type": "string" })).await;
    let sent = json!({ "one": "Cafe\u{301}", "many": ["o\u{308}l", "Café"], "mail": " jose\u{301}@x.example", "text": " e\u{301}" });
    let saved = key.save("acme", "product", "e", sent).await;
    let expected = json!({ "one": "Café", "many": ["öl", "Café"], "mail": "josé@x.example", "text": " e\u{301}" });
    assert_eq!(saved["values"], expected);
    assert_eq!(key.get(&values("acme", "product", "e")).await.data(200)["values"], expected);
    let twice = json!({ "many": ["Café", "Cafe\u{301}"] });
    key.post(&values("acme", "product", "e")).json(&twice).await.wrong(&["many[1]"]);
}

#[tokio::test]
async fn everyday_patterns_are_taken_and_read_as_in_a_browser() {
    let app = App::start().await;
    let key = app.account("ada").await.key;
    key.group("product").await;
    let long = "é".repeat(255);
    for (at, (pattern, good, bad)) in [
        (r"^.{1,255}$", long.as_str(), "a\nb"),
        (r"^\w{3,30}$", "ada_9", "zoë"),
        (r"^[\p{L} '-]{1,30}$", "Zoë O'Neil-Łódź", "a1"),
        (r"^\d+$", "0123", "١٢٣"),
        (r"^\/[\w.\-]+\/$", "/a.b-c/", "/é/"),
        (r"^\s$", "\u{feff}", "\u{85}"),
        (r"^(?<year>[12]\d{3})-(?:0[1-9]|1[0-2])$", "2026-12", "2026-13"),
        (r"^[\u{1F600}-\u{1F64F}]$", "😀", "a"),
    ]
    .into_iter()
    .enumerate()
    {
        let field = format!("f{at}");
        let schema = json!({ "type": "string", "validation": { "pattern": pattern } });
        let made = key.own("acme", "product", &field, schema.clone()).await;
        assert_eq!(made["schema"], schema);
        let path = values("acme", "product", "e");
        assert_eq!(key.post(&path).json(&json!({ &field: good })).await.data(200)["values"][&field], good);
        key.post(&path).json(&json!({ &field: bad })).await.wrong(&[&field]);
    }
    let schema = json!({ "type": "textarea", "validation": { "pattern": "^a*$", "maxLength": 20_000 } });
    key.own("acme", "product", "long", schema).await;
    let path = values("acme", "product", "long");
    key.post(&path).json(&json!({ "long": "a".repeat(10_000) })).await.data(200);
    let answer = key.post(&path).json(&json!({ "long": "a".repeat(10_001) })).await;
    answer.wrong(&["long"]);
    assert!(answer.to_string().contains("at most 10000 characters, since it has to match a pattern"), "{answer}");
    for (pattern, said) in [
        ("(?=a)", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"(a)\1", "back-references"),
        (r"\p{Greek}", "Script=Greek"),
        (r"[\w-.]", "for the dash"),
        ("(?<a>x)(?<a>y)", "the name `a`"),
    ] {
        let body =
            json!({ "key": "g", "label": "G", "schema": { "type": "string", "validation": { "pattern": pattern } } });
        let answer = key.post(&fields("acme", "product")).json(&body).await;
        answer.wrong(&["schema.validation.pattern"]);
        assert!(answer.to_string().contains(said), "{answer}");
    }
}

#[tokio::test]
async fn null_is_as_if_it_were_left_out() {
    let app = App::start().await;
    let account = app.account("ada").await;
    let key = &account.key;
    let bare = json!({ "key": "a", "name": "A", "description": null, "publishing": null });
    let group = key.post(GROUPS).json(&bare).await.data(201);
    assert_eq!((&group["description"], &group["publishing"]), (&Value::Null, &json!("immediate")));
    let body = json!({
        "name": "A", "type": "management",
        "permissions": null, "expiresAt": null, "rateLimit": null, "allowedIps": null,
    });
    let made = account.owner.post("/api/v1/api-keys").json(&body).await.data(201);
    assert!(made["permissions"].as_array().is_some_and(|all| all.len() > 5) && made["allowedIps"].is_null());
    let schema = json!({
        "type": "string", "default": null,
        "validation": { "required": null, "minLength": null, "maxLength": null, "pattern": null, "min": null },
        "ui": { "placeholder": null, "helpText": null, "order": null },
    });
    let field = json!({ "key": "f", "label": "F", "schema": schema });
    let made = key.post(&fields("acme", "a")).json(&field).await.data(201);
    assert_eq!(made["schema"], json!({ "type": "string" }));
    let empty = json!({ "key": "g", "label": "G", "schema": { "type": "url", "validation": null, "ui": null } });
    assert_eq!(key.post(&fields("acme", "a")).json(&empty).await.data(201)["schema"], json!({ "type": "url" }));
    // What has to be there is missing, and what is unknown stays that.
    let nothing = json!({ "key": null, "name": null, "other": null });
    key.post(GROUPS).json(&nothing).await.wrong(&["key", "name", "other"]);
    // What always has a value can't be cleared.
    let path = format!("{}/{}", fields("acme", "a"), id(&made));
    let answer = key.patch(&path).json(&json!({ "label": null, "schema": null })).await;
    answer.wrong(&["label", "schema"]);
    assert_eq!(answer.json()["details"]["fields"][0]["code"], "not_nullable");
}

#[tokio::test]
async fn times_have_one_reading() {
    let app = App::start().await;
    let owner = app.account("ada").await.owner;
    let key = |end: &str| json!({ "name": "A", "type": "delivery", "expiresAt": end });
    for (end, kept) in [
        ("2100-01-01t00:00:00z", "2100-01-01T00:00:00.000Z"),
        ("2100-01-01T01:00:00.5+01:00", "2100-01-01T00:00:00.500Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ] {
        let made = owner.post("/api/v1/api-keys").json(&key(end)).await.data(201);
        assert_eq!(made["expiresAt"], kept);
    }
    for bad in ["2100-01-01", "2100-01-01 00:00:00Z", "21000101T000000Z", "9999-12-31T23:59:59-01:00"] {
        owner.post("/api/v1/api-keys").json(&key(bad)).await.wrong(&["expiresAt"]);
    }
}
