//! `hedgerow engines`: the embedded engines over HTTP with the sample events' account in it, for function binaries
//! under `cargo lambda` or another stand-in for Lambda. In memory: every start is a new one.

use engines::S3;
use runtime::Queue;
use samples::Identity;
use store::author::Clock;

use crate::backend::Backend;
use crate::listen_on;
use crate::options::Engines;
use crate::services::{MAIL_FROM, StartError, create_sample_keys};

/// Runs until it is interrupted.
///
/// # Errors
/// If the address is taken.
#[expect(clippy::print_stdout, reason = "a command's output")]
pub async fn run(options: Engines) -> Result<(), StartError> {
    let listener = listen_on::bind_one(&options.listen).await?;
    let address = options.listen.at_port(listener.local_addr()?.port());
    let all = engines::Engines::memory()?;
    create_sample_keys(&all).await?;
    let backend = Backend::embedded(all.clone(), Clock::default()).await?;
    samples::seed(&backend.store, &Identity::of_events(), &*backend.app.vault()?.ring().await?).await?;
    println!("The embedded engines listen on http://{address}, with the account of the sample events in it.\n");
    let first = backend.app.queues()?.url(Queue::FirstAttempts);
    let queues = first.strip_suffix("-first-attempts").unwrap_or(&first);
    println!(
        "export AWS_ENDPOINT_URL=http://{address} AWS_REGION=local AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local \
         HEDGEROW_QUEUES={queues} HEDGEROW_BUCKET={} HEDGEROW_ORIGIN=http://localhost:9000 HEDGEROW_MAIL_FROM={MAIL_FROM}",
        S3::bucket()
    );
    engines::serve(all, listener).await?;
    Ok(())
}
