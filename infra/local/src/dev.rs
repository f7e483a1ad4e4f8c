//! `hedgerow dev`: all of Hedgerow in one process.

use std::time::Duration;

use engines::Dynamo;
use store::author::Clock;
use tokio::net::TcpListener;

use crate::backend::{Backend, StartError};
use crate::demo::Demo;
use crate::gateway::Gateway;
use crate::options::{Dev, StoreKind, Targets};

/// How often items past their time are swept out.
const SWEEP: Duration = Duration::from_secs(3600);

/// Runs until it is interrupted.
///
/// # Errors
/// If the address is taken or the data can't be opened.
pub async fn run(options: Dev) -> Result<(), StartError> {
    runtime::log::init();
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|e| format!("{}: {e}; --listen ADDR:PORT names another", options.listen))?;
    let backend = match options.store {
        StoreKind::Embedded => {
            let folder = &options.data;
            Backend::in_folder(folder, Clock::default()).await.map_err(|e| format!("{}: {e}", folder.display()))?
        }
        StoreKind::Aws => Backend::aws(Clock::default()).await?,
    };
    let demo = match &backend.engine {
        Some(_) => Some(Demo::of_folder(&options.data, &backend.store).await?),
        None => None,
    };
    greet(&options, &format!("http://{}", listener.local_addr()?), demo.as_ref());
    if let Some(engine) = &backend.engine {
        tokio::spawn(sweep(engine.dynamo.clone()));
    }
    tokio::select! {
        served = Gateway::new(&backend, options.trusted_proxies).serve(listener) => served?,
        stopped = interrupted() => stopped?,
    }
    Ok(())
}

/// SIGINT or SIGTERM.
async fn interrupted() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

async fn sweep(dynamo: Dynamo) {
    loop {
        if let Err(error) = dynamo.sweep().await {
            tracing::warn!(error = %error, "items past their time could not be swept out");
        }
        tokio::time::sleep(SWEEP).await;
    }
}

#[expect(clippy::print_stdout, reason = "a command's output")]
fn greet(options: &Dev, address: &str, demo: Option<&Demo>) {
    println!("Hedgerow listens on {address}\n");
    for note in without_effect(options) {
        println!("note: {note}");
    }
    let Some(Demo { email, password, key }) = demo else { return };
    let tenant = format!("{address}/api/v1/tenants/acme/field-groups/product");
    println!("demo account  {email}  password {password}");
    println!("demo key      {key}\n");
    println!("curl {tenant}/fields -H 'X-API-Key: {key}'");
    println!(
        "curl {tenant}/entities/sku-1/values -H 'X-API-Key: {key}' -H 'Content-Type: application/json' \
         -d '{{\"title\": \"Walnut table\", \"color\": \"green\"}}'"
    );
    println!("curl {tenant}/entities -H 'X-API-Key: {key}'\n");
}

/// Flags that are read and checked, and do nothing yet.
fn without_effect(options: &Dev) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if !options.limit.is_empty() {
        notes.push("--limit has no effect: this version has no rate limits.");
    }
    if !options.webhook_retries.is_empty() {
        notes.push("--webhook-retries has no effect: this version sends no webhooks.");
    }
    if options.webhook_targets == Targets::Public {
        notes.push("--webhook-targets has no effect: this version sends no webhooks.");
    }
    notes
}
