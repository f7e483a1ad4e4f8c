//! One running Hedgerow for one test: the gateway on a free port, an embedded store in memory, a clock that moves.

use std::future::IntoFuture;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use auth::{PasswordHash, SessionToken};
use contract::permission::{KeyType, Permissions};
use engines::{Engines, SentMail};
use local::backend::Backend;
use local::gateway::Gateway;
use local::limits::Limits;
use local::workers::Workers;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use store::OpContext;
use store::accounts::Signup;
use store::api_keys::{ApiKeys, NewApiKey};
use store::author::{Author, Clock, RequestInfo, Seed};
use store::grant::Create;
use tokio::net::TcpListener;

use crate::answer::Answer;

pub(crate) const COOKIE: &str = "__Host-hedgerow_session";

/// Hedgerow, running.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    pub(crate) backend: Backend,
    pub(crate) clock: Clock,
    /// What works webhooks, if anything does.
    pub(crate) workers: Option<Workers>,
}

/// Whoever sends requests, with the headers that all of them have.
#[derive(Clone)]
pub(crate) struct Caller {
    base: String,
    http: reqwest::Client,
    headers: HeaderMap,
}

/// A request; it is sent by awaiting it.
pub(crate) struct Call {
    asked: String,
    request: RequestBuilder,
}

/// A client of Hedgerow's, with its owner's session and a management key that may do all.
pub(crate) struct Account {
    pub(crate) email: String,
    pub(crate) password: String,
    /// `name=value`, as a `Cookie` header has it.
    pub(crate) cookie: String,
    pub(crate) secret: String,
    pub(crate) owner: Caller,
    pub(crate) key: Caller,
}

impl App {
    pub(crate) async fn start() -> Self {
        Self::behind(0).await
    }

    /// Behind so many proxies, the outermost of which tells the caller's address.
    pub(crate) async fn behind(proxies: usize) -> Self {
        Self::serve(Self::backend().await, proxies, Limits::default()).await
    }

    /// With other limits for connections, behind so many proxies.
    pub(crate) async fn within(limits: Limits, proxies: usize) -> Self {
        Self::serve(Self::backend().await, proxies, limits).await
    }

    /// With webhooks, which may go anywhere; what fails is tried again after these pauses.
    pub(crate) async fn with_webhooks(retries: &[Duration]) -> Self {
        let mut backend = Self::backend().await;
        backend.app.webhooks.retries = retries.to_vec();
        let mut app = Self::serve(backend, 0, Limits::default()).await;
        app.workers = Some(Workers::start(&app.backend).unwrap());
        app
    }

    async fn backend() -> Backend {
        let backend = Backend::embedded(Engines::memory().unwrap(), Clock::default()).await.unwrap();
        crate::uses::watch(&backend);
        backend
    }

    async fn serve(mut backend: Backend, proxies: usize, limits: Limits) -> Self {
        let (listener, address) = listen(&mut backend).await;
        tokio::spawn(Gateway::new(&backend, proxies).within(limits).serve([listener]));
        Self { address, clock: backend.app.clock().clone(), backend, workers: None }
    }

    /// Time passes, for the functions and for the queues.
    pub(crate) fn advance(&self, span: Duration) {
        self.clock.advance(span);
        self.backend.engine.as_ref().unwrap().engines.sqs.advance(span);
    }

    /// The mails that were sent to an address, oldest first.
    pub(crate) fn mails_to(&self, address: &str) -> Vec<SentMail> {
        self.backend.engine.as_ref().unwrap().engines.ses.sent_to(address)
    }

    pub(crate) fn anonymous(&self) -> Caller {
        Caller::at(&format!("http://{}", self.address))
    }

    pub(crate) fn with_key(&self, key: &str) -> Caller {
        self.anonymous().with("x-api-key", key)
    }

    pub(crate) fn with_cookie(&self, cookie: &str) -> Caller {
        self.anonymous().with("cookie", cookie)
    }

    /// A client with its owner and a management key, made in the store: hashing a password is slow on purpose, and all of
    /// these have the same one.
    pub(crate) async fn account(&self, name: &str) -> Account {
        let email = format!("{name}@example.com");
        let author = || {
            let origin = RequestInfo { address: None, agent: "tests".to_owned(), request_id: format!("req_{name}") };
            Arc::new(Author::new("tests", &origin, Seed::new(self.clock.now())))
        };
        let signup = Signup::open(&self.backend.store, author());
        let opened = signup.open_account(email.parse().unwrap(), known_hash(), name.parse().unwrap());
        let (info, work) = opened.await.unwrap();
        let token = SessionToken::generate(info.user.id);
        signup.start_known(&token).await.unwrap();
        let cookie = token.set_cookie().split(';').next().unwrap().to_owned();
        let new = NewApiKey {
            name: "All".parse().unwrap(),
            key_type: KeyType::Management,
            permissions: Some(Permissions::all()),
            expires_at: None,
            rate_limit: None,
            allowed_ips: None,
        };
        let work = OpContext::new(self.backend.store.clone(), work.scope().clone(), author());
        let (_, secret) = ApiKeys::<Create>::open(&work).create(new).await.unwrap();
        let secret = secret.reveal().to_owned();
        let owner = self.with_cookie(&cookie);
        Account { email, password: PASSWORD.to_owned(), cookie, key: self.with_key(&secret), secret, owner }
    }
}

/// Listens on a free port, which is where the backend is seen from outside.
pub(crate) async fn listen(backend: &mut Backend) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    backend.app.origin = Some(format!("http://{address}").parse().unwrap());
    (listener, address)
}

const PASSWORD: &str = "the password of the tests";

fn known_hash() -> &'static PasswordHash {
    static HASH: OnceLock<PasswordHash> = OnceLock::new();
    HASH.get_or_init(|| PasswordHash::of(&PASSWORD.parse().unwrap()).unwrap())
}

/// `name=value` of the session cookie that an answer sets.
pub(crate) fn cookie_of(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

impl Caller {
    /// Nobody in particular, at another process.
    pub(crate) fn at(base: &str) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        // Shorter than the gateway's, so that no request goes out on a connection that is just being closed.
        let http = http.pool_idle_timeout(Duration::from_secs(30)).build().unwrap();
        Self { base: base.to_owned(), http, headers: HeaderMap::new() }
    }

    /// The same with a header more.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut caller = self.clone();
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        caller.headers.append(HeaderName::try_from(name).unwrap(), value);
        caller
    }

    /// The same, as a proxy says that it comes from there.
    pub(crate) fn from(&self, address: &str) -> Self {
        let _: IpAddr = address.parse().unwrap();
        self.with("x-forwarded-for", address)
    }

    /// The headers as they stand in a request.
    pub(crate) fn lines(&self) -> String {
        self.headers.iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap())).collect()
    }

    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let asked = format!("{method} {path}");
        let request = self.http.request(method, format!("{}{path}", self.base)).headers(self.headers.clone());
        Call { asked, request }
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }
    pub(crate) fn post(&self, path: &str) -> Call {
        self.call("POST", path)
    }
    pub(crate) fn put(&self, path: &str) -> Call {
        self.call("PUT", path)
    }
    pub(crate) fn patch(&self, path: &str) -> Call {
        self.call("PATCH", path)
    }
    pub(crate) fn delete(&self, path: &str) -> Call {
        self.call("DELETE", path)
    }

    /// A new field group.
    pub(crate) async fn group(&self, key: &str) -> Value {
        self.post("/api/v1/field-groups").json(&json!({ "key": key, "name": key })).await.data(201)
    }

    /// A new global field in these groups.
    pub(crate) async fn global(&self, key: &str, schema: Value, groups: &[&Value]) -> Value {
        let ids: Vec<_> = groups.iter().map(|group| &group["id"]).collect();
        let body = json!({ "key": key, "label": key, "schema": schema, "fieldGroupIds": ids });
        self.post("/api/v1/global-fields").json(&body).await.data(201)
    }

    /// A new tenant field.
    pub(crate) async fn own(&self, tenant: &str, group: &str, key: &str, schema: Value) -> Value {
        let body = json!({ "key": key, "label": key, "schema": schema });
        self.post(&fields(tenant, group)).json(&body).await.data(201)
    }

    /// Saves some values.
    pub(crate) async fn save(&self, tenant: &str, group: &str, entity: &str, sent: Value) -> Value {
        self.post(&values(tenant, group, entity)).json(&sent).await.data(200)
    }

    /// All that this caller can list, of the whole client and of one tenant in one group: what was written shows here.
    pub(crate) async fn everything(&self, tenant: &str, group: &str) -> Vec<Value> {
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

pub(crate) fn in_group(tenant: &str, group: &str) -> String {
    format!("/api/v1/tenants/{tenant}/field-groups/{group}")
}

pub(crate) fn fields(tenant: &str, group: &str) -> String {
    format!("{}/fields", in_group(tenant, group))
}

pub(crate) fn entities(tenant: &str, group: &str) -> String {
    format!("{}/entities", in_group(tenant, group))
}

pub(crate) fn values(tenant: &str, group: &str, entity: &str) -> String {
    format!("{}/{entity}/values", entities(tenant, group))
}

/// `id` of a resource, to stand in a path.
pub(crate) fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap()
}

/// The members of this name, of a list.
pub(crate) fn each<'v>(list: &'v [Value], name: &str) -> Vec<&'v str> {
    list.iter().map(|item| item[name].as_str().unwrap()).collect()
}

impl Call {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.header(CONTENT_TYPE, content_type).body(body);
        self
    }

    /// A body of no declared type.
    pub(crate) fn bare(mut self, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.body(body);
        self
    }

    /// Under a version.
    pub(crate) fn at(self, version: &str) -> Self {
        self.header("if-match", version)
    }

    /// Under an idempotency key.
    pub(crate) fn once(self, key: &str) -> Self {
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
