//! The idempotency gate (contract: `Idempotency-Key`).

use contract::{Code, Error};
use http::header::{CONTENT_TYPE, HeaderName, IF_MATCH, IF_NONE_MATCH};
use store::idempotency::{Ending, Keyed, Reserved};

use super::Asked;
use crate::request::RequestContext;
use crate::respond::Reply;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// Reserves the request's key, if it has one; or answers what was answered under it.
pub(super) fn reserve(context: &mut RequestContext) -> Asked<'_> {
    Box::pin(async move {
        let (route, caller, incoming) = (context.route, &context.caller, &context.incoming);
        let (Some(scope), true) = (caller.scope(), route.idempotent() && incoming.headers.contains_key(&HEADER)) else {
            return Ok(None);
        };
        let key = incoming.header(&HEADER);
        let printable = key.bytes().all(|b| (b' '..=b'~').contains(&b));
        if !(1..=255).contains(&key.len()) || !printable || incoming.headers.get_all(&HEADER).iter().count() > 1 {
            let message = "The header `Idempotency-Key` must be 1 to 255 printable ASCII characters.";
            return Err(Error::saying(Code::MalformedRequest, message));
        }
        // The path's parameters as they are read, so that two spellings of one path are one route.
        let parameters = incoming.parameters.iter();
        let target = parameters.fold(route.id.to_owned(), |target, (name, value)| format!("{target}/{name}={value}"));
        // What is no tenant's identifier is refused by the route.
        let named = incoming.parameters.iter().find(|(name, _)| name == "tenantId");
        let tenant = named.and_then(|(_, text)| text.parse().ok());
        let request = Keyed {
            caller: &caller.repeats_as(),
            route: &target,
            key,
            body: &incoming.body,
            media_type: &essence(&incoming.bytes(&CONTENT_TYPE)),
            if_match: &incoming.bytes(&IF_MATCH),
            if_none_match: &incoming.bytes(&IF_NONE_MATCH),
            tenant: tenant.as_ref(),
        };
        match context.app.store()?.begin(scope, &request).await? {
            Reserved::Proceed(reservation) => {
                context.seed = reservation.seed;
                context.reservation = Some(reservation);
                Ok(None)
            }
            Reserved::Answered(answer) => Ok(Some(Reply::of_remembered(answer))),
        }
    })
}

/// A media type without its parameters, which say nothing of how JSON is read (RFC 9110 §8.3.1: it has no case).
fn essence(content_type: &[u8]) -> String {
    let text = String::from_utf8_lossy(content_type);
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Keeps a success under the request's key; a refusal frees the key. What was done stays done if this fails, however often
/// it was tried: the lease runs out, and a repetition finds its own writes.
pub(super) async fn remember(context: &mut RequestContext, handled: &Result<Reply, Error>) {
    let Some(reservation) = context.reservation.take() else { return };
    let ending = match handled {
        Ok(reply) => reply.to_remember().map(Ending::Answered),
        Err(error) if error.code().status() < 500 => Ok(Ending::Refused),
        Err(_) => Ok(Ending::Failed),
    };
    let kept = match (context.app.store(), ending) {
        (Ok(store), Ok(ending)) => store.finish(reservation, ending).await,
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    if let Err(error) = kept {
        tracing::error!(
            error = ?error,
            "an answer could not be stored under its idempotency key: a retry is carried out again and finds \
             what was written"
        );
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
