//! Stripe's API, as far as it is of use here (Stripe API reference: "Create a Checkout Session", "Create a portal session",
//! "List all prices"). Prices are found by their lookup keys, which are the plans' names.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use auth::Secret;
use bytes::Bytes;
use contract::id::ClientId;
use contract::names::Email;
use contract::subscription::Plan;
use contract::{Error, Origin, Problems};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::form_urlencoded::Serializer;

/// The version of their API that this is written against.
const VERSION: &str = "2024-06-20";
/// What one call may take: two of them fit into a function's time.
const TIMEOUT: Duration = Duration::from_secs(6);
/// More than any answer has that is read here.
const MAX_ANSWER: usize = 256 * 1024;

type Http = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// One for the process. It keeps no connection: after a pause of the instance the other side may have closed it.
static HTTP: LazyLock<Result<Http, String>> = LazyLock::new(|| {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = tls.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth();
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
    Ok(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector))
});

/// What is to be paid for, and by whom.
pub(crate) struct Checkout<'c> {
    pub(crate) client: ClientId,
    pub(crate) plan: &'c Plan,
    pub(crate) customer: Option<&'c str>,
    pub(crate) email: &'c Email,
    pub(crate) origin: &'c Origin,
}

#[derive(Deserialize)]
struct Page {
    url: String,
}

#[derive(Deserialize)]
struct List {
    data: Vec<Identified>,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

/// The address of a page where a plan is paid for.
///
/// # Errors
/// `validation_failed` for a plan that is not for sale, `unavailable`, `internal`.
pub(crate) async fn checkout(api: &str, key: &Secret<String>, checkout: &Checkout<'_>) -> Result<String, Error> {
    let query = form(&[("active", "true"), ("limit", "1"), ("lookup_keys[]", checkout.plan.as_str())]);
    let prices: List = call(api, key, Method::GET, &format!("/v1/prices?{query}"), String::new()).await?;
    let not_for_sale = || Problems::one("plan", "not_for_sale", "This plan can't be bought here.");
    let price = prices.data.into_iter().next().ok_or_else(not_for_sale)?.id;
    let (client, back) = (checkout.client.to_string(), format!("{}/admin", checkout.origin));
    let mut members = vec![
        ("mode", "subscription"),
        ("line_items[0][price]", &price),
        ("line_items[0][quantity]", "1"),
        ("client_reference_id", &client),
        // By this their events say whose the subscription is.
        ("subscription_data[metadata][clientId]", &client),
        ("success_url", &back),
        ("cancel_url", &back),
    ];
    members.push(match checkout.customer {
        Some(customer) => ("customer", customer),
        None => ("customer_email", checkout.email.as_str()),
    });
    let page: Page = call(api, key, Method::POST, "/v1/checkout/sessions", form(&members)).await?;
    Ok(page.url)
}

/// The address of a page where a customer changes what is paid for.
///
/// # Errors
/// `unavailable`, `internal`.
pub(crate) async fn portal(api: &str, key: &Secret<String>, customer: &str, origin: &Origin) -> Result<String, Error> {
    let back = format!("{origin}/admin");
    let members = form(&[("customer", customer), ("return_url", &back)]);
    let page: Page = call(api, key, Method::POST, "/v1/billing_portal/sessions", members).await?;
    Ok(page.url)
}

fn form(members: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(members).finish()
}

async fn call<T: DeserializeOwned>(
    api: &str,
    key: &Secret<String>,
    method: Method,
    path: &str,
    body: String,
) -> Result<T, Error> {
    let http = HTTP.as_ref().map_err(|error| Error::internal(error.clone()))?;
    let mut request = Request::builder().method(&method).uri(format!("{api}{path}"));
    request = request.header(AUTHORIZATION, format!("Bearer {}", key.expose())).header("stripe-version", VERSION);
    if method == Method::POST {
        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    let request =
        request.body(Full::from(body)).map_err(|_| Error::internal("Stripe's key can't stand in a header"))?;
    let asked = async {
        let answer = http.request(request).await.map_err(|error| format!("{error:?}"))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await.map_err(|error| error.to_string())?;
        Ok::<_, String>((status, body.to_bytes()))
    };
    let place = path.split('?').next().unwrap_or_default();
    let (status, body) = match tokio::time::timeout(TIMEOUT, asked).await {
        Err(_) => return Err(Error::unavailable(format!("Stripe does not answer {method} {place}"))),
        Ok(Err(error)) => return Err(Error::unavailable(format!("Stripe: {method} {place}: {error}"))),
        Ok(Ok(answer)) => answer,
    };
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|error| Error::internal(format!("Stripe: {place}: {error}")));
    }
    Err(Error::unavailable(format!("Stripe: {method} {place}: {status}: {}", refusal(&body))))
}

/// What it says of a refusal: a code and a parameter, of what we sent. Their sentences may show a part of the key.
fn refusal(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        error: Told,
    }
    #[derive(Deserialize)]
    struct Told {
        #[serde(rename = "type")]
        kind: Option<String>,
        code: Option<String>,
        param: Option<String>,
    }
    let Ok(Refusal { error }) = serde_json::from_slice(body) else { return "no reason".to_owned() };
    [error.kind, error.code, error.param].into_iter().flatten().collect::<Vec<_>>().join(" ")
}
