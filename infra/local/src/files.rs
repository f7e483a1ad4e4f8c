//! Where signed addresses of the embedded bucket lead.

use std::io::ErrorKind;

use engines::{EngineError, S3};
use runtime::bucket::{INCOMPLETE, Prefix};
use tokio::net::TcpListener;

use crate::listen_on::{self, ListenOn};
use crate::services::StartError;

/// Listens where the command line says, or else on the port behind the API's; if that is taken, on any.
///
/// # Errors
/// If what the command line says is taken or not this machine's.
pub(crate) async fn listen(
    said: Option<&ListenOn>,
    api: &ListenOn,
) -> Result<(Vec<TcpListener>, ListenOn), StartError> {
    let on = said.cloned().unwrap_or_else(|| api.next());
    let failed = |error| format!("{on}: {error}; --files ADDR:PORT names another");
    let listeners = match listen_on::bind(&on.resolve().await.map_err(failed)?).await {
        Err(error) if said.is_none() && error.kind() == ErrorKind::AddrInUse => {
            listen_on::bind(&on.at_port(0).resolve().await.map_err(failed)?).await
        }
        bound => bound,
    };
    let listeners = listeners.map_err(failed)?;
    let port = listeners.first().ok_or("there is nothing to listen on")?.local_addr()?.port();
    Ok((listeners, on.at_port(port)))
}

/// Deletes what the bucket's lifecycle would in AWS.
///
/// # Errors
/// If the bucket can't be written to.
pub(crate) fn expire(s3: &S3) -> Result<(), EngineError> {
    for prefix in Prefix::ALL {
        if let Some(kept) = prefix.kept() {
            s3.expire(prefix.word(), kept, INCOMPLETE)?;
        }
    }
    Ok(())
}
