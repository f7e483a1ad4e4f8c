//! The idempotency gate (contract: `Idempotency-Key`).

use contract::route::Meta;
use contract::{Code, Error};
use http::header::HeaderName;
use store::author::Seed;
use store::idempotency::{Begun, Keyed, Remembered, Slot};

use crate::answer::Reply;
use crate::app::App;
use crate::credential::Caller;
use crate::incoming::Incoming;

pub(crate) const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// What the gate says.
pub(crate) enum Turn {
    /// To be carried out, with these identifiers; what holds the key, if there is one.
    Go(Seed, Option<Slot>),
    /// The answer from before.
    Replay(Remembered),
}

pub(crate) async fn begin(
    app: &App,
    meta: &Meta,
    caller: &Caller,
    incoming: &Incoming,
    seed: Seed,
) -> Result<Turn, Error> {
    let (Some(scope), true) = (caller.scope(), meta.idempotent() && incoming.headers.contains_key(&HEADER)) else {
        return Ok(Turn::Go(seed, None));
    };
    let key = incoming.header(&HEADER);
    let printable = key.bytes().all(|b| (b' '..=b'~').contains(&b));
    if !(1..=255).contains(&key.len()) || !printable || incoming.headers.get_all(&HEADER).iter().count() > 1 {
        let message = "The header `Idempotency-Key` must be 1 to 255 printable ASCII characters.";
        return Err(Error::saying(Code::MalformedRequest, message));
    }
    // The path's parameters as they are read, so that two spellings of one path are one route.
    let route =
        incoming.parameters.iter().fold(meta.id.to_owned(), |route, (name, value)| format!("{route}/{name}={value}"));
    let request = Keyed { caller: &caller.actor(), route: &route, key, body: &incoming.body };
    Ok(match app.store()?.begin(scope, &request).await? {
        Begun::Go(slot) => Turn::Go(slot.seed, Some(slot)),
        Begun::Answered(answer) => Turn::Replay(answer),
    })
}

/// Keeps the answer, or frees the key. What was done stays done if this fails: the lease runs out, and a repetition
/// finds its own writes.
pub(crate) async fn finish(app: &App, slot: Slot, reply: &Reply) {
    let kept = match app.store() {
        Ok(store) => store.finish(slot, reply.to_remember().as_ref()).await,
        Err(error) => Err(error),
    };
    if let Err(error) = kept {
        tracing::error!(error = ?error, "an answer could not be kept under its idempotency key");
    }
}
