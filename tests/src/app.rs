//! One running Hedgerow for one test: the gateway on a free port, an embedded store in memory, a clock that moves.

use std::future::IntoFuture;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use auth::{PasswordHash, SessionToken};
use aws_sdk_dynamodb::types::AttributeValue;
use contract::permission::{KeyType, Permissions};
use contract::rate_limit::{Rate, RateLimits};
use engines::{Engines, SentMail};
use local::backend::Backend;
use local::gateway::Gateway;
use local::limits::Limits;
use local::workers::Workers;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder};
use runtime::spec::access::KeyAccess;
use runtime::{Access, Route};
use serde_json::{Value, json};
use store::OpContext;
use store::accounts::Signup;
use store::api_keys::{ApiKeys, NewApiKey};
use store::author::{Author, Clock, RequestInfo, Seed};
use store::grant::Create;
use store::tables::Table;
use tokio::net::TcpListener;

use crate::answer::Answer;

/// The name of the session's cookie.
pub const COOKIE: &str = "__Host-hedgerow_session";

/// Hedgerow, running.
pub struct App {
    /// Where it listens.
    pub address: SocketAddr,
    /// What serves it.
    pub backend: Backend,
    /// The functions' time.
    pub clock: Clock,
    /// What works webhooks, if anything does.
    pub workers: Option<Workers>,
}

/// Whoever sends requests, with the headers that all of them have.
#[derive(Clone)]
pub struct Caller {
    base: String,
    http: reqwest::Client,
    headers: HeaderMap,
}

/// A request; it is sent by awaiting it.
pub struct Call {
    asked: String,
    request: RequestBuilder,
}

/// A client of Hedgerow's, with its owner's session and a management key that may do all.
pub struct Account {
    /// Its owner's address.
    pub email: String,
    /// Its owner's password.
    pub password: String,
    /// `name=value`, as a `Cookie` header has it.
    pub cookie: String,
    /// The key itself.
    pub secret: String,
    /// Its owner, logged in.
    pub owner: Caller,
    /// Whoever has the key.
    pub key: Caller,
}

impl Account {
    /// Its key, or its owner on what a session alone reaches.
    #[must_use]
    pub fn who_may(&self, route: &Route) -> &Caller {
        match route.access {
            Access::Credential { key: KeyAccess::Refused, .. } => &self.owner,
            _ => &self.key,
        }
    }
}

impl App {
    /// On a free port, over engines in memory; nobody works webhooks.
    pub async fn start() -> Self {
        Self::behind(0).await
    }

    /// The same over this backend.
    pub async fn over(backend: Backend) -> Self {
        Self::serve(unlimited(backend), 0, Limits::default()).await
    }

    /// Behind so many proxies, the outermost of which tells the caller's address.
    pub async fn behind(proxies: usize) -> Self {
        Self::serve(unlimited(Self::backend().await), proxies, Limits::default()).await
    }

    /// With other limits for connections, behind so many proxies.
    pub async fn within(limits: Limits, proxies: usize) -> Self {
        Self::serve(unlimited(Self::backend().await), proxies, limits).await
    }

    /// With webhooks, which may go anywhere; what fails is tried again after these pauses.
    pub async fn with_webhooks(retries: &[Duration]) -> Self {
        let mut backend = Self::backend().await;
        backend.app.webhooks.retries = retries.to_vec();
        let mut app = Self::over(backend).await;
        app.work();
        app
    }

    /// Begins to work webhooks.
    pub fn work(&mut self) {
        self.workers = Some(Workers::start(&self.backend).unwrap());
    }

    async fn backend() -> Backend {
        Backend::embedded(Engines::memory().unwrap(), Clock::default()).await.unwrap()
    }

    /// Over this backend and its rate limits, behind so many proxies, with these limits for connections.
    pub async fn serve(mut backend: Backend, proxies: usize, limits: Limits) -> Self {
        crate::uses::watch(&backend);
        let (listener, address) = listen(&mut backend).await;
        serve_files(&mut backend).await;
        tokio::spawn(Gateway::new(&backend, proxies).within(limits).serve([listener]));
        Self { address, clock: backend.app.clock().clone(), backend, workers: None }
    }

    /// Time passes, for the functions and for the queues.
    pub fn advance(&self, span: Duration) {
        self.clock.advance(span);
        self.backend.engine.as_ref().unwrap().engines.sqs.advance(span);
    }

    /// The mails that were sent to an address, oldest first.
    pub fn mails_to(&self, address: &str) -> Vec<SentMail> {
        self.backend.engine.as_ref().unwrap().engines.ses.sent_to(address)
    }

    /// Nobody in particular.
    pub fn anonymous(&self) -> Caller {
        Caller::at(&format!("http://{}", self.address))
    }

    /// Whoever has this API key.
    pub fn with_key(&self, key: &str) -> Caller {
        self.anonymous().with("x-api-key", key)
    }

    /// Whoever has this cookie.
    pub fn with_cookie(&self, cookie: &str) -> Caller {
        self.anonymous().in_session(cookie)
    }

    /// A client with its owner and a management key, made in the store: hashing a password is slow on purpose, and all of
    /// these have the same one.
    pub async fn account(&self, name: &str) -> Account {
        let email = format!("{name}@example.com");
        let author = || {
            let origin = RequestInfo { address: None, agent: "tests".to_owned(), request_id: format!("req_{name}") };
            Arc::new(Author::new("tests", &origin, Seed::new(self.clock.now())))
        };
        let signup = Signup::open(&self.backend.store, author());
        let opened = signup.open_account(email.parse().unwrap(), known_hash(), name.parse().unwrap()).await.unwrap();
        let token = SessionToken::generate(opened.user.id);
        signup.start_known(&opened, &token).await.unwrap();
        let cookie = token.set_cookie().split(';').next().unwrap().to_owned();
        let new = NewApiKey {
            name: "All".parse().unwrap(),
            key_type: KeyType::Management,
            permissions: Some(Permissions::all()),
            expires_at: None,
            rate_limit: None,
            allowed_ips: None,
        };
        let op = OpContext::new(self.backend.store.clone(), opened.op.scope().clone(), author());
        let (_, secret) = ApiKeys::<Create>::open(&op).create(new).await.unwrap();
        let secret = secret.unwrap().reveal().to_owned();
        let owner = self.with_cookie(&cookie);
        Account { email, password: PASSWORD.to_owned(), cookie, key: self.with_key(&secret), secret, owner }
    }

    /// The owner of an account in a new session: one without use ends after half an hour.
    pub async fn log_in(&self, account: &Account) -> Caller {
        let body = json!({ "email": account.email, "password": account.password });
        self.with_cookie(&cookie_of(&self.anonymous().post("/api/auth/login").json(&body).await.expect(200)))
    }

    /// Gives an account's owner another role, as no route would: a client keeps an owner.
    pub async fn set_role(&self, account: &Account, role: &str) {
        let dynamo = &self.backend.engine.as_ref().unwrap().dynamo;
        let info = account.owner.get("/api/auth/session").await.data(200);
        let (pk, sk) = (AttributeValue::S(format!("U#{}", id(&info["user"]))), AttributeValue::S("#".to_owned()));
        let table = self.backend.tables.of(Table::Main);
        let get = dynamo.get_item().table_name(table).key("pk", pk).key("sk", sk);
        let mut item = get.send().await.unwrap().item.unwrap();
        let client = id(&info["client"]);
        let membership = item[client].as_s().unwrap().replace("\"owner\"", &format!("\"{role}\""));
        assert!(membership.contains(&format!("\"{role}\"")));
        item.insert(client.to_owned(), AttributeValue::S(membership));
        dynamo.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    }
}

/// With rate limits that nobody runs into who is about something else.
fn unlimited(mut backend: Backend) -> Backend {
    backend.app.rate_limits = RateLimits::uniform(Rate::per_second(1_000_000));
    backend
}

/// Listens on a free port, which is where the backend is seen from outside.
pub async fn listen(backend: &mut Backend) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    backend.app.origin = Some(format!("http://{address}").parse().unwrap());
    (listener, address)
}

/// Serves what signed addresses of the bucket lead to.
pub async fn serve_files(backend: &mut Backend) {
    let engine = backend.engine.as_ref().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    backend.app.bucket = Some(local::services::bucket(&engine.connector, &origin));
    tokio::spawn(engines::serve_files(engine.engines.s3.clone(), listener));
}

const PASSWORD: &str = "the password of the tests";

fn known_hash() -> &'static PasswordHash {
    static HASH: OnceLock<PasswordHash> = OnceLock::new();
    HASH.get_or_init(|| PasswordHash::of(&PASSWORD.parse().unwrap()).unwrap())
}

/// `name=value` of the session cookie that an answer sets.
pub fn cookie_of(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

impl Caller {
    /// Nobody in particular, at another process.
    pub fn at(base: &str) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        // Shorter than the gateway's, so that no request goes out on a connection that is just being closed.
        let http = http.pool_idle_timeout(Duration::from_secs(30)).build().unwrap();
        Self { base: base.to_owned(), http, headers: HeaderMap::new() }
    }

    /// The same with a session's cookie, as a page of the deployment sends it.
    #[must_use]
    pub fn in_session(&self, cookie: &str) -> Self {
        self.with("cookie", cookie).with("sec-fetch-site", "same-origin")
    }

    /// The same with a header more.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut caller = self.clone();
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        caller.headers.append(HeaderName::try_from(name).unwrap(), value);
        caller
    }

    /// The same, as a proxy says that it comes from there.
    pub fn from(&self, address: &str) -> Self {
        let _: IpAddr = address.parse().unwrap();
        self.with("x-forwarded-for", address)
    }

    /// The headers as they stand in a request.
    pub fn lines(&self) -> String {
        self.headers.iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap())).collect()
    }

    /// A request of this method.
    pub fn call(&self, method: &str, path: &str) -> Call {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let asked = format!("{method} {path}");
        let request = self.http.request(method, format!("{}{path}", self.base)).headers(self.headers.clone());
        Call { asked, request }
    }

    /// A GET.
    pub fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    /// A POST.
    pub fn post(&self, path: &str) -> Call {
        self.call("POST", path)
    }

    /// A PUT.
    pub fn put(&self, path: &str) -> Call {
        self.call("PUT", path)
    }

    /// A PATCH.
    pub fn patch(&self, path: &str) -> Call {
        self.call("PATCH", path)
    }

    /// A DELETE.
    pub fn delete(&self, path: &str) -> Call {
        self.call("DELETE", path)
    }

    /// A new field group.
    pub async fn group(&self, key: &str) -> Value {
        self.post("/api/v1/field-groups").json(&json!({ "key": key, "name": key })).await.data(201)
    }

    /// A new global field in these groups.
    pub async fn global(&self, key: &str, schema: Value, groups: &[&Value]) -> Value {
        let ids: Vec<_> = groups.iter().map(|group| &group["id"]).collect();
        let body = json!({ "key": key, "label": key, "schema": schema, "fieldGroupIds": ids });
        self.post("/api/v1/global-fields").json(&body).await.data(201)
    }

    /// A new tenant field.
    pub async fn own(&self, tenant: &str, group: &str, key: &str, schema: Value) -> Value {
        let body = json!({ "key": key, "label": key, "schema": schema });
        self.post(&fields(tenant, group)).json(&body).await.data(201)
    }

    /// Saves some values.
    pub async fn save(&self, tenant: &str, group: &str, entity: &str, sent: Value) -> Value {
        self.post(&values(tenant, group, entity)).json(&sent).await.data(200)
    }

    /// All that this caller can list, of the whole client and of one tenant in one group: what was written shows here.
    pub async fn everything(&self, tenant: &str, group: &str) -> Vec<Value> {
        let mut all = Vec::new();
        for path in [
            "/api/v1/field-groups".to_owned(),
            "/api/v1/global-fields".to_owned(),
            "/api/v1/tenants".to_owned(),
            fields(tenant, group),
            entities(tenant, group),
        ] {
            all.push(self.get(&format!("{path}?limit=100")).await.expect(200).json());
        }
        all
    }
}

/// The path of a group, of this tenant.
pub fn in_group(tenant: &str, group: &str) -> String {
    format!("/api/v1/tenants/{tenant}/field-groups/{group}")
}

/// The path of its fields.
pub fn fields(tenant: &str, group: &str) -> String {
    format!("{}/fields", in_group(tenant, group))
}

/// The path of its entities.
pub fn entities(tenant: &str, group: &str) -> String {
    format!("{}/entities", in_group(tenant, group))
}

/// The path of an entity's values.
pub fn values(tenant: &str, group: &str, entity: &str) -> String {
    format!("{}/{entity}/values", entities(tenant, group))
}

/// `id` of a resource, to stand in a path.
pub fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap()
}

/// The members of this name, of a list.
pub fn each<'v>(list: &'v [Value], name: &str) -> Vec<&'v str> {
    list.iter().map(|item| item[name].as_str().unwrap()).collect()
}

impl Call {
    /// With a header more.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        self.request = self.request.header(name, value);
        self
    }

    /// With this body.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With a body of this type.
    pub fn body(mut self, content_type: &str, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.header(CONTENT_TYPE, content_type).body(body);
        self
    }

    /// A body of no declared type.
    pub fn bare(mut self, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.body(body);
        self
    }

    /// Under a version.
    pub fn at(self, version: &str) -> Self {
        self.header("if-match", version)
    }

    /// Under an idempotency key.
    pub fn once(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }
}

impl IntoFuture for Call {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let response = self.request.send().await.unwrap_or_else(|e| panic!("{}: {e:?}", self.asked));
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Answer::new(self.asked, status, headers, response.bytes().await.unwrap().to_vec())
        })
    }
}
