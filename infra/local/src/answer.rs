//! The bodies of answers: whole, or piece by piece.

use std::io;

use bytes::Bytes;
use engines::Role;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use runtime::{Pieces, Reply};

/// The same pieces, made with no more rights than a role grants.
pub(crate) fn held(pieces: Pieces, role: Role) -> Pieces {
    Pieces::of(stream::unfold((pieces, role), |(mut pieces, role)| async move {
        let piece = role.hold(pieces.next()).await?;
        Some((piece, (pieces, role)))
    }))
}

/// The body of an answer.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A body that is there.
pub(crate) fn whole(body: impl Into<Bytes>) -> Body {
    Full::new(body.into()).map_err(|never| match never {}).boxed_unsync()
}

/// All of it, or piece by piece; a piece that can't be made ends the connection, so that nobody takes the rest for the whole.
pub(crate) fn body_of(reply: &mut Reply) -> Body {
    let Some(pieces) = reply.pieces.take() else { return whole(std::mem::take(&mut reply.body)) };
    let frames = stream::unfold(Some(pieces), |pieces| async move {
        let mut pieces = pieces?;
        match pieces.next().await? {
            Ok(piece) => Some((Ok(Frame::data(piece)), Some(pieces))),
            Err(error) => {
                let cause = error.cause().map(ToString::to_string);
                tracing::error!(error = %error, cause, "an answer could not be given whole: its connection was broken off");
                Some((Err(io::Error::other(error.to_string())), None))
            }
        }
    });
    StreamBody::new(frames).boxed_unsync()
}
