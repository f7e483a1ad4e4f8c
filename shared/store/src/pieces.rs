//! What may be larger than an item, in several: each holds a piece in `body`, and how many there are in `pieces`.

use aws_sdk_dynamodb::types::AttributeValue;
use contract::Error;

use crate::Store;
use crate::dynamo::{Item, get_bytes, get_number, key_attributes, must, number};
use crate::keys::Key;

/// Bytes of a piece at the most: an item has at most 400 KB.
pub(crate) const MAX_PIECE_BYTES: usize = 350_000;

/// One piece, without a key.
pub(crate) struct Piece {
    pub(crate) body: AttributeValue,
    pub(crate) pieces: AttributeValue,
}

/// The pieces of a body, in order; one at least, which has at most `first` bytes.
pub(crate) fn cut(body: &[u8], first: usize) -> Vec<Piece> {
    let (first, rest) = body.split_at(first.min(body.len()));
    let parts: Vec<&[u8]> = std::iter::once(first).chain(rest.chunks(MAX_PIECE_BYTES)).collect();
    let piece = |part: &&[u8]| Piece { body: AttributeValue::B((*part).into()), pieces: number(parts.len()) };
    parts.iter().map(piece).collect()
}

impl Piece {
    /// The item of this piece alone.
    pub(crate) fn at(self, key: &Key) -> Item {
        let mut item = key_attributes(key);
        item.extend([("body".to_owned(), self.body), ("pieces".to_owned(), self.pieces)]);
        item
    }
}

impl Store {
    /// The body whose first piece an item has; `key` says where the others are.
    pub(crate) async fn join(&self, first: &Item, key: impl Fn(usize) -> Key) -> Result<Vec<u8>, Error> {
        let count: usize = must(get_number(first, "pieces"), "pieces")?;
        let mut body = must(get_bytes(first, "body"), "body")?.to_vec();
        let keys: Vec<Key> = (1..count).map(key).collect();
        let rest = self.batch_get_all(&keys.iter().collect::<Vec<_>>()).await?;
        for key in &keys {
            body.extend_from_slice(must(rest.get(key).and_then(|item| get_bytes(item, "body")), "body")?);
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_body_in_order() {
        for (length, first, count) in [
            (0, MAX_PIECE_BYTES, 1),
            (1, MAX_PIECE_BYTES, 1),
            (MAX_PIECE_BYTES, MAX_PIECE_BYTES, 1),
            (MAX_PIECE_BYTES + 1, MAX_PIECE_BYTES, 2),
            (3 * MAX_PIECE_BYTES, MAX_PIECE_BYTES, 3),
            (3 * MAX_PIECE_BYTES + 7, MAX_PIECE_BYTES, 4),
            (100, 100, 1),
            (101, 100, 2),
            (100 + MAX_PIECE_BYTES, 100, 2),
            (101 + MAX_PIECE_BYTES, 100, 3),
        ] {
            let body: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).expect("a byte")).collect();
            let pieces = cut(&body, first);
            assert!(pieces.iter().all(|piece| piece.pieces == number(count)));
            let joined: Vec<u8> =
                pieces.iter().flat_map(|piece| piece.body.as_b().expect("bytes").as_ref().to_vec()).collect();
            assert_eq!((pieces.len(), joined), (count, body));
        }
    }
}
