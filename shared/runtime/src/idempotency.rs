//! The idempotency gate (contract: `Idempotency-Key`).

use contract::route::Meta;
use contract::{Code, Error};
use http::header::{CONTENT_TYPE, HeaderName, IF_MATCH, IF_NONE_MATCH};
use store::author::Seed;
use store::idempotency::{Begun, Ending, Keyed, Remembered, Slot};

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
    let request = Keyed {
        caller: &caller.actor(),
        route: &route,
        key,
        body: &incoming.body,
        media_type: &essence(&incoming.bytes(&CONTENT_TYPE)),
        if_match: &incoming.bytes(&IF_MATCH),
        if_none_match: &incoming.bytes(&IF_NONE_MATCH),
    };
    Ok(match app.store()?.begin(scope, &request).await? {
        Begun::Go(slot) => Turn::Go(slot.seed, Some(slot)),
        Begun::Answered(answer) => Turn::Replay(answer),
    })
}

/// A media type without its parameters, which say nothing of how JSON is read (RFC 9110 §8.3.1: it has no case).
fn essence(content_type: &[u8]) -> String {
    let text = String::from_utf8_lossy(content_type);
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Keeps a success; a refusal frees the key. What was done stays done if this fails, however often it was tried: the lease
/// runs out, and a repetition finds its own writes.
pub(crate) async fn finish(app: &App, slot: Slot, handled: &Result<Reply, Error>) {
    let ending = match handled {
        Ok(reply) => reply.to_remember().map(Ending::Answered),
        Err(error) if error.code().status() < 500 => Ok(Ending::Refused),
        Err(_) => Ok(Ending::Failed),
    };
    let kept = match (app.store(), ending) {
        (Ok(store), Ok(ending)) => store.finish(slot, ending).await,
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    if let Err(error) = kept {
        tracing::error!(error = ?error, "what became of a request could not be kept under its idempotency key");
    }
}

#[cfg(test)]
mod tests {
    use super::essence;

    #[test]
    fn a_media_type_is_its_essence() {
        for same in ["application/json", "Application/JSON; charset=utf-8", " application/json ;x=y"] {
            assert_eq!(essence(same.as_bytes()), "application/json");
        }
        assert_eq!((essence(b""), essence(b"text/plain")), (String::new(), "text/plain".to_owned()));
        assert_ne!(essence(b"\xff"), essence(b""));
    }
}
