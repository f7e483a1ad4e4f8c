//! What a credential may do once it is known.

use contract::permission::{Permission, Role, TokenPermission};
use hedgerow_tests::app::{Account, App, Caller, id};
use hedgerow_tests::routes::{a_path_of, routes};
use runtime::{Method, Route};
use serde_json::{Value, json};
use store::grant::Action;
use store::keys::Kind;

use crate::embed_tokens::{bearing, token};

const PERMISSIONS: [&str; 10] = [
    "schema:read",
    "schema:write",
    "values:read",
    "values:write",
    "webhooks:read",
    "webhooks:write",
    "sites:write",
    "tenants:erase",
    "tokens:create",
    "audit:read",
];

pub(crate) async fn key(app: &App, owner: &Caller, body: Value) -> Caller {
    let made = owner.post("/api/v1/api-keys").json(&body).await.data(201);
    app.with_key(made["key"].as_str().unwrap())
}

/// What becomes of a caller on a route: that it enters, or why not.
async fn verdict(caller: &Caller, route: &Route) -> String {
    let answer = caller.call(route.method.name(), &a_path_of(route)).await;
    match answer.status {
        401 | 403 => answer.json()["error"].as_str().unwrap().to_owned(),
        _ => "enters".to_owned(),
    }
}

/// Who may enter which route, as seen from the outside: what is wrong here is seen by whoever reads the change.
#[tokio::test]
async fn who_may_enter() {
    let app = App::start().await;
    let Account { owner, key: maker, .. } = app.account("ada").await;
    let mut columns = vec![("anyone".to_owned(), app.anonymous())];
    for key_type in ["delivery", "preview"] {
        columns.push((key_type.to_owned(), key(&app, &owner, json!({ "name": "A", "type": key_type })).await));
    }
    for permission in PERMISSIONS {
        let body = json!({ "name": "A", "type": "management", "permissions": [permission] });
        columns.push((permission.to_owned(), key(&app, &owner, body).await));
    }
    for permission in TokenPermission::ALL {
        let body = json!({ "tenantId": "acme", "permissions": [permission.name()] });
        let token = bearing(&app.anonymous(), &token(&maker, &body).await);
        columns.push((format!("token:{}", permission.name()), token));
    }
    for role in ["viewer", "editor", "admin", "owner"] {
        let account = app.account(role).await;
        app.set_role(&account, role).await;
        columns.push((role.to_owned(), account.owner));
    }
    let mut table = String::new();
    // What ends a token or a session ends it for the routes after it.
    let mut routes: Vec<_> = routes().filter(|route| route.path.starts_with('/')).collect();
    routes.sort_by_key(|route| (route.id == "log-out", route.id == "revoke-embed-tokens"));
    for route in routes {
        let mut by_verdict: Vec<(String, Vec<&str>)> = Vec::new();
        for (name, caller) in &columns {
            let verdict = verdict(caller, route).await;
            match by_verdict.iter_mut().find(|(known, _)| *known == verdict) {
                Some((_, names)) => names.push(name),
                None => by_verdict.push((verdict, vec![name])),
            }
        }
        by_verdict.sort_by_key(|(verdict, _)| verdict != "enters");
        table += &format!("{} {} ({})\n", route.method.name(), route.path, route.id);
        for (verdict, names) in by_verdict {
            table += &format!("    {verdict}: {}\n", names.join(" "));
        }
    }
    insta::assert_snapshot!("who_may_enter", table);
}

/// The refusal names what is missing.
#[tokio::test]
async fn a_refusal_names_what_is_missing() {
    let app = App::start().await;
    let owner = app.account("ada").await.owner;
    let key = key(&app, &owner, json!({ "name": "A", "type": "management", "permissions": ["audit:read"] })).await;
    for spec in functions::routes().filter(|spec| spec.route().path.starts_with("/api/v1/")) {
        let (route, any) = (spec.route(), spec.route().access.permissions());
        if any == Permission::ALL {
            continue;
        }
        let answer = key.call(route.method.name(), &a_path_of(route)).await;
        answer.fails(403, "forbidden");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(any.iter().all(|permission| message.contains(permission.name())), "{answer}");
        assert!(!any.is_empty() || message.contains("session"), "{answer}");
    }
}

/// What a route's function may write needs a permission that says so, and the other way round.
#[test]
fn what_a_function_may_write_is_what_its_permission_says() {
    const WRITES: [Action; 3] = [Action::PutItem, Action::UpdateItem, Action::DeleteItem];
    // The first save of a tenant makes its card, which lies with its fields; a recovery is a job.
    let said = [
        (Permission::ValuesWrite, &[Kind::Values][..], None),
        (Permission::SchemaWrite, &[Kind::Definitions, Kind::GlobalFields], Some(Kind::TenantFields)),
        (Permission::WebhooksWrite, &[Kind::Webhooks, Kind::Deliveries], Some(Kind::Jobs)),
    ];
    for spec in functions::routes().filter(|spec| spec.route().path.starts_with("/api/v1/")) {
        let (route, grants) = (spec.route(), spec.permissions().items);
        let writes = || grants.iter().filter(|grant| WRITES.contains(&grant.action)).flat_map(|grant| grant.kinds);
        for (permission, kinds, besides) in said {
            let alone = writes().any(|kind| kinds.contains(kind));
            let touched = alone || writes().any(|kind| Some(*kind) == besides);
            let allowed = route.access.permissions().contains(&permission);
            let reads = route.method == Method::Get;
            assert!(!alone || allowed, "{} may write {kinds:?} without `{}`", route.id, permission.name());
            assert!(touched || !allowed || reads, "{} asks for `{}` and writes nothing", route.id, permission.name());
        }
        let touches_keys = writes().any(|kind| matches!(kind, Kind::ApiKeys | Kind::Key | Kind::Members));
        // Everyone may leave; of whom else, is asked where the member is.
        let leaves = route.id == "remove-member";
        assert!(!touches_keys || leaves || route.access.role().is_some_and(|role| role >= Role::Admin), "{}", route.id);
    }
}

#[tokio::test]
async fn a_change_of_permissions_counts() {
    let app = App::start().await;
    let owner = app.account("ada").await.owner;
    let body = json!({ "name": "A", "type": "management", "permissions": ["schema:read"] });
    let made = owner.post("/api/v1/api-keys").json(&body).await.data(201);
    let key = app.with_key(made["key"].as_str().unwrap());
    key.get("/api/v1/field-groups").await.expect(200);
    let path = format!("/api/v1/api-keys/{}", id(&made));
    owner.patch(&path).json(&json!({ "permissions": ["schema:write"] })).await.expect(200);
    key.get("/api/v1/field-groups").await.fails(403, "forbidden");
    key.group("product").await;
}

#[tokio::test]
async fn who_may_not_is_told_so_before_anything_else() {
    let app = App::start().await;
    let account = app.account("ada").await;
    account.key.group("product").await;
    let body = json!({ "name": "A", "type": "management", "permissions": ["values:read"] });
    let reader = key(&app, &account.owner, body).await;
    for path in ["/api/v1/field-groups/absent", "/api/v1/field-groups/product", "/api/v1/field-groups/%20"] {
        reader.patch(path).bare("{").await.fails(403, "forbidden");
        reader.delete(path).at("nonsense").await.fails(403, "forbidden");
    }
    account.key.get("/api/v1/field-groups/product").await.expect(200);
}
