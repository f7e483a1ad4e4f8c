//! `hedgerow engines`: the embedded DynamoDB over HTTP with the sample events' account in it, for function binaries
//! under `cargo lambda` or another stand-in for Lambda. In memory: every start is a new one.

use engines::Dynamo;
use samples::Identity;
use store::author::Clock;
use tokio::net::TcpListener;

use crate::backend::{Backend, StartError};
use crate::options::Engines;

/// Runs until it is interrupted.
///
/// # Errors
/// If the address is taken.
#[expect(clippy::print_stdout, reason = "a command's output")]
pub async fn run(options: Engines) -> Result<(), StartError> {
    let listener = TcpListener::bind(options.listen).await.map_err(|e| format!("{}: {e}", options.listen))?;
    let address = listener.local_addr()?;
    let dynamo = Dynamo::memory()?;
    let backend = Backend::embedded(dynamo.clone(), Clock::default()).await?;
    samples::seed(&backend.store, &Identity::of_events()).await?;
    println!("The embedded DynamoDB listens on http://{address}, with the account of the sample events in it.\n");
    println!(
        "export AWS_ENDPOINT_URL=http://{address} AWS_REGION=local AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local"
    );
    engines::serve(dynamo, listener).await?;
    Ok(())
}
