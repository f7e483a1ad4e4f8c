//! `hedgerow dev`: all of Hedgerow in one process.

use std::io::IsTerminal as _;
use std::time::Duration;

use auth::target::Rules;
use contract::{Error, Origin};
use engines::{Engines, serve_files};
use runtime::WebhookSettings;
use runtime::billing::STRIPE;
use runtime::config::no_colour;
use runtime::log::Form;
use store::Store;
use store::author::Clock;

use crate::backend::Backend;
use crate::demo::Demo;
use crate::files;
use crate::gateway::Gateway;
use crate::listen_on::{self, ListenOn};
use crate::options::{Dev, LogKind, StoreKind, Targets};
use crate::services::{self, StartError, set_billing_keys};
use crate::signals::interrupted;
use crate::workers::Workers;

/// How often items past their time are swept out.
const SWEEP: Duration = Duration::from_secs(3600);

/// How often refusals are noted that were added up.
const SETTLE: Duration = Duration::from_secs(10);

/// Runs until it is interrupted.
///
/// # Errors
/// If the address is taken or the data can't be opened.
pub async fn run(options: Dev) -> Result<(), StartError> {
    runtime::log::init(log_form(options.log));
    let failed = |error| format!("{}: {error}; --listen ADDR:PORT names another", options.listen);
    let addresses = options.listen.resolve().await.map_err(failed)?;
    let targets = targets(&options, addresses.iter().all(listen_on::is_loopback))?;
    let listeners = listen_on::bind(&addresses).await.map_err(failed)?;
    let Some(first) = listeners.first() else { return Err("there is nothing to listen on".into()) };
    let address = options.listen.at_port(first.local_addr()?.port());
    let origin = origin(&options, &address)?;
    let mut backend = match options.store {
        StoreKind::Embedded => {
            let folder = &options.data;
            Backend::in_folder(folder, Clock::default()).await.map_err(|e| format!("{}: {e}", folder.display()))?
        }
        StoreKind::Aws => Backend::aws(Clock::default()).await?,
    };
    let demo = match &backend.engine {
        Some(_) => Some(Demo::of_folder(&options.data, &backend).await?),
        None => None,
    };
    backend.app.origin = Some(origin);
    backend.app.rate_limits = std::mem::take(&mut backend.app.rate_limits).with(options.limit.iter().copied());
    if let (Some(file), Some(engine)) = (&options.stripe, &backend.engine) {
        let keys = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        backend.app.billing = Some(set_billing_keys(&engine.connector, &keys, STRIPE.to_owned()).await?);
    }
    let files = match &backend.engine {
        Some(engine) => {
            let (listeners, on) = files::listen(options.files.as_ref(), &address).await?;
            backend.app.bucket = Some(services::bucket(&engine.connector, &format!("http://{}", on.from_here())));
            let s3 = engine.engines.s3.clone();
            listeners.into_iter().for_each(|listener| drop(tokio::spawn(serve_files(s3.clone(), listener))));
            Some(on)
        }
        None => None,
    };
    if backend.engine.is_some() {
        set(&mut backend.app.webhooks, targets, &options);
    }
    greet(&options, targets, &backend, (&address, files.as_ref()), demo.as_ref());
    let workers = backend.engine.as_ref().map(|_| Workers::start(&backend)).transpose()?;
    if let Some(engine) = &backend.engine {
        tokio::spawn(sweep(engine.engines.clone()));
    }
    tokio::spawn(settle(backend.store.clone()));
    tokio::select! {
        served = Gateway::new(&backend, options.trusted_proxies).serve(listeners) => served?,
        stopped = interrupted() => stopped?,
    }
    // Before the workers end, so that they write it down.
    told(backend.store.settle_all_refusals().await);
    if let Some(workers) = workers {
        workers.stop().await;
    }
    Ok(())
}

/// How the log looks: in colour only where somebody sees it, and did not say otherwise (no-color.org).
fn log_form(log: LogKind) -> Form {
    match log {
        LogKind::Json => Form::Json,
        LogKind::Readable => Form::Readable { colour: std::io::stderr().is_terminal() && !no_colour() },
    }
}

/// Where this is seen from outside: what was said, or else where it listens.
fn origin(options: &Dev, address: &ListenOn) -> Result<Origin, StartError> {
    let said = options.origin.clone();
    said.or_else(|| format!("http://{}", address.from_here()).parse().ok()).ok_or_else(|| {
        format!(
            "{address} is no origin that links may lead to, so --origin has to say where this is seen: https://NAME, or \
             http://localhost:PORT"
        )
        .into()
    })
}

/// Where webhooks may go. Whoever is on this machine reaches its loopback anyway; what others reach is not to lead them
/// there unless somebody said so.
fn targets(options: &Dev, loopback: bool) -> Result<Targets, StartError> {
    match options.webhook_targets {
        Some(targets) => Ok(targets),
        None if loopback || options.store == StoreKind::Aws => Ok(Targets::Any),
        None => Err(format!(
            "{} can be reached from other machines, so --webhook-targets has to say where webhooks may go: public (to \
             https on public addresses) or any (to this machine and its network too)",
            options.listen
        )
        .into()),
    }
}

/// What the options say of webhooks.
fn set(webhooks: &mut WebhookSettings, targets: Targets, options: &Dev) {
    webhooks.rules = match targets {
        Targets::Any => Rules::open(),
        Targets::Public => Rules::production(),
    };
    if !options.webhook_retries.is_empty() {
        webhooks.retries.clone_from(&options.webhook_retries);
    }
}

/// Notes what was refused in minutes that are over, where no request comes by to do it.
async fn settle(store: Store) {
    loop {
        tokio::time::sleep(SETTLE).await;
        told(store.settle_refusals().await);
    }
}

fn told(settled: Result<(), Error>) {
    if let Err(error) = settled {
        tracing::error!(?error, "refusals could not be noted: their number is missing in the audit log");
    }
}

async fn sweep(engines: Engines) {
    loop {
        if let Err(error) = engines.dynamo.sweep().await {
            tracing::warn!(error = %error, "expired items could not be deleted; it is tried again");
        }
        if let Err(error) = files::expire(&engines.s3) {
            tracing::warn!(error = %error, "expired files could not be deleted; it is tried again");
        }
        tokio::time::sleep(SWEEP).await;
    }
}

#[expect(clippy::print_stdout, reason = "a command's output")]
fn greet(
    options: &Dev,
    targets: Targets,
    backend: &Backend,
    (address, files): (&ListenOn, Option<&ListenOn>),
    demo: Option<&Demo>,
) {
    let address = format!("http://{address}");
    println!("Hedgerow listens on {address}\n");
    println!("webhooks      {}", webhooks(options, targets, backend));
    println!("mail          {}", mail(options, backend));
    if let Some(files) = files {
        println!("files         signed addresses of exports lead to http://{}", files.from_here());
    }
    let Some(Demo { email, password, key }) = demo else { return };
    let tenant = format!("{address}/api/v1/tenants/acme/field-groups/product");
    println!("demo account  {email}  password {password}");
    println!("demo key      {key}\n");
    println!("hedgerow listen --create --key {key} --api {address}\n");
    let json = format!("-H 'X-API-Key: {key}' -H 'Content-Type: application/json'");
    println!("curl {address}/api/v1/webhooks {json} -d '{{\"url\": \"http://127.0.0.1:4000/\", \"events\": [\"*\"]}}'");
    println!("curl {tenant}/fields -H 'X-API-Key: {key}'");
    let values = "{\"title\": \"Walnut table\", \"color\": \"green\"}";
    println!("curl {tenant}/entities/sku-1/values {json} -d '{values}'");
    println!("curl {tenant}/entities -H 'X-API-Key: {key}'\n");
}

/// Where mail goes.
fn mail(options: &Dev, backend: &Backend) -> String {
    let origin = backend.app.origin.as_ref().map(ToString::to_string).unwrap_or_default();
    match options.store {
        StoreKind::Aws => "is sent by the deployment's own function".to_owned(),
        StoreKind::Embedded => {
            format!("is written to {}; its links lead to {origin}", options.data.join("mail").display())
        }
    }
}

/// Where webhooks stand.
fn webhooks(options: &Dev, targets: Targets, backend: &Backend) -> String {
    if options.store == StoreKind::Aws {
        let queues = match &backend.app.queues {
            Some(_) => "",
            None => "; HEDGEROW_QUEUES is not set, so nothing here can send a delivery or start a job",
        };
        let flags = match (options.webhook_retries.is_empty(), options.webhook_targets) {
            (true, None) => "",
            _ => "; --webhook-retries and --webhook-targets have no effect on them",
        };
        return format!("are sent by the deployment's own functions{queues}{flags}");
    }
    let targets = match targets {
        Targets::Any => "may go anywhere, to http and loopback too",
        Targets::Public => "may go to https on port 443 of public addresses",
    };
    if options.webhook_retries.is_empty() {
        return targets.to_owned();
    }
    let pauses: Vec<String> = options.webhook_retries.iter().map(|pause| format!("{pause:?}")).collect();
    format!("{targets}; what fails is tried again after {}", pauses.join(", "))
}
