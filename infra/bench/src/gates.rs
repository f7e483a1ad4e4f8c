//! What a request costs before its handler, credential by credential, and what a login costs beside its password's hash.

use std::time::Instant;

use auth::{PasswordAttempt, PasswordHash};
use contract::rate_limit::{Rate, RateLimits};
use engines::Engines;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use local::backend::Backend;
use runtime::{App, Endpoint, gates};
use samples::Identity;
use serde_json::Value;
use store::author::Clock;

use crate::server::cpu_millis;
use crate::{Failure, row};

const REQUESTS: u32 = 5_000;
const LOGINS: u32 = 50;

/// Prints CPU-microseconds a request that the query gate refuses, before idempotency and the handler (a query parameter that no
/// route knows), and milliseconds a login.
pub(crate) async fn run() -> Result<(), Failure> {
    let engines = Engines::memory()?;
    let mut backend = Backend::embedded(engines, Clock::default()).await.map_err(|e| e.to_string())?;
    backend.app.rate_limits = RateLimits::uniform(Rate::per_second(1_000_000));
    let identity = Identity::of_events();
    let samples = samples::seed(&backend.store, &identity, &*backend.app.vault()?.ring().await?).await?;
    let app = &backend.app;
    let token = token(app).await?;

    for (what, name, value) in [
        ("no credential, refused", "x-none", ""),
        ("an API key", "x-api-key", &*identity.key),
        ("a session", "cookie", &*samples.shop.cookie),
        ("an embed token", "authorization", &*format!("Bearer {token}")),
    ] {
        let mut event = event("get-values")?;
        event.headers.remove("x-api-key");
        event.headers.insert(http::HeaderName::try_from(name)?, http::HeaderValue::try_from(value)?);
        event.raw_query_string = Some("unknown=1".to_owned());
        event.query_string_parameters =
            [("unknown".to_owned(), "1".to_owned())].into_iter().collect::<std::collections::HashMap<_, _>>().into();
        let status = if name == "x-none" { 401 } else { 400 };
        let cpu = cpu_millis("self")?;
        for _ in 0..REQUESTS {
            expect(gates::answer(app, endpoint("get-values")?, event.clone()).await.status, status)?;
        }
        row(&format!("gates, {what}: CPU"), (cpu_millis("self")? - cpu) * 1_000.0 / f64::from(REQUESTS), "µs", None);
    }

    let attempt = || identity.password.parse::<PasswordAttempt>().map_err(|broken| broken.message);
    let hash = PasswordHash::of_nobody();
    let started = Instant::now();
    for _ in 0..LOGINS {
        std::hint::black_box(hash.verify(&attempt()?));
    }
    let bare = each(started);
    row("Argon2id by itself", bare, "ms", None);
    let mut event = event("log-in")?;
    // It comes from a program, not from a page of a deployment elsewhere.
    for name in ["origin", "referer", "sec-fetch-site"] {
        event.headers.remove(name);
    }
    let started = Instant::now();
    for _ in 0..LOGINS {
        expect(gates::answer(app, endpoint("log-in")?, event.clone()).await.status, 200)?;
    }
    let login = each(started);
    row("a login", login, "ms", None);
    row("a login / Argon2id by itself", login / bare, "×", None);
    Ok(())
}

fn each(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1_000.0 / f64::from(LOGINS)
}

/// A token for the sample tenant, made by the sample key.
async fn token(app: &App) -> Result<String, Failure> {
    let reply = gates::answer(app, endpoint("create-embed-token")?, event("create-embed-token")?).await;
    let answer: Value = serde_json::from_slice(&reply.body)?;
    Ok(answer["data"]["token"].as_str().ok_or("no token")?.to_owned())
}

fn endpoint(id: &str) -> Result<&'static Endpoint, Failure> {
    let route = functions::routes().find(|route| route.endpoint.route.id == id);
    Ok(route.ok_or_else(|| format!("there is no route {id}"))?.endpoint)
}

fn event(id: &str) -> Result<ApiGatewayV2httpRequest, Failure> {
    Ok(serde_json::from_slice(&std::fs::read(format!("events/{id}.json"))?)?)
}

fn expect(status: u16, wanted: u16) -> Result<(), Failure> {
    if status == wanted { Ok(()) } else { Err(format!("{status} came, not {wanted}").into()) }
}
