//! That an API key was used, which its owner sees. It is written down beside the handler: no request fails by it, and
//! none waits for it longer than [`GRACE`].

use std::pin::pin;
use std::time::Duration;

use crate::request::RequestContext;
use crate::request::caller::Caller;

/// How long a request that is done waits for it.
const GRACE: Duration = Duration::from_millis(100);

/// Notes the use of the caller's key, if it is one, while the work goes on.
pub(super) async fn noted<T>(context: &RequestContext, work: impl Future<Output = T>) -> T {
    let (mut work, mut noting) = (pin!(work), pin!(note(context)));
    tokio::select! {
        biased;
        done = &mut work => {
            // An instance may be frozen when it has answered; what is not done by then is done by the next request.
            let _ = tokio::time::timeout(GRACE, noting).await;
            done
        }
        () = &mut noting => work.await,
    }
}

async fn note(context: &RequestContext) {
    let (Caller::Key(key), Ok(store)) = (&context.caller, context.app.store()) else { return };
    if let Err(error) = store.note_key_use(key, &context.incoming.info).await {
        tracing::warn!(
            key = key.id.to_string(),
            error = ?error,
            "the use of an API key was not noted, its `lastUsedAt` is older than it should be: the next use is noted again"
        );
    }
}
